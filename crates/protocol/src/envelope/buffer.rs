//! Several envelopes in one.
//!
//! A buffer envelope is written around envelopes that exist already and may be shared with other clients: send
//! [`buffer_prefix`], the envelopes with [`BUFFER_SEPARATOR`] between them, and [`buffer_suffix`], as one message.

use super::{ClientReference, Timestamp};

/// What stands before the first envelope of a buffer.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::envelope::{
///     BUFFER_SEPARATOR, ClientReference, Timestamp, buffer_prefix, buffer_suffix,
/// };
///
/// let suffix = buffer_suffix(Timestamp::since_epoch(Duration::from_millis(5)), ClientReference::Null);
/// let message = [buffer_prefix(), b"{}", BUFFER_SEPARATOR, b"{}", &suffix].concat();
/// assert_eq!(message, br#"{"source":"buffer","content":[{},{}],"timestamp":5.0,"client_reference":null}"#);
/// ```
#[must_use]
pub const fn buffer_prefix() -> &'static [u8] {
    br#"{"source":"buffer","content":["#
}

/// What stands behind the last envelope of a buffer that is sent at `timestamp`.
///
/// The reference is [`ClientReference::Null`], or [`ClientReference::Empty`] if the gateway is set so: a buffer
/// answers no question.
#[must_use]
pub fn buffer_suffix(timestamp: Timestamp, client_reference: ClientReference<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + SUFFIX_BYTES + Timestamp::MAX_BYTES + client_reference.len_hint());
    out.push(b']');
    write_suffix(&mut out, timestamp, client_reference);
    out
}

/// Appends what follows the content of every envelope.
pub(super) fn write_suffix(out: &mut Vec<u8>, timestamp: Timestamp, client_reference: ClientReference<'_>) {
    out.extend_from_slice(br#","timestamp":"#);
    timestamp.write(out);
    out.extend_from_slice(br#","client_reference":"#);
    client_reference.write(out);
    out.push(b'}');
}

/// What stands between two envelopes of a buffer.
pub const BUFFER_SEPARATOR: &[u8] = b",";

/// The bytes of the suffix that are always the same.
pub(super) const SUFFIX_BYTES: usize = r#","timestamp":,"client_reference":}"#.len();
