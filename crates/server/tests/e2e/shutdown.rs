//! The end of a server.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::TcpStream;

use geocast_server::Secret;

use crate::{
    client::Client,
    http_client::{get, request},
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{must, until},
};

on_both_stores!(
    everybody_is_told_to_come_back,
    they_are_told_so_one_after_the_other,
    what_was_published_before_the_end_still_arrives,
    who_does_not_answer_does_not_hold_the_end_up,
    nobody_is_let_in_any_more,
    who_asks_whether_it_is_ready_has_time_to_notice,
    the_end_waits_for_those_who_ask_as_long_as_is_set,
);

async fn everybody_is_told_to_come_back(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(server.client().await);
    }
    let closed = tokio::spawn(async move {
        for client in &mut clients {
            let frame = client.next_close().await;
            assert_eq!(u16::from(frame.code), 1012, "{frame:?}");
            // Reading on answers the closing frame.
            while let Some(Ok(_)) = futures_util::StreamExt::next(&mut client.socket).await {}
        }
    });
    must("the server to end", server.stop()).await;
    closed.await.expect("all are closed in order");
}

/// Three hundred that are closed are so over as many milliseconds. They come back over some seconds.
async fn they_are_told_so_one_after_the_other(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(server.client().await);
    }
    let begin = Instant::now();
    let stopping = tokio::spawn(server.stop());
    let mut waits = BTreeSet::new();
    for mut client in clients {
        let close = client.next_close().await;
        assert_eq!(u16::from(close.code), 1012, "{close:?}");
        let wait = close.reason.strip_prefix("server restarts; retry in ");
        let wait = wait.and_then(|wait| wait.strip_suffix(" ms")).and_then(|wait| wait.parse::<u64>().ok());
        waits.insert(wait.unwrap_or_else(|| panic!("{close:?}")));
    }
    // Of three hundred moments chosen at random one is late.
    assert!(begin.elapsed() > Duration::from_millis(200), "all were closed within {:?}", begin.elapsed());
    assert!(waits.len() > 200, "only {} different times to come back", waits.len());
    let (first, last) = waits.first().zip(waits.last()).expect("there are some");
    assert!((500..1_000).contains(first) && (4_500..=5_000).contains(last), "{first} to {last} ms");
    must("the server to end", stopping).await.expect("it ends");
}

async fn what_was_published_before_the_end_still_arrives(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    let mut witness = server.subscriber("news", &[]).await;
    server.publish("news", "\"first\"").await;
    for number in 0..50 {
        server.publish("news", number.to_string()).await;
    }
    server.publish("news", "\"last\"").await;
    witness.until("last").await;
    let stopped = tokio::spawn(server.stop());
    client.until("first").await;
    let numbers = client.until("last").await;
    assert_eq!(numbers.len(), 50);
    assert_eq!(u16::from(client.next_close().await.code), 1012);
    drop((client, witness));
    stopped.await.expect("the server ends");
}

async fn who_does_not_answer_does_not_hold_the_end_up(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.timeouts.close = Duration::from_millis(200);
        settings.timeouts.drain = Duration::from_millis(1_000);
    })
    .await;
    let mut silent = RawClient::connect(server.address).await;
    silent.send(frame(TEXT, b"SUB news")).await;
    // One that has not even finished its handshake.
    let _unfinished = TcpStream::connect(server.address).await.expect("the server listens");
    must("the server to end", server.stop()).await;
    assert_eq!(silent.close_code().await, Some(1012));
}

async fn nobody_is_let_in_any_more(backend: Backend) {
    let server = TestServer::start(backend).await;
    let address = server.address;
    server.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

async fn who_asks_whether_it_is_ready_has_time_to_notice(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.timeouts.drain_delay = Duration::from_secs(600);
        settings.metrics_token = Some(Secret::new("sesame"));
    })
    .await;
    let mut client = server.subscriber("news", &[]).await;
    let (address, store) = (server.address, Arc::clone(&server.store));
    assert_eq!(get(address, "/ready").await.status, 200);
    let stopping = tokio::spawn(server.stop());
    until("the server to say that it stops", async || {
        let ready = get(address, "/ready").await;
        if ready.status == 503 { Ok(()) } else { Err(ready.status) }
    })
    .await;
    assert_eq!(get(address, "/ready").await.json()["error"]["code"], "draining");
    let metrics = request(address, "GET", "/metrics", &["Authorization: Bearer sesame"], "").await;
    assert!(metrics.body.contains("\ngeocast_draining 1\n"), "{metrics:?}");
    // Whoever is sent here still is served, and so is whoever was here before.
    let mut another = Client::connect(address).await;
    another.settled().await;
    store.publish(&"news".parse().expect("a channel"), "1".into()).await.expect("it is there");
    assert_eq!(client.next_content().await, 1);
    stopping.abort();
}

async fn the_end_waits_for_those_who_ask_as_long_as_is_set(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.timeouts.drain_delay = Duration::from_millis(500);
    })
    .await;
    let mut client = server.client().await;
    assert_eq!(get(server.address, "/ready").await.status, 200);
    let begin = Instant::now();
    let stopping = tokio::spawn(server.stop());
    assert_eq!(u16::from(client.next_close().await.code), 1012);
    assert!(begin.elapsed() >= Duration::from_millis(500), "{:?}", begin.elapsed());
    drop(client);
    must("the server to end", stopping).await.expect("it ends");
}
