//! The server while Redis comes and goes.

use std::{io::Write, time::Duration};

use futures_util::FutureExt;
use geocast_server::{RedisSettings, Settings, StoreSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    client::Client,
    redis_server::RedisServer,
    server::{Backend, TestServer, patient_redis},
};

/// How long these servers wait for Redis: longer than one takes that is there.
const IMPATIENCE: Duration = Duration::from_secs(2);

/// Lets the server use the Redis at `url`, and be told soon that it does not answer.
fn impatient(url: &str) -> impl FnOnce(&mut Settings) {
    let mut redis = RedisSettings::new(url.parse().expect("a URL"));
    redis.connect_timeout = IMPATIENCE;
    redis.command_timeout = IMPATIENCE;
    redis.probe_interval = Duration::from_millis(200);
    move |settings| settings.store = StoreSettings::Redis(redis)
}

/// The status of `/ready`.
async fn ready(server: &TestServer) -> String {
    let mut http = TcpStream::connect(server.address).await.expect("the server takes connections");
    let request = format!("GET /ready HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    http.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    http.read_to_string(&mut answer).await.expect("the server answers");
    answer.split(' ').nth(1).expect("a status line").to_owned()
}

/// Waits until a message has come that says `text`, and takes everything before it.
async fn until(client: &mut Client, text: &str) {
    while client.next_content().await != text {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_any_redis_client_writes_is_seen() {
    let redis = RedisServer::start(&[]);
    let url = format!("redis+unix://{}", redis.socket().display());
    let server = TestServer::start_on(None, impatient(&url)).await;
    server.wait_until_ready().await;
    let mut client = server.subscriber("vehicles", &[]).await;
    let mut plain = redis.connect();
    plain.write_all(b"HSET vehicles 1 \"{}\"\r\nPUBLISH vehicles \"{}\"\r\n").expect("redis reads");
    assert_eq!(client.next_content().await, serde_json::json!({}));
    client.send("GET vehicles 1 client_ref=7").await;
    let reply = client.next().await;
    assert_eq!((&reply["source"], &reply["content"]), (&"vehicles 1".into(), &serde_json::json!({})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_under_load_disconnects_nobody() {
    let mut server = TestServer::start(Backend::Redis).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(server.subscriber("news", &[]).await);
    }
    let (store, news) = (std::sync::Arc::clone(&server.store), "news".parse().expect("a channel"));
    let load = tokio::spawn(async move {
        loop {
            // It fails while Redis is away, which is what is tested.
            let _away: Result<_, _> = store.publish(&news, "\"load\"".into()).await;
            sleep(Duration::from_millis(2)).await;
        }
    });
    for round in ["once", "twice"] {
        until(&mut clients[0], "load").await;
        let redis = server.redis.as_mut().expect("the server runs on redis");
        redis.kill();
        sleep(Duration::from_secs(2)).await;
        redis.restart();
        // Whoever publishes just now may be too early, so it is said until the first has heard it.
        let publisher = std::sync::Arc::clone(&server.store);
        let news = "news".parse().expect("a channel");
        let saying = tokio::spawn(async move {
            loop {
                let _away: Result<_, _> = publisher.publish(&news, format!("\"{round}\"").into()).await;
                sleep(Duration::from_millis(10)).await;
            }
        });
        for client in &mut clients {
            until(client, round).await;
        }
        saying.abort();
    }
    load.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_away_at_the_start_is_told_and_recovered_from() {
    let mut redis = RedisServer::prepare(&[]);
    let server = TestServer::start_on(None, impatient(&redis.url())).await;
    assert_eq!(ready(&server).await, "503");
    let mut client = server.client().await;
    client.send("SUB news").await;
    client.send("GET news 1 client_ref=7").await;
    let reply = client.next().await;
    assert!(
        reply["content"]["error"]["code"].is_string() || reply["content"]["error"]["code"].is_number(),
        "{reply}"
    );
    redis.restart();
    server.wait_until_ready().await;
    assert_eq!(ready(&server).await, "200");
    server.publish("news", "\"hello\"").await;
    until(&mut client, "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_hangs_holds_nobody_up() {
    let redis = RedisServer::start(&[]);
    let server = TestServer::start_on(None, |settings| {
        let mut redis = patient_redis(&redis.url());
        redis.command_timeout = Duration::from_secs(10);
        redis.probe_interval = Duration::from_millis(200);
        settings.store = StoreSettings::Redis(redis);
    })
    .await;
    server.wait_until_ready().await;
    let mut client = server.subscriber("news", &[]).await;
    redis.freeze();
    client.send("GET other 1 client_ref=7").await;
    let mut another = server.client().await;
    another.settled().await;
    // Others have been answered while this one waited.
    assert!(client.next_text().now_or_never().is_none(), "the store has hung for no time");
    let reply = client.next().await;
    assert!(reply["content"]["error"].is_object(), "{reply}");
    assert_eq!(ready(&server).await, "503");
    redis.thaw();
    server.wait_until_ready().await;
    server.publish("news", "\"hello\"").await;
    until(&mut client, "hello").await;
}
