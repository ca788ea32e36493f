//! Redis away, killed, frozen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use geocast_server::{RedisSettings, Settings, StoreSettings};

use crate::{
    client::Client,
    http_client::get,
    redis_server::RedisServer,
    server::{Backend, TestServer},
    waiting::{AGAIN, PATIENCE, until},
};

/// Uses this Redis, and waits for it less long than by default.
fn impatient(redis: &RedisServer) -> impl FnOnce(&mut Settings) {
    let url = redis.url();
    move |settings| {
        let mut redis = RedisSettings::new(url.parse().expect("a URL"));
        redis.connect_timeout = IMPATIENCE;
        redis.command_timeout = IMPATIENCE;
        redis.probe_interval = Duration::from_millis(200);
        settings.store = StoreSettings::Redis(redis);
    }
}

async fn ready(server: &TestServer, status: u16) {
    until(format!("/ready to say {status}"), async || match get(server.address, "/ready").await {
        response if response.status == status => Ok(()),
        response => Err(format!("{response:?}")),
    })
    .await;
}

/// Fails if the answer to a GET is anything but an error with its reference.
async fn expect_unavailable(client: &mut Client) {
    for (command, reference) in [
        ("GET cars client_ref=7", "7"),
        ("GET cars 1 8", "8"),
        ("PGET cars projection=epsg:3857 client_ref=9", "9"),
    ] {
        client.send(command).await;
        let answer = client.next_error().await;
        assert_eq!(answer["content"]["error"]["code"], "store_unavailable", "{command}: {answer}");
        assert_eq!(answer["client_reference"], reference, "{command}");
    }
}

/// Publishes until the client receives something.
async fn expect_delivery(redis: &RedisServer, client: &mut Client) {
    let back = Instant::now();
    while client.next_within(AGAIN).await.is_none() {
        redis.cli(&["PUBLISH", "cars", "\"again\""]);
        assert!(back.elapsed() < PATIENCE, "nothing is delivered for {:?}", back.elapsed());
    }
}

/// How long these servers wait for Redis: longer than one takes that is there.
const IMPATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_away_at_the_start() {
    let mut redis = RedisServer::prepare(&[]);
    let server = TestServer::start_on(None, impatient(&redis)).await;
    let mut client = server.client().await;
    client.send("SUB cars").await;
    expect_unavailable(&mut client).await;
    assert_eq!(get(server.address, "/live").await.status, 200);
    ready(&server, 503).await;
    client.send("PING").await;
    assert_eq!(client.next_content().await, "PONG");
    redis.restart();
    expect_delivery(&redis, &mut client).await;
    ready(&server, 200).await;
    redis.cli(&["HSET", "cars", "1", "\"back\""]);
    client.send("GET cars 1 end").await;
    while client.next().await["client_reference"] != "end" {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_killed_and_come_back_under_load() {
    let mut server = TestServer::start(Backend::Redis).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.subscriber("cars", &[]).await);
    }
    let (stop, published) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load = tokio::spawn({
        let (stop, published, store) = (Arc::clone(&stop), Arc::clone(&published), Arc::clone(&server.store));
        let channel = "cars".parse().expect("a channel");
        async move {
            while !stop.load(Ordering::Relaxed) {
                let number = published.fetch_add(1, Ordering::Relaxed);
                // It cannot be published while Redis is away, and that is not the point.
                let _away = store.put(&channel, "1", number.to_string().into()).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let redis = server.redis.as_mut().expect("it runs on Redis");
        redis.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let marker = published.load(Ordering::Relaxed);
        redis.restart();
        for client in &mut clients {
            // Messages of before the outage may still be under way.
            while client.next_content().await.as_u64().is_none_or(|number| number < marker) {}
        }
        ready(&server, 200).await;
    }
    stop.store(true, Ordering::Relaxed);
    load.await.expect("publishing does not panic");
    server.publish("cars", "\"end\"").await;
    for client in &mut clients {
        client.until("end").await;
        client.settled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_hang() {
    let redis = RedisServer::start(&[]);
    let server = TestServer::start_on(None, impatient(&redis)).await;
    server.wait_until_ready().await;
    let mut client = server.subscriber("cars", &[]).await;
    redis.freeze();
    expect_unavailable(&mut client).await;
    ready(&server, 503).await;
    assert_eq!(get(server.address, "/live").await.status, 200);
    client.send("PING").await;
    assert_eq!(client.next_content().await, "PONG");
    redis.thaw();
    expect_delivery(&redis, &mut client).await;
    ready(&server, 200).await;
    redis.cli(&["PUBLISH", "cars", "\"quiet\""]);
    client.until("quiet").await;
    client.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_do_while_redis_is_away_holds_when_it_is_back() {
    let mut redis = RedisServer::start(&[]);
    let server = TestServer::start_on(None, impatient(&redis)).await;
    server.wait_until_ready().await;
    let mut leaving = server.subscriber("cars", &[]).await;
    redis.kill();
    let mut coming = server.client().await;
    coming.send_together(&["SUB cars", "BBOX 0 0 10 10", "SUB bikes", "DEL bikes"]).await;
    leaving.send("DEL cars").await;
    expect_unavailable(&mut coming).await;
    redis.restart();
    expect_delivery(&redis, &mut coming).await;
    redis.cli(&["PUBLISH", "bikes", "1"]);
    redis.cli(&["PUBLISH", "cars", r#"{"type":"Point","coordinates":[50,5]}"#]);
    redis.cli(&["PUBLISH", "cars", "\"quiet\""]);
    for envelope in coming.until("quiet").await {
        assert_eq!(envelope["content"], "again", "{envelope}");
    }
    leaving.expect_nothing(&server).await;
}
