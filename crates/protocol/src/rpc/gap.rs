//! What is said when messages may have been missed.

use crate::{
    Channel,
    envelope::{Source, Timestamp},
};

/// Appends the notification `gap`: messages of the channel may have been missed before this moment.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::{envelope::Timestamp, rpc};
///
/// let mut out = Vec::new();
/// rpc::write_gap(&"vehicles".parse()?, Timestamp::since_epoch(Duration::from_millis(5)), &mut out);
/// assert_eq!(out, br#"{"jsonrpc":"2.0","method":"gap","params":{"source":"vehicles","timestamp":5.0}}"#);
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
pub fn write_gap(channel: &Channel, timestamp: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"gap","params":{"source":"#);
    Source::Channel(channel).write(out);
    out.extend_from_slice(br#","timestamp":"#);
    timestamp.write(out);
    out.extend_from_slice(b"}}");
}
