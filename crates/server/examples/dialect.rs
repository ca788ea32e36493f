//! A protocol of one's own: `+channel` subscribes, `-channel` unsubscribes, and what is published comes as `channel content`.
//!
//! `cargo run -p geocast-server --example dialect`, then connect to `/plain` at the printed address and send `+news`.

use std::{error::Error, net::TcpListener};

use geocast_server::{
    Answer, Conversation, Dialect, Kind, Message, Payload, Push, Server, Settings, Timestamp,
};

#[derive(Debug)]
struct Plain;

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let Message::Text(text) = message else { return };
        let (sign, name) = text.split_at_checked(1).unwrap_or_default();
        let outcome = match (sign, name.parse()) {
            ("+", Ok(channel)) => conversation.subscribe(channel, None).map_err(|fault| fault.to_string()),
            ("-", Ok(channel)) => {
                conversation.unsubscribe(&channel);
                Ok(())
            }
            (_, Err(error)) => Err(error.to_string()),
            _ => Err(format!("{text:?} begins neither with + nor with -")),
        };
        if let Err(reason) = outcome {
            conversation.say(Payload::text(format!("! {reason}")));
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        buffer.extend_from_slice(push.channel.as_str().as_bytes());
        buffer.push(b' ');
        push.content.write(buffer);
        Kind::Text
    }

    fn answer(&self, _: Answer<'_>, _: Timestamp) -> Vec<Payload> {
        Vec::new()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder(Settings::default())
        .dialect("/plain".parse()?, Plain)
        .start(TcpListener::bind(std::env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:8765"))?)?;
    eprintln!("{}", server.addresses()[0]);
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    Ok(())
}
