//! What is pushed.

use crate::{
    Offset,
    envelope::{Content, Source, Timestamp},
};

/// What is pushed to a subscriber: the notification `message`.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::{envelope::{Content, Source, Timestamp}, rpc::Message};
///
/// let channel = "vehicles".parse()?;
/// let message = Message {
///     source: Source::Channel(&channel),
///     content: Content::Json(br#"{"id":7.10}"#),
///     timestamp: Timestamp::since_epoch(Duration::from_millis(5)),
/// };
/// assert_eq!(
///     message.to_vec(),
///     br#"{"jsonrpc":"2.0","method":"message","params":{"source":"vehicles","content":{"id":7.10},"timestamp":5.0}}"#,
/// );
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message<'a> {
    /// Where the content comes from.
    pub source: Source<'a>,
    /// What was published; not copied into a tree, as in an [`Envelope`](crate::envelope::Envelope).
    pub content: Content<'a>,
    /// When it was received.
    pub timestamp: Timestamp,
}

impl Message<'_> {
    /// Appends the notification to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.len_hint());
        out.extend_from_slice(PREFIX);
        self.source.write(out);
        out.extend_from_slice(br#","content":"#);
        self.content.write(out);
        out.extend_from_slice(br#","timestamp":"#);
        self.timestamp.write(out);
        out.extend_from_slice(b"}}");
    }

    /// The same, with the place of the message in the history of its channel as a further parameter, `offset`.
    pub fn write_at(&self, offset: Offset, out: &mut Vec<u8>) {
        self.write(out);
        // Behind the timestamp.
        out.truncate(out.len() - b"}}".len());
        out.extend_from_slice(br#","offset":"#);
        offset.write_json(out);
        out.extend_from_slice(b"}}");
    }

    /// The notification as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// About how many bytes [`Message::write`] appends: no fewer than these, give or take the digits of the timestamp,
    /// and more only where strings need escapes.
    #[must_use]
    pub fn len_hint(&self) -> usize {
        PREFIX.len()
            + self.source.len_hint()
            + self.content.len_hint()
            + r#","content":,"timestamp":}}"#.len()
            + Timestamp::MAX_BYTES
    }
}

const PREFIX: &[u8] = br#"{"jsonrpc":"2.0","method":"message","params":{"source":"#;
