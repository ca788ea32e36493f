//! What a server tells of itself, see docs/metrics.md.

mod bounded;
mod exposition;
mod expression;
mod operators;
mod rules;

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    sync::{Mutex, mpsc::sync_channel},
    time::Duration,
};

use geocast_server::{Count, OriginPolicy, RedisSettings, Secret, Settings, StoreSettings};

use crate::{
    caller::Caller,
    http_client::{Response, refused_upgrade, request},
    raw_client::{RawClient, TEXT, frame},
    redis_server::RedisServer,
    server::{Backend, TestServer},
    stores::on_both_stores,
    tls::secure::Secure,
    waiting::{LONG, until},
};

use exposition::Exposition;

on_both_stores!(
    what_becomes_of_messages_is_shown,
    who_comes_and_goes_is_shown,
    a_client_that_does_not_read_is_seen,
    what_lowers_security_is_shown,
);

/// What a server shows to who asks for this format, on a port of its own or on that of the clients.
async fn read(address: SocketAddr, headers: &[&str]) -> (Response, Exposition) {
    let response = request(address, "GET", "/metrics", headers, "").await;
    assert_eq!(response.status, 200, "{response:?}");
    let is_open_metrics =
        response.head.contains("content-type: application/openmetrics-text; version=1.0.0;");
    assert!(is_open_metrics || response.head.contains("content-type: text/plain; version=0.0.4;"));
    let exposition = Exposition::read(&response.body, is_open_metrics);
    (response, exposition)
}

/// A sample: its name, its labels, its value.
type Expected<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// Looks until a server shows all of these values.
async fn shows(address: SocketAddr, expected: &[Expected<'_>]) -> Exposition {
    until("metrics to show it", async || {
        let (_, exposition) = read(address, &[]).await;
        let wrong = expected.iter().find_map(|(name, labels, expected)| {
            let found = exposition.value(name, labels);
            (found != Some(*expected)).then(|| format!("{name}{labels:?}: {found:?} instead of {expected}"))
        });
        wrong.map_or(Ok(exposition), Err)
    })
    .await
}

/// A port for metrics, and a server that shows them there.
async fn start(backend: Backend) -> (TestServer, SocketAddr) {
    start_with(backend, |_| ()).await
}

async fn start_with(backend: Backend, adjust: impl FnOnce(&mut Settings)) -> (TestServer, SocketAddr) {
    let redis = (backend == Backend::Redis).then(|| RedisServer::start(&[]));
    let (listener, address) = port();
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let server = TestServer::start_built(clients, redis, adjust, |builder| builder.metrics(listener)).await;
    (server, address)
}

fn port() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

async fn what_becomes_of_messages_is_shown(backend: Backend) {
    let (server, metrics) = start(backend).await;
    let mut near = server.subscriber("news", &["BBOX 0 0 10 10"]).await;
    let mut far = server.subscriber("news", &["BBOX 50 50 60 60"]).await;
    // What the other's subscription was looked for with.
    while near.next_content().await != "that is all" {}
    server.heard().await;
    let before = server.count(Count::Delivered);
    let point = r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[5,5]}}"#;
    server.publish("news", point).await;
    server.publish("unheard", "1").await;
    assert_eq!(near.next().await["content"]["type"], "Feature");
    server.heard().await;
    far.settled().await;
    let _unknown = near.send("WHATEVER").await;
    near.send("GET news").await;
    near.next().await;
    let shown = shows(
        metrics,
        &[
            ("geocast_withheld_total", &[("reason", "outside_viewport")], 1.0),
            ("geocast_commands_rejected_total", &[("reason", "unknown")], 1.0),
            ("geocast_connections", &[("dialect", "geocast.text")], 2.0),
            ("geocast_subscriptions", &[("kind", "messages")], 2.0),
            ("geocast_cohorts", &[], 2.0),
            (
                "geocast_store_up",
                &[("store", if backend == Backend::Redis { "redis" } else { "embedded" })],
                1.0,
            ),
            ("geocast_state_read_seconds_count", &[], 1.0),
            ("geocast_worker_up", &[("worker", "0")], 1.0),
            ("geocast_worker_up", &[("worker", "1")], 1.0),
        ],
    )
    .await;
    assert_eq!(shown.value("geocast_deliveries_total", &[]), Some(server.count(Count::Delivered) as f64));
    assert_eq!(server.count(Count::Delivered), before + 1);
    assert_eq!(shown.sum("geocast_events_total"), server.count(Count::Events) as f64);
    // Redis does not send what nobody listens to.
    let unheard = shown.value("geocast_events_unheard_total", &[]);
    assert!(backend == Backend::Redis || unheard >= Some(1.0), "{unheard:?}");
    assert!(shown.sum("geocast_publish_to_write_seconds_count") >= 1.0);
    assert!(shown.sum("geocast_publish_to_write_seconds_sum") > 0.0);
    // Two greetings and a message, at least.
    assert!(shown.value("geocast_sent_bytes_total", &[]) > Some(200.0));
    assert_eq!(shown.sum("geocast_handshake_seconds_count"), 2.0);
    assert_eq!(shown.sum("geocast_worker_connections"), 2.0);
    let probed = shown.value("geocast_store_probe_round_trip_seconds", &[]);
    assert_eq!(probed.is_some(), backend == Backend::Redis, "{probed:?}");
}

