//! Filters, through real sockets.

use std::sync::Arc;

use geocast_protocol::Channel;
use geocast_server::{
    Count, StoreSettings,
    pipeline::{Body, Context, Filter, FilterError, Filters},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    http_client::upgrade,
    redis_server::RedisServer,
    server::{Backend, TestServer, patient_redis},
    stores::on_both_stores,
    waiting::AGAIN,
};

on_both_stores!(
    without_filters_there_is_no_pipeline,
    messages_reach_every_other_client,
    tokens_make_groups,
    items_of_channels_reach_every_client,
    a_filter_that_fails_harms_nobody_else,
    last_words_are_published,
    groups_cannot_be_reached_from_outside,
);

/// Answers `ready?` and keeps it from the other filters: whoever has the answer gets what others send.
#[derive(Debug)]
struct Ready;

impl Filter for Ready {
    fn name(&self) -> &str {
        "ready"
    }

    fn message(&self, context: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        if let Some(which) = message.as_text().and_then(|text| text.strip_prefix("ready?")) {
            context.stop();
            context.send(format!("ready{which}"))?;
        }
        Ok(())
    }
}

/// Panics, throws, says goodbye.
#[derive(Debug)]
struct Moody;

impl Filter for Moody {
    fn name(&self) -> &str {
        "moody"
    }

    fn message(&self, _: &mut Context<'_>, message: &Body) -> Result<(), FilterError> {
        match message.as_text() {
            Some("panic") => {
                let _out_of_bounds = &message.as_bytes()["panic".len() + 1..];
                Ok(())
            }
            Some("fail") => Err(FilterError::Other("as it wishes".into())),
            _ => Ok(()),
        }
    }

    fn disconnect(&self, context: &mut Context<'_>) -> Result<(), FilterError> {
        context.broadcast("goodbye")
    }
}

pub(crate) fn with_ready(filters: &[Arc<dyn Filter>]) -> Filters {
    let ready: Arc<dyn Filter> = Arc::new(Ready);
    Filters::new([ready].into_iter().chain(filters.iter().cloned())).expect("names differ")
}

pub(crate) fn built_in(names: &[&str]) -> Vec<Arc<dyn Filter>> {
    let all = geocast_server::pipeline::BuiltIn::ALL.map(|filter| Arc::new(filter) as Arc<dyn Filter>);
    all.into_iter().filter(|filter| names.contains(&filter.name())).collect()
}

/// A client that gets what others send, for certain.
pub(crate) async fn client(server: &TestServer) -> Client {
    let mut client = Client::connect_raw(server.address, "/pipeline").await;
    client.send("ready?").await;
    assert_eq!(client.next_text().await, "ready");
    client
}

/// Fails if anything but the answer to one more message comes.
async fn expect_nothing(server: &TestServer, client: &mut Client) {
    server.heard().await;
    client.send("ready?").await;
    assert_eq!(client.next_text().await, "ready");
}

async fn with_filters(backend: Backend, names: &[&str]) -> TestServer {
    let filters = with_ready(&built_in(names));
    TestServer::start_with(backend, |settings| settings.filters = filters).await
}

async fn without_filters_there_is_no_pipeline(backend: Backend) {
    let server = TestServer::start(backend).await;
    assert_eq!(upgrade(server.address, "/pipeline", None).await, 404);
    assert_eq!(Client::connect_raw(server.address, "/").await.next_content().await["status"], "open");
    let server = with_filters(backend, &[]).await;
    for path in ["/", "/pipeline", "/pipeline/", "/pipeline?a=b"] {
        let mut client = Client::connect_raw(server.address, path).await;
        client.send("ready?").await;
        assert_eq!(client.next_text().await, "ready", "{path}");
    }
    assert_eq!(Client::connect_raw(server.address, "/ws").await.next_content().await["status"], "open");
}

async fn messages_reach_every_other_client(backend: Backend) {
    let server = with_filters(backend, &["broadcast_messages"]).await;
    let (mut a, mut b, mut c) = (client(&server).await, client(&server).await, client(&server).await);
    let deep = "[".repeat(100);
    let texts = ["hello", "", "{\"a\":7.10}", "token:x", "é 🚂", &deep];
    for text in texts {
        a.send(text).await;
    }
    for other in [&mut b, &mut c] {
        for text in texts {
            assert_eq!(other.next_text().await, text);
        }
    }
    b.socket_send(Message::binary(&b"\x00\xff"[..])).await;
    b.socket_send(Message::binary(&b"text"[..])).await;
    for other in [&mut a, &mut c] {
        assert_eq!(other.next_binary().await, &b"\x00\xff"[..]);
        assert_eq!(other.next_binary().await, &b"text"[..]);
    }
    for client in [&mut a, &mut b, &mut c] {
        expect_nothing(&server, client).await;
    }
    assert_eq!(server.count(Count::WithheldOwn), 8);
}

