//! SUB, DEL and what subscribers receive.

use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(a_message_reaches_subscribers_as_it_came);

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
    client.expect_nothing().await;
    stranger.expect_nothing().await;
    server.stop().await;
}
