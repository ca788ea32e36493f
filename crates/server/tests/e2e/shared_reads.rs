//! The state of a channel is read once for all who asked before, and nobody is answered by a read from before it asked.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use geocast_server::{RedisSettings, StoreSettings};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream};

use crate::{
    caller::Caller,
    client::Client,
    redis_server::RedisServer,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(who_asks_while_others_do_gets_what_it_has_written);

fn feature(key: usize) -> String {
    let place = key as f64 / 100.0;
    format!(
        r#"{{"type":"Feature","id":{key},"geometry":{{"type":"Point","coordinates":[{place},47.5]}},"properties":{{"name":"of the {key}th"}}}}"#
    )
}

/// Sets so many features in Redis.
fn fill(redis: &RedisServer, channel: &str, features: usize) {
    let fields: Vec<String> = (0..features).flat_map(|key| [key.to_string(), feature(key)]).collect();
    let arguments: Vec<&str> =
        ["HSET", channel].into_iter().chain(fields.iter().map(String::as_str)).collect();
    assert_eq!(redis.cli(&arguments), features.to_string());
}

/// How often Redis has been asked for a part of a hash.
fn asked(redis: &RedisServer) -> usize {
    let statistics = redis.cli(&["INFO", "commandstats"]);
    let calls = |line: &str| line.strip_prefix("cmdstat_hscan:calls=")?.split(',').next()?.parse().ok();
    statistics.lines().find_map(calls).unwrap_or(0)
}

/// Ends when the server has read what has been sent to it: each beat has every worker look at its sockets.
async fn taken_up(server: &TestServer) {
    for _ in 0..4 {
        must("all workers to go through their loops", server.pulse.beat()).await;
    }
}

/// The ids of the features with which a GET is answered.
async fn ids(client: &mut Client, features: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    for _ in 0..features {
        let answer = client.next().await;
        ids.push(answer["content"]["id"].as_u64().unwrap_or_else(|| panic!("a feature: {answer}")));
    }
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_at_once_are_served_by_few_reads() {
    let server = TestServer::start(Backend::Redis).await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    fill(redis, "cars", 1000);
    // A subscription that is in force, so that nobody waits for anything but the read.
    let _listens = server.subscriber("cars", &[]).await;
    let mut clients = join_all((0..100).map(|_| server.client())).await;
    clients[0].send("GET cars").await;
    assert_eq!(ids(&mut clients[0], 1000).await.len(), 1000);
    let (alone, boxes) =
        (asked(redis), ["BBOX", "BBOX -1 40 1.005 50", "BBOX 9.985 40 20 50", "BBOX 50 0 60 9"]);
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(boxes[number % 4]).await;
        client.settled().await;
    }
    redis.freeze();
    for client in &mut clients {
        client.send("GET cars client_ref=all").await;
    }
    // Whoever goes away takes nothing from the others: neither the one who asked first nor one who waits.
    let gone: Vec<Client> = vec![clients.remove(0), clients.remove(50)];
    taken_up(&server).await;
    drop(gone);
    taken_up(&server).await;
    redis.thaw();
    // Each sees what is in its box, of the same values.
    let expected = [(0..1000).collect(), (0..=100).collect(), vec![999], Vec::new()];
    let boxes: Vec<usize> =
        (0..100).filter(|number| ![0, 51].contains(number)).map(|number| number % 4).collect();
    for (client, shown) in clients.iter_mut().zip(boxes) {
        if expected[shown].is_empty() {
            assert_eq!(client.next_content().await, Value::Null);
        } else {
            assert_eq!(ids(client, expected[shown].len()).await, expected[shown]);
        }
        client.settled().await;
    }
    let asked = asked(redis) - alone;
    assert!(asked <= 3 * alone, "{asked} questions, {alone} for a single read");
}

async fn who_asks_while_others_do_gets_what_it_has_written(backend: Backend) {
    let server = Arc::new(TestServer::start(backend).await);
    for key in 0..200 {
        server.put("cars", &key.to_string(), feature(key)).await;
    }
    let others = (0..8).map(|_| async {
        let mut client = server.client().await;
        for _ in 0..15 {
            client.send("GET cars").await;
            client.send("PING").await;
            client.until("PONG").await;
        }
    });
    let writers = (0..6_usize).map(|number| {
        let server = &server;
        async move {
            let mut client = server.client().await;
            let key = format!("own-{number}");
            // Every other one through another way to Redis, as another node has one.
            let other = server.redis.as_ref().filter(|_| number % 2 == 1);
            let mut other = match other {
                Some(redis) => {
                    Some(TcpStream::connect(("127.0.0.1", redis.port())).await.expect("Redis listens"))
                }
                None => None,
            };
            for round in 0..25_u64 {
                let own = json!({ "own": number, "round": round }).to_string();
                match &mut other {
                    Some(other) => {
                        let set = format!("HSET cars {key} '{own}'\r\n");
                        other.write_all(set.as_bytes()).await.expect("Redis reads");
                        let mut answer = [0; 4];
                        must("an answer of Redis", other.read_exact(&mut answer)).await.expect("an answer");
                        assert_eq!(answer[0], b':');
                    }
                    None => server.put("cars", &key, own).await,
                }
                client.send("GET cars").await;
                client.send("PING").await;
                let values = client.until("PONG").await;
                let mut own = values.iter().filter(|value| value["content"]["own"] == number);
                let read = own.next().unwrap_or_else(|| panic!("{key} in round {round}"));
                assert_eq!(read["content"]["round"], round, "{key}");
                assert_eq!(own.count(), 0, "{key} comes once");
            }
        }
    });
    tokio::join!(join_all(others), join_all(writers));
}

/// Fails unless clients of each dialect that reads state are told so: the text dialect on `/ws`, JSON-RPC there and on `/rpc`, which has
/// one reason for all that is wrong with a store.
async fn all_are_told(server: &TestServer, code: &str, says: &str) {
    let each = (0..10).map(|number| async move {
        let mut client = server.client().await;
        client.send(format!("GET cars client_ref=text-{number}")).await;
        let error = client.next_error().await;
        assert_eq!(error["content"]["error"]["code"], code, "{error}");
        assert_eq!(error["client_reference"], format!("text-{number}"), "{error}");
        client.send(r#"{"jsonrpc":"2.0","id":"mixed","method":"get","params":{"channel":"cars"}}"#).await;
        let error = client.next().await;
        assert_eq!((&error["id"], &error["error"]["data"]["reason"]), (&json!("mixed"), &json!(UNAVAILABLE)));
        assert!(error["error"]["message"].as_str().is_some_and(|told| told.starts_with(says)), "{error}");
        let mut caller = Caller::connect(server).await;
        let (_, data, message) = caller.refused("get", json!({ "channel": "cars" })).await;
        assert_eq!(data["reason"], UNAVAILABLE, "{message}");
        assert!(message.starts_with(says), "{message}");
    });
    join_all(each).await;
}

const UNAVAILABLE: &str = "store_unavailable";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_who_waits_is_told_that_state_cannot_be_read() {
    let redis = RedisServer::start(&[]);
    let mut impatient = RedisSettings::new(redis.url().parse().expect("a URL"));
    impatient.command_timeout = Duration::from_secs(2);
    let store = StoreSettings::Redis(impatient);
    let server = TestServer::start_on(Some(redis), |settings| settings.store = store).await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    let _listens = server.subscriber("cars", &[]).await;
    redis.cli(&["SET", "cars", "no hash"]);
    all_are_told(&server, "store_refused", "the store refused").await;
    redis.cli(&["DEL", "cars"]);
    redis.freeze();
    all_are_told(&server, UNAVAILABLE, "the store is unavailable").await;
    redis.thaw();
    server.wait_until_ready().await;
    fill(redis, "cars", 3);
    let mut client = server.client().await;
    client.send("GET cars").await;
    assert_eq!(ids(&mut client, 3).await, [0, 1, 2]);
}
