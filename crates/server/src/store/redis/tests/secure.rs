//! Redis behind TLS.

use super::{certificates::Certificates, *};
use crate::ClientTls;

impl Certificates {
    /// Trusts the authority.
    pub(super) fn trust(&self) -> ClientTls {
        ClientTls::from_file(&self.file("ca.pem")).unwrap()
    }
}

/// A Redis that has a certificate for these hosts, and asks nobody for one unless `options` say so.
fn secured(certificates: &Certificates, hosts: &[&str], options: &[&str]) -> RedisServer {
    certificates.issue("redis", hosts);
    let mut all = certificates.options("redis");
    all.extend(options.iter().map(|&option| option.to_owned()));
    RedisServer::start(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

fn trusting(url: &str, tls: &ClientTls) -> RedisSettings {
    let mut settings = settings(url);
    settings.tls = Some(tls.clone());
    settings
}

/// Why a store with these settings is not healthy.
async fn refusal(settings: RedisSettings) -> String {
    let inbox = Inbox::new(&[], 1);
    let store = RedisStore::start(settings, inbox.broker()).unwrap();
    let told = async {
        loop {
            match store.health().await {
                Err(error) if !error.to_string().contains("not connected yet") => break error.to_string(),
                Err(_) => sleep(Duration::from_millis(5)).await,
                Ok(()) => panic!("healthy"),
            }
        }
    };
    let reason = timeout(PATIENCE, told).await.unwrap();
    let error = store.value(&channel("a"), "1").await;
    assert!(is_unavailable(&error), "{error:?}");
    reason
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_messages_go_through_tls() {
    let certificates = Certificates::new();
    let mut redis = secured(
        &certificates,
        &["localhost", "127.0.0.1"],
        &["--tls-auth-clients", "no", "--requirepass", "hunter2"],
    );
    let (port, cli) = (redis.port(), ["--no-auth-warning", "-a", "hunter2"]);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("rediss://:hunter2@{host}:{port}/2");
        let (store, mut inbox) = subscribed_to(trusting(&url, &certificates.trust()), &["a"]).await;
        assert_eq!(store.description(), format!("rediss://{host}:{port}/2"));
        store.put(&channel("a"), "1", bytes("one")).await.unwrap();
        inbox.expect("a", "one").await;
        assert_eq!(store.values(&channel("a")).await.unwrap(), ["one"]);
        // Longer than any record of TLS, and more than a socket takes at once.
        let long = "x".repeat(900_000);
        store.put(&channel("a"), "2", bytes(&long)).await.unwrap();
        inbox.expect("a", &long).await;
        for number in 0..500 {
            store.publish(&channel("a"), bytes(&number.to_string())).await.unwrap();
        }
        for number in 0..500 {
            inbox.expect("a", &number.to_string()).await;
        }
        redis.cli(&[&cli[..], &["CLIENT", "KILL", "TYPE", "pubsub"]].concat());
        while store.interruptions() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        healthy(&store).await;
        redis.cli(&[&cli[..], &["FLUSHALL"]].concat());
        redis.restart();
        healthy(&store).await;
        store.publish(&channel("a"), bytes("again")).await.unwrap();
        inbox.expect("a", "again").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_trusted_is_not_spoken_to() {
    let certificates = Certificates::new();
    let redis = secured(&certificates, &["localhost"], &["--tls-auth-clients", "no"]);
    let port = redis.port();
    let (numbered, named) = (format!("rediss://127.0.0.1:{port}"), format!("rediss://localhost:{port}"));
    let reason = refusal(trusting(&numbered, &certificates.trust())).await;
    assert!(reason.contains(&format!("the certificate of 127.0.0.1:{port} is refused")), "{reason}");
    assert!(reason.contains("not valid for name") && reason.contains("localhost"), "{reason}");
    let stranger = Certificates::new();
    let reason = refusal(trusting(&named, &stranger.trust())).await;
    assert!(reason.contains(&format!("the certificate of localhost:{port} is refused")), "{reason}");
    assert!(reason.contains("UnknownIssuer"), "{reason}");
    // Nothing was said to it: Redis would know of a command.
    assert!(!redis.cli(&["INFO", "commandstats"]).contains("subscribe"));
    let (_store, _inbox) = subscribed_to(trusting(&named, &certificates.trust()), &["a"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_tls_is_told_from_one_that_is_away() {
    let redis = RedisServer::start(&[]);
    let certificates = Certificates::new();
    let url = format!("rediss://127.0.0.1:{}", redis.port());
    let mut impatient = trusting(&url, &certificates.trust());
    impatient.connect_timeout = Duration::from_secs(2);
    let reason = refusal(impatient).await;
    assert!(reason.contains("is connected to but does not answer with TLS within 2s"), "{reason}");
    // And the other way round: Redis takes the first command for something else, and ends the connection.
    let redis = secured(&certificates, &["localhost"], &["--tls-auth-clients", "no"]);
    let reason = refusal(settings(&redis.url())).await;
    assert!(reason.starts_with("the store is unavailable: "), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_its_certificate_to_a_redis_that_asks_for_one() {
    let certificates = Certificates::new();
    // As Redis does by default.
    let redis = secured(&certificates, &["localhost"], &["--tls-auth-clients", "yes"]);
    certificates.issue("geocast", &["geocast"]);
    let url = format!("rediss://localhost:{}", redis.port());
    let own =
        certificates.trust().identified(&certificates.file("geocast.pem"), &certificates.file("geocast.key"));
    let (store, mut inbox) = subscribed_to(trusting(&url, &own.unwrap()), &["a"]).await;
    store.publish(&channel("a"), bytes("hello")).await.unwrap();
    inbox.expect("a", "hello").await;
    let reason = refusal(trusting(&url, &certificates.trust())).await;
    assert!(reason.contains("CertificateRequired"), "{reason}");
    for (certificate, key) in
        [("geocast.pem", "redis.key"), ("geocast.key", "geocast.key"), ("none.pem", "geocast.key")]
    {
        let own = certificates.trust().identified(&certificates.file(certificate), &certificates.file(key));
        assert!(own.is_err(), "{certificate} {key}");
    }
}

/// The certificates that Redis has, and those that it asks for, are changed while a store uses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_again_counts_from_the_next_connection_on() {
    let (old, new) = (Certificates::new(), Certificates::new());
    old.issue("geocast", &["geocast"]);
    new.issue("geocast", &["geocast"]);
    let identified = |certificates: &Certificates| {
        let (certificate, key) = (certificates.file("geocast.pem"), certificates.file("geocast.key"));
        certificates.trust().identified(&certificate, &key).unwrap()
    };
    let asking = ["--tls-auth-clients", "yes"];
    let first = secured(&old, &["localhost"], &asking);
    let tls = identified(&old);
    let settings = |redis: &RedisServer| trusting(&format!("rediss://localhost:{}", redis.port()), &tls);
    let (store, mut inbox) = subscribed_to(settings(&first), &["a"]).await;
    tls.become_as(&identified(&new));
    // A connection that is there goes on.
    store.publish(&channel("a"), bytes("still there")).await.unwrap();
    inbox.expect("a", "still there").await;
    let second = secured(&new, &["localhost"], &asking);
    let (other, mut inbox) = subscribed_to(settings(&second), &["a"]).await;
    other.publish(&channel("a"), bytes("new")).await.unwrap();
    inbox.expect("a", "new").await;
    let reason = refusal(settings(&first)).await;
    assert!(reason.contains("certificate"), "{reason}");
}
