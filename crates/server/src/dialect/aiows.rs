use geocast_protocol::{
    aiows::JsonEncoding,
    envelope::{Content, Timestamp},
};

use super::{Answer, Dialect, Kind, Message, Payload, Push};
use crate::session::Conversation;

/// aiows: what is published on the channel that the address names, as it is. A client says nothing but `close`.
#[derive(Debug)]
pub(crate) struct Aiows {
    json: JsonEncoding,
}

impl Aiows {
    pub(crate) fn new(json: JsonEncoding) -> Self {
        Self { json }
    }
}

impl Dialect for Aiows {
    fn name(&self) -> &'static str {
        "aiows"
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        if matches!(message, Message::Text("close")) {
            conversation.close();
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        match push.content {
            Content::Text(text) => buffer.extend_from_slice(text.as_bytes()),
            Content::Binary(bytes) => {
                buffer.extend_from_slice(bytes);
                return Kind::Binary;
            }
            Content::Json(json) => buffer.extend_from_slice(&self.json.encode(json)),
            content => content.write(buffer),
        }
        Kind::Text
    }

    /// Nothing can be asked for.
    fn answer(&self, _answer: Answer<'_>, _now: Timestamp) -> Vec<Payload> {
        Vec::new()
    }
}
