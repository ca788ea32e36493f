//! Hashes whose changes are pushed to subscribers of rohrpost.

use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use geocast_server::{Count, Settings, StoreSettings};

use crate::{
    client::Client,
    http_client::request,
    redis_server::RedisServer,
    server::{Backend, TestServer, patient_redis},
    stores::on_both_stores,
    waiting::PATIENCE,
};

on_both_stores!(writing_over_http_is_pushed, what_is_too_long_or_too_deep_is_no_end_of_it);

const TELLING: [&str; 2] = ["--notify-keyspace-events", "Ehgxe"];

fn watching(settings: &mut Settings) {
    settings.watch = Some("collection*,cars".parse().expect("patterns"));
    settings.publish_key = Some(geocast_server::Secret::new("key"));
}

async fn start(backend: Backend) -> TestServer {
    let redis = (backend == Backend::Redis).then(|| RedisServer::start(&TELLING));
    started_on(redis).await
}

async fn started_on(redis: Option<RedisServer>) -> TestServer {
    let server = TestServer::start_on(redis, watching).await;
    if let Some(redis) = &server.redis {
        tells(&server, redis).await;
    }
    server
}

/// Waits until a server tells what is written. What there is when it starts is not pushed; what is written later is, once that has
/// been looked through.
async fn tells(server: &TestServer, redis: &RedisServer) {
    let mut client = subscriber(server, "collection", "probe").await;
    let begun = Instant::now();
    for attempt in 0.. {
        redis.cli(&["HSET", "collection:probe", "n", &attempt.to_string()]);
        if client.next_text_within(Duration::from_millis(50)).await.is_some() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "writing is never told, {attempt} times in {PATIENCE:?}");
    }
    redis.cli(&["DEL", "collection:probe"]);
    while !client.next_text().await.contains(r#""type":"delete""#) {}
}

