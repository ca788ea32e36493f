use std::{sync::Arc, time::Duration};

use geocast_protocol::{Channel, envelope::Timestamp};

use super::*;
use crate::pipeline::{Body, ClientId, Group};

/// A filter of a user's own.
#[derive(Debug, PartialEq)]
enum Own {
    Fails,
    Panics,
    Shouts,
    Stops,
    Counts,
    Floods,
}

impl Filter for Own {
    fn name(&self) -> &str {
        match self {
            Self::Fails => "fails",
            Self::Panics => "panics",
            Self::Shouts => "shouts",
            Self::Stops => "stops",
            Self::Counts => "counts",
            Self::Floods => "floods",
        }
    }

    fn data(&self, context: &mut Context<'_>, _: &[u8]) -> Result<(), FilterError> {
        context.change("data cannot be changed");
        Ok(())
    }

    fn message(&self, context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        match self {
            Self::Fails => {
                context.send("never sent")?;
                Err("it is meant to".to_owned()).map_err(|error| FilterError::Other(error.into()))
            }
            Self::Panics => {
                let nothing: [u8; 0] = [];
                let _out_of_bounds = &nothing[message.as_bytes().len()..];
                Ok(())
            }
            Self::Shouts => {
                context.change(message.to_text().to_uppercase());
                Ok(())
            }
            Self::Stops => {
                context.stop();
                Ok(())
            }
            Self::Counts => {
                let count: &mut u32 = context.memory();
                *count += 1;
                let text = count.to_string();
                context.send(text)
            }
            Self::Floods => (0..=Context::MOST_ACTIONS).try_for_each(|_| context.send("")),
        }
    }
}

fn own(filters: impl IntoIterator<Item = Own>) -> Filters {
    Filters::new(filters.into_iter().map(|filter| Arc::new(filter) as Arc<dyn Filter>)).unwrap()
}

fn both(first: &Filters, second: &Filters) -> Filters {
    Filters::new(first.0.iter().chain(second.0.iter()).map(|entry| Arc::clone(&entry.filter))).unwrap()
}

fn run(filters: &Filters, member: &mut Member, chain: Chain<'_>) -> Outcome {
    filters.run(chain, member, Timestamp::since_epoch(Duration::ZERO))
}

fn say(filters: &Filters, member: &mut Member, text: &str) -> Vec<Action> {
    run(filters, member, Chain::Message(&text.into())).actions
}

fn client() -> Member {
    Member::new(ClientId::next())
}

fn group(name: &str) -> Group {
    name.parse().unwrap()
}

#[test]
fn names_are_those_of_the_reference() {
    let names = [
        "broadcast_messages",
        "broadcast_messages_by_token",
        "broadcast_pubsub",
        "stdout_messages",
        "stdout_rawdata",
        "stdout_pubsub",
    ];
    let plain = Filters::named(names).unwrap();
    assert_eq!(plain.names().collect::<Vec<_>>(), names);
    let dotted = Filters::named(names.map(|name| format!("filtered_websocket.filters.{name}"))).unwrap();
    assert_eq!(dotted.names().collect::<Vec<_>>(), names);
}

