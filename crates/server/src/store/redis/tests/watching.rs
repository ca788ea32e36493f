//! Watched hashes: of a cluster, of which each master tells of its own writes alone, and with rights that are lost for a while.

use super::{clusters::quick, redis_cluster::RedisCluster, shards::redirected, *};

fn name(number: u32) -> String {
    format!("collection:{number}")
}

/// The next push of one of the hashes, in short.
async fn pushed(inbox: &mut Inbox) -> (String, String) {
    loop {
        let (group, payload) = inbox.next().await;
        if group != "collection-warm" {
            let kinds = ["create", "update", "delete"];
            let kind = kinds.into_iter().find(|kind| payload.contains(&format!(r#""type":"{kind}""#)));
            return (group, kind.unwrap_or(&payload).to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_of_all_masters_are_watched() {
    let telling = ["--notify-keyspace-events", "Ehgxe"];
    let without = [&telling[..], &["--rename-command", "SSUBSCRIBE", ""]].concat();
    for options in [&telling[..], &without] {
        let mut cluster = RedisCluster::start_with(0, options);
        let groups = (0..30).map(|number| channel(&format!("collection-{number}")));
        let groups: Vec<Channel> = groups.chain([channel("collection-warm")]).collect();
        let mut inbox = Inbox::new(&groups, 1_000_000);
        let watch = Some("collection:*".parse().unwrap());
        let store =
            RedisStore::start_watching(quick(&cluster.url()), inbox.broker(), watch, Vec::new()).unwrap();
        healthy(&store).await;
        // What is there at the beginning is not told.
        let begin = Instant::now();
        while inbox.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(20), "{options:?}: {:?}", store.health().await);
            let count = begin.elapsed().as_nanos().to_string();
            redirected(&cluster.nodes[0], &["HSET", "collection:warm", "count", &count]);
            sleep(Duration::from_millis(50)).await;
        }
        for number in 0..30 {
            redirected(&cluster.nodes[0], &["HSET", &name(number), "id", &number.to_string()]);
            assert_eq!(pushed(&mut inbox).await, (format!("collection-{number}"), "create".to_owned()));
        }
        // Whoever was away meanwhile, what changed is told once.
        for node in &cluster.nodes[..3] {
            node.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        }
        for number in 0..30 {
            redirected(&cluster.nodes[0], &["HSET", &name(number), "id", "changed"]);
        }
        let mut told = std::collections::BTreeMap::<(String, String), u32>::new();
        while told.len() < 30 {
            *told.entry(pushed(&mut inbox).await).or_default() += 1;
        }
        assert!(told.iter().all(|((_, kind), times)| (kind.as_str(), *times) == ("update", 1)), "{told:?}");
        // And by the one that takes a master's place.
        let lost: Vec<u32> =
            (0..30).filter(|&number| cluster.nodes[0].cli(&["EXISTS", &name(number)]) == "1").collect();
        cluster.nodes[0].wait_for_replica();
        cluster.nodes[0].kill();
        let begin = Instant::now();
        while !cluster.nodes[3].cli(&["ROLE"]).starts_with("master") {
            assert!(begin.elapsed() < Duration::from_secs(30), "nobody takes its place");
            sleep(Duration::from_millis(20)).await;
        }
        for &number in &lost {
            let begin = Instant::now();
            while cluster.nodes[3].cli(&["HSET", &name(number), "id", "again"]) != "0" {
                assert!(begin.elapsed() < Duration::from_secs(30), "{number} is not taken");
                sleep(Duration::from_millis(20)).await;
            }
        }
        let mut told = std::collections::BTreeSet::new();
        while told.len() < lost.len() {
            told.insert(pushed(&mut inbox).await);
        }
        let expected = lost.iter().map(|number| (format!("collection-{number}"), "update".to_owned()));
        assert_eq!(told, expected.collect());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_it_may_not_be_heard_is_pushed_later() {
    let redis = RedisServer::start(&["--notify-keyspace-events", "Ehgxe"]);
    let group = channel("collection-1");
    let mut inbox = Inbox::new(std::slice::from_ref(&group), 1_000_000);
    let watch = Some("collection:*".parse().unwrap());
    let mut settings = settings(&redis.url());
    settings.probe_interval = Duration::from_millis(200);
    let store = RedisStore::start_watching(settings, inbox.broker(), watch, Vec::new()).unwrap();
    healthy(&store).await;
    // What is there at the beginning is not told.
    let begin = Instant::now();
    while inbox.is_empty() {
        assert!(begin.elapsed() < PATIENCE, "{:?}", store.health().await);
        redis.cli(&["HSET", &name(1), "id", &begin.elapsed().as_nanos().to_string()]);
        sleep(Duration::from_millis(50)).await;
    }
    redis.cli(&["ACL", "SETUSER", "default", "resetchannels", "&__geocast*"]);
    while !matches!(store.health().await, Err(StoreError::Unavailable(reason)) if reason.contains("forbids"))
    {
        assert!(begin.elapsed() < 2 * PATIENCE, "{:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
    }
    // What is read again because Redis ended the connection has been read by then, or is that what is not looked for here.
    sleep(Duration::from_millis(300)).await;
    redis.cli(&["HSET", &name(1), "id", "unheard"]);
    redis.cli(&["ACL", "SETUSER", "default", "allchannels"]);
    while !inbox.next().await.1.contains("unheard") {}
    healthy(&store).await;
}