async fn subscriber(server: &TestServer, kind: &str, id: &str) -> Client {
    let mut client = server.rohrpost().await;
    let reply =
        client.ask(&format!(r#"{{"id":1,"type":"subscribe","data":{{"type":"{kind}","id":"{id}"}}}}"#)).await;
    assert_eq!(reply, format!(r#"{{"id":1,"type":"subscribe","data":{{"group":"{kind}-{id}"}}}}"#));
    client
}

/// The data of the next push.
async fn pushed(client: &mut Client) -> String {
    let (_, update) = client.next_update().await;
    let data = update.strip_prefix(r#""type":"subscription-update","data":"#).expect("an update");
    data.strip_suffix('}').expect("an update").to_owned()
}

async fn expect(client: &mut Client, expected: &str) {
    assert_eq!(pushed(client).await, expected);
}

async fn is_quiet(server: &TestServer, client: &mut Client) {
    server.heard().await;
    let next = client.socket.next().now_or_never();
    assert!(next.is_none(), "{next:?}");
}

async fn write_to(server: &TestServer, method: &str, path: &str, value: &str) {
    let path = format!("/api/state/{path}");
    let answer = request(server.address, method, &path, &["Authorization: Bearer key"], value).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn what_is_too_long_or_too_deep_is_no_end_of_it(backend: Backend) {
    let server = start(backend).await;
    let mut client = subscriber(&server, "collection", "5").await;
    let half = format!("\"{}\"", "x".repeat(600_000));
    write_to(&server, "PUT", "collection:5/a", &half).await;
    assert!(pushed(&mut client).await.starts_with(r#"{"group":"collection-5","type":"create""#));
    write_to(&server, "PUT", "collection:5/b", &half).await;
    server.counted(Count::StoreSkipped, 1).await;
    is_quiet(&server, &mut client).await;
    write_to(&server, "DELETE", "collection:5/a", "").await;
    assert!(
        pushed(&mut client).await.ends_with(r#""updated_fields":["a"]}}"#),
        "against what it was, not what was sent"
    );
    let deep = format!("{}{}", "[".repeat(31), "]".repeat(31));
    write_to(&server, "PUT", "collection:5/b", &deep).await;
    expect(
        &mut client,
        &format!(r#"{{"group":"collection-5","type":"update","object":{{"id":5,"b":"{deep}","updated_fields":["b"]}}}}"#),
    )
    .await;
}

async fn writing_over_http_is_pushed(backend: Backend) {
    let server = start(backend).await;
    let mut object = subscriber(&server, "collection", "5").await;
    let mut row = subscriber(&server, "cars", "7").await;
    let write = async |method: &str, path: &str, value: &str| write_to(&server, method, path, value).await;
    write("PUT", "collection:5/name", "\"x\"").await;
    expect(&mut object, r#"{"group":"collection-5","type":"create","object":{"id":5,"name":"x"}}"#).await;
    write("PUT", "collection:5/n", "7.10").await;
    expect(
        &mut object,
        r#"{"group":"collection-5","type":"update","object":{"id":5,"n":7.10,"name":"x","updated_fields":["n"]}}"#,
    )
    .await;
    write("PUT", "collection:5/n", "7.10").await;
    write("DELETE", "collection:5/name", "").await;
    expect(
        &mut object,
        r#"{"group":"collection-5","type":"update","object":{"id":5,"n":7.10,"updated_fields":["name"]}}"#,
    )
    .await;
    write("DELETE", "collection:5/n", "").await;
    expect(&mut object, r#"{"group":"collection-5","type":"delete","object":{"id":5}}"#).await;
    write("PUT", "cars/7", r#"{"a":1,"b":2}"#).await;
    expect(&mut row, r#"{"group":"cars-7","type":"create","object":{"a":1,"b":2}}"#).await;
    write("PUT", "cars/8", "8").await;
    write("PUT", "cars/7", r#"{"a":1,"b":3}"#).await;
    expect(&mut row, r#"{"group":"cars-7","type":"update","object":{"a":1,"b":3,"updated_fields":["b"]}}"#)
        .await;
    write("DELETE", "cars/7", "").await;
    expect(&mut row, r#"{"group":"cars-7","type":"delete","object":{"id":7}}"#).await;
    write("PUT", "unwatched/7", "1").await;
    is_quiet(&server, &mut object).await;
    is_quiet(&server, &mut row).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_is_pushed() {
    let server = start(Backend::Redis).await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    let mut client = subscriber(&server, "collection", "5").await;
    redis.cli(&["HSET", "collection:5", "name", "Ada", "n", "1"]);
    expect(&mut client, r#"{"group":"collection-5","type":"create","object":{"id":5,"n":1,"name":"Ada"}}"#)
        .await;
    redis.cli(&["HINCRBY", "collection:5", "n", "4"]);
    let update =
        |object: &str| format!(r#"{{"group":"collection-5","type":"update","object":{{"id":5,{object}}}}}"#);
    expect(&mut client, &update(r#""n":5,"name":"Ada","updated_fields":["n"]"#)).await;
    redis.cli(&["HDEL", "collection:5", "n"]);
    expect(&mut client, &update(r#""name":"Ada","updated_fields":["n"]"#)).await;
    let delete = r#"{"group":"collection-5","type":"delete","object":{"id":5}}"#;
    let create = r#"{"group":"collection-5","type":"create","object":{"id":5,"name":"Ada"}}"#;
    redis.cli(&["RENAME", "collection:5", "elsewhere"]);
    expect(&mut client, delete).await;
    redis.cli(&["RENAME", "elsewhere", "collection:5"]);
    expect(&mut client, create).await;
    redis.cli(&["PEXPIRE", "collection:5", "1"]);
    expect(&mut client, delete).await;
    redis.cli(&["HSET", "collection:5", "name", "Ada"]);
    expect(&mut client, create).await;
    redis.cli(&["DEL", "collection:5"]);
    expect(&mut client, delete).await;
    is_quiet(&server, &mut client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_pushes_to_its_own_subscribers_once() {
    let redis = RedisServer::start(&TELLING);
    redis.cli(&["HSET", "collection:5", "name", "Ada"]);
    let url = redis.url();
    let first = started_on(Some(redis)).await;
    let second = TestServer::start_with(Backend::Embedded, |settings| {
        watching(settings);
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    second.wait_until_ready().await;
    tells(&second, first.redis.as_ref().expect("it runs on Redis")).await;
    let mut clients =
        [subscriber(&first, "collection", "5").await, subscriber(&second, "collection", "5").await];
    first.redis.as_ref().expect("it runs on Redis").cli(&["HSET", "collection:5", "name", "Bob"]);
    for client in &mut clients {
        expect(
            client,
            r#"{"group":"collection-5","type":"update","object":{"id":5,"name":"Bob","updated_fields":["name"]}}"#,
        )
        .await;
        is_quiet(&first, client).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_while_redis_was_deaf_is_pushed_afterwards() {
    let server = start(Backend::Redis).await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    let mut client = subscriber(&server, "collection", "5").await;
    redis.cli(&["HSET", "collection:5", "name", "Ada"]);
    expect(&mut client, r#"{"group":"collection-5","type":"create","object":{"id":5,"name":"Ada"}}"#).await;
    redis.cli(&["CONFIG", "SET", "notify-keyspace-events", ""]);
    redis.cli(&["HSET", "collection:5", "name", "Bob"]);
    is_quiet(&server, &mut client).await;
    redis.cli(&["CONFIG", "SET", "notify-keyspace-events", "Ehgxe"]);
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    expect(
        &mut client,
        r#"{"group":"collection-5","type":"update","object":{"id":5,"name":"Bob","updated_fields":["name"]}}"#,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hash_that_may_not_be_read_keeps_no_other_from_being_pushed() {
    let redis = RedisServer::start(&TELLING);
    let rules = "ACL SETUSER map on >secret ~collection:* allchannels +@all";
    assert_eq!(redis.cli(&rules.split(' ').collect::<Vec<_>>()), "OK");
    redis.cli(&["HSET", "collection-secret", "n", "1"]);
    let url = redis.url().replace("redis://", "redis://map:secret@");
    let server = TestServer::start_on(Some(redis), |settings| {
        watching(settings);
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    tells(&server, redis).await;
    let mut client = subscriber(&server, "collection", "5").await;
    redis.cli(&["HSET", "collection-secret", "n", "2"]);
    redis.cli(&["HSET", "collection:5", "name", "Ada"]);
    expect(&mut client, r#"{"group":"collection-5","type":"create","object":{"id":5,"name":"Ada"}}"#).await;
    redis.cli(&["HSET", "collection-secret", "n", "3"]);
    redis.cli(&["DEL", "collection:5"]);
    expect(&mut client, r#"{"group":"collection-5","type":"delete","object":{"id":5}}"#).await;
}

/// Between the reply to a subscription and the end of the first reading of all hashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_all_hashes_are_first_read_is_pushed() {
    let redis = RedisServer::start(&TELLING);
    let fill = "for n = 1, 2000 do redis.call('HSET', 'collection:' .. n, 'n', 0) end";
    redis.cli(&["EVAL", fill, "0"]);
    let server = TestServer::start_on(Some(redis), watching).await;
    server.wait_until_ready().await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    // Some of them have been read by then and others have not.
    let mut clients = Vec::new();
    for n in (1..=2000).step_by(40) {
        clients.push((n, subscriber(&server, "collection", &n.to_string()).await));
    }
    let write = "for n = 1, 2000, 40 do redis.call('HSET', 'collection:' .. n, 'n', 1) end";
    redis.cli(&["EVAL", write, "0"]);
    for (n, client) in &mut clients {
        let update = pushed(client).await;
        let expected = format!(r#"{{"group":"collection-{n}","type":"update","object":{{"id":{n},"n":1"#);
        assert!(update.starts_with(&expected), "{update}");
        is_quiet_now(client);
    }
}

fn is_quiet_now(client: &mut Client) {
    let next = client.socket.next().now_or_never();
    assert!(next.is_none(), "{next:?}");
}