#[test]
fn names_that_make_no_sense_are_refused() {
    for (names, expected) in [
        (vec!["shout"], "there is no filter `shout`: there are broadcast_messages, "),
        (vec!["other.filters.stdout_messages"], "there is no filter `other.filters.stdout_messages`"),
        (vec!["./missing.rhai"], "the script ./missing.rhai: it cannot be read: "),
        (
            vec!["stdout_pubsub", "filtered_websocket.filters.stdout_pubsub"],
            "the filter `stdout_pubsub` is named twice",
        ),
    ] {
        let error = Filters::named(names).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_filter_that_fails_keeps_no_other_from_its_work() {
    let filters = own([Own::Fails, Own::Panics, Own::Floods, Own::Counts]);
    let mut member = client();
    let outcome = run(&filters, &mut member, Chain::Message(&"a".into()));
    assert_eq!((outcome.actions, outcome.failures), (vec![Action::Send("1".into())], 3));
    assert_eq!(say(&filters, &mut member, "b"), [Action::Send("2".into())], "memory is kept");
    assert_eq!(say(&filters, &mut client(), "b"), [Action::Send("1".into())], "each client has its own");
}

#[test]
fn filters_run_in_the_order_in_which_they_are_named() {
    let broadcast = Filters::named(["broadcast_messages"]).unwrap();
    let sent = |text: &str| vec![Action::Broadcast(text.into())];
    for (filters, expected) in [
        (both(&own([Own::Shouts]), &broadcast), sent("HELLO")),
        (both(&broadcast, &own([Own::Shouts])), sent("hello")),
        (both(&own([Own::Stops]), &broadcast), vec![]),
        (both(&broadcast, &own([Own::Stops])), sent("hello")),
    ] {
        assert_eq!(say(&filters, &mut client(), "hello"), expected, "{filters:?}");
    }
}

#[test]
fn only_what_is_a_message_can_be_changed() {
    let outcome = run(&own([Own::Shouts]), &mut client(), Chain::Data(b"a"));
    assert_eq!((outcome.actions, outcome.failures), (vec![], 1));
}

#[test]
fn tokens_are_groups() {
    let filters = Filters::named(["broadcast_messages_by_token"]).unwrap();
    let mut member = client();
    let send = |text: &str| Action::Send(text.into());
    let registered = |token| send(&format!("Successfully registered with broadcast group: {token}"));
    let refused = || vec![send("Error: No token has been set")];
    assert_eq!(say(&filters, &mut member, "hello"), refused());
    assert_eq!(say(&filters, &mut member, "token:"), refused());
    assert_eq!(say(&filters, &mut member, "token: a"), refused());
    assert_eq!(say(&filters, &mut member, "token:a"), [Action::Join(group("a")), registered("a")]);
    assert_eq!(say(&filters, &mut member, "hello"), [Action::SendToGroup(group("a"), "hello".into())]);
    assert_eq!(
        say(&filters, &mut member, "my token:b:c please"),
        [Action::Leave(group("a")), Action::Join(group("b:c")), registered("b:c")]
    );
    assert_eq!(say(&filters, &mut member, "token:b:c"), [Action::Join(group("b:c")), registered("b:c")]);
    let binary = Body::Binary(b"token:d".to_vec());
    let outcome = run(&filters, &mut member, Chain::Message(&binary));
    assert_eq!(outcome.actions, [Action::SendToGroup(group("b:c"), binary)], "bytes hold no token");
    let long = format!("token:{}", "x".repeat(Group::MAX_BYTES + 1));
    let error = send("Error: a group name of 129 bytes is longer than 128 bytes");
    assert_eq!(say(&filters, &mut member, &long), [error]);
    assert_eq!(run(&filters, &mut member, Chain::Disconnect).actions, []);
}

#[test]
fn each_chain_has_its_own_filters() {
    let filters = Filters::named(BuiltIn::ALL.map(|filter| filter.name().to_owned())).unwrap();
    let mut member = client();
    let id = member.client().unwrap();
    let channel: Channel = "news".parse().unwrap();
    let (text, item) = (Body::from("a\u{1b}[2J"), Body::Binary(vec![0, 255]));
    let print = |text: String| Action::Print(text);
    for (chain, expected) in [
        (Chain::Data(b"a\n\x07"), vec![print("--RAWDATA--\na\n\u{fffd}".to_owned())]),
        (
            Chain::Message(&text),
            vec![
                Action::Broadcast(text.clone()),
                Action::Send("Error: No token has been set".into()),
                print(format!("--MESSAGE--\n{id} => a\u{fffd}[2J")),
            ],
        ),
        (Chain::Disconnect, vec![]),
        (
            Chain::Consumer(&channel, &item),
            vec![Action::Broadcast(item.clone()), print("--PUBSUB--\n\u{fffd}\u{fffd}".to_owned())],
        ),
    ] {
        assert_eq!(run(&filters, &mut member, chain).actions, expected, "{chain:?}");
    }
}

#[test]
fn nobody_joins_nothing() {
    #[derive(Debug)]
    struct Joins;
    impl Filter for Joins {
        fn name(&self) -> &str {
            "joins"
        }
        fn consumer(&self, context: &mut Context<'_>, _: &Channel, _: &Body) -> Result<(), FilterError> {
            context.join("a".parse()?)
        }
    }
    let filters = Filters::new([Arc::new(Joins) as Arc<dyn Filter>]).unwrap();
    let channel: Channel = "news".parse().unwrap();
    let outcome = run(&filters, &mut Member::nobody(), Chain::Consumer(&channel, &"a".into()));
    assert_eq!((outcome.actions, outcome.failures), (vec![], 1));
}
