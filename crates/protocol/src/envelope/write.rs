//! The envelope itself.

use crate::Offset;

use super::{
    ClientReference, Content, Source, Timestamp,
    buffer::{SUFFIX_BYTES, write_suffix},
};

/// One message to a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope<'a> {
    /// Where the content comes from.
    pub source: Source<'a>,
    /// What the message is about.
    pub content: Content<'a>,
    /// When it was made.
    pub timestamp: Timestamp,
    /// What it repeats of the command that it answers.
    pub client_reference: ClientReference<'a>,
}

impl Envelope<'_> {
    /// Appends the envelope to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.len_hint());
        out.extend_from_slice(br#"{"source":"#);
        self.source.write(out);
        out.extend_from_slice(br#","content":"#);
        self.content.write(out);
        write_suffix(out, self.timestamp, self.client_reference);
    }

    /// The same, with the place of the message in the history of its channel as a last member, `offset`.
    pub fn write_at(&self, offset: Offset, out: &mut Vec<u8>) {
        self.write(out);
        // Behind the client reference.
        out.truncate(out.len() - b"}".len());
        out.extend_from_slice(br#","offset":"#);
        offset.write_json(out);
        out.push(b'}');
    }

    /// The envelope as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// About how many bytes [`Envelope::write`] appends: no fewer than these, give or take the digits of the
    /// timestamp, and more only where strings need escapes.
    #[must_use]
    pub fn len_hint(&self) -> usize {
        r#"{"source":,"content":"#.len()
            + self.source.len_hint()
            + self.content.len_hint()
            + SUFFIX_BYTES
            + Timestamp::MAX_BYTES
            + self.client_reference.len_hint()
    }
}

/// The envelope that answers what could not be done.
///
/// For a command that could not be read, `code` is [`ErrorKind::code`](crate::text::ErrorKind::code) and `message`
/// the print of the [`Error`](crate::text::Error).
#[must_use]
pub const fn error<'a>(
    code: &'a str,
    message: &'a str,
    timestamp: Timestamp,
    client_reference: ClientReference<'a>,
) -> Envelope<'a> {
    Envelope {
        source: Source::Websocket,
        content: Content::Error { code, message },
        timestamp,
        client_reference,
    }
}