async fn what_lowers_security_is_shown(backend: Backend) {
    let key = |settings: &mut Settings, key: &str| settings.publish_key = Some(Secret::new(key));
    let (server, metrics) = start_with(backend, |settings| key(settings, "tram-14")).await;
    let insecure = async |origin: bool, guessable: bool| {
        let expected = [("insecure_any_origin", origin), ("publish_key", guessable)];
        let labels = expected.map(|(setting, is_so)| ([("setting", setting)], f64::from(u8::from(is_so))));
        let expected: Vec<Expected<'_>> =
            labels.iter().map(|(label, is_so)| ("geocast_insecure", &label[..], *is_so)).collect();
        shows(metrics, &expected).await;
    };
    // A server with a store of its own, on this machine only, has nobody who could try.
    insecure(false, backend == Backend::Redis).await;
    // What holds now counts, and not what did at the start.
    let changed = server.reconfigure(|settings| {
        key(settings, "a-key-of-16-bytes");
        settings.origins = OriginPolicy::InsecureAny;
    });
    assert_eq!(changed, 0);
    insecure(true, false).await;
}

async fn who_comes_and_goes_is_shown(backend: Backend) {
    let (server, metrics) = start(backend).await;
    let client = server.client().await;
    let mut violator = RawClient::connect(server.address).await;
    let caller = Caller::connect(&server).await;
    assert_eq!(refused_upgrade(server.address, "/nowhere", &[]).await.status, 404);
    let elsewhere = refused_upgrade(server.address, "/ws", &["Origin: https://elsewhere.example"]).await;
    assert_eq!(elsewhere.status, 403, "{elsewhere:?}");
    drop(client);
    // A frame that is reserved (RFC 6455 §5.2).
    violator.send(frame(0x83, b"what")).await;
    assert_eq!(violator.close_code().await, Some(1002));
    drop(violator);
    let shown = shows(
        metrics,
        &[
            ("geocast_connections_opened_total", &[("dialect", "geocast.text")], 2.0),
            ("geocast_connections", &[("dialect", "geocast.text")], 0.0),
            ("geocast_connections", &[("dialect", "geocast.rpc")], 1.0),
            ("geocast_connections_refused_total", &[("reason", "not_found")], 1.0),
            ("geocast_connections_refused_total", &[("reason", "origin_refused")], 1.0),
            ("geocast_connections_refused_total", &[("reason", "other")], 0.0),
            ("geocast_connections_closed_total", &[("code", "none"), ("reason", "client_gone")], 1.0),
            ("geocast_connections_closed_total", &[("code", "1002"), ("reason", "protocol_error")], 1.0),
        ],
    )
    .await;
    assert_eq!(shown.sum("geocast_connections_refused_total"), server.count(Count::ConnectionRefused) as f64);
    assert_eq!(shown.sum("geocast_connections_closed_total"), server.count(Count::Disconnected) as f64);
    drop(caller);
}

