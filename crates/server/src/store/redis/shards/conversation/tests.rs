use std::sync::Arc;

use super::*;
use crate::store::redis::{subscriptions::Standing, topology::Topology};

const PROBE: &str = "__geocast_probe:1";

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn here() -> Address {
    Address::Tcp { host: "h".to_owned(), port: 1 }
}

/// A conversation with the only master, whose probe is in force, and what is wanted of it.
fn begin() -> (Conversation, Placements, ShardId) {
    let mut placements = Placements::default();
    placements.locate(&Arc::new(Topology::single(here())));
    drop(placements.want(&channel("a")));
    let id = placements.to_open(|_| false)[0].id;
    let mut out = Vec::new();
    let mut conversation = Conversation::new(id, here(), None, Some(channel(PROBE)), &mut out);
    let said = String::from_utf8(out).unwrap().replace("\r\n", " ");
    assert_eq!(said, format!("*3 $6 CLIENT $7 SETNAME $7 geocast *2 $10 SSUBSCRIBE $17 {PROBE} *1 $4 PING "));
    for answer in [Push::Okay, on(PROBE, 1), Push::Pong] {
        conversation.answer(answer, &mut placements).unwrap();
    }
    assert_eq!(conversation.probe_channel(), Some(&channel(PROBE)));
    assert!(!conversation.probe.is_outstanding());
    (conversation, placements, id)
}

/// Says what is wanted, and returns it.
fn say(conversation: &mut Conversation, placements: &mut Placements, id: ShardId) -> String {
    let mut out = Vec::new();
    conversation.change(placements.take_changes(id, 99), &mut out);
    String::from_utf8(out).unwrap().replace("\r\n", " ")
}

fn on(name: &str, held: u64) -> Push<'_> {
    Push::ShardSubscribed { channel: name.as_bytes(), held }
}

fn off(name: &str) -> Push<'_> {
    Push::ShardUnsubscribed { channel: name.as_bytes() }
}

#[test]
fn each_channel_is_asked_for_by_itself() {
    let (mut conversation, mut placements, id) = begin();
    let b = placements.want(&channel("b"));
    let said = say(&mut conversation, &mut placements, id);
    assert_eq!(said, "*2 $10 SSUBSCRIBE $1 a *2 $10 SSUBSCRIBE $1 b ");
    conversation.answer(on("a", 2), &mut placements).unwrap();
    conversation.answer(Push::Error(b"NOPERM no"), &mut placements).unwrap();
    assert_eq!(conversation.channel(b"a"), Some(&channel("a")));
    assert_eq!((conversation.channel(b"b"), conversation.channel(b"\xff")), (None, None));
    assert_eq!(*b.borrow(), Standing::Refused("NOPERM no".to_owned()));
    assert_eq!(placements.in_flight(id), 0);
}

#[test]
fn a_lost_slot_and_a_subscription_that_is_given_up_are_told_apart() {
    // As Redis answers if the slot is lost before SUNSUBSCRIBE comes, and if it comes first.
    for answers in [vec![off("a"), Push::Error(b"MOVED 1 h:1"), Push::Pong], vec![off("a"), Push::Pong]] {
        let (mut conversation, mut placements, id) = begin();
        say(&mut conversation, &mut placements, id);
        conversation.answer(on("a", 2), &mut placements).unwrap();
        placements.release(&channel("a"));
        drop(placements.want(&channel("b")));
        let said = say(&mut conversation, &mut placements, id);
        assert_eq!(said, "*2 $12 SUNSUBSCRIBE $1 a *1 $4 PING *2 $10 SSUBSCRIBE $1 b ");
        for answer in answers {
            conversation.answer(answer, &mut placements).unwrap();
        }
        conversation.answer(on("b", 2), &mut placements).unwrap();
        assert_eq!((conversation.channel(b"a"), conversation.channel(b"b")), (None, Some(&channel("b"))));
        assert_eq!((placements.in_flight(id), placements.trouble()), (0, None));
    }
}

#[test]
fn an_end_that_nobody_asked_for_is_a_deaf_interval() {
    let (mut conversation, mut placements, id) = begin();
    say(&mut conversation, &mut placements, id);
    conversation.answer(on("a", 2), &mut placements).unwrap();
    conversation.answer(off("a"), &mut placements).unwrap();
    assert_eq!(placements.trouble().unwrap(), "nothing is heard of the shards of 1 channels");
    for answer in [&b"MOVED 1 h:2"[..], b"CLUSTERDOWN no", b"MOVED 1 nonsense"] {
        // Still with the one who has lost it, as far as is known.
        placements.retry();
        assert_eq!(say(&mut conversation, &mut placements, id), "*2 $10 SSUBSCRIBE $1 a ");
        assert!(!placements.is_any_nowhere());
        conversation.answer(Push::Error(answer), &mut placements).unwrap();
        assert!(placements.is_any_nowhere() && placements.take_regained().is_empty());
        assert!(placements.take_doubt());
    }
    placements.retry();
    say(&mut conversation, &mut placements, id);
    conversation.answer(on("a", 2), &mut placements).unwrap();
    assert_eq!(placements.take_regained(), [channel("a")]);
    assert_eq!(placements.trouble(), None);
}

