//! How many.

use geocast_server::Count;

use crate::{
    http_client::upgrade,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::until,
};

on_both_stores!(
    connections_above_the_bound_are_refused,
    subscriptions_above_the_bound_are_refused,
    a_channel_that_is_left_makes_room,
);

async fn connections_above_the_bound_are_refused(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.connections = 2).await;
    let mut first = server.client().await;
    let second = server.client().await;
    assert_eq!(upgrade(server.address, "/ws", None).await, 503);
    assert_eq!(server.count(Count::ConnectionRefused), 1);
    first.settled().await;
    drop(second);
    // There is room again once the server has noticed.
    until("room for a connection", async || match upgrade(server.address, "/ws", None).await {
        101 => Ok(()),
        status => Err(status),
    })
    .await;
    first.settled().await;
}

async fn subscriptions_above_the_bound_are_refused(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 500).await;
    let mut client = server.client().await;
    for number in 0..128 {
        client.send(format!("SUB channel{number}")).await;
    }
    client.settled().await;
    assert_eq!(server.count(Count::SubscriptionRefused), 0, "128 are allowed");
    // What is taken already is no more.
    client.send("SUB channel5").await;
    client.settled().await;
    assert_eq!(server.count(Count::SubscriptionRefused), 0);
    client.send("SUB channel128").await;
    client.next_error().await;
    assert_eq!(server.count(Count::SubscriptionRefused), 1);
    server.subscribed(&mut client, "channel127").await;
    server.publish("channel128", "1").await;
    client.expect_nothing(&server).await;
}

async fn a_channel_that_is_left_makes_room(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.subscriptions = 2).await;
    let mut client = server.client().await;
    for command in ["SUB a", "SUB b", "DEL a", "SUB c"] {
        client.send(command).await;
    }
    server.subscribed(&mut client, "c").await;
    assert_eq!(server.count(Count::SubscriptionRefused), 0);
}