async fn a_client_that_does_not_read_is_seen(backend: Backend) {
    let (server, metrics) = start(backend).await;
    let mut idle = RawClient::connect(server.address).await;
    idle.next_frame().await.expect("the greeting");
    idle.send(frame(TEXT, b"SUB news")).await;
    idle.send(frame(TEXT, b"GET settled")).await;
    idle.next_frame().await.expect("the answer");
    let payload = format!("\"{}\"", "x".repeat(30_000));
    let shown = until("an outbox to fill", async || {
        for _ in 0..20 {
            server.publish("news", payload.clone()).await;
        }
        server.heard().await;
        let (_, shown) = read(metrics, &[]).await;
        let slow = shown.value("geocast_slow_clients", &[]);
        if slow == Some(1.0) { Ok(shown) } else { Err(format!("{slow:?}")) }
    })
    .await;
    let largest = shown.value("geocast_outbox_largest_bytes", &[]).expect("it is shown");
    assert!(largest > 0.0, "{largest}");
    assert_eq!(shown.value("geocast_outbox_bytes", &[]), Some(largest), "nobody else has anything waiting");
    assert!(shown.value("geocast_outbox_limit_bytes", &[]) >= Some(largest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_formats_say_the_same() {
    let (_server, metrics) = start(Backend::Embedded).await;
    let (_, text) = read(metrics, &[]).await;
    let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5";
    let (response, open) = read(metrics, &[accept]).await;
    assert!(response.head.contains("content-type: application/openmetrics-text"), "{}", response.head);
    let names = |exposition: &Exposition| exposition.0.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&text), names(&open));
    for (name, family) in &open.0 {
        let has_unit = ["_seconds", "_bytes"].iter().any(|unit| name.ends_with(unit));
        assert_eq!(family.unit.is_some(), has_unit, "{name}");
        let samples = |family: &exposition::Family| family.samples.len();
        assert_eq!(samples(family), samples(&text.0[name]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_open_server_shows_metrics_to_those_who_could_be_clients() {
    let ask = async |server: &TestServer, headers: &[&str]| {
        request(server.address, "GET", "/metrics", headers, "").await.status
    };
    let open = TestServer::start_with(Backend::Embedded, |settings| settings.channels = None).await;
    assert_eq!(ask(&open, &[]).await, 200);
    assert_eq!(ask(&open, &["Host: localhost:1"]).await, 200);
    assert_eq!(
        ask(&open, &["Host: rebound.example"]).await,
        403,
        "a page's own name, resolved to this address"
    );
    let closed = TestServer::start_with(Backend::Embedded, |settings| {
        // As behind a proxy.
        settings.publish_key = Some(Secret::new("key"));
    })
    .await;
    assert_eq!(ask(&closed, &[]).await, 403);
    assert_eq!(ask(&closed, &["Authorization: Bearer key"]).await, 403);
    let guarded = TestServer::start_with(Backend::Embedded, |settings| {
        settings.channels = None;
        settings.metrics_token = Some(Secret::new("sesame"));
    })
    .await;
    assert_eq!(ask(&guarded, &[]).await, 401);
    assert_eq!(ask(&guarded, &["Authorization: Bearer sesam"]).await, 401);
    assert_eq!(ask(&guarded, &["Authorization: Bearer sesame"]).await, 200);
    let (elsewhere, metrics) = start(Backend::Embedded).await;
    assert_eq!(ask(&elsewhere, &[]).await, 404);
    assert_eq!(request(metrics, "GET", "/ready", &[], "").await.status, 200);
    assert_eq!(request(metrics, "GET", "/api/publish/news", &[], "").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_told_that_the_server_is_ready_and_no_more() {
    let whole = async |address, headers: &[&str]| {
        let ready = request(address, "GET", "/ready", headers, "").await;
        assert_eq!((ready.status, &ready.json()["status"]), (200, &"ready".into()), "{ready:?}");
        let told = ready.json();
        assert_eq!(told.get("store").is_some(), told.get("connections").is_some(), "{ready:?}");
        told.get("store").is_some()
    };
    let open = TestServer::start(Backend::Embedded).await;
    assert!(whole(open.address, &[]).await);
    let closed = TestServer::start_with(Backend::Embedded, |settings| {
        settings.publish_key = Some(Secret::new("key"));
        settings.metrics_token = Some(Secret::new("sesame"));
        settings.operator_token = Some(Secret::new("desk"));
    })
    .await;
    assert!(!whole(closed.address, &[]).await);
    assert!(!whole(closed.address, &["Authorization: Bearer key"]).await);
    assert!(whole(closed.address, &["Authorization: Bearer sesame"]).await);
    assert!(whole(closed.address, &["Authorization: Bearer desk"]).await);
    let (_elsewhere, metrics) = start(Backend::Embedded).await;
    assert!(whole(metrics, &[]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_hangs_is_told_of() {
    let (solve, solved) = sync_channel::<()>(1);
    let solved = Mutex::new(solved);
    let riddle = move |_: &str| {
        let solved = solved.lock().expect("nobody panics with it").recv();
        solved.ok().map(|()| "solved".into())
    };
    let (listener, metrics) = port();
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let adjust = |settings: &mut Settings| settings.workers = NonZeroUsize::MIN;
    let build = |builder: geocast_server::Builder| builder.metrics(listener).command("RIDDLE", riddle);
    let server = TestServer::start_built(clients, None, adjust, build).await;
    let mut client = server.client().await;
    shows(metrics, &[("geocast_worker_up", &[("worker", "0")], 1.0)]).await;
    client.send("RIDDLE me").await;
    shows(metrics, &[("geocast_worker_up", &[("worker", "0")], 0.0)]).await;
    solve.send(()).expect("the command waits for it");
    assert_eq!(client.next_content().await, "solved");
    shows(metrics, &[("geocast_worker_up", &[("worker", "0")], 1.0)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_told_of() {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let (listener, metrics) = port();
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let adjust = |settings: &mut Settings| {
        let mut redis = RedisSettings::new(url.parse().expect("a URL"));
        redis.probe_interval = Duration::from_millis(200);
        settings.store = StoreSettings::Redis(redis);
    };
    let build = |builder: geocast_server::Builder| builder.metrics(listener);
    let mut server = TestServer::start_built(clients, Some(redis), adjust, build).await;
    let mut client = server.subscriber("news", &[]).await;
    let up = |value: f64| ("geocast_store_up", &[("store", "redis")][..], value);
    shows(metrics, &[up(1.0), ("geocast_store_interruptions_total", &[], 0.0)]).await;
    server.redis.as_mut().expect("it is there").kill();
    shows(metrics, &[up(0.0), ("geocast_store_interruptions_total", &[], 1.0)]).await;
    client.send("GET news").await;
    client.next().await;
    let channel = "news".parse().expect("a channel");
    server.store.publish(&channel, "1".into()).await.expect_err("there is nobody to take it");
    let away = shows(metrics, &[("geocast_state_reads_failed_total", &[], 1.0)]).await;
    let failed = away.value("geocast_store_commands_failed_total", &[]);
    assert!(failed >= Some(1.0), "{failed:?}");
    server.redis.as_mut().expect("it is there").restart();
    let back = [
        up(1.0),
        ("geocast_store_reconnects_total", &[][..], 1.0),
        ("geocast_gaps_told_total", &[][..], 1.0),
    ];
    shows(metrics, &back).await;
    drop(client);
}

/// The table of docs/metrics.md: name, kind, labels.
fn documented() -> BTreeSet<(String, String, String)> {
    let page = include_str!("../../../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `geocast_") || line.starts_with("| `process_"));
    let cells = |row: &str| {
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        (cells[1].clone(), cells[2].clone(), cells[3].clone())
    };
    rows.map(cells).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_are_given_is_what_servers_show() {
    let mut exposed = BTreeSet::new();
    let (redis, metrics) = start(Backend::Redis).await;
    redis.reload.run();
    let (_, on_redis) = read(metrics, &["Accept: application/openmetrics-text"]).await;
    let secure = Secure::start(|settings| {
        settings.metrics_token = Some(Secret::new("sesame"));
        settings.timeouts.close = LONG;
    })
    .await;
    let behind_tls = secure.server.metrics.write(geocast_server::MetricsFormat::OpenMetrics).await;
    let behind_tls = Exposition::read(&behind_tls, true);
    assert!(behind_tls.sum("geocast_tls_certificate_expiry_timestamp_seconds") > 1e9);
    for (name, family) in on_redis.0.iter().chain(&behind_tls.0) {
        let name = match &*family.kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.clone(),
        };
        let Some(sample) = family.samples.first() else { continue };
        let labels: Vec<&str> =
            sample.labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
        exposed.insert((name, family.kind.clone(), labels.join(", ")));
    }
    let documented = documented();
    let missing: Vec<_> = exposed.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&exposed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not documented: {missing:#?}\nnot exposed: {gone:#?}");
    operators::check(&[on_redis, behind_tls]);
}