#[test]
fn subscriptions_that_redis_has_forgotten_end_the_connection() {
    let (mut conversation, mut placements, id) = begin();
    say(&mut conversation, &mut placements, id);
    conversation.answer(on("a", 2), &mut placements).unwrap();
    for (held, expected) in [(2, None), (1, Some("redis holds 1 of 2 subscriptions to the shard"))] {
        let mut out = Vec::new();
        conversation.ping(Acknowledged::default(), || None, &mut out);
        assert!(out.starts_with(b"*2\r\n$10\r\nSSUBSCRIBE\r\n$17\r\n__geocast_probe:1\r\n"));
        let answered = conversation.answer(on(PROBE, held), &mut placements);
        assert_eq!(answered.err().map(|error| error.to_string()).as_deref(), expected);
        if expected.is_none() {
            conversation.answer(Push::Pong, &mut placements).unwrap();
        }
    }
}

#[test]
fn the_probe_moves_if_its_slot_does() {
    let (mut conversation, mut placements, _) = begin();
    assert_eq!(
        conversation
            .take_probe(PROBE.as_bytes(), b"__geocast_probe:settle:1")
            .unwrap()
            .unwrap()
            .as_str()
            .len(),
        24
    );
    conversation.answer(off(PROBE), &mut placements).unwrap();
    assert_eq!(conversation.probe_channel(), None);
    assert_eq!(conversation.take_probe(PROBE.as_bytes(), b"__geocast_probe:settle:1"), Ok(None));
    let other = "__geocast_probe:2";
    let mut out = Vec::new();
    conversation.mend_probe(|| Some(channel(other)), &mut out);
    assert_eq!(String::from_utf8(out).unwrap().lines().last(), Some(other));
    conversation.mend_probe(|| None, &mut Vec::new());
    conversation.answer(on(other, 1), &mut placements).unwrap();
    conversation.ping(Acknowledged::default(), || None, &mut Vec::new());
    conversation.answer(on(other, 1), &mut placements).unwrap();
    conversation.answer(Push::Pong, &mut placements).unwrap();
    assert_eq!(conversation.probe_channel(), Some(&channel(other)));
    let mut acknowledged = Acknowledged::default();
    acknowledged.take(2, 1);
    conversation.ping(acknowledged, || None, &mut Vec::new());
    conversation.answer(on(other, 1), &mut placements).unwrap();
    let error = conversation.answer(Push::Pong, &mut placements).unwrap_err().to_string();
    assert_eq!(error, "a message published as a probe did not arrive");
}

#[test]
fn what_is_said_of_a_probe_that_has_ended_is_not_taken_for_the_next() {
    let (mut conversation, mut placements, _) = begin();
    let other = "__geocast_probe:2";
    // It is asked for once more as its slot is lost.
    conversation.ping(Acknowledged::default(), || None, &mut Vec::new());
    conversation.answer(off(PROBE), &mut placements).unwrap();
    conversation.mend_probe(|| Some(channel(other)), &mut Vec::new());
    for answer in [Push::Error(b"MOVED 1 h:2"), Push::Pong, on(other, 1)] {
        conversation.answer(answer, &mut placements).unwrap();
    }
    assert_eq!(conversation.probe_channel(), Some(&channel(other)));
    conversation.ping(Acknowledged::default(), || Some(channel("third")), &mut Vec::new());
    conversation.answer(on(other, 1), &mut placements).unwrap();
}

#[test]
fn what_redis_has_not_or_forbids_is_told() {
    for (reason, is_older) in [
        ("ERR unknown command 'SSUBSCRIBE'", true),
        ("NOPERM User x has no permissions to run the 'ssubscribe' command", false),
    ] {
        let mut placements = Placements::default();
        let mut conversation =
            Conversation::new(ShardId(1), here(), None, Some(channel(PROBE)), &mut Vec::new());
        conversation.answer(Push::Okay, &mut placements).unwrap();
        let error = conversation.answer(Push::Error(reason.as_bytes()), &mut placements).unwrap_err();
        assert_eq!(error.to_string(), format!("redis refused SSUBSCRIBE: {reason}"));
        assert_eq!((is_impossible(&error), is_unknown(&error)), (true, is_older), "{reason}");
    }
    let mut placements = Placements::default();
    let mut conversation = Conversation::new(ShardId(1), here(), None, Some(channel(PROBE)), &mut Vec::new());
    conversation.answer(Push::Okay, &mut placements).unwrap();
    conversation.answer(Push::Error(b"NOPERM no access to one of the channels"), &mut placements).unwrap();
    conversation.answer(Push::Pong, &mut placements).unwrap();
    let mut out = Vec::new();
    conversation.ping(Acknowledged::default(), || Some(channel(PROBE)), &mut out);
    assert_eq!(out, b"*1\r\n$4\r\nPING\r\n");
}

#[test]
fn an_answer_comes_behind_all_that_was_told_before() {
    let (mut conversation, mut placements, id) = begin();
    let answers = placements.want_answers();
    assert!(!placements.have_answered(&answers));
    let (number, mut out) = (placements.take_wanted(id).unwrap(), Vec::new());
    assert_eq!(placements.take_wanted(id), None, "once");
    conversation.ask(number, &mut out);
    conversation.ping(Acknowledged::default(), || None, &mut out);
    let again = placements.want_answers();
    assert_eq!(
        out,
        format!("*1\r\n$4\r\nPING\r\n*2\r\n$10\r\nSSUBSCRIBE\r\n$17\r\n{PROBE}\r\n*1\r\n$4\r\nPING\r\n")
            .as_bytes()
    );
    conversation.answer(Push::Pong, &mut placements).unwrap();
    assert_eq!((placements.have_answered(&answers), placements.have_answered(&again)), (true, false));
    assert!(conversation.probe.is_outstanding(), "that is another");
    // A connection that is new tells everything anew, and is asked anew.
    placements.take_wanted(id).unwrap();
    placements.lost(id, "gone".to_owned());
    assert!(placements.have_answered(&again));
    assert!(placements.take_wanted(id).is_some());
}
