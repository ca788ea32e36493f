//! Limits that are raised and lowered while clients are connected.

use std::{fs, num::NonZeroUsize, time::Instant};

use geocast_server::{
    Count, KeyFile, Limits, MetricsFormat, Overflow, RateLimit, Secret, Settings, TokenSettings,
};
use serde_json::{Value, json};

use crate::{
    client::Client,
    crowds::{proxied, trust_this_machine},
    http_client::{request, upgrade},
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    signing::Signer,
    stores::on_both_stores,
    waiting::{LONG, PATIENCE, until},
};

on_both_stores!(
    more_connections_are_let_in_and_fewer_end_none,
    an_address_may_have_more_and_keeps_what_it_has_when_it_may_have_less,
    an_address_may_connect_faster,
    a_storm_is_accepted_faster,
    who_waits_for_others_with_its_token_goes_on,
    publications_are_held_to_the_rate_that_holds,
    a_client_keeps_the_limits_that_it_connected_with,
    a_client_keeps_its_outbox_and_what_happens_at_its_bound,
    what_cannot_be_read_changes_no_limit,
);

/// Has other limits hold.
fn limit(server: &TestServer, adjust: impl FnOnce(&mut Limits)) {
    assert_eq!(server.reconfigure(|settings| adjust(&mut settings.limits)), 0);
}

/// Waits until metrics and operators are told that there may be so many connections. What was gathered for metrics holds for a moment.
async fn shows_most_connections(server: &TestServer, most: u64) {
    until(format!("{most} connections to be shown"), async || {
        let metrics = server.metrics.write(MetricsFormat::OpenMetrics).await;
        let line = metrics.lines().find(|line| line.starts_with("geocast_connections_limit "));
        let shown = report(server).await["connections"].as_u64();
        if line == Some(&format!("geocast_connections_limit {most}")) && shown == Some(most) {
            Ok(())
        } else {
            Err(format!("{line:?} and {shown:?}"))
        }
    })
    .await;
}

/// The limits that operators are shown.
async fn report(server: &TestServer) -> Value {
    let token = ["Authorization: Bearer sesame"];
    let response = request(server.address, "GET", "/api/operator", &token, "").await;
    response.json()["server"]["limits"].take()
}

/// Operators have a token.
fn shown(settings: &mut Settings) {
    settings.operator_token = Some(Secret::new("sesame"));
}

async fn let_in(server: &TestServer) {
    until("room for a connection", async || match upgrade(server.address, "/ws", None).await {
        101 => Ok(()),
        status => Err(status),
    })
    .await;
}

async fn more_connections_are_let_in_and_fewer_end_none(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        shown(settings);
        settings.limits.connections = 2;
    })
    .await;
    let mut clients = vec![server.client().await, server.client().await];
    assert_eq!(upgrade(server.address, "/ws", None).await, 503);
    limit(&server, |limits| limits.connections = 3);
    shows_most_connections(&server, 3).await;
    clients.push(server.client().await);
    assert_eq!(upgrade(server.address, "/ws", None).await, 503);

    limit(&server, |limits| limits.connections = 1);
    shows_most_connections(&server, 1).await;
    for client in &mut clients {
        client.settled().await;
    }
    for left in [2, 1] {
        clients.pop();
        server.counted(Count::Disconnected, 3 - left).await;
        assert_eq!(upgrade(server.address, "/ws", None).await, 503, "there are {left}, and 1 may be");
    }
    clients.pop();
    let_in(&server).await;
    assert_eq!(server.count(Count::ClosedSlow) + server.count(Count::ClosedRevoked), 0);
}

async fn an_address_may_have_more_and_keeps_what_it_has_when_it_may_have_less(backend: Backend) {
    // Those who came while there was no bound are counted as well.
    let server = TestServer::start_with(backend, |settings| {
        trust_this_machine(settings);
        settings.limits.address_connections = None;
    })
    .await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let (stream, status) = proxied(&server, "192.0.2.1").await;
        assert_eq!(status, 101);
        streams.push(stream);
    }
    let status = async || proxied(&server, "192.0.2.1").await.1;
    let most = |most| limit(&server, |limits| limits.address_connections = NonZeroUsize::new(most));
    most(1);
    assert_eq!(status().await, 429);
    drop(streams.pop());
    server.counted(Count::Disconnected, 1).await;
    assert_eq!(status().await, 429, "one is there, and one may be");
    most(2);
    let second = until("room for another one", async || match proxied(&server, "192.0.2.1").await {
        (stream, 101) => Ok(stream),
        (_, status) => Err(status),
    })
    .await;
    assert_eq!(status().await, 429);
    most(0);
    assert_eq!(status().await, 101);
    server.counted(Count::Disconnected, 2).await;
    drop((streams, second));
    server.counted(Count::Disconnected, 4).await;
}

