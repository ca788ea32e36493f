//! What is published in the shards of a cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    clusters::{REPLACED, names, quick, subscribed_to_all},
    redis_cluster::RedisCluster,
    *,
};

/// Publishes with SPUBLISH, asking this node first.
fn spublish(node: &RedisServer, channel: &str, payload: &str) {
    assert_eq!(redirected(node, &["SPUBLISH", channel, payload]), "1", "{channel} {payload}");
}

/// Asks this node, and the one that it names instead.
pub(super) fn redirected(node: &RedisServer, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    let output = command.args(["-c", "-p", &node.port().to_string()]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The connections to this node that listen to its shard.
fn listening(node: &RedisServer) -> Vec<String> {
    let list = node.cli(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    let listens = |line: &&str| !line.contains(" ssub=0 ");
    let id = |line: &str| line.split(' ').next().unwrap().trim_start_matches("id=").to_owned();
    list.lines().filter(listens).map(id).collect()
}

/// The channels by who has them.
fn by_owner(cluster: &RedisCluster) -> BTreeMap<usize, BTreeSet<String>> {
    let mut owners = BTreeMap::<usize, BTreeSet<String>>::new();
    for name in names() {
        owners.entry(cluster.owner(&name)).or_default().insert(name);
    }
    assert_eq!(owners.len(), 3, "each master has some");
    owners
}

/// Publishes on all channels in their shards until each is heard, and returns which were told of a gap meanwhile.
pub(super) async fn all_heard(cluster: &RedisCluster, node: usize, inbox: &mut Inbox, marker: &str) {
    for name in names() {
        spublish(&cluster.nodes[node], &name, marker);
    }
    let mut heard = BTreeMap::<String, u32>::new();
    while heard.len() < names().len() {
        let (name, payload) = inbox.next().await;
        assert_eq!(payload, marker);
        *heard.entry(name).or_default() += 1;
    }
    assert!(heard.values().all(|&times| times == 1), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_in_a_shard_or_everywhere_is_heard_once() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for (number, node) in cluster.nodes[..3].iter().enumerate() {
        for name in names() {
            spublish(node, &name, &format!("shard {number}"));
            node.cli(&["PUBLISH", &name, &format!("all {number}")]);
        }
    }
    store.settle().await;
    let mut heard = BTreeMap::<(String, String), u32>::new();
    while !inbox.is_empty() {
        *heard.entry(inbox.next().await).or_default() += 1;
    }
    assert_eq!(heard.len(), 3 * 2 * names().len());
    assert!(heard.values().all(|&times| times == 1), "{heard:?}");
    let listening: Vec<usize> = cluster.nodes.iter().map(|node| listening(node).len()).collect();
    assert_eq!(listening, [1, 1, 1, 0], "one connection to each master");
    // What nobody wants is not subscribed any more.
    for name in names() {
        store.unsubscribe(&channel(&name));
    }
    let begin = Instant::now();
    let left = || -> usize {
        let told = |node: &RedisServer| node.cli(&["PUBSUB", "SHARDCHANNELS", "c*"]);
        cluster.nodes[..3].iter().map(|node| told(node).split_whitespace().count()).sum()
    };
    while left() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{}", left());
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((store.interruptions(), inbox.gaps(), inbox.partial_gaps().len()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settled_store_has_what_was_published_in_any_shard() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    let burst = "for i = 1, 2000 do redis.call('SPUBLISH', KEYS[1], i) end";
    for channels in by_owner(&cluster).values() {
        let name = channels.first().unwrap();
        assert_eq!(redirected(&cluster.nodes[0], &["EVAL", burst, "1", name]), "");
        store.settle().await;
        for number in 1..=2000 {
            assert!(!inbox.is_empty(), "all is here, of {name}");
            inbox.expect(name, &number.to_string()).await;
        }
        assert!(inbox.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_killed_is_a_gap_of_its_channels_alone() {
    let cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for (owner, channels) in by_owner(&cluster) {
        let node = &cluster.nodes[owner];
        let interruptions = store.interruptions();
        for id in listening(node) {
            // The one for what is published everywhere may be to this node as well, and stays.
            assert_eq!(node.cli(&["CLIENT", "KILL", "ID", &id]), "1");
        }
        let begin = Instant::now();
        let mut told = BTreeMap::new();
        while told.len() < channels.len() {
            assert!(begin.elapsed() < REPLACED, "{told:?}");
            sleep(Duration::from_millis(5)).await;
            told.extend(inbox.partial_gaps());
        }
        assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), channels);
        assert_eq!((store.interruptions(), inbox.gaps()), (interruptions + 1, 0));
        healthy(&store).await;
        all_heard(&cluster, owner, &mut inbox, &owner.to_string()).await;
        assert!(inbox.partial_gaps().is_empty(), "told once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_master_is_a_gap_of_its_channels_and_heard_from_its_replica() {
    let mut cluster = RedisCluster::start(0);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    let lost = by_owner(&cluster).remove(&0).unwrap();
    cluster.nodes[0].kill();
    let begin = Instant::now();
    let mut told = BTreeMap::new();
    while told.len() < lost.len() {
        assert!(begin.elapsed() < 3 * REPLACED, "{told:?} {:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
        told.extend(inbox.partial_gaps());
    }
    assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), lost);
    healthy(&store).await;
    while !inbox.is_empty() {
        inbox.next().await;
    }
    all_heard(&cluster, 1, &mut inbox, "again").await;
    assert!(inbox.partial_gaps().is_empty(), "told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_away_makes_the_store_unready() {
    let mut cluster = RedisCluster::start(1);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    let channels = by_owner(&cluster).remove(&0).unwrap();
    cluster.nodes[0].kill();
    let begin = Instant::now();
    let reason = loop {
        assert!(begin.elapsed() < REPLACED);
        match store.health().await {
            Err(StoreError::Unavailable(reason)) if reason.contains("of the shard of") => break reason,
            _ => sleep(Duration::from_millis(5)).await,
        }
    };
    assert!(reason.contains(&cluster.address(0)), "{reason}");
    cluster.nodes[0].restart();
    let mut told = BTreeMap::new();
    while told.len() < channels.len() {
        assert!(begin.elapsed() < 3 * REPLACED, "{told:?} {:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
        told.extend(inbox.partial_gaps());
    }
    assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), channels);
    healthy(&store).await;
    while !inbox.is_empty() {
        inbox.next().await;
    }
    all_heard(&cluster, 2, &mut inbox, "again").await;
}

/// Gives a slot without keys from one master to another.
fn move_slot(cluster: &RedisCluster, slot: &str, from: usize, to: usize) {
    let id = |node: usize| cluster.nodes[node].cli(&["CLUSTER", "MYID"]);
    let (source, target) = (id(from), id(to));
    let set = |node: usize, what: &str, other: &str| {
        let answer = cluster.nodes[node].cli(&["CLUSTER", "SETSLOT", slot, what, other]);
        assert_eq!(answer, "OK", "{what} {other}");
    };
    // Only who is importing a slot tells the others so that they believe it.
    set(to, "IMPORTING", &source);
    set(from, "MIGRATING", &target);
    for node in [to, from, 3 - to - from] {
        set(node, "NODE", &target);
    }
}

/// Publishes numbers with SPUBLISH, a thousand a second, wherever the slot is, until told to stop. Returns how many.
fn publish_numbers(mut stream: TcpStream, channel: &str, stop: &AtomicBool) -> u32 {
    let mut number = 0;
    let mut begin = std::time::Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let payload = number.to_string();
        let (length, size) = (channel.len(), payload.len());
        let command = format!("*3\r\n$8\r\nSPUBLISH\r\n${length}\r\n{channel}\r\n${size}\r\n{payload}\r\n");
        stream.write_all(command.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer).unwrap();
        if let Some(moved) = answer.strip_prefix("-MOVED ") {
            stream = TcpStream::connect(moved.split_whitespace().nth(1).unwrap()).unwrap();
            continue;
        }
        if answer.starts_with(':') {
            number += 1;
        }
        begin += Duration::from_millis(1);
        std::thread::park_timeout(begin.saturating_duration_since(std::time::Instant::now()));
    }
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_moves_under_load_and_what_is_lost_is_told() {
    // No master is to be replaced meanwhile, however slow the machine.
    let cluster = RedisCluster::start_with(0, &["--cluster-node-timeout", "60000"]);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = std::thread::spawn({
        let (stream, stop) = (cluster.nodes[cluster.owner("c1")].connect(), Arc::clone(&stop));
        move || publish_numbers(stream, "c1", &stop)
    });
    let slot = cluster.nodes[0].cli(&["CLUSTER", "KEYSLOT", "c1"]);
    let (mut next, mut lost) = (0, 0);
    for moves in 0..=6 {
        // Each move begins while messages flow, when the one before it has been told.
        let begin = next;
        while next < begin + 200 || inbox.told("c1") < moves {
            let (name, payload) = inbox.next().await;
            let number: u32 = payload.parse().unwrap();
            assert!((name.as_str(), number >= next) == ("c1", true), "{name} {number} after {next}");
            if number > next {
                lost += number - next;
                assert!(inbox.told("c1") > 0, "{next} to {number} are missing, and nobody was told");
            }
            next = number + 1;
        }
        if moves < 6 {
            let from = cluster.owner("c1");
            move_slot(&cluster, &slot, from, (from + 1) % 3);
        }
    }
    stop.store(true, Ordering::Relaxed);
    let published = publisher.join().unwrap();
    while next < published {
        inbox.expect("c1", &next.to_string()).await;
        next += 1;
    }
    let mut gaps = inbox.partial_gaps();
    assert!(gaps.remove("c1").is_some_and(|times| times >= 6), "each move is told");
    assert!(gaps.is_empty(), "and of no other channel: {gaps:?}");
    println!("{lost} of {published} messages were lost in six moves");
    assert_eq!((store.interruptions(), inbox.gaps()), (0, 0));
    healthy(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_shards_is_heard_as_before() {
    let cluster = RedisCluster::start_with(0, &["--rename-command", "SSUBSCRIBE", ""]);
    let (store, mut inbox) = subscribed_to_all(&cluster).await;
    for name in names() {
        cluster.nodes[2].cli(&["PUBLISH", &name, "x"]);
        inbox.expect(&name, "x").await;
    }
    store.settle().await;
    store.subscribe(&channel("late")).await.unwrap();
    assert_eq!((store.interruptions(), inbox.gaps()), (0, 0));
    healthy(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_needs_rights_to_listen_to_shards() {
    let cluster = RedisCluster::start(0);
    let rights = "ACL SETUSER map on >secret ~c* resetchannels &c* &__geocast_probe:* -@all \
        +subscribe +unsubscribe +ping +client|setname +hget +hstrlen +hscan +publish +eval +hset +hdel +multi \
        +exec +discard +cluster|slots +asking";
    let allow = |rules: &str| {
        for node in &cluster.nodes {
            assert_eq!(node.cli(&rules.split_whitespace().collect::<Vec<_>>()), "OK");
        }
    };
    let url = cluster.url().replace("://", "://map:secret@");
    for rules in ["", "+ssubscribe +sunsubscribe +spublish"] {
        allow(&format!("{rights} {rules}"));
        let channels: Vec<Channel> = names().iter().map(|name| channel(name)).collect();
        let mut inbox = Inbox::new(&channels, 1_000_000);
        let store = RedisStore::start(quick(&url), inbox.broker()).unwrap();
        for channel in &channels {
            store.subscribe(channel).await.unwrap();
        }
        let forbidden = store.subscribe(&channel("forbidden")).await;
        assert!(matches!(forbidden, Err(StoreError::Refused(_))), "{forbidden:?}");
        healthy(&store).await;
        for name in names() {
            store.publish(&channel(&name), bytes("x")).await.unwrap();
            inbox.expect(&name, "x").await;
        }
        if !rules.is_empty() {
            all_heard(&cluster, 0, &mut inbox, "y").await;
            // Several probes later.
            sleep(Duration::from_millis(1000)).await;
            store.settle().await;
        }
        assert_eq!((store.interruptions(), inbox.gaps()), (0, 0));
        healthy(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_here_may_stay_in_its_shard() {
    let cluster = RedisCluster::start(0);
    let mut settings = quick(&cluster.url());
    settings.publishing = crate::RedisPublishing::Sharded;
    let (names, from) = (names(), settings.clone());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (store, mut inbox) = subscribed_to(settings, &names).await;
    let (other, mut others) = subscribed_to(from, &names).await;
    let sent = |kind: &str| -> u64 {
        let told = |node: &RedisServer| {
            let info = node.cli(&["INFO", "commandstats"]);
            let line = info.lines().find(|line| line.starts_with(&format!("cmdstat_{kind}:")));
            line.map_or(0, |line| line.split(['=', ',']).nth(1).unwrap().parse::<u64>().unwrap())
        };
        cluster.nodes.iter().map(told).sum()
    };
    let before = (sent("publish"), sent("spublish"));
    for name in &names {
        store.publish(&channel(name), bytes("published")).await.unwrap();
        store.put(&channel(name), "1", bytes("put")).await.unwrap();
        assert!(store.remove(&channel(name), "1", bytes("removed")).await.unwrap());
    }
    // Of one channel in their order, whatever slots lie between.
    let messages = (0..90).map(|number| (channel(names[number % 30]), bytes(&(number / 30).to_string())));
    store.publish_all(messages.collect()).await.unwrap();
    store.settle().await;
    other.settle().await;
    for inbox in [&mut inbox, &mut others] {
        let mut heard = BTreeMap::<String, Vec<String>>::new();
        while !inbox.is_empty() {
            let (name, payload) = inbox.next().await;
            heard.entry(name).or_default().push(payload);
        }
        assert_eq!(heard.len(), 30);
        for (name, payloads) in heard {
            assert_eq!(payloads, ["published", "put", "removed", "0", "1", "2"], "{name}");
        }
    }
    assert!(sent("spublish") >= before.1 + 180, "six of each channel");
    // Probes go to all nodes still: three each interval from each of both, and markers.
    let probes = sent("publish") - before.0;
    assert!(probes < 180, "{probes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_in_shards_needs_shards() {
    let redis = RedisServer::start(&[]);
    let mut single = settings(&redis.url());
    single.publishing = crate::RedisPublishing::Sharded;
    let inbox = Inbox::new(&[], 1);
    let error = RedisStore::start(single, inbox.broker()).unwrap_err().to_string();
    assert!(error.contains("only a redis cluster has shards"), "{error}");
    let cluster = RedisCluster::start_with(0, &["--rename-command", "SSUBSCRIBE", ""]);
    let mut sharded = quick(&cluster.url());
    sharded.publishing = crate::RedisPublishing::Sharded;
    let store = RedisStore::start(sharded, inbox.broker()).unwrap();
    let refused = store.subscribe(&channel("c1")).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(reason)) if reason.contains("SSUBSCRIBE")),
        "{refused:?}"
    );
    let health = store.health().await;
    assert!(
        matches!(&health, Err(StoreError::Unavailable(reason)) if reason.contains("SSUBSCRIBE") && reason.contains("needs Redis 7")),
        "{health:?}"
    );
}
