//! What is lost of a history in Redis, and whether it is said: before the next message to who listens, and to who comes back.

use std::{
    io::{Read, Write},
    ops::Range,
    time::Duration,
};

use geocast_server::{RedisSettings, StoreSettings};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    history::keeping,
    redis_sentinels::RedisSentinels,
    redis_server::RedisServer,
    server::{Backend, TestServer, patient_redis},
    waiting::until,
};

/// Who listens to the history of a channel, in both dialects that have a word for a gap.
struct Listeners {
    text: Client,
    caller: Caller,
    /// What the subscription was told.
    told: Value,
    /// The offset of the last message.
    last: Value,
}

impl Listeners {
    async fn start(server: &TestServer, channel: &str) -> Self {
        let mut text = server.client().await;
        text.send(format!("SUB {channel} since=now")).await;
        assert_eq!(text.next_content().await["subscribed"]["channel"], channel);
        let mut caller = Caller::connect(server).await;
        let told = caller.call("subscribe", json!([channel])).await;
        Self { text, caller, told, last: Value::Null }
    }

    /// What both are told next: a content, or `"gap"`.
    async fn next(&mut self) -> Value {
        let (mut text, mut push) = (self.text.next().await, self.caller.client.next().await);
        let is_said = text["content"].get("gap").is_some();
        let said = if is_said { json!("gap") } else { text["content"].take() };
        let is_gap = push["method"] == "gap";
        let called = if is_gap { json!("gap") } else { push["params"]["content"].take() };
        assert_eq!(said, called, "both are told the same");
        if !is_gap {
            self.last = push["params"]["offset"].take();
        }
        called
    }

    async fn hear(&mut self, expected: &[Value]) {
        for (index, expected) in expected.iter().enumerate() {
            assert_eq!(self.next().await, *expected, "{index}");
        }
    }

    /// Hears a gap, or more than one, and then this.
    async fn hear_behind_gaps(&mut self, content: Value) {
        let mut heard = vec![self.next().await];
        while heard.last() == Some(&json!("gap")) {
            heard.push(self.next().await);
        }
        assert!(heard.len() > 1, "no gap before {heard:?}");
        assert_eq!(heard.pop(), Some(content));
    }
}

fn redis(server: &TestServer) -> &RedisServer {
    server.redis.as_ref().expect("it runs on Redis")
}

