//! What is said when a subscription is over that nobody has ended.

use crate::{
    Channel,
    envelope::{Source, Timestamp},
};

use super::{Error, reply::write_error};

/// Appends the notification `ended`: the channel is not delivered any more, and why.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::{envelope::Timestamp, rpc::{self, Error, Refusal}};
///
/// let error = Error::Refused { refusal: Refusal::AccessDenied, message: "no longer".to_owned() };
/// let mut out = Vec::new();
/// rpc::write_ended(&"vehicles".parse()?, &error, Timestamp::since_epoch(Duration::from_millis(5)), &mut out);
/// assert_eq!(
///     String::from_utf8(out)?,
///     concat!(
///         r#"{"jsonrpc":"2.0","method":"ended","params":{"source":"vehicles","timestamp":5.0,"#,
///         r#""error":{"code":-32000,"message":"no longer","data":{"reason":"access_denied"}}}}"#,
///     ),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_ended(channel: &Channel, error: &Error, timestamp: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"ended","params":{"source":"#);
    Source::Channel(channel).write(out);
    out.extend_from_slice(br#","timestamp":"#);
    timestamp.write(out);
    write_error(out, error);
    out.extend_from_slice(b"}}");
}
