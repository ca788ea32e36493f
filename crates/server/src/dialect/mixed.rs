use geocast_protocol::{Channel, envelope::Timestamp, rpc::Frame};

use super::{Answer, AnyDialect, Dialect, Kind, Message, Payload, Push};
use crate::session::Conversation;

/// The text dialect, in which any frame that is a JSON object or array is JSON-RPC. What a command subscribes to is
/// delivered in the dialect of the command.
#[derive(Debug)]
pub(crate) struct Mixed {
    text: AnyDialect,
    rpc: AnyDialect,
}

impl Mixed {
    pub(crate) fn new(text: AnyDialect, rpc: AnyDialect) -> Self {
        Self { text, rpc }
    }
}

impl Dialect for Mixed {
    fn name(&self) -> &'static str {
        self.text.name()
    }

    fn open(&self, conversation: &mut Conversation<'_>) {
        conversation.speaking(&self.text, |conversation| self.text.open(conversation));
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let dialect = match message {
            Message::Text(text) if Frame::begins(text) => &self.rpc,
            _ => &self.text,
        };
        conversation.speaking(dialect, |conversation| dialect.receive(message, conversation));
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        self.text.push(push, buffer)
    }

    fn gap(&self, channel: &Channel, now: Timestamp) -> Option<Payload> {
        self.text.gap(channel, now)
    }

    fn answer(&self, answer: Answer<'_>, now: Timestamp) -> Vec<Payload> {
        self.text.answer(answer, now)
    }
}
