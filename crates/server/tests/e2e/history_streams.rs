//! Histories in Redis: streams, to which anybody may add.

use std::time::{Duration, Instant};

use geocast_server::{Count, StoreSettings};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    history::keeping,
    redis_server::RedisServer,
    server::{Backend, TestServer},
    waiting::until,
};

fn cli(server: &TestServer, arguments: &[&str]) -> String {
    server.redis.as_ref().expect("it runs on Redis").cli(arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_any_client_adds_to_a_stream_is_published() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    let first = cli(&server, &["XADD", "geocast:history:map", "*", "payload", "[1]"]);
    let second = cli(&server, &["XADD", "geocast:history:map", "*", "other", "[2]", "more", "x"]);
    for (id, content) in [(first, json!([1])), (second, json!([2]))] {
        let push = caller.pushed().await;
        assert_eq!((&push["offset"], &push["content"]), (&json!(id), &content));
    }
    // What is published only is delivered, and not kept.
    cli(&server, &["PUBLISH", "map", "[3]"]);
    let push = caller.pushed().await;
    assert!(push["content"] == json!([3]) && push.get("offset").is_none(), "{push}");
    let params = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    let read = caller.call("history", params).await;
    let contents: Vec<&Value> =
        read["messages"].as_array().expect("a list").iter().map(|kept| &kept["content"]).collect();
    assert_eq!(contents, [&json!([1]), &json!([2])]);
    assert_eq!(cli(&server, &["XLEN", "geocast:history:map"]), "2");
    server.put("map", "7", "[7]").await;
    assert_eq!(caller.pushed().await["content"], json!([7]));
    assert_eq!(cli(&server, &["HGET", "map", "7"]), "[7]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_while_connections_break_is_not_lost() {
    let server = TestServer::start_with(Backend::Redis, keeping(10_000)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["map"])).await;
    for number in 0..200 {
        if number % 20 == 10 {
            cli(&server, &["CLIENT", "KILL", "TYPE", "normal"]);
        }
        cli(&server, &["XADD", "geocast:history:map", "*", "payload", &number.to_string()]);
    }
    for number in 0..200 {
        assert_eq!(caller.pushed().await["content"], number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_lost_everything_begins_anew_and_says_so() {
    let mut server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    server.publish("map", "1").await;
    let last = caller.pushed().await;
    server.redis.as_mut().expect("it runs on Redis").restart();
    server.wait_until_ready().await;
    // It is known within five seconds that the stream has gone back.
    let mut heard = Vec::new();
    for number in 0..80 {
        server
            .store
            .publish(&"map".parse().expect("a channel"), number.to_string().into())
            .await
            .expect("it is back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while heard.last().is_none_or(|push: &Value| push["params"]["content"] != 79) {
        heard.push(caller.client.next().await);
    }
    assert!(heard.iter().any(|push| push["method"] == "gap"), "{heard:?}");
    let params = json!({ "channel": "map", "since": last["offset"], "epoch": told["epoch"] });
    let again = caller.subscribe_behind_gaps(params).await;
    assert_eq!(again["recovered"], json!(false));
    assert_ne!(again["epoch"], told["epoch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_none_holds_up_nobody_else() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["SET", "geocast:history:map-wrong", "x"]);
    let server = TestServer::start_on(Some(redis), keeping(100)).await;
    let mut good = Caller::connect(&server).await;
    good.call("subscribe", json!(["map"])).await;
    let mut bad = Caller::connect(&server).await;
    let (code, _, message) = bad.refused("subscribe", json!(["map-wrong"])).await;
    assert_eq!(code, -32_003, "{message}");
    assert!(server.store.health().await.is_err(), "it is said");
    server.publish("map", "1").await;
    assert_eq!(good.pushed().await["content"], 1);
    cli(&server, &["DEL", "geocast:history:map-wrong"]);
    server.wait_until_ready().await;
    server.publish("map-wrong", "2").await;
    assert_eq!(bad.pushed().await["content"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_for_a_moment_goes_on_at_once_afterwards() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("subscribe", json!(["map"])).await;
    cli(&server, &["CONFIG", "SET", "requirepass", "tram14"]);
    cli(&server, &["-a", "tram14", "CLIENT", "KILL", "TYPE", "normal"]);
    until("histories not to be followed", async || {
        let told = server.store.health().await.err().map(|error| error.to_string()).unwrap_or_default();
        if told.contains("histories cannot be followed: ") { Ok(()) } else { Err(told) }
    })
    .await;
    cli(&server, &["-a", "tram14", "CONFIG", "SET", "requirepass", ""]);
    let begun = Instant::now();
    cli(&server, &["XADD", "geocast:history:map", "*", "payload", "1"]);
    assert_eq!(caller.pushed().await["content"], 1);
    // Twice what it may take, and less than what Redis refuses is left out for.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_sent_what_it_missed_is_sent_nothing_until_it_asks_again() {
    let server = TestServer::start_with(Backend::Redis, keeping(100)).await;
    let mut steady = Caller::connect(&server).await;
    let told = steady.call("subscribe", json!(["map"])).await;
    let mut last = told["offset"].clone();
    for number in 1..3 {
        server.publish("map", number.to_string()).await;
        let push = steady.pushed().await;
        if number == 1 {
            last = push["offset"].clone();
        }
    }
    let since = json!({ "channel": "map", "since": last, "epoch": told["epoch"] });
    let mut returning = Caller::connect(&server).await;
    assert_eq!(cli(&server, &["ACL", "SETUSER", "default", "-xrevrange"]), "OK");
    let (_, reason, message) = returning.refused("subscribe", since.clone()).await;
    assert!(
        reason["reason"].as_str().is_some_and(|reason| reason.starts_with("store_")),
        "{reason} {message}"
    );
    server.publish("map", "3").await;
    assert_eq!(steady.pushed().await["content"], 3);
    server.heard().await;
    // It would have come before this answer.
    let session = returning.call("session", json!({})).await;
    assert_eq!(session["channels"], json!([]), "what was refused is not there");
    assert_eq!(cli(&server, &["ACL", "SETUSER", "default", "+xrevrange"]), "OK");
    let again = returning.call("subscribe", since).await;
    assert_eq!((&again["recovered"], &again["offset"]), (&json!(true), &last), "{again}");
    for number in 2..4 {
        assert_eq!(returning.pushed().await["content"], number);
    }
    server.publish("map", "4").await;
    assert_eq!(returning.pushed().await["content"], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_in_a_stream_is_passed_over() {
    let server = TestServer::start_with(Backend::Redis, |settings| {
        keeping(1_000)(settings);
        let StoreSettings::Redis(redis) = &mut settings.store else { panic!("it runs on Redis") };
        redis.max_message = 100;
    })
    .await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    // More than are read at once.
    let fill = "for n = 1, 300 do redis.call('XADD', KEYS[1], '*', 'payload', ARGV[1]) end";
    cli(&server, &["EVAL", fill, "1", "geocast:history:map", &format!("\"{}\"", "x".repeat(99))]);
    let longest = "x".repeat(98);
    cli(&server, &["XADD", "geocast:history:map", "*", "payload", &format!("\"{longest}\"")]);
    let push = caller.pushed().await;
    assert_eq!(push["content"], longest);
    assert_eq!(server.count(Count::StoreSkipped), 300);
    let since = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    let mut returning = Caller::connect(&server).await;
    assert_eq!(returning.call("subscribe", since).await["recovered"], true);
    assert_eq!(returning.pushed().await, push);
    let read = caller.call("history", json!({ "channel": "map", "limit": 10 })).await;
    assert_eq!(read["messages"].as_array().map(Vec::len), Some(1), "{read}");
}
