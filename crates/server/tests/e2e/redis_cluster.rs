use std::{
    cell::Cell,
    process::Command,
    time::{Duration, Instant},
};

use super::redis_server::{RedisServer, START, free_port};

/// Three masters that share the slots, and a replica of one of them, which end with the value.
pub(crate) struct RedisCluster {
    /// The masters, and the replica.
    pub(crate) nodes: Vec<RedisServer>,
    /// What `redis-cli` is told besides to reach them.
    words: Vec<String>,
}

impl RedisCluster {
    /// Starts them, and waits until each knows of all slots. A master that is silent for a second is replaced, if it is the
    /// `replicated` one.
    pub(crate) fn start(replicated: usize) -> Self {
        Self::start_with(replicated, &[])
    }

    /// The same, with further command line `options` for each.
    pub(crate) fn start_with(replicated: usize, options: &[&str]) -> Self {
        Self::start_reached_with(replicated, options, &[])
    }

    /// The same, of nodes that `redis-cli` reaches with these `words`.
    pub(crate) fn start_reached_with(replicated: usize, options: &[&str], words: &[&str]) -> Self {
        let node = |_| {
            let (bus, timeout) = (free_port().to_string(), NODE_TIMEOUT.as_millis().to_string());
            let always = [
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                &timeout,
                "--cluster-port",
                &bus,
                "--cluster-replica-validity-factor",
                "0",
                "--repl-diskless-sync-delay",
                "0",
            ];
            RedisServer::start(&[&always, options].concat())
        };
        let nodes: Vec<RedisServer> = (0..4).map(node).collect();
        let cluster = Self { nodes, words: words.iter().map(|&word| word.to_owned()).collect() };
        let masters: Vec<String> = (0..3).map(|node| cluster.address(node)).collect();
        cluster.manage(&[&["create"], &masters.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
        cluster.wait_until("cluster_known_nodes:3", 3);
        let master = cluster.nodes[replicated].cli(&["CLUSTER", "MYID"]);
        let (new, old) = (cluster.address(3), cluster.address(0));
        cluster.manage(&["add-node", &new, &old, "--cluster-slave", "--cluster-master-id", &master]);
        cluster.introduce(3);
        let is_replicated =
            || cluster.nodes[3].cli(&["INFO", "replication"]).contains("master_link_status:up");
        cluster.wait(is_replicated, "the replica has what the master has");
        cluster
    }

    /// `redis+cluster://…` of two of the masters.
    pub(crate) fn url(&self) -> String {
        format!("redis+cluster://{},{}", self.address(1), self.address(0))
    }

    /// Runs `redis-cli --cluster`, which has to succeed.
    pub(crate) fn manage(&self, arguments: &[&str]) {
        let mut command = Command::new("redis-cli");
        command.args(&self.words).arg("--cluster").args(arguments).arg("--cluster-yes");
        let output = command.output().expect("redis-cli is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    }

    /// Waits until the first `nodes` find the cluster well, and `fact` in CLUSTER INFO.
    pub(crate) fn wait_until(&self, fact: &str, nodes: usize) {
        let is_so = |node: &RedisServer| {
            let info = node.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.lines().any(|line| line.trim_end() == fact)
        };
        self.wait(|| self.nodes[..nodes].iter().all(is_so), fact);
    }

    /// Waits until all know a node. Who is slow to answer a greeting is forgotten after the second that the nodes wait for each other, and
    /// has to be greeted again.
    fn introduce(&self, node: usize) {
        let bus = self.nodes[node].cli(&["CONFIG", "GET", "cluster-port"]);
        let bus = bus.lines().last().expect("a port");
        let port = self.nodes[node].port().to_string();
        let greeted = Cell::new(Instant::now());
        let is_known = |other: &RedisServer| {
            let info = other.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
        };
        let all_know = || {
            let others = self.nodes.iter().filter(|other| !is_known(other)).collect::<Vec<_>>();
            if greeted.get().elapsed() > 2 * NODE_TIMEOUT {
                greeted.set(Instant::now());
                others
                    .iter()
                    .for_each(|other| drop(other.cli(&["CLUSTER", "MEET", "127.0.0.1", &port, bus])));
            }
            others.is_empty()
        };
        self.wait(all_know, "all know the replica");
    }

    /// The number of the master that has the slot of this channel.
    pub(crate) fn owner(&self, channel: &str) -> usize {
        let slot = self.nodes[0].cli(&["CLUSTER", "KEYSLOT", channel]);
        // A master that has it counts it, and others say where it is.
        let has = |node: &&RedisServer| !node.cli(&["GET", channel]).contains("MOVED");
        let owner = self.nodes[..3].iter().position(|node| has(&node));
        owner.unwrap_or_else(|| panic!("nobody has slot {slot}"))
    }

    /// Where a node is, as host and port.
    pub(crate) fn address(&self, node: usize) -> String {
        format!("127.0.0.1:{}", self.nodes[node].port())
    }

    fn wait(&self, is_so: impl Fn() -> bool, what: &str) {
        let deadline = Instant::now() + 2 * START;
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}: {}", self.nodes[0].cli(&["CLUSTER", "NODES"]));
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

/// How long nodes wait for each other.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);
