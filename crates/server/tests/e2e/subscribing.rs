//! SUB, DEL and what subscribers receive.

use std::time::Duration;

use geocast_server::Secret;
use serde_json::json;

use crate::{
    caller::Caller,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_message_reaches_subscribers_as_it_came,
    subscribing_is_not_acknowledged,
    subscribing_twice_delivers_once,
    a_channel_can_be_left_and_taken_again,
    messages_of_a_channel_come_in_order,
    all_hear_what_many_publish_at_once_in_one_order,
    channels_are_apart,
    all_subscribers_get_a_message_whoever_leaves,
    subscribing_brings_no_state,
    a_put_reaches_subscribers_and_the_state,
    bytes_that_are_no_text_are_delivered_in_base64,
);

async fn a_message_reaches_subscribers_as_it_came(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    let mut stranger = server.client().await;
    let payload = r#"{"b":7.10, "a":123456789012345678901234567890,"é":"ü"}"#;
    server.publish("news", payload).await;
    let text = client.next_text().await;
    let start = format!(r#"{{"source":"news","content":{payload},"timestamp":"#);
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with(r#","client_reference":null}"#), "{text}");
    client.send("DEL news").await;
    client.settled().await;
    server.publish("news", payload).await;
    client.expect_nothing(&server).await;
    stranger.expect_nothing(&server).await;
    server.stop().await;
}

async fn subscribing_is_not_acknowledged(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    for command in
        ["SUB news", "SUB news", "SUB other surplus", "DEL news", "DEL news", "DEL never", "SUB news x=1"]
    {
        client.send(command).await;
    }
    client.expect_nothing(&server).await;
}

async fn subscribing_twice_delivers_once(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &["SUB news", "SUB news"]).await;
    assert_eq!(server.brings(&mut client, "news", ["1", "2"]).await, [json!(1), json!(2)]);
    client.send("DEL news").await;
    client.settled().await;
    server.publish("news", "3").await;
    client.expect_nothing(&server).await;
}

async fn a_channel_can_be_left_and_taken_again(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut client = server.client().await;
    for round in 0..3 {
        client.send("SUB news").await;
        server.subscribed(&mut client, "news").await;
        assert_eq!(server.brings(&mut client, "news", [round.to_string()]).await, [json!(round)]);
        client.send("DEL news").await;
        client.settled().await;
        server.publish("news", "\"too late\"").await;
        witness.until("too late").await;
        client.settled().await;
    }
}

async fn messages_of_a_channel_come_in_order(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = [server.subscriber("news", &[]).await, server.subscriber("news", &[]).await];
    server.publish("news", "\"begin\"").await;
    for number in 0..500 {
        server.publish("news", number.to_string()).await;
    }
    for client in &mut clients {
        client.until("begin").await;
        for number in 0..500 {
            assert_eq!(client.next_content().await, number);
        }
    }
}

async fn all_hear_what_many_publish_at_once_in_one_order(backend: Backend) {
    const MESSAGES: u32 = 1000;
    let server = TestServer::start_with(backend, |settings| {
        settings.publish_key = Some(Secret::new("k"));
        settings.limits.command_burst = 2 * MESSAGES;
    })
    .await;
    let mut subscribers = Vec::new();
    for _ in 0..6 {
        subscribers.push(server.subscriber("news", &[]).await);
    }
    let mut publishers = Vec::new();
    for _ in 0..4 {
        publishers.push(Caller::publisher(&server, "k").await);
    }
    for number in 0..MESSAGES {
        for (name, publisher) in publishers.iter_mut().enumerate() {
            let text = json!({ "jsonrpc": "2.0", "method": "publish", "params": ["news", [name, number]] });
            publisher.client.send(text.to_string()).await;
        }
        // Workers that wait are woken one after the other, which is when two publishers come between each other.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut orders = Vec::new();
    for subscriber in &mut subscribers {
        let mut heard = Vec::new();
        while heard.len() < publishers.len() * MESSAGES as usize {
            let content = subscriber.next_content().await;
            // Who subscribed first heard that others did.
            heard.extend(content.is_array().then_some(content));
        }
        orders.push(heard);
    }
    assert!(orders.iter().all(|heard| *heard == orders[0]), "not all hear the same order");
}

async fn channels_are_apart(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    let mut other = server.subscriber("newspapers", &[]).await;
    for channel in ["new", "news2", "News", "news/1", "news:1", "*"] {
        if let Ok(channel) = channel.parse() {
            server.store.publish(&channel, "1".into()).await.expect("the store takes messages");
        }
    }
    assert_eq!(server.brings(&mut client, "news", ["2"]).await, [json!(2)]);
    assert_eq!(server.brings(&mut other, "newspapers", ["3"]).await, [json!(3)]);
    client.send("SUB newspapers").await;
    server.subscribed(&mut client, "newspapers").await;
    server.publish("newspapers", "4").await;
    server.publish("news", "5").await;
    let sources = [client.next().await, client.next().await].map(|mut envelope| envelope["source"].take());
    // Between channels there is no order.
    assert!(sources.contains(&json!("news")) && sources.contains(&json!("newspapers")), "{sources:?}");
}

async fn all_subscribers_get_a_message_whoever_leaves(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.subscriber("news", &[]).await);
    }
    server.publish("news", "\"begin\"").await;
    for client in &mut clients {
        client.until("begin").await;
    }
    for left in (1..8).rev() {
        drop(clients.pop());
        server.publish("news", left.to_string()).await;
        for client in &mut clients {
            assert_eq!(client.next_content().await, left);
        }
    }
}

async fn subscribing_brings_no_state(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "1").await;
    let mut client = server.client().await;
    client.send("SUB cars").await;
    client.expect_nothing(&server).await;
}

async fn a_put_reaches_subscribers_and_the_state(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    server.put("cars", "1", r#"{"n":1.0}"#).await;
    let text = client.next_text().await;
    assert!(text.starts_with(r#"{"source":"cars","content":{"n":1.0},"#), "{text}");
    client.send("GET cars 1").await;
    assert_eq!(client.next_content().await, json!({"n": 1.0}));
}

async fn bytes_that_are_no_text_are_delivered_in_base64(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &[]).await;
    server.publish("news", &b"a\xff\xfeb"[..]).await;
    assert_eq!(client.next_content().await, json!({"base64": "Yf/+Yg=="}));
}
