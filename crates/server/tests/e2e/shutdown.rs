//! The end of a server.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(
    everybody_is_told_to_come_back,
    what_was_published_before_the_end_still_arrives,
    who_does_not_answer_does_not_hold_the_end_up,
    nobody_is_let_in_any_more,
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