async fn an_address_may_connect_faster(backend: Backend) {
    let rate = |per_second, burst| Some(RateLimit { per_second, burst });
    let server = TestServer::start_with(backend, |settings| {
        trust_this_machine(settings);
        settings.limits.address_rate = rate(1, 1);
    })
    .await;
    let status = async || proxied(&server, "192.0.2.1").await.1;
    let refused = async || {
        until("an address to be refused", async || match status().await {
            429 => Ok(()),
            status => Err(status),
        })
        .await;
    };
    refused().await;
    for (rate, times) in [(rate(1, 100), 50), (None, 60)] {
        limit(&server, |limits| limits.address_rate = rate);
        for _ in 0..times {
            assert_eq!(status().await, 101);
        }
    }
    limit(&server, |limits| limits.address_rate = rate(1, 1));
    refused().await;
}

async fn a_storm_is_accepted_faster(backend: Backend) {
    let rate = |per_second| Some(RateLimit { per_second, burst: 1 });
    let server = TestServer::start_with(backend, |settings| settings.limits.accept_rate = rate(1)).await;
    let start = Instant::now();
    // At one per second, they would take two minutes.
    let connecting = (0..120).map(|_| server.client());
    let raised = async {
        server.counted(Count::Connected, 1).await;
        limit(&server, |limits| limits.accept_rate = rate(1000));
    };
    let (mut clients, ()) = tokio::join!(futures_util::future::join_all(connecting), raised);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    for client in &mut clients {
        client.settled().await;
    }
}

/// A server with tokens and a rate for each of them, with its file of keys.
async fn with_token_rate(backend: Backend, rate: RateLimit) -> (TestServer, tempfile::NamedTempFile) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
        settings.limits.token_rate = Some(rate);
        // What each connection is held to is to keep nobody waiting.
        (settings.limits.commands_per_second, settings.limits.command_burst) = (1000, 1000);
    });
    (server.await, keys)
}

fn token() -> String {
    Signer::Es256.token(&json!({ "channels": { "sub": ["team"], "pub": ["team"] } }))
}

