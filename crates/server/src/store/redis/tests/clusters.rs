//! A Redis cluster.

use std::collections::BTreeMap;

use super::{redis_cluster::RedisCluster, *};

/// From when a node is gone to when all is well again: the others wait for a second, and elect then.
pub(super) const REPLACED: Duration = PATIENCE;

pub(super) fn quick(url: &str) -> RedisSettings {
    let mut settings = settings(url);
    settings.probe_interval = Duration::from_millis(300);
    settings
}

/// Enough that each master has some.
pub(super) fn names() -> Vec<String> {
    (0..30).map(|number| format!("c{number}")).collect()
}

pub(super) async fn subscribed_to_all(cluster: &RedisCluster) -> (RedisStore, Inbox) {
    subscribed_to(quick(&cluster.url()), &names().iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// Publishes on all channels, through the store, and expects all of it, besides what came late of before.
async fn all_flow(store: &RedisStore, inbox: &mut Inbox, marker: &str) {
    for name in names() {
        store.publish(&channel(&name), bytes(marker)).await.unwrap();
    }
    let mut heard = BTreeMap::<String, u32>::new();
    while heard.len() < names().len() {
        let (name, payload) = inbox.next().await;
        if payload == marker {
            *heard.entry(name).or_default() += 1;
        }
    }
    assert!(heard.values().all(|&times| times == 1), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_are_spread_over_the_masters_and_heard_from_each() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for name in names() {
        store.put(&channel(&name), "1", bytes(&name)).await.unwrap();
        inbox.expect(&name, &name).await;
        assert_eq!(store.value(&channel(&name), "1").await.unwrap(), Some(bytes(&name)));
        assert_eq!(store.values(&channel(&name)).await.unwrap(), [bytes(&name)]);
    }
    for node in &cluster.nodes[..3] {
        let keys: u32 = node.cli(&["DBSIZE"]).parse().unwrap();
        assert!(keys > 0, "each master has some");
    }
    // Whatever node a publisher speaks to, and a replica too.
    for (number, node) in cluster.nodes.iter().enumerate() {
        node.cli(&["PUBLISH", "c7", &number.to_string()]);
        inbox.expect("c7", &number.to_string()).await;
    }
    // One after the other, on one channel and over many: each channel keeps its order.
    for number in 0..300 {
        store.publish(&channel("c1"), bytes(&number.to_string())).await.unwrap();
    }
    for number in 0..300 {
        inbox.expect("c1", &number.to_string()).await;
    }
    let messages = (0..300).map(|number| (channel(&format!("c{}", number % 30)), bytes(&number.to_string())));
    store.publish_all(messages.collect()).await.unwrap();
    let mut last = BTreeMap::new();
    for _ in 0..300 {
        let (name, payload) = inbox.next().await;
        let number: u32 = payload.parse().unwrap();
        assert!(last.insert(name, number).is_none_or(|before| before < number));
    }
    assert!(store.remove(&channel("c3"), "1", bytes("gone")).await.unwrap());
    inbox.expect("c3", "gone").await;
    // Several probes have come from all masters by now.
    sleep(Duration::from_millis(1000)).await;
    assert_eq!(store.interruptions(), 0);
    healthy(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settled_store_has_what_was_published_on_any_node() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to(quick(&cluster.url()), &["a"]).await;
    let burst = "for i = 1, 2000 do redis.call('PUBLISH', 'a', i) end";
    for round in 0..3 {
        let node = &cluster.nodes[round % 3];
        assert_eq!(node.cli(&["EVAL", burst, "0"]), "");
        store.settle().await;
        for _ in 0..2000 {
            assert!(!inbox.is_empty(), "all is here, in round {round}");
            inbox.next().await;
        }
        assert!(inbox.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_master_is_replaced_and_the_others_go_on() {
    let mut cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for name in names() {
        store.put(&channel(&name), "1", bytes(&name)).await.unwrap();
    }
    cluster.nodes[0].wait_for_replica();
    let lost: Vec<String> =
        names().into_iter().filter(|name| cluster.nodes[0].cli(&["EXISTS", name]) == "1").collect();
    assert!(!lost.is_empty());
    while inbox.gaps() > 0 || !inbox.is_empty() {
        inbox.next().await;
    }
    cluster.nodes[0].kill();
    let begin = Instant::now();
    for name in &lost {
        while store.values(&channel(name)).await.ok() != Some(vec![bytes(name)]) {
            assert!(begin.elapsed() < REPLACED, "{:?}", store.values(&channel(name)).await);
            sleep(Duration::from_millis(50)).await;
        }
    }
    healthy(&store).await;
    while inbox.gaps() == 0 {
        assert!(begin.elapsed() < REPLACED, "what was lost with the master is told");
        sleep(Duration::from_millis(20)).await;
    }
    all_flow(&store, &mut inbox, "again").await;
    for name in lost {
        store.put(&channel(&name), "2", bytes("x")).await.unwrap();
        assert_eq!(cluster.nodes[3].cli(&["HGET", &name, "2"]), "x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_restarts_at_once_is_noticed() {
    let mut cluster = RedisCluster::start(0);
    let mut settings = settings(&cluster.url());
    settings.probe_interval = Duration::from_secs(1);
    let (store, mut inbox) = subscribed_to(settings, &["c1"]).await;
    // One of them is the one that messages arrive from, which is another matter.
    for number in [1, 2] {
        sleep(Duration::from_millis(200)).await;
        assert_eq!(inbox.gaps(), 0);
        cluster.nodes[number].restart();
        let begin = Instant::now();
        while inbox.gaps() == 0 {
            assert!(begin.elapsed() < PATIENCE, "{number}: {:?}", store.health().await);
            sleep(Duration::from_millis(20)).await;
        }
        healthy(&store).await;
        // Whoever was told once is not told again.
        sleep(Duration::from_millis(2500)).await;
        assert_eq!(inbox.gaps(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_may_move_meanwhile() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for name in names() {
        store.put(&channel(&name), "1", bytes(&name)).await.unwrap();
        inbox.expect(&name, &name).await;
    }
    // Many slots of the second master go to the third while everything is written and read; on a slow machine, also back.
    let mut written = 0_u32;
    let mut ways = [(1, 2), (2, 1)].into_iter().cycle();
    while written <= 100 {
        let (from, to) = ways.next().unwrap();
        let keys = || cluster.nodes[to].cli(&["DBSIZE"]).parse::<u32>().unwrap();
        let before = keys();
        let moving = {
            let id = |node: usize| cluster.nodes[node].cli(&["CLUSTER", "MYID"]);
            let (from, to, address) = (id(from), id(to), cluster.address(1));
            std::thread::spawn(move || {
                let arguments =
                    ["--cluster", "reshard", &address, "--cluster-from", &from, "--cluster-to", &to];
                let output = std::process::Command::new("redis-cli")
                    .args(arguments)
                    .args(["--cluster-slots", "1500", "--cluster-pipeline", "100", "--cluster-yes"])
                    .output();
                let output = output.unwrap();
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(output.status.success(), "{said}");
                said
            })
        };
        while !moving.is_finished() {
            let name = channel(&names()[written as usize % 30]);
            store.put(&name, "2", bytes(&written.to_string())).await.unwrap();
            assert_eq!(store.value(&name, "2").await.unwrap(), Some(bytes(&written.to_string())));
            assert_eq!(store.values(&name).await.unwrap().len(), 2);
            inbox.expect(name.as_str(), &written.to_string()).await;
            written += 1;
        }
        let said = moving.join().unwrap();
        assert!(keys() > before, "some channels have moved: {said}");
    }
    all_flow(&store, &mut inbox, "again").await;
    assert_eq!((store.interruptions(), inbox.gaps()), (0, 0), "nothing was missed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_away_at_the_start_are_told_and_tried_again() {
    let mut cluster = RedisCluster::start(0);
    let url = cluster.url();
    cluster.nodes.iter_mut().for_each(RedisServer::kill);
    let mut inbox = Inbox::new(&[channel("c1")], 1_000_000);
    let store = RedisStore::start(quick(&url), inbox.broker()).unwrap();
    drop(store.subscribe(&channel("c1")));
    let error = store.value(&channel("c1"), "1").await.unwrap_err().to_string();
    assert!(error.contains("no node of the cluster says who has which slots: cannot connect to"), "{error}");
    assert_eq!(error.matches("Connection refused").count(), 2, "{error}");
    cluster.nodes.iter_mut().for_each(RedisServer::restart);
    healthy(&store).await;
    let begin = Instant::now();
    while inbox.is_empty() {
        assert!(begin.elapsed() < REPLACED);
        let _not_yet = store.publish(&channel("c1"), bytes("x")).await;
        sleep(Duration::from_millis(50)).await;
    }
    let rule = crate::ChannelRule::parse("a=x", |_| Ok::<_, String>(crate::HistoryBound::default())).unwrap();
    let keeping = RedisStore::start_watching(quick(&url), inbox.broker(), None, vec![rule]);
    assert!(keeping.unwrap_err().to_string().contains("have no history"));
}
