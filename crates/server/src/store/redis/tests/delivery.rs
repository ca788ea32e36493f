use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_after_the_confirmation_arrives_in_order() {
    let (redis, _store, mut inbox) = subscribed(&["a", "b"]).await;
    let mut publisher = redis.connect();
    let mut burst = Vec::new();
    for number in 0..20_000 {
        let name = if number % 3 == 0 { "a" } else { "b" };
        let payload = format!("{number}{}", " ".repeat(number % 500));
        write!(burst, "*3\r\n$7\r\nPUBLISH\r\n$1\r\n{name}\r\n${}\r\n{payload}\r\n", payload.len()).unwrap();
    }
    let writer = std::thread::spawn(move || {
        let mut answers = publisher.try_clone().unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = vec![0; 20_000 * ":1\r\n".len()];
            answers.read_exact(&mut all).unwrap();
        });
        publisher.write_all(&burst).unwrap();
        reader.join().unwrap();
    });
    for number in 0..20_000 {
        let (name, payload) = inbox.next().await;
        assert_eq!((name.as_str(), payload.trim_end()), (["a", "b", "b"][number % 3], &*number.to_string()));
    }
    writer.join().unwrap();
    assert!(inbox.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_are_counted() {
    let (redis, store, mut inbox) = subscribed(&["a"]).await;
    let a = channel("a");
    store.subscribe(&a).await.unwrap();
    assert_eq!(redis.cli(&["PUBSUB", "NUMSUB", "a"]), "a\n1", "Redis knows of one");
    store.unsubscribe(&a);
    redis.cli(&["PUBLISH", "a", "still"]);
    inbox.expect("a", "still").await;
    store.unsubscribe(&a);
    wait_for(&redis, &["PUBSUB", "NUMSUB", "a"], "a\n0").await;
    store.unsubscribe(&a);
    store.subscribe(&a).await.unwrap();
    redis.cli(&["PUBLISH", "a", "again"]);
    inbox.expect("a", "again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn churn_ends_with_what_is_wanted() {
    let (redis, store, _inbox) = subscribed(&[]).await;
    let mut random = fastrand::Rng::with_seed(7);
    let channels: Vec<Channel> = (0..3000).map(|number| channel(&format!("c{number}"))).collect();
    let mut counts = vec![0_u32; channels.len()];
    // The last subscription of each channel; an earlier one may have been given up before Redis heard of it.
    let mut waiting = BTreeMap::new();
    for step in 0..30_000 {
        let number = random.usize(..channels.len());
        if counts[number] > 0 && random.bool() {
            store.unsubscribe(&channels[number]);
            counts[number] -= 1;
        } else {
            waiting.insert(number, store.subscribe(&channels[number]));
            counts[number] += 1;
        }
        if step % 500 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    for (number, subscription) in waiting {
        if counts[number] > 0 {
            subscription.await.unwrap();
        }
    }
    let wanted: BTreeSet<String> =
        (0..channels.len()).filter(|&number| counts[number] > 0).map(|number| format!("c{number}")).collect();
    let settled = async {
        loop {
            let found = redis.cli(&["PUBSUB", "CHANNELS", "c*"]);
            if found.lines().map(str::to_owned).collect::<BTreeSet<_>>() == wanted {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, settled).await.expect("Redis knows what is wanted, and nothing else");
    assert_eq!(store.interruptions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_is_skipped() {
    let (redis, store, mut inbox) = subscribed(&["a"]).await;
    let publish = |bytes: usize| {
        redis.cli(&["EVAL", "redis.call('PUBLISH', 'a', string.rep('x', ARGV[1]))", "0", &bytes.to_string()]);
    };
    publish(1024 * 1024);
    publish(1024 * 1024 + 1);
    // Above 32 MiB it would be Redis that ends the connection (client-output-buffer-limit pubsub).
    publish(20 * 1024 * 1024);
    redis.cli(&["PUBLISH", "a", "after"]);
    assert_eq!(inbox.next().await.1.len(), 1024 * 1024);
    inbox.expect("a", "after").await;
    assert_eq!((store.skipped_messages(), store.interruptions()), (2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_room_holds_the_reader_up_and_is_no_outage() {
    let redis = RedisServer::start(&[]);
    let a = channel("a");
    let mut inbox = Inbox::new(std::slice::from_ref(&a), 100_000);
    let mut settings = settings(&redis.url());
    settings.probe_interval = Duration::from_millis(50);
    // Shorter than the reader is held up, and longer than a busy machine may take to schedule it.
    settings.command_timeout = Duration::from_secs(4);
    let store = RedisStore::start(settings, inbox.broker()).unwrap();
    healthy(&store).await;
    store.subscribe(&a).await.unwrap();
    let publish = "for i = 1, 2000 do redis.call('PUBLISH', 'a', string.rep('x', 9000) .. i) end";
    redis.cli(&["EVAL", publish, "0"]);
    sleep(Duration::from_secs(5)).await;
    for number in 1..=2000 {
        assert_eq!(inbox.next().await.1.trim_start_matches('x'), number.to_string());
    }
    assert_eq!(store.interruptions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_with_the_store() {
    let (redis, store, _inbox) = subscribed(&["a"]).await;
    assert!(redis.cli(&["CLIENT", "LIST", "TYPE", "pubsub"]).contains("name=geocast "));
    drop(store);
    wait_for(&redis, &["CLIENT", "LIST", "TYPE", "pubsub"], "").await;
}

/// Waits until a command prints `expected`.
async fn wait_for(redis: &RedisServer, command: &[&str], expected: &str) {
    let begin = Instant::now();
    loop {
        let found = redis.cli(command);
        if found == expected {
            return;
        }
        assert!(
            begin.elapsed() < PATIENCE,
            "after {PATIENCE:?}, {command:?} says {found:?}, not {expected:?}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}
