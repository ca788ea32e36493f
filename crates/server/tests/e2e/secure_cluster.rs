//! A Redis cluster that speaks nothing but TLS, and that with nobody who has no certificate, as a user who has the rights that
//! docs/redis.md names, and no others.

use std::{fs, time::Duration};

use geocast_server::{ClientTls, RedisPublishing, RedisSettings, StoreSettings};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    certificates::Certificates,
    redis_cluster::RedisCluster,
    server::{TestServer, patient_redis},
    waiting::until,
};

/// A cluster, of whose masters each has one of the channels.
struct Site {
    /// Of the nodes and of geocast.
    certificates: Certificates,
    /// Whom the nodes trust as well, and geocast does not.
    stranger: Certificates,
    cluster: RedisCluster,
    channels: Vec<String>,
}

impl Site {
    fn start() -> Self {
        let (certificates, stranger) = (Certificates::new(), Certificates::new());
        certificates.issue("redis", &["127.0.0.1"]);
        certificates.issue("named", &["localhost"]);
        certificates.issue("geocast", &["geocast"]);
        stranger.issue("redis", &["127.0.0.1"]);
        let both =
            [&certificates, &stranger].map(|all| fs::read(all.file("ca.pem")).expect("it was written"));
        fs::write(stranger.file("both.pem"), both.concat()).expect("the folder is ours");
        let mut options = certificates.options("redis");
        options.extend(["--tls-ca-cert-file".to_owned(), stranger.path("both.pem")]);
        let yes = ["--tls-auth-clients", "yes", "--tls-cluster", "yes", "--tls-replication", "yes"];
        options.extend(yes.map(str::to_owned));
        let (ca, cert, key) =
            (certificates.path("ca.pem"), certificates.path("redis.pem"), certificates.path("redis.key"));
        let cluster = RedisCluster::start_reached_with(
            1,
            &options.iter().map(String::as_str).collect::<Vec<_>>(),
            &["--tls", "--cacert", &ca, "--cert", &cert, "--key", &key],
        );
        for node in &cluster.nodes {
            let rights = rights();
            let words = ["ACL", "SETUSER", "geocast"].into_iter().chain(rights.split_whitespace());
            assert_eq!(node.cli(&words.collect::<Vec<_>>()), "OK");
        }
        let mut names = (0..).map(|number| format!("vehicles{number}"));
        let channels = (0..3).map(|master| names.find(|name| cluster.owner(name) == master));
        let channels = channels.map(|name| name.expect("each master has some")).collect();
        Self { certificates, stranger, cluster, channels }
    }

    /// A server that uses it, with settings as changed by `adjust`.
    async fn server(&self, adjust: impl FnOnce(&mut RedisSettings)) -> TestServer {
        let mut redis = patient_redis(&self.url());
        let (certificate, key) =
            (self.certificates.file("geocast.pem"), self.certificates.file("geocast.key"));
        redis.tls = Some(self.trusting().identified(&certificate, &key).expect("a certificate"));
        redis.probe_interval = Duration::from_millis(300);
        adjust(&mut redis);
        TestServer::start_on(None, |settings| settings.store = StoreSettings::Redis(redis)).await
    }

    fn url(&self) -> String {
        self.cluster.url().replace("redis+cluster://", "rediss+cluster://geocast:secret@")
    }

    /// Whom geocast trusts, without a certificate of its own.
    fn trusting(&self) -> ClientTls {
        ClientTls::from_file(&self.certificates.file("ca.pem")).expect("a certificate")
    }

    /// Has a node show another certificate from the next connection on, and closes those that there are.
    fn shows(&self, node: usize, certificates: &Certificates, name: &str) {
        let (certificate, key) =
            (certificates.path(&format!("{name}.pem")), certificates.path(&format!("{name}.key")));
        let node = &self.cluster.nodes[node];
        assert_eq!(node.cli(&["CONFIG", "SET", "tls-cert-file", &certificate, "tls-key-file", &key]), "OK");
        for kind in ["normal", "pubsub"] {
            node.cli(&["CLIENT", "KILL", "TYPE", kind, "USER", "geocast"]);
        }
    }

    /// None of these nodes had to refuse anything to anybody.
    fn have_refused_nothing(&self, nodes: &[usize]) {
        for node in nodes {
            assert_eq!(self.cluster.nodes[*node].cli(&["ACL", "LOG"]), "", "geocast needs another right");
        }
    }
}

/// What `ACL SETUSER` is told of a user for a cluster.
fn rights() -> String {
    let book = include_str!("../../../../docs/redis.md");
    let (_, user) = book.split_once("ACL SETUSER geocast ").expect("the book has a user");
    let (user, _) = user.split_once("\ngeocast check").expect("who is tried");
    let row = book.lines().find(|line| line.ends_with("| a cluster |")).expect("the book has clusters");
    let more = row.split('`').nth(1).expect("rights");
    format!("{user} {more}").replace("\\|", "|").replace(['\\', '\''], "")
}

