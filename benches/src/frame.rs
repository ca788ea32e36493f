use std::time::Duration;

use geocast_protocol::Channel;
use geocast_protocol::envelope::{ClientReference, Content, Envelope, Source, Timestamp};

/// A text frame of a server with an envelope in it (RFC 6455 §5.2; between 126 and 65 535 bytes).
///
/// # Panics
/// When the envelope is longer than that.
#[must_use]
pub fn frame(channel: &Channel, payload: &str) -> Vec<u8> {
    let envelope = Envelope {
        source: Source::Channel(channel),
        content: Content::Json(payload.as_bytes()),
        timestamp: Timestamp::since_epoch(Duration::from_millis(1_700_000_000_123)),
        client_reference: ClientReference::Null,
    };
    let mut frame = Vec::with_capacity(4 + envelope.len_hint());
    frame.extend_from_slice(&[0x81, 126, 0, 0]);
    envelope.write(&mut frame);
    let length = u16::try_from(frame.len() - 4).expect("it is a short message").to_be_bytes();
    frame[2..4].copy_from_slice(&length);
    frame
}
