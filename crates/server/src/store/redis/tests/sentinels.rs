//! Redis behind sentinels.

use super::{
    certificates::Certificates,
    redis_sentinels::{RedisSentinels, Sentinel},
    *,
};

/// From when a master is gone to when messages have to flow again: the sentinels wait for a second, and elect then.
const REPLACED: Duration = PATIENCE;

fn quick(url: &str) -> RedisSettings {
    let mut settings = settings(url);
    settings.probe_interval = Duration::from_millis(300);
    settings
}

/// Publishes until that arrives, and returns how long that took.
async fn flows(store: &RedisStore, inbox: &mut Inbox, marker: &str) -> Duration {
    let begin = Instant::now();
    while inbox.is_empty() {
        assert!(begin.elapsed() < REPLACED, "{:?}", store.health().await);
        // It cannot be published while there is no master.
        let _away = store.publish(&channel("a"), bytes(marker)).await;
        sleep(Duration::from_millis(20)).await;
    }
    while inbox.next().await.1 != marker {}
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replica_of_a_killed_master_is_taken() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let (store, mut inbox) = subscribed_to(quick(&redis.url()), &["a"]).await;
    store.put(&channel("a"), "1", bytes("one")).await.unwrap();
    inbox.expect("a", "one").await;
    redis.servers[0].wait_for_replica();
    redis.servers[0].kill();
    let took = flows(&store, &mut inbox, "again").await;
    assert!(took > Duration::from_millis(500), "the sentinels wait for a second: {took:?}");
    assert_eq!((redis.master(), store.interruptions()), (1, 1));
    healthy(&store).await;
    assert_eq!(store.values(&channel("a")).await.unwrap(), ["one"]);
    store.put(&channel("a"), "2", bytes("two")).await.unwrap();
    assert_eq!(redis.servers[1].cli(&["HGET", "a", "2"]), "two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_master_is_left() {
    let redis = RedisSentinels::start(&[], &[]);
    let mut settings = settings(&redis.url());
    settings.probe_interval = Duration::from_secs(60);
    let (store, mut inbox) = subscribed_to(settings, &["a"]).await;
    assert_eq!(redis.ask(&["SENTINEL", "FAILOVER", "map"]), "OK");
    let begin = Instant::now();
    while redis.master() == 0 {
        assert!(begin.elapsed() < REPLACED);
        sleep(Duration::from_millis(5)).await;
    }
    let switched = Instant::now();
    while store.interruptions() == 0 {
        assert!(
            switched.elapsed() < Duration::from_secs(30),
            "a sentinel tells it, long before a probe would"
        );
        sleep(Duration::from_millis(5)).await;
    }
    // The old master takes what is written for seconds more. Nothing of ours goes there.
    for number in 0..20 {
        store.put(&channel("a"), &number.to_string(), bytes("x")).await.unwrap();
    }
    healthy(&store).await;
    while !inbox.is_empty() {
        inbox.next().await;
    }
    flows(&store, &mut inbox, "again").await;
    assert_eq!(redis.servers[1].cli(&["HLEN", "a"]), "20");
    assert_eq!(redis.servers[1].cli(&["PUBSUB", "NUMSUB", "a"]), "a\n1");
    assert_eq!(redis.servers[0].cli(&["PUBSUB", "NUMSUB", "a"]), "a\n0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_others_cannot_reach_is_left() {
    let redis = RedisSentinels::start(&[], &[]);
    let (store, mut inbox) = subscribed_to(quick(&redis.url()), &["a"]).await;
    // It answers us all the time, and is not told of its end: as after a partition that we are on the wrong side of.
    for command in ["REPLICAOF", "CONFIG", "CLIENT"] {
        redis.servers[0].cli(&["ACL", "SETUSER", "default", &format!("-{}", command.to_lowercase())]);
    }
    assert_eq!(redis.ask(&["SENTINEL", "FAILOVER", "map"]), "OK");
    let begin = Instant::now();
    while store.interruptions() == 0 {
        assert!(begin.elapsed() < REPLACED, "a probe asks the sentinels");
        sleep(Duration::from_millis(20)).await;
    }
    flows(&store, &mut inbox, "again").await;
    assert_eq!(redis.servers[1].cli(&["PUBSUB", "NUMSUB", "a"]), "a\n1");
    assert!(redis.servers[0].cli(&["ROLE"]).starts_with("master"), "it was never told");
    store.put(&channel("a"), "1", bytes("one")).await.unwrap();
    assert_eq!(redis.servers[1].cli(&["HGET", "a", "1"]), "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_may_be_away_whenever_redis_is_there() {
    let mut redis = RedisSentinels::start(&[], &[]);
    redis.sentinels.iter_mut().for_each(Sentinel::kill);
    let mut inbox = Inbox::new(&[channel("a")], 1_000_000);
    let store = RedisStore::start(quick(&redis.url()), inbox.broker()).unwrap();
    drop(store.subscribe(&channel("a")));
    let begin = Instant::now();
    loop {
        match store.health().await {
            Err(StoreError::Unavailable(reason)) if reason.contains("not connected yet") => {}
            Err(StoreError::Unavailable(reason)) => {
                assert!(
                    reason.starts_with("no sentinel knows the master of map: cannot connect to"),
                    "{reason}"
                );
                assert!(reason.matches("Connection refused").count() == 3, "{reason}");
                break;
            }
            other => panic!("{other:?}"),
        }
        assert!(begin.elapsed() < PATIENCE);
        sleep(Duration::from_millis(5)).await;
    }
    let error = store.value(&channel("a"), "1").await.unwrap_err();
    assert!(error.to_string().contains("no sentinel knows the master of map"), "{error}");
    redis.sentinels.iter_mut().for_each(Sentinel::run);
    flows(&store, &mut inbox, "there").await;
    healthy(&store).await;
    // Whoever is connected to the master does without them.
    redis.sentinels.iter_mut().for_each(Sentinel::kill);
    sleep(Duration::from_millis(1500)).await;
    healthy(&store).await;
    flows(&store, &mut inbox, "still").await;
    assert_eq!(store.interruptions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_comes_back_at_once_stays_the_master() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let (store, mut inbox) = subscribed_to(quick(&redis.url()), &["a"]).await;
    redis.servers[0].kill();
    assert!(is_unavailable(&store.publish(&channel("a"), bytes("nobody")).await));
    redis.servers[0].restart();
    flows(&store, &mut inbox, "again").await;
    healthy(&store).await;
    assert_eq!(store.interruptions(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_and_masters_are_behind_tls_and_have_passwords_of_their_own() {
    let certificates = Certificates::new();
    certificates.issue("redis", &["127.0.0.1"]);
    let mut options = certificates.options("redis");
    options.extend(["--tls-auth-clients", "no", "--tls-replication", "yes"].map(str::to_owned));
    options.extend(["--requirepass", "of-redis", "--masterauth", "of-redis"].map(str::to_owned));
    let path = |name: &str| certificates.path(name);
    let lines = [
        "port 0".to_owned(),
        "tls-port {port}".to_owned(),
        format!("tls-cert-file {}", path("redis.pem")),
        format!("tls-key-file {}", path("redis.key")),
        format!("tls-ca-cert-file {}", path("ca.pem")),
        "tls-auth-clients no".to_owned(),
        "tls-replication yes".to_owned(),
        "sentinel auth-pass map of-redis".to_owned(),
        // Anybody may ask through the socket of the test, only whoever has the password through TLS.
        "user watch on >of-sentinel &+switch-master +subscribe +ping +sentinel|get-master-addr-by-name"
            .to_owned(),
    ];
    let redis = RedisSentinels::start(
        &options.iter().map(String::as_str).collect::<Vec<_>>(),
        &lines.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let url = redis.url().replace("redis+sentinel://", "rediss+sentinel://:of-redis@");
    for (query, refused) in [("wrong", true), ("of-sentinel", false)] {
        let url = format!("{url}?sentinel_user=watch&sentinel_password={query}");
        let mut settings = quick(&url);
        settings.tls = Some(certificates.trust());
        if refused {
            let store = RedisStore::start(settings, Inbox::new(&[], 1).broker()).unwrap();
            let error = store.value(&channel("a"), "1").await.unwrap_err().to_string();
            assert!(
                error.contains("no sentinel knows") && error.contains("authentication failed"),
                "{error}"
            );
            assert!(!error.contains("of-"), "{error}");
        } else {
            let (store, mut inbox) = subscribed_to(settings, &["a"]).await;
            store.put(&channel("a"), "1", bytes("one")).await.unwrap();
            inbox.expect("a", "one").await;
        }
    }
}