/// Another node on the same Redis.
async fn beside(server: &TestServer) -> TestServer {
    let url = redis(server).url();
    let other = TestServer::start_with(Backend::Embedded, |settings| {
        keeping(100)(settings);
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    other.wait_until_ready().await;
    other
}

async fn publish(server: &TestServer, numbers: Range<u32>) {
    for number in numbers {
        server.publish("map", number.to_string()).await;
    }
}

/// What who comes back with this offset is told, and the epoch that it is told.
async fn coming_back(server: &TestServer, since: &Value, epoch: &Value) -> (bool, Value) {
    let mut caller = Caller::connect(server).await;
    let params = json!({ "channel": "map", "since": since, "epoch": epoch });
    let mut told = caller.subscribe_behind_gaps(params).await;
    (told["recovered"].as_bool().expect("it is said"), told["epoch"].take())
}

/// Adds 50 messages, of which a stream keeps the last ten, in one write.
fn overrun(server: &TestServer, before: &str, after: &str) {
    let mut commands = before.to_owned();
    for number in 0..50 {
        commands += &format!("XADD geocast:history:map MAXLEN 10 * payload {number}\r\n");
    }
    commands += after;
    commands += "QUIT\r\n";
    let mut connection = redis(server).connect();
    connection.write_all(commands.as_bytes()).expect("redis takes commands");
    connection.read_to_end(&mut Vec::new()).expect("redis answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_trimmed_before_it_was_read_is_told() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut listeners = Listeners::start(&server, "map").await;
    publish(&server, 7..8).await;
    listeners.hear(&[json!(7)]).await;
    overrun(&server, "MULTI\r\n", "EXEC\r\n");
    listeners.hear(&[json!("gap")]).await;
    listeners.hear(&(40..50).map(Value::from).collect::<Vec<_>>()).await;
    // How much of it is read in time is up to Redis.
    for _ in 0..20 {
        overrun(&server, "", "");
        let (mut expected, mut is_told) = (0, false);
        while expected < 50 {
            let heard = listeners.next().await;
            if heard == "gap" {
                is_told = true;
                continue;
            }
            let number = heard.as_u64().expect("a number");
            assert!(number == expected || (number > expected && is_told), "{number} instead of {expected}");
            (expected, is_told) = (number + 1, false);
        }
    }
    publish(&server, 8..9).await;
    listeners.hear(&[json!(8)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trimming_alone_is_no_gap() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut listeners = Listeners::start(&server, "map").await;
    for (bound, most) in [("MAXLEN", "1"), ("MAXLEN", "0"), ("MINID", "99999999999999")] {
        for number in 0..20 {
            let payload = number.to_string();
            let adding = ["XADD", "geocast:history:map", "MAXLEN", "1", "*", "payload", &payload];
            redis(&server).cli(&adding);
            listeners.hear(&[json!(number)]).await;
            if most != "1" {
                redis(&server).cli(&["XTRIM", "geocast:history:map", bound, most]);
            }
        }
    }
    // Longer than until all streams are looked at.
    tokio::time::sleep(Duration::from_secs(6)).await;
    publish(&server, 20..21).await;
    listeners.hear(&[json!(20)]).await;
}

/// What is done to a stream with `1-1`, `1-2` and `1-3` in one step, and what is told of it.
const BY_HAND: [(&str, &str, &[&str]); 13] = [
    ("unread-removed", "XADD 1-4 4; XADD 1-5 5; XDEL 1-4", &["gap", "5"]),
    ("all-unread-removed", "XADD 1-4 4; XDEL 1-4", &["gap"]),
    ("read-removed", "XDEL 1-2; XADD 1-4 4", &["4"]),
    ("last-removed", "XDEL 1-3; XADD 1-4 4", &["gap", "4"]),
    ("begun-anew", "DEL; XADD 1-9 9", &["gap", "9"]),
    ("begun-anew-before", "DEL; XADD 1-2 9", &["gap"]),
    ("deleted", "DEL", &["gap"]),
    ("expired", "PEXPIRE 1", &["gap"]),
    ("renamed", "RENAME geocast:history:elsewhere; XADD 1-9 9", &["gap", "9"]),
    ("emptied-unread", "XADD 1-4 4; XTRIM MAXLEN 0", &["gap"]),
    ("emptied", "XTRIM MAXLEN 0; XADD 1-4 4", &["4"]),
    ("set-ahead", "XSETID 7-0; XADD 7-1 4", &["4"]),
    ("counted-anew", "XSETID 1-3 ENTRIESADDED 99 MAXDELETEDID 1-2; XADD 1-4 4", &["gap", "4"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_streams_by_hand_is_told_if_it_takes_messages() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut all = Vec::new();
    for (name, steps, expected) in BY_HAND {
        let (channel, stream) = (format!("map-{name}"), format!("geocast:history:map-{name}"));
        let mut listeners = Listeners::start(&server, &channel).await;
        for number in ["1", "2", "3"] {
            redis(&server).cli(&["XADD", &stream, &format!("1-{number}"), "payload", number]);
        }
        listeners.hear(&[json!(1), json!(2), json!(3)]).await;
        let step = |step: &str| {
            let words: Vec<&str> = step.split_whitespace().collect();
            let words = match words[..] {
                ["XADD", id, payload] => format!("'XADD','{stream}','{id}','payload','{payload}'"),
                _ => {
                    let rest: String = words[1..].iter().map(|word| format!(",'{word}'")).collect();
                    format!("'{}','{stream}'{rest}", words[0])
                }
            };
            format!("redis.call({words}) ")
        };
        let done = redis(&server).cli(&["EVAL", &steps.split("; ").map(step).collect::<String>(), "0"]);
        assert_eq!(done, "", "{name}");
        all.push((name, stream, listeners, expected));
    }
    for (name, stream, mut listeners, expected) in all {
        println!("{name}");
        let told = |told: &&str| told.parse::<u64>().map_or_else(|_| json!(told), Value::from);
        listeners.hear(&expected.iter().map(told).collect::<Vec<_>>()).await;
        redis(&server).cli(&["XADD", &stream, "*", "payload", "100"]);
        listeners.hear(&[json!(100)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_at_its_last_id_holds_up_nobody_else() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let (mut full, mut other) =
        (Listeners::start(&server, "map-full").await, Listeners::start(&server, "map").await);
    let last = "18446744073709551615-18446744073709551615";
    redis(&server).cli(&["XADD", "geocast:history:map-full", last, "payload", "1"]);
    full.hear(&[json!(1)]).await;
    publish(&server, 0..20).await;
    other.hear(&(0..20).map(Value::from).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_missing_is_said_and_loses_nothing() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut listeners = Listeners::start(&server, "map").await;
    for right in ["xread", "xinfo"] {
        redis(&server).cli(&["ACL", "SETUSER", "default", &format!("-{right}")]);
        publish(&server, 0..3).await;
        until("it to be said", async || server.store.health().await.err().ok_or("nothing")).await;
        redis(&server).cli(&["ACL", "SETUSER", "default", &format!("+{right}")]);
        server.wait_until_ready().await;
        listeners.hear(&[json!(0), json!(1), json!(2)]).await;
    }
}

/// A history of six, of which the last three are lost, and one that was added then.
struct Lost {
    epoch: Value,
    /// Offsets of the third and of the last one.
    kept: Value,
    lost: Value,
}

/// That all nodes tell of the same new history, and of nothing as whole that is not.
async fn is_another_history(nodes: &[&TestServer], Lost { epoch, kept, lost }: &Lost) {
    let mut now = Value::Null;
    for node in nodes {
        for since in [kept, lost] {
            let (is_recovered, told) = coming_back(node, since, epoch).await;
            assert!(!is_recovered && told != *epoch, "{since} in {epoch}, and now it is {told}");
            assert!(now.is_null() || now == told, "there is one new epoch");
            now = told;
        }
        let (is_recovered, _) = coming_back(node, lost, &now).await;
        assert!(!is_recovered, "there is no such entry");
        let (is_recovered, _) = coming_back(node, kept, &now).await;
        assert!(is_recovered, "it is of the new history as well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_lost_its_end_is_another_on_all_nodes() {
    let here = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let there = beside(&here).await;
    let (mut some, mut others) =
        (Listeners::start(&here, "map").await, Listeners::start(&there, "map").await);
    publish(&here, 1..4).await;
    some.hear(&[json!(1), json!(2), json!(3)]).await;
    let kept = some.last.clone();
    redis(&here).cli(&["COPY", "geocast:history:map", "before"]);
    publish(&there, 4..7).await;
    some.hear(&[json!(4), json!(5), json!(6)]).await;
    others.hear(&(1..7).map(Value::from).collect::<Vec<_>>()).await;
    let lost = Lost { epoch: some.told["epoch"].clone(), kept, lost: some.last.clone() };
    assert_eq!(coming_back(&here, &lost.kept, &lost.epoch).await, (true, lost.epoch.clone()));
    // No connection breaks, and what is added has come before anybody looks.
    let script = "redis.call('RENAME', 'before', KEYS[1]) redis.call('XADD', KEYS[1], '*', 'payload', '7')";
    redis(&here).cli(&["EVAL", script, "1", "geocast:history:map"]);
    some.hear(&[json!("gap"), json!(7)]).await;
    others.hear(&[json!("gap"), json!(7)]).await;
    is_another_history(&[&here, &there], &lost).await;
    publish(&here, 8..9).await;
    some.hear(&[json!(8)]).await;
    others.hear(&[json!(8)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_is_noticed_without_anybody_who_listens() {
    let here = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut listeners = Listeners::start(&here, "map").await;
    publish(&here, 1..4).await;
    listeners.hear(&[json!(1), json!(2), json!(3)]).await;
    let (kept, epoch) = (listeners.last.clone(), listeners.told["epoch"].clone());
    drop(listeners);
    redis(&here).cli(&["COPY", "geocast:history:map", "before"]);
    let channel = "map".parse().expect("a channel");
    let position = here.store.publish(&channel, "4".into()).await.expect("it is there").expect("it is kept");
    redis(&here).cli(&["RENAME", "before", "geocast:history:map"]);
    let lost = Lost { epoch, kept, lost: json!(position.offset.to_string()) };
    is_another_history(&[&here], &lost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_with_an_older_history_says_so() {
    let mut server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut listeners = Listeners::start(&server, "map").await;
    publish(&server, 1..4).await;
    listeners.hear(&[json!(1), json!(2), json!(3)]).await;
    let kept = listeners.last.clone();
    assert_eq!(redis(&server).cli(&["SAVE"]), "OK");
    publish(&server, 4..7).await;
    listeners.hear(&[json!(4), json!(5), json!(6)]).await;
    let lost = Lost { epoch: listeners.told["epoch"].clone(), kept, lost: listeners.last.clone() };
    server.redis.as_mut().expect("it runs on Redis").restart();
    redis(&server).cli(&["XADD", "geocast:history:map", "*", "payload", "7"]);
    assert_eq!(redis(&server).cli(&["XLEN", "geocast:history:map"]), "4", "it has come back with some");
    listeners.hear_behind_gaps(json!(7)).await;
    is_another_history(&[&server], &lost).await;
    // It is not an older one again when the same is lost once more.
    let (_, epoch) = coming_back(&server, &lost.lost, &lost.epoch).await;
    server.redis.as_mut().expect("it runs on Redis").restart();
    redis(&server).cli(&["XADD", "geocast:history:map", "*", "payload", "8"]);
    listeners.hear_behind_gaps(json!(8)).await;
    for before in [&epoch, &lost.epoch] {
        let (is_recovered, now) = coming_back(&server, &lost.kept, before).await;
        assert!(!is_recovered && now != epoch && now != lost.epoch, "{now} behind {before}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lagged_behind_its_master_has_another_history() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let url = redis.url();
    let server = TestServer::start_on(None, |settings| {
        keeping(100)(settings);
        settings.store = StoreSettings::Redis(RedisSettings::new(url.parse().expect("a URL")));
    })
    .await;
    server.wait_until_ready().await;
    let mut listeners = Listeners::start(&server, "map").await;
    publish(&server, 1..4).await;
    listeners.hear(&[json!(1), json!(2), json!(3)]).await;
    let kept = listeners.last.clone();
    let [master, replica] = &mut redis.servers;
    master.wait_for_replica();
    // From here on, nothing reaches the replica.
    assert_eq!(master.cli(&["ACL", "SETUSER", "default", "-psync", "-sync"]), "OK");
    assert_eq!(master.cli(&["CLIENT", "KILL", "TYPE", "replica"]), "1");
    publish(&server, 4..7).await;
    listeners.hear(&[json!(4), json!(5), json!(6)]).await;
    let lost = Lost { epoch: listeners.told["epoch"].clone(), kept, lost: listeners.last.clone() };
    assert_eq!(replica.cli(&["XLEN", "geocast:history:map"]), "3", "it lags behind");
    master.kill();
    until("the replica to take over", async || {
        let added = redis.servers[1].cli(&["XADD", "geocast:history:map", "*", "payload", "7"]);
        if added.split_once('-').is_some_and(|(time, _)| time.parse::<u64>().is_ok()) {
            Ok(())
        } else {
            Err(added)
        }
    })
    .await;
    listeners.hear_behind_gaps(json!(7)).await;
    server.wait_until_ready().await;
    is_another_history(&[&server], &lost).await;
}
