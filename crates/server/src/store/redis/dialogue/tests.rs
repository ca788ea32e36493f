use super::*;

const PROBE: &str = "__geocast_probe:1";

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

/// A dialogue at its beginning, what it said, and the subscriptions it serves.
fn begin(url: &str) -> (Dialogue, String, Mutex<Subscriptions>) {
    let url: super::super::RedisUrl = url.parse().unwrap();
    let mut out = Vec::new();
    let dialogue = Dialogue::new(url.credentials.as_ref(), channel(PROBE), &mut out);
    let said = String::from_utf8(out).unwrap().replace("\r\n", " ");
    (dialogue, said, Mutex::default())
}

/// Gives the answers to the beginning, without AUTH.
fn greet(dialogue: &mut Dialogue, subscriptions: &Mutex<Subscriptions>) {
    for answer in [Push::Okay, Push::Subscribed { channel: PROBE.as_bytes() }, Push::Pong] {
        dialogue.answer(answer, subscriptions).unwrap();
    }
}

/// Wants `names` and says so.
fn want(dialogue: &mut Dialogue, subscriptions: &Mutex<Subscriptions>, names: &[&str]) {
    let mut subscriptions = subscriptions.lock();
    for name in names {
        subscriptions.want(&channel(name));
    }
    dialogue.change(subscriptions.take_changes(usize::MAX), &mut Vec::new());
}

#[test]
fn says_who_it_is() {
    let rest = "*3 $6 CLIENT $7 SETNAME $7 geocast *2 $9 SUBSCRIBE $17 __geocast_probe:1 *1 $4 PING ";
    assert_eq!(begin("redis://h").1, rest);
    assert_eq!(begin("redis://:pw@h").1, format!("*2 $4 AUTH $2 pw {rest}"));
    assert_eq!(begin("redis://me:p%0D%0Aw@h").1, format!("*3 $4 AUTH $2 me $4 p w {rest}"));
}

#[test]
fn knows_the_channels_that_are_in_force() {
    let (mut dialogue, _, subscriptions) = begin("redis://h");
    assert!(dialogue.probe.is_outstanding());
    greet(&mut dialogue, &subscriptions);
    assert!(!dialogue.probe.is_outstanding());
    want(&mut dialogue, &subscriptions, &["a", "b"]);
    dialogue.answer(Push::Subscribed { channel: b"a" }, &subscriptions).unwrap();
    assert_eq!(dialogue.channel(b"a"), Some(&channel("a")));
    assert_eq!((dialogue.channel(b"b"), dialogue.channel(b"\xff")), (None, None));
    assert_eq!(subscriptions.lock().in_flight(), 1);
    dialogue.answer(Push::Subscribed { channel: b"b" }, &subscriptions).unwrap();
    subscriptions.lock().release(&channel("a"));
    dialogue.change(subscriptions.lock().take_changes(9), &mut Vec::new());
    assert_eq!(dialogue.channel(b"a"), Some(&channel("a")), "messages come until Redis confirms");
    dialogue.answer(Push::Unsubscribed { channel: b"a" }, &subscriptions).unwrap();
    assert_eq!(dialogue.channel(b"a"), None);
    assert_eq!(subscriptions.lock().in_flight(), 0);
}

#[test]
fn a_missing_permission_concerns_the_channels_only() {
    let (mut dialogue, _, subscriptions) = begin("redis://h");
    let no = Push::Error(b"NOPERM no");
    dialogue.answer(Push::Error(b"NOPERM no"), &subscriptions).unwrap();
    dialogue.answer(no, &subscriptions).unwrap();
    assert_eq!(dialogue.probe_channel, None);
    dialogue.answer(Push::Pong, &subscriptions).unwrap();
    want(&mut dialogue, &subscriptions, &["a"]);
    let standing = subscriptions.lock().want(&channel("a"));
    dialogue.answer(no, &subscriptions).unwrap();
    assert_eq!(*standing.borrow(), super::super::subscriptions::Standing::Refused("NOPERM no".to_owned()));
}

#[test]
fn other_errors_end_the_connection() {
    let check = |url: &str, answers: &[Push<'_>], expected: &str| {
        let (mut dialogue, _, subscriptions) = begin(url);
        let (last, before) = answers.split_last().unwrap();
        for answer in before {
            dialogue.answer(*answer, &subscriptions).unwrap();
        }
        assert_eq!(dialogue.answer(*last, &subscriptions).unwrap_err().to_string(), expected);
    };
    let probe = Push::Subscribed { channel: PROBE.as_bytes() };
    check("redis://:x@h", &[Push::Error(b"WRONGPASS no")], "redis refused AUTH: WRONGPASS no");
    check(
        "redis://h",
        &[Push::Error(b"NOAUTH"), Push::Error(b"NOAUTH no")],
        "redis refused SUBSCRIBE: NOAUTH no",
    );
    check("redis://h", &[Push::Okay, probe, Push::Error(b"LOADING")], "redis refused PING: LOADING");
    check("redis://h", &[Push::Pong], "redis answered PONG to CLIENT SETNAME");
    check("redis://h", &[Push::Okay, probe, Push::Pong, Push::Okay], "redis answered OK to nothing");
}

#[test]
fn a_confirmation_of_another_channel_ends_the_connection() {
    let (mut dialogue, _, subscriptions) = begin("redis://h");
    greet(&mut dialogue, &subscriptions);
    want(&mut dialogue, &subscriptions, &["a"]);
    let error = dialogue.answer(Push::Subscribed { channel: b"x\n" }, &subscriptions).unwrap_err();
    assert_eq!(error.to_string(), r"redis answered subscribe x\n to SUBSCRIBE or UNSUBSCRIBE");
}

#[test]
fn notices_that_its_own_messages_do_not_arrive() {
    let (mut dialogue, _, subscriptions) = begin("redis://h");
    greet(&mut dialogue, &subscriptions);
    assert_eq!(dialogue.ping(once(0), &mut Vec::new()), 2);
    dialogue.answer(Push::Pong, &subscriptions).unwrap();
    assert_eq!(dialogue.stray(PROBE.as_bytes(), b"2"), Ok(()));
    dialogue.ping(once(2), &mut Vec::new());
    dialogue.answer(Push::Pong, &subscriptions).unwrap();
    assert_eq!(dialogue.stray(b"other", b"3"), Ok(()));
    dialogue.ping(once(3), &mut Vec::new());
    let error = dialogue.answer(Push::Pong, &subscriptions).unwrap_err();
    assert_eq!(error.to_string(), "a message published as a probe did not arrive");
}

fn once(number: u64) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    acknowledged.take(number, 1);
    acknowledged
}
