//! Clients that are gone without a word.

use std::time::{Duration, Instant};

use geocast_server::{Count, Settings};

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::PATIENCE,
};

on_both_stores!(
    a_client_that_does_not_answer_pings_is_closed,
    a_client_that_answers_stays,
    any_sign_of_life_will_do,
);

/// How long an answer may take: the clients here live in this process, on a machine that may have much else to do.
const PONG: Duration = Duration::from_secs(4);

fn impatient(settings: &mut Settings) {
    settings.timeouts.ping = Duration::from_millis(150);
    settings.timeouts.pong = PONG;
    settings.timeouts.close = Duration::from_millis(150);
}

async fn a_client_that_does_not_answer_pings_is_closed(backend: Backend) {
    let server = TestServer::start_with(backend, impatient).await;
    // Before the server can begin to count: when the ping was sent, nobody knows who reads it later.
    let start = Instant::now();
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    let (first, _) = client.next_frame().await.expect("a ping");
    assert_eq!(first, 0x89);
    assert_eq!(client.close_code().await, Some(3009));
    let elapsed = start.elapsed();
    assert!(elapsed >= PONG, "{elapsed:?}");
    // Who does not answer the closing frame either is cut off.
    assert!(client.ends_within(PATIENCE).await, "it is not cut off");
    server.counted(Count::ClosedSilent, 1).await;
    server.counted(Count::Disconnected, 1).await;
}

async fn a_client_that_answers_stays(backend: Backend) {
    let server = TestServer::start_with(backend, impatient).await;
    // tungstenite answers pings while it reads.
    let mut client = server.client().await;
    assert!(client.next_within(PONG * 3 / 2).await.is_none());
    client.settled().await;
    assert_eq!(server.count(Count::ClosedSilent), 0);
}

async fn any_sign_of_life_will_do(backend: Backend) {
    let server = TestServer::start_with(backend, impatient).await;
    let mut client = RawClient::connect(server.address).await;
    let start = Instant::now();
    // It never sends a pong, but it speaks.
    while start.elapsed() < PONG * 3 / 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.send(frame(TEXT, b"RESET")).await;
    }
    assert_eq!(server.count(Count::ClosedSilent), 0);
    assert_eq!(server.count(Count::Disconnected), 0);
}
