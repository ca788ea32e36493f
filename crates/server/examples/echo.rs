//! Every message comes back as it was sent, on two ways: `/echo` answers it, and `/loop` publishes it on a channel that its
//! sender is subscribed to, so that it passes the store and the fan-out, and is compressed for clients that offer that.
//!
//! This is what `make conformance` holds to the Autobahn test suite; hence the bounds, which are no model for anybody.
//!
//! `cargo run -p geocast-server --example echo`, then connect to `/echo` at the printed address.

use std::{error::Error, net::TcpListener};

use geocast_protocol::aiows::Package;
use geocast_server::{
    Answer, Channel, Compression, Content, Conversation, Dialect, Kind, Message, Payload, Publication, Push,
    Server, Settings, Timestamp,
};

#[derive(Debug)]
struct Echo;

#[derive(Debug)]
struct Loop;

impl Dialect for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        conversation.say(match message {
            Message::Text(text) => Payload::text(text),
            Message::Binary(bytes) => Payload { kind: Kind::Binary, bytes: bytes.to_vec() },
        });
    }

    fn push(&self, _: &Push<'_>, _: &mut Vec<u8>) -> Kind {
        Kind::Text
    }

    fn answer(&self, _: Answer<'_>, _: Timestamp) -> Vec<Payload> {
        Vec::new()
    }
}

impl Dialect for Loop {
    fn name(&self) -> &'static str {
        "loop"
    }

    fn open(&self, conversation: &mut Conversation<'_>) {
        let channel = own_channel(conversation);
        if let Err(fault) = conversation.subscribe(channel, None) {
            conversation.say(Payload::text(fault.to_string()));
        }
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        // Marked as what it is, or text that happens to be JSON, or bytes that happen to be text, would be taken for that.
        let package = match message {
            Message::Text(text) => Package::Text(text.to_owned()),
            Message::Binary(bytes) => Package::Bytes(bytes.to_vec()),
        };
        let payload = package.to_wire().into_owned().into();
        let channel = own_channel(conversation);
        if let Err(fault) = conversation.publish(Publication { channel, key: None, payload }, None) {
            conversation.say(Payload::text(fault.to_string()));
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        let (kind, bytes) = match push.content {
            Content::Text(text) => (Kind::Text, text.as_bytes()),
            Content::Json(json) => (Kind::Text, json),
            Content::Binary(bytes) => (Kind::Binary, bytes),
            _ => (Kind::Text, &b""[..]),
        };
        buffer.extend_from_slice(bytes);
        kind
    }

    fn answer(&self, _: Answer<'_>, _: Timestamp) -> Vec<Payload> {
        Vec::new()
    }
}

/// A channel of this client alone.
fn own_channel(conversation: &Conversation<'_>) -> Channel {
    format!("loop.{}", conversation.client()).parse().expect("a client's number is short and printable")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::default();
    settings.compression = Compression::Deflate { threshold: 0 };
    // The longest messages of the suite have 16 MiB.
    settings.limits.message = 16 * MEBIBYTE;
    settings.limits.outbox = 64 * MEBIBYTE;
    settings.limits.commands_per_second = u32::MAX;
    settings.limits.command_burst = u32::MAX;
    let server = Server::builder(settings)
        .dialect("/echo".parse()?, Echo)
        .dialect("/loop".parse()?, Loop)
        .start(TcpListener::bind(std::env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:8765"))?)?;
    eprintln!("{}", server.addresses()[0]);
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    Ok(())
}

const MEBIBYTE: usize = 1024 * 1024;
