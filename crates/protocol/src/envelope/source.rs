//! Where an envelope's content comes from.

use crate::{Channel, json};

/// Where an envelope's content comes from: clients match answers to questions by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The gateway itself: `"websocket"`.
    Websocket,
    /// What was published on a channel, or its state: `"channel"`.
    Channel(&'a Channel),
    /// One key of a channel's state, as it was asked for: `"channel key"`.
    Key(&'a Channel, &'a str),
}

impl Source<'_> {
    /// Appends it as a JSON string.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Websocket => out.extend_from_slice(br#""websocket""#),
            Self::Channel(channel) => json::string(out, channel.as_str()),
            Self::Key(channel, key) => {
                json::string(out, channel.as_str());
                // The two strings are joined into one: the quotes between them become the space.
                out.pop();
                let joint = out.len();
                json::string(out, key);
                out[joint] = b' ';
            }
        }
    }

    /// About how many bytes [`Source::write`] appends: exactly so many, if nothing needs an escape.
    pub(crate) fn len_hint(self) -> usize {
        2 + match self {
            Self::Websocket => "websocket".len(),
            Self::Channel(channel) => channel.as_str().len(),
            Self::Key(channel, key) => channel.as_str().len() + 1 + key.len(),
        }
    }
}
