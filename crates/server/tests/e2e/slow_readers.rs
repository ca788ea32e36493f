//! A client that does not read.

use std::time::Duration;

use geocast_server::Count;

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    transports::{STEADY_PACE, STEADY_WRITE},
    waiting::LONG,
};

on_both_stores!(
    a_client_that_does_not_read_is_closed_while_others_go_on,
    a_client_that_reads_late_but_in_time_loses_nothing,
    a_client_that_makes_no_progress_is_closed,
    a_client_that_reads_slowly_but_steadily_is_kept,
);

/// A subscriber that has read nothing but the proof of its subscription.
async fn idle_subscriber(server: &TestServer) -> RawClient {
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    client.send(frame(TEXT, b"SUB news")).await;
    client.send(frame(TEXT, b"GET settled")).await;
    client.next_frame().await.expect("the answer");
    client
}

async fn a_client_that_does_not_read_is_closed_while_others_go_on(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.outbox = 64 * 1024;
        // However late it reads that it was closed, and why.
        settings.timeouts.close = LONG;
    })
    .await;
    let mut reader = server.subscriber("news", &[]).await;
    let mut idle = idle_subscriber(&server).await;
    let payload = format!("\"{}\"", "x".repeat(30_000));
    let mut published = 0;
    // What the kernel holds for the idle client comes on top of the bound.
    while server.count(Count::ClosedSlow) == 0 {
        server.publish("news", payload.clone()).await;
        reader.next().await;
        published += 1;
        assert!(published < 2_000, "{published} messages");
    }
    assert!(server.count(Count::WithheldSlow) >= 1);
    assert_eq!(server.brings(&mut reader, "news", ["1"]).await, [serde_json::json!(1)]);
    assert_eq!(idle.close_code().await, Some(3008));
    assert_eq!(server.count(Count::ClosedSlow), 1);
    reader.settled().await;
}

async fn a_client_that_reads_late_but_in_time_loses_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut reader = server.subscriber("news", &[]).await;
    let mut late = idle_subscriber(&server).await;
    let fill = "x".repeat(3_000);
    for number in 0..300 {
        server.publish("news", format!("\"{number} {fill}\"")).await;
        reader.next().await;
    }
    for number in 0..300 {
        let (_, payload) = late.next_frame().await.expect("a frame");
        let start = format!(r#"{{"source":"news","content":"{number} xxx"#);
        assert!(
            payload.starts_with(start.as_bytes()),
            "{number}: {}",
            String::from_utf8_lossy(&payload[..80])
        );
    }
    assert_eq!(server.count(Count::ClosedSlow), 0);
    assert_eq!(server.count(Count::WithheldSlow), 0);
}

async fn a_client_that_makes_no_progress_is_closed(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.outbox = 64 * 1024 * 1024;
        settings.timeouts.write = Duration::from_millis(300);
    })
    .await;
    let mut reader = server.subscriber("news", &[]).await;
    let _idle = idle_subscriber(&server).await;
    let payload = format!("\"{}\"", "x".repeat(500_000));
    for _ in 0..20 {
        server.publish("news", payload.clone()).await;
        reader.next().await;
    }
    server.counted(Count::ClosedSlow, 1).await;
    reader.settled().await;
}

/// The kernel calls a socket writable again only when much of its buffer is free: longer than the time for writes.
async fn a_client_that_reads_slowly_but_steadily_is_kept(backend: Backend) {
    const MESSAGES: usize = 200;
    let server = TestServer::start_with(backend, |settings| {
        settings.limits.outbox = 16 * 1024 * 1024;
        settings.timeouts.write = STEADY_WRITE;
    })
    .await;
    let mut slow = idle_subscriber(&server).await;
    let fill = "x".repeat(30_000);
    for number in 0..MESSAGES {
        server.publish("news", format!("\"{number} {fill}\"")).await;
    }
    for number in 0..MESSAGES {
        if number < 40 {
            tokio::time::sleep(STEADY_PACE).await;
        }
        let (_, payload) = slow.next_frame().await.expect("a frame");
        let payload = String::from_utf8(payload).expect("text");
        assert!(
            payload.contains(&format!("\"{number} xxx")),
            "{number}: {}",
            &payload[..80.min(payload.len())]
        );
    }
    assert_eq!(server.count(Count::ClosedSlow), 0);
}
