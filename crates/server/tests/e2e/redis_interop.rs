//! Publishers that speak to Redis, not to us.

use serde_json::{Value, json};

use crate::{
    http_client::request,
    redis_server::RedisServer,
    server::{Backend, TestServer},
    waiting::until,
};

fn redis(server: &TestServer) -> &RedisServer {
    server.redis.as_ref().expect("it runs on Redis")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_publish_arrives() {
    let server = TestServer::start(Backend::Redis).await;
    let mut client = server.subscriber("vehicles", &["BBOX 5.9 45.8 10.5 47.8"]).await;
    let payload = r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[8.55,47.370]},"properties":{}}"#;
    assert_eq!(
        redis(&server).cli(&["PUBLISH", "vehicles", payload]),
        "1",
        "one subscription for all clients"
    );
    let text = client.next_text().await;
    assert!(
        text.starts_with(&format!(r#"{{"source":"vehicles","content":{payload},"timestamp":"#)),
        "{text}"
    );
    let outside = payload.replace("8.55", "80.55");
    redis(&server).cli(&["PUBLISH", "vehicles", &outside]);
    assert!(server.received(&mut client, "vehicles").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_brings_the_values_of_a_hash() {
    let server = TestServer::start(Backend::Redis).await;
    redis(&server).cli(&["HSET", "vehicles", "1", "\"one\"", "2", r#"{"n":7.10}"#, "drei", "3"]);
    let mut client = server.client().await;
    client.send("GET vehicles").await;
    let mut contents =
        vec![client.next_content().await, client.next_content().await, client.next_content().await];
    contents.sort_by_key(Value::to_string);
    assert_eq!(contents, [json!("one"), json!(3), json!({"n": 7.1})]);
    client.send("GET vehicles drei").await;
    assert_eq!(client.next_content().await, 3);
    redis(&server).cli(&["HDEL", "vehicles", "drei"]);
    client.send("GET vehicles drei").await;
    assert_eq!(client.next_content().await, Value::Null, "nothing is remembered");
    client.expect_nothing(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_by_http_is_there_for_others() {
    let server = TestServer::start_with(Backend::Redis, |settings| {
        settings.publish_key = Some(geocast_server::Secret::new("key"));
    })
    .await;
    let key = &["Authorization: Bearer key"];
    let response = request(server.address, "PUT", "/api/state/cars/1", key, r#"{ "n":7.10 }"#).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(redis(&server).cli(&["HGETALL", "cars"]), "1\n{ \"n\":7.10 }");
    let response = request(server.address, "DELETE", "/api/state/cars/1", key, "").await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(redis(&server).cli(&["EXISTS", "cars"]), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_type_is_an_error_not_an_end() {
    let server = TestServer::start(Backend::Redis).await;
    redis(&server).cli(&["SET", "text", "x"]);
    let mut client = server.client().await;
    for (command, reference) in [
        ("GET text", Value::Null),
        ("GET text client_ref=7", json!("7")),
        ("GET text key 8", json!("8")),
        ("PGET text key 9", json!("9")),
    ] {
        client.send(command).await;
        let answer = client.next().await;
        assert_eq!(answer["content"]["error"]["code"], "store_refused", "{command}: {answer}");
        assert_eq!(answer["client_reference"], reference, "{command}");
    }
    client.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_subscription_serves_all_clients_and_ends_with_the_last() {
    let server = TestServer::start(Backend::Redis).await;
    let mut first = server.subscriber("news", &[]).await;
    let mut second = server.subscriber("news", &[]).await;
    let subscribers = |server: &TestServer| redis(server).cli(&["PUBSUB", "NUMSUB", "news"]);
    assert_eq!(subscribers(&server), "news\n1");
    server.publish("news", "\"both\"").await;
    first.until("both").await;
    second.until("both").await;
    first.send("DEL news").await;
    first.settled().await;
    assert_eq!(server.brings(&mut second, "news", ["1"]).await, [json!(1)]);
    drop(second);
    until("the subscription to end", async || match subscribers(&server) {
        none if none == "news\n0" => Ok(()),
        some => Err(some),
    })
    .await;
}
