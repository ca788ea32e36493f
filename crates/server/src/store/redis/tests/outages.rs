use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::net::{TcpListener, TcpStream};

use super::*;

/// From when Redis is back to when messages have to flow again.
const RESUMED: Duration = Duration::from_secs(2);

/// Waits until a store is healthy, which has to be soon; but on a machine where a new one takes a while to come that far, the one
/// that returns may take its time as well.
async fn resumed(store: &RedisStore, redis: &RedisServer) {
    let took = healthy(store).await;
    let inbox = Inbox::new(&[], 1);
    let new = RedisStore::start(settings(&redis.url()), inbox.broker()).unwrap();
    let usual = healthy(&new).await;
    assert!(took < RESUMED + 20 * usual, "{took:?}, where a new one takes {usual:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_away_at_the_start() {
    let mut redis = RedisServer::prepare(&[]);
    let a = channel("a");
    let mut inbox = Inbox::new(std::slice::from_ref(&a), 1_000_000);
    let mut settings = settings(&redis.url());
    settings.command_timeout = Duration::from_millis(300);
    let store = RedisStore::start(settings, inbox.broker()).unwrap();
    let subscription = store.subscribe(&a);
    assert!(is_unavailable(&store.health().await));
    assert!(is_unavailable(&store.value(&a, "1").await));
    assert!(is_unavailable(&store.values(&a).await));
    assert!(is_unavailable(&store.publish(&a, bytes("x")).await));
    assert!(is_unavailable(&subscription.await));
    // The subscription failed in time but is wanted still.
    redis.restart();
    resumed(&store, &redis).await;
    redis.cli(&["PUBLISH", "a", "hello"]);
    inbox.expect("a", "hello").await;
    assert_eq!(store.interruptions(), 0, "it never was alive before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumes_after_a_kill_within_two_seconds() {
    let mut redis = RedisServer::start(&[]);
    let channels: Vec<Channel> = (0..2000).map(|number| channel(&format!("c{number}"))).collect();
    let mut inbox = Inbox::new(&channels, 1_000_000);
    let store = RedisStore::start(settings(&redis.url()), inbox.broker()).unwrap();
    for channel in &channels {
        drop(store.subscribe(channel));
    }
    healthy(&store).await;
    for round in 1..=3 {
        redis.kill();
        // Long enough for the waits between attempts to have reached their bound.
        sleep(Duration::from_millis(1500 * round)).await;
        assert!(is_unavailable(&store.health().await));
        redis.restart();
        resumed(&store, &redis).await;
        redis.cli(&["PUBLISH", "c1999", &round.to_string()]);
        inbox.expect("c1999", &round.to_string()).await;
        assert_eq!(store.interruptions(), round);
        assert_eq!(store.value(&channels[0], "1").await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_a_redis_that_hangs_and_comes_back_with_it() {
    let redis = RedisServer::start(&[]);
    let mut settings = settings(&redis.url());
    settings.probe_interval = Duration::from_millis(200);
    settings.command_timeout = Duration::from_secs(2);
    let (store, mut inbox) = subscribed_to(settings, &["a"]).await;
    redis.freeze();
    let error = timeout(PATIENCE, store.value(&channel("a"), "1")).await.expect("nobody waits for ever");
    assert!(is_unavailable(&error), "{error:?}");
    let noticed = async {
        while store.interruptions() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, noticed).await.expect("the probe notices");
    assert!(is_unavailable(&store.health().await));
    redis.thaw();
    resumed(&store, &redis).await;
    redis.cli(&["PUBLISH", "a", "hello"]);
    inbox.expect("a", "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumes_after_its_connection_was_killed() {
    let (redis, store, mut inbox) = subscribed(&["a"]).await;
    for round in 1..=5 {
        redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        while store.interruptions() < round {
            sleep(Duration::from_millis(1)).await;
        }
        resumed(&store, &redis).await;
        redis.cli(&["PUBLISH", "a", "hello"]);
        inbox.expect("a", "hello").await;
    }
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(store.value(&channel("a"), "1").await.unwrap(), None, "the pool replaces what was killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_meanwhile_is_not_taken_up_again() {
    let (redis, store, mut inbox) = subscribed(&["a"]).await;
    store.subscribe(&channel("b")).await.unwrap();
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    store.unsubscribe(&channel("b"));
    while store.interruptions() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    healthy(&store).await;
    assert_eq!(redis.cli(&["PUBSUB", "NUMSUB", "a", "b"]), "a\n1\nb\n0");
    redis.cli(&["PUBLISH", "a", "hello"]);
    inbox.expect("a", "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_a_connection_that_is_open_but_deaf() {
    // As after a failover: one address, but the old connection leads to a Redis that publishers have left.
    let (left, current) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", proxy.local_addr().unwrap());
    let is_left = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_left);
    let streams = move |first: &[u8]| {
        let is_subscriber = first.windows(b"SETNAME".len()).any(|part| part == b"SETNAME");
        if is_subscriber && switch.load(Ordering::Relaxed) { left.connect() } else { current.connect() }
    };
    tokio::spawn(async move {
        while let Ok((mut client, _)) = proxy.accept().await {
            let mut first = [0; 4096];
            let length = client.peek(&mut first).await.unwrap();
            let redis = streams(&first[..length]);
            redis.set_nonblocking(true).unwrap();
            let mut redis = TcpStream::from_std(redis).unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut redis).await });
        }
    });
    let mut settings = settings(&url);
    settings.probe_interval = Duration::from_millis(100);
    let (store, mut inbox) = subscribed_to(settings, &["a"]).await;
    let noticed = async {
        while store.interruptions() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, noticed).await.expect("the probe notices");
    is_left.store(false, Ordering::Relaxed);
    sleep(Duration::from_millis(500)).await;
    let begin = Instant::now();
    while inbox.is_empty() && begin.elapsed() < PATIENCE {
        store.publish(&channel("a"), bytes("hello")).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    inbox.expect("a", "hello").await;
    let interruptions = store.interruptions();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(store.interruptions(), interruptions, "a connection that hears is kept");
}
