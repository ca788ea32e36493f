//! Channels that a viewport subscribes to by itself, and RESET.

use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_box_starts_the_viewport_channels,
    without_a_box_they_are_silent,
    they_end_with_reset_or_the_box_until_the_next_box,
    reset_leaves_what_was_subscribed_by_name,
    a_channel_that_is_taken_both_ways_is_delivered_once,
    without_the_setting_a_box_starts_nothing,
    a_refused_viewport_channel_is_silent,
);

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, |settings| {
        settings.viewport_channels =
            ["trajectory", "deleted_vehicles"].map(|name| name.parse().expect("a channel")).into();
    })
    .await
}

fn point(x: f64) -> String {
    json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, 5]}, "properties": {"tenant": "sbb"}})
        .to_string()
}

/// Waits until a command has taken effect on the store's subscriptions as well.
async fn in_force(server: &TestServer, client: &mut Client) {
    for channel in ["trajectory", "deleted_vehicles"] {
        server.subscribed(client, channel).await;
    }
}

async fn a_box_starts_the_viewport_channels(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10 5 tenant=sbb").await;
    in_force(&server, &mut client).await;
    let brought = server.brings(&mut client, "trajectory", [point(50.0), point(5.0)]).await;
    assert_eq!(brought.len(), 1, "the box filters them");
    assert_eq!(brought[0]["geometry"]["coordinates"], json!([5.0, 5]));
    assert_eq!(server.brings(&mut client, "deleted_vehicles", ["\"123\""]).await, [json!("123")]);
    // A second box moves the first.
    client.send("BBOX 40 0 60 10").await;
    client.settled().await;
    let brought = server.brings(&mut client, "trajectory", [point(50.0), point(5.0)]).await;
    assert_eq!(brought.len(), 1);
    assert_eq!(brought[0]["geometry"]["coordinates"], json!([50.0, 5]));
}

async fn without_a_box_they_are_silent(backend: Backend) {
    let server = start(backend).await;
    let mut witness = server.subscriber("trajectory", &[]).await;
    let mut client = server.client().await;
    for command in ["PROJECTION epsg:3857", "SUB news", "BBOX 1 2 3", "RESET"] {
        client.send(command).await;
    }
    client.next_error().await;
    client.settled().await;
    server.received(&mut witness, "trajectory").await;
    client.expect_nothing(&server).await;
}

async fn they_end_with_reset_or_the_box_until_the_next_box(backend: Backend) {
    let server = start(backend).await;
    let mut witness = server.subscriber("trajectory", &[]).await;
    let mut client = server.client().await;
    for end in ["RESET", "BBOX", "RESET"] {
        client.send("BBOX 0 0 10 10").await;
        in_force(&server, &mut client).await;
        client.send(end).await;
        client.settled().await;
        server.publish("trajectory", point(5.0)).await;
        server.publish("deleted_vehicles", "1").await;
        server.received(&mut witness, "trajectory").await;
        client.expect_nothing(&server).await;
    }
}

async fn reset_leaves_what_was_subscribed_by_name(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("news", &["SUB trajectory"]).await;
    server.subscribed(&mut client, "trajectory").await;
    for command in ["BBOX 0 0 10 10", "RESET"] {
        client.send(command).await;
        client.settled().await;
    }
    assert_eq!(server.brings(&mut client, "news", ["1"]).await, [json!(1)]);
    let brought = server.brings(&mut client, "trajectory", [point(50.0), point(5.0)]).await;
    assert_eq!(brought.len(), 1, "the box stays, and so does what was named");
    server.publish("deleted_vehicles", "1").await;
    client.expect_nothing(&server).await;
}

async fn a_channel_that_is_taken_both_ways_is_delivered_once(backend: Backend) {
    let server = start(backend).await;
    let mut first = server.subscriber("trajectory", &[]).await;
    first.send("BBOX 0 0 10 10").await;
    first.settled().await;
    assert_eq!(server.brings(&mut first, "trajectory", ["1"]).await, [json!(1)]);
    let mut second = server.client().await;
    second.send("BBOX 0 0 10 10").await;
    second.send("SUB trajectory").await;
    server.subscribed(&mut second, "trajectory").await;
    assert_eq!(server.brings(&mut second, "trajectory", ["2"]).await, [json!(2)]);
}

async fn without_the_setting_a_box_starts_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("trajectory", &[]).await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10").await;
    client.settled().await;
    assert_eq!(server.brings(&mut witness, "trajectory", [point(5.0)]).await.len(), 1);
    client.expect_nothing(&server).await;
}

async fn a_refused_viewport_channel_is_silent(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = Some("trajectory".parse().expect("patterns"));
        settings.viewport_channels =
            ["trajectory", "secret"].map(|name| name.parse().expect("a channel")).into();
    })
    .await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10").await;
    server.subscribed(&mut client, "trajectory").await;
    server.publish("secret", "1").await;
    assert_eq!(server.brings(&mut client, "trajectory", [""; 0]).await, Vec::<Value>::new());
    client.expect_nothing(&server).await;
}