async fn who_waits_for_others_with_its_token_goes_on(backend: Backend) {
    let (server, _keys) = with_token_rate(backend, RateLimit { per_second: 1, burst: 1 }).await;
    let path = format!("/rpc?token={}", token());
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let many = format!("[{}]", [ping; 50].join(","));
    let asks_for_many = async |client: &mut Client| {
        client.send(many.clone()).await;
        assert_eq!(client.next().await.as_array().map(Vec::len), Some(50));
        client.send(ping).await;
    };
    let mut other = Client::connect_raw(server.address, &path).await;
    asks_for_many(&mut other).await;
    let mut client = Client::connect_raw(server.address, &path).await;
    asks_for_many(&mut client).await;
    // Together they have taken as much as comes in in a hundred seconds, and both are to wait.
    server.counted(Count::CommandDelayed, 2).await;
    let start = Instant::now();
    limit(&server, |limits| limits.token_rate = Some(RateLimit { per_second: 1000, burst: 1000 }));
    assert_eq!(client.next().await["result"], "pong");
    limit(&server, |limits| limits.token_rate = None);
    asks_for_many(&mut client).await;
    assert_eq!(client.next().await["result"], "pong");
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

async fn publications_are_held_to_the_rate_that_holds(backend: Backend) {
    let slow = RateLimit { per_second: 1, burst: 1 };
    let (server, _keys) = with_token_rate(backend, slow).await;
    let header = format!("Authorization: Bearer {}", token());
    let publish = async || request(server.address, "POST", "/api/publish/team", &[&header], "1").await.status;
    let refused = async || {
        until("a publication to be refused", async || match publish().await {
            429 => Ok(()),
            status => Err(status),
        })
        .await;
    };
    refused().await;
    limit(&server, |limits| limits.token_rate = None);
    for _ in 0..20 {
        assert_eq!(publish().await, 200);
    }
    limit(&server, |limits| limits.token_rate = Some(slow));
    refused().await;
}

async fn a_client_keeps_the_limits_that_it_connected_with(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        shown(settings);
        settings.publish_key = Some(Secret::new("one"));
        settings.limits.subscriptions = 1;
        settings.limits.message = 1000;
        settings.limits.buffer = (1000, 10);
        settings.limits.publication = 1000;
    })
    .await;
    let long = |bytes: usize| format!("PING {}", "x".repeat(bytes));
    let mut former = server.client().await;
    let publish = async || {
        let (key, payload) = (["Authorization: Bearer one"], format!("{:1500}", 1));
        request(server.address, "POST", "/api/publish/a", &key, payload).await.status
    };
    assert_eq!(publish().await, 413);
    limit(&server, |limits| {
        limits.subscriptions = 2;
        limits.message = 2000;
        limits.buffer = (2000, 20);
        limits.publication = 2000;
    });
    let limits = report(&server).await;
    let shown = ["subscriptions_per_connection", "message_bytes", "publication_bytes"];
    assert_eq!(shown.map(|name| limits[name].as_u64()), [Some(2), Some(2000), Some(2000)]);
    assert_eq!(publish().await, 200);
    let mut later = server.client().await;
    for client in [&mut former, &mut later] {
        client.send_together(&["SUB a", "SUB b", "BUFFER 2000 20", "BUFFER 0 0"]).await;
    }
    let mut errors = [former.next_error().await, former.next_error().await]
        .map(|answer| answer["content"]["error"]["code"].to_string());
    errors.sort();
    assert_eq!(errors, [r#""buffer_too_large""#, r#""too_many_subscriptions""#]);
    later.settled().await;
    later.send(long(1500)).await;
    later.next().await;
    former.send(long(1500)).await;
    assert_eq!(u16::from(former.next_close().await.code), 1009);

    // Who connects when they are lower again has to do with less, and nobody else.
    limit(&server, |limits| {
        limits.message = 500;
        limits.subscriptions = 1;
        limits.publication = 1000;
    });
    assert_eq!(publish().await, 413);
    later.send(long(1500)).await;
    later.next().await;
    let mut last = server.client().await;
    last.send(long(600)).await;
    assert_eq!(u16::from(last.next_close().await.code), 1009);
    later.settled().await;
}

/// A subscriber that reads nothing but the proof of its subscription.
async fn idle(server: &TestServer) -> RawClient {
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    client.send(frame(TEXT, b"SUB cars")).await;
    client.send(frame(TEXT, b"GET settled")).await;
    client.next_frame().await.expect("the answer");
    client
}

/// Three who do not read: the first is closed, of the second the oldest is dropped, of the third older states make way.
async fn a_client_keeps_its_outbox_and_what_happens_at_its_bound(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        shown(settings);
        settings.workers = NonZeroUsize::MIN;
        settings.limits.outbox = 256 * 1024;
        // However late it reads that it was closed, and why.
        settings.timeouts.close = LONG;
    })
    .await;
    let mut reader = server.subscriber("cars", &[]).await;
    let mut closed = idle(&server).await;
    limit(&server, |limits| {
        limits.outbox = 64 * 1024;
        limits.overflow = Overflow::DropOldest;
    });
    assert_eq!(report(&server).await["outbox_bytes"], 64 * 1024);
    let mut dropping = idle(&server).await;
    limit(&server, |limits| limits.overflow = Overflow::Latest);
    let mut latest = idle(&server).await;
    // Whoever reads has room in the outbox that it has always had, whatever the others have.
    limit(&server, |limits| limits.outbox = 16 * 1024 * 1024);
    let filling = "x".repeat(10_000);
    let mut published = 0;
    let needed = [Count::ClosedSlow, Count::WithheldSlow, Count::WithheldReplaced];
    while needed.iter().any(|count| server.count(*count) == 0) {
        let feature = json!({
            "type": "Feature", "id": published % 3, "geometry": null, "properties": { "x": filling }
        });
        server.publish("cars", feature.to_string()).await;
        reader.next().await;
        published += 1;
        assert!(published < 10_000, "{published} messages, {:?}", needed.map(|count| server.count(count)));
    }
    assert_eq!(closed.close_code().await, Some(3008));
    assert_eq!(server.count(Count::ClosedSlow), 1);
    for client in [&mut dropping, &mut latest] {
        client.send(frame(TEXT, b"PING client_ref=alive")).await;
        while !String::from_utf8_lossy(&client.next_frame().await.expect("it is open").1).contains("alive") {}
    }
    reader.settled().await;
}

async fn what_cannot_be_read_changes_no_limit(backend: Backend) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        shown(settings);
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
        settings.limits.connections = 2;
    })
    .await;
    let before = report(&server).await;
    let _first = server.client().await;
    fs::write(keys.path(), "{").expect("it can be written");
    let failures = server.reconfigure(|settings| {
        settings.limits.connections = 1;
        settings.limits.subscriptions = 1;
        settings.limits.outbox = 64 * 1024;
    });
    assert_eq!(failures, 1);
    assert_eq!(report(&server).await, before);
    let mut second = server.client().await;
    second.send_together(&["SUB a", "SUB b"]).await;
    second.settled().await;
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    assert_eq!(server.reload.run(), 0, "now all of it is taken up");
    shows_most_connections(&server, 1).await;
    // What is no limit that a running server follows stays, and is shown as it is.
    limit(&server, |limits| limits.in_flight = 1);
    assert_eq!(report(&server).await["in_flight_bytes"], before["in_flight_bytes"]);
    second.settled().await;
}