fn point(id: &str) -> String {
    json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [7, 47] }, "properties": {} })
        .to_string()
}

async fn subscriber(server: &TestServer, channels: &[String]) -> Caller {
    let mut caller = Caller::connect(server).await;
    for channel in channels {
        caller.call("subscribe", json!([channel])).await;
    }
    caller
}

/// Everybody hears this feature next, once.
async fn heard(callers: &mut [Caller], channel: &str, id: &str) {
    for (number, caller) in callers.iter_mut().enumerate() {
        let message = caller.pushed().await;
        assert_eq!(
            (&message["source"], &message["content"]["id"]),
            (&json!(channel), &json!(id)),
            "{number}"
        );
    }
}

/// Everybody is told of a gap of this channel, and then of no other message before this one.
async fn told_of_a_gap(callers: &mut [Caller], channel: &str) {
    for caller in callers {
        loop {
            let push = caller.client.next().await;
            assert_eq!(push["method"], "gap", "{push}");
            if push["params"]["source"] == channel {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_of_the_book_is_served_behind_tls() {
    let mut site = Site::start();
    let servers =
        [site.server(|_| ()).await, site.server(|redis| redis.publishing = RedisPublishing::Sharded).await];
    let mut callers = Vec::new();
    for server in &servers {
        server.wait_until_ready().await;
        callers.push(subscriber(server, &site.channels).await);
    }
    for channel in &site.channels {
        for server in &servers {
            server.put(channel, "1", point("put")).await;
            heard(&mut callers, channel, "put").await;
            server.publish(channel, point("published")).await;
            heard(&mut callers, channel, "published").await;
            let name = channel.parse().expect("a channel");
            assert!(server.store.remove(&name, "1", point("removed").into()).await.expect("it is removed"));
            heard(&mut callers, channel, "removed").await;
            let together = ["first", "second"].map(|id| (name.clone(), point(id).into()));
            server.store.publish_all(together.into()).await.expect("they are published");
            heard(&mut callers, channel, "first").await;
            heard(&mut callers, channel, "second").await;
        }
        for node in &site.cluster.nodes {
            node.cli(&["PUBLISH", channel, &point("of others")]);
            heard(&mut callers, channel, "of others").await;
        }
        let owner = &site.cluster.nodes[site.cluster.owner(channel)];
        assert_eq!(owner.cli(&["SPUBLISH", channel, &point("in the shard")]), "2");
        heard(&mut callers, channel, "in the shard").await;
        owner.cli(&["HSET", channel, "1", &point("state")]);
        for caller in &mut callers {
            for params in [json!([channel]), json!([channel, "1"])] {
                assert_eq!(caller.call("get", params).await["values"][0]["id"], "state");
            }
        }
    }
    a_slot_moves(&site, &servers, &mut callers).await;
    site.have_refused_nothing(&[0, 1, 2, 3]);
    a_master_is_lost(&mut site, &servers, &mut callers).await;
    site.have_refused_nothing(&[0, 2, 3]);
    let (_, data, message) = callers[0].refused("subscribe", json!(["trams"])).await;
    assert_eq!(data["reason"], "store_unavailable");
    assert!(message.contains("NOPERM"), "{message}");
    let told = [0, 2, 3].map(|node| site.cluster.nodes[node].cli(&["ACL", "LOG"])).concat();
    assert!(told.contains("trams"), "what is refused is told: {told}");
}

/// The slot of the first channel moves to the third master, and its state is asked for on the way.
async fn a_slot_moves(site: &Site, servers: &[TestServer], callers: &mut [Caller]) {
    let (channel, nodes) = (&site.channels[0], &site.cluster.nodes);
    let slot = nodes[0].cli(&["CLUSTER", "KEYSLOT", channel]);
    let id = |node: usize| nodes[node].cli(&["CLUSTER", "MYID"]);
    let (source, target, port) = (id(0), id(2), nodes[2].port().to_string());
    let set = |node: usize, what: &str, other: &str| {
        assert_eq!(nodes[node].cli(&["CLUSTER", "SETSLOT", &slot, what, other]), "OK", "{what} {other}");
    };
    set(2, "IMPORTING", &source);
    set(0, "MIGRATING", &target);
    assert_eq!(nodes[0].cli(&["MIGRATE", "127.0.0.1", &port, channel, "0", "10000"]), "OK");
    // The old owner says whom to ask.
    assert_eq!(callers[0].call("get", json!([channel, "1"])).await["values"][0]["id"], "state");
    servers[0].put(channel, "2", point("on the way")).await;
    heard(callers, channel, "on the way").await;
    for node in [2, 0, 1] {
        set(node, "NODE", &target);
    }
    told_of_a_gap(callers, channel).await;
    for server in servers {
        server.wait_until_ready().await;
        server.put(channel, "2", point("moved")).await;
        heard(callers, channel, "moved").await;
    }
    for caller in callers {
        let values = caller.call("get", json!([channel])).await["values"].take();
        let mut ids: Vec<_> = values.as_array().expect("a list").iter().map(|value| &value["id"]).collect();
        ids.sort_by_key(|id| id.to_string());
        assert_eq!(ids, ["moved", "state"]);
    }
}

/// The master of the second channel is killed, and its replica takes its place.
async fn a_master_is_lost(site: &mut Site, servers: &[TestServer], callers: &mut [Caller]) {
    let channel = &site.channels[1];
    site.cluster.nodes[1].wait_for_replica();
    site.cluster.nodes[1].kill();
    until("the replica to take its place", async || {
        let role = site.cluster.nodes[3].cli(&["ROLE"]);
        if role.starts_with("master") { Ok(()) } else { Err(role) }
    })
    .await;
    told_of_a_gap(callers, channel).await;
    for (server, id) in servers.iter().zip(["everywhere", "in the shard"]) {
        server.wait_until_ready().await;
        let name = channel.parse().expect("a channel");
        until("the new master to take a value", async || {
            server.store.put(&name, "2", point(id).into()).await
        })
        .await;
        for caller in callers.iter_mut() {
            // More than one gap may be told, of the message stream and of the shard.
            while caller.client.next().await["params"]["content"]["id"] != id {}
            assert_eq!(caller_value(caller, channel, "1").await, "state");
        }
    }
}

/// The id of a value that a client reads, whatever it is told of before.
async fn caller_value(caller: &mut Caller, channel: &str, key: &str) -> Value {
    caller.next += 1;
    let request = json!({ "jsonrpc": "2.0", "id": caller.next, "method": "get", "params": [channel, key] });
    caller.client.send(request.to_string()).await;
    loop {
        let mut answer = caller.client.next().await;
        if answer["id"] == caller.next {
            return answer["result"]["values"][0]["id"].take();
        }
        assert_eq!(answer["method"], "gap", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_not_trusted_is_named_and_told_nothing() {
    let site = Site::start();
    let server = site.server(|_| ()).await;
    server.wait_until_ready().await;
    let address = site.cluster.address(1);
    let name = site.channels[1].parse().expect("a channel");
    for (certificates, certificate, reason) in
        [(&site.stranger, "redis", "UnknownIssuer"), (&site.certificates, "named", "not valid for name")]
    {
        site.shows(1, certificates, certificate);
        site.cluster.nodes[1].cli(&["CONFIG", "RESETSTAT"]);
        let refused = format!("the certificate of {address} is refused");
        let told = until("the certificate to be refused", async || match server.store.health().await {
            Err(error) if error.to_string().contains(&refused) => Ok(error.to_string()),
            other => Err(format!("{other:?}")),
        })
        .await;
        assert!(told.contains(reason), "{told}");
        let told = server.store.value(&name, "1").await.expect_err("nobody has it").to_string();
        assert!(told.contains(&refused) && told.contains(reason), "{told}");
        // The others go on, and so do messages.
        for channel in [&site.channels[0], &site.channels[2]] {
            server.put(channel, "1", point("state")).await;
        }
        let said = site.cluster.nodes[1].cli(&["INFO", "commandstats"]);
        assert!(!said.contains("cmdstat_auth") && !said.contains("cmdstat_hello"), "{said}");
        site.shows(1, &site.certificates, "redis");
        server.wait_until_ready().await;
        server.put(&site.channels[1], "1", point("state")).await;
    }
    // Nor are those served who have no certificate.
    let nameless = site.server(|redis| redis.tls = Some(site.trusting())).await;
    let told = nameless.store.value(&name, "1").await.expect_err("nobody says it").to_string();
    assert!(told.contains("no node of the cluster says who has which slots"), "{told}");
    assert_eq!(told.matches("CertificateRequired").count(), 2, "{told}");

    // Nodes that call each other by name need certificates for names.
    for node in &site.cluster.nodes {
        let named = ["cluster-announce-hostname", "localhost", "cluster-preferred-endpoint-type", "hostname"];
        assert_eq!(node.cli(&[&["CONFIG", "SET"], &named[..]].concat()), "OK");
    }
    for node in 0..4 {
        site.shows(node, &site.certificates, "named");
    }
    until("all nodes to know the names of all", async || {
        let told = site.cluster.nodes.iter().map(|node| node.cli(&["CLUSTER", "SLOTS"]));
        let missing = told.into_iter().find(|slots| slots.matches("localhost").count() < 4);
        missing.map_or(Ok(()), Err)
    })
    .await;
    let url = site.url().replace("127.0.0.1", "localhost").parse().expect("a URL");
    let named = site.server(|redis| redis.url = url).await;
    named.wait_until_ready().await;
    let mut callers = [subscriber(&named, &site.channels).await];
    for channel in &site.channels {
        named.put(channel, "1", point("by name")).await;
        heard(&mut callers, channel, "by name").await;
    }
}