/// The transcript of the reference: two clients under a token, and one without.
async fn tokens_make_groups(backend: Backend) {
    let server = with_filters(backend, &["broadcast_messages_by_token"]).await;
    let (mut a, mut b, mut c) = (client(&server).await, client(&server).await, client(&server).await);
    a.send("hello?").await;
    assert_eq!(a.next_text().await, "Error: No token has been set");
    for client in [&mut a, &mut b] {
        client.send("token:blue").await;
        assert_eq!(client.next_text().await, "Successfully registered with broadcast group: blue");
    }
    c.send("token:red").await;
    assert_eq!(c.next_text().await, "Successfully registered with broadcast group: red");
    a.send("to the blue").await;
    assert_eq!(b.next_text().await, "to the blue");
    b.socket_send(Message::binary(&b"\x01"[..])).await;
    assert_eq!(a.next_binary().await, &b"\x01"[..]);
    b.send("token:red").await;
    assert_eq!(b.next_text().await, "Successfully registered with broadcast group: red");
    a.send("nobody hears").await;
    c.send("to the red").await;
    assert_eq!(b.next_text().await, "to the red");
    for client in [&mut a, &mut b, &mut c] {
        expect_nothing(&server, client).await;
    }
}

async fn items_of_channels_reach_every_client(backend: Backend) {
    let filters = with_ready(&built_in(&["broadcast_pubsub"]));
    let channels: Vec<Channel> = vec!["global".parse().expect("a channel")];
    let server = TestServer::start_with(backend, |settings| {
        settings.filters = filters;
        settings.pipeline_channels = channels;
    })
    .await;
    let (mut a, mut b) = (client(&server).await, client(&server).await);
    if backend == Backend::Redis {
        // Whether the node listens yet is known from the first item that comes.
        while a.next_text_within(AGAIN).await.is_none() {
            server.publish("global", "anybody?").await;
        }
        server.publish("global", "that is all").await;
        for client in [&mut a, &mut b] {
            while client.next_text().await != "that is all" {}
        }
    }
    server.publish("elsewhere", "not for them").await;
    server.publish("global", "hello from the server!").await;
    server.publish("global", "{\"a\":1}").await;
    server.publish("global", &b"\x00\xff"[..]).await;
    for client in [&mut a, &mut b] {
        assert_eq!(client.next_text().await, "hello from the server!");
        assert_eq!(client.next_text().await, "{\"a\":1}");
        assert_eq!(client.next_binary().await, &b"\x00\xff"[..]);
        expect_nothing(&server, client).await;
    }
}

async fn a_filter_that_fails_harms_nobody_else(backend: Backend) {
    let mut filters: Vec<Arc<dyn Filter>> = vec![Arc::new(Moody)];
    filters.extend(built_in(&["broadcast_messages"]));
    let filters = with_ready(&filters);
    let server = TestServer::start_with(backend, |settings| settings.filters = filters).await;
    let (mut a, mut b) = (client(&server).await, client(&server).await);
    for text in ["panic", "fail", "fine"] {
        a.send(text).await;
        assert_eq!(b.next_text().await, text);
    }
    assert_eq!(server.count(Count::FilterFailed), 2);
    expect_nothing(&server, &mut a).await;
}

async fn last_words_are_published(backend: Backend) {
    let mut filters: Vec<Arc<dyn Filter>> = vec![Arc::new(Moody)];
    filters.extend(built_in(&["broadcast_messages"]));
    let filters = with_ready(&filters);
    let server = TestServer::start_with(backend, |settings| settings.filters = filters).await;
    let (mut a, mut b) = (client(&server).await, client(&server).await);
    a.send("I must go").await;
    a.socket_send(Message::Close(None)).await;
    assert_eq!(b.next_text().await, "I must go");
    assert_eq!(b.next_text().await, "goodbye");
    let c = client(&server).await;
    drop(c);
    assert_eq!(b.next_text().await, "goodbye");
}

async fn groups_cannot_be_reached_from_outside(backend: Backend) {
    let server = with_filters(backend, &["broadcast_messages"]).await;
    let mut outside = server.client().await;
    for command in ["SUB {geocast}pipeline:all", "GET {geocast}pipeline:all"] {
        outside.send(command).await;
        outside.next_error().await;
    }
    let mut inside = client(&server).await;
    inside.send("secret").await;
    outside.expect_nothing(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_span_nodes() {
    let redis = RedisServer::start(&[]);
    let url = redis.url();
    let filters = || with_ready(&built_in(&["broadcast_messages_by_token"]));
    let first = TestServer::start_on(Some(redis), |settings| settings.filters = filters()).await;
    let second = TestServer::start_with(Backend::Embedded, |settings| {
        settings.filters = filters();
        settings.store = StoreSettings::Redis(patient_redis(&url));
    })
    .await;
    second.wait_until_ready().await;
    let (mut a, mut b, mut c) = (client(&first).await, client(&second).await, client(&second).await);
    for (client, token) in [(&mut a, "blue"), (&mut b, "blue"), (&mut c, "red")] {
        client.send(format!("token:{token}")).await;
        let expected = format!("Successfully registered with broadcast group: {token}");
        assert_eq!(client.next_text().await, expected);
    }
    a.send("from the first").await;
    assert_eq!(b.next_text().await, "from the first");
    b.socket_send(Message::binary(&b"from the second"[..])).await;
    assert_eq!(a.next_binary().await, &b"from the second"[..]);
    for client in [&mut a, &mut b, &mut c] {
        expect_nothing(&first, client).await;
    }
}
