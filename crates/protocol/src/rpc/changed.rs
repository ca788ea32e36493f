//! What is pushed to a tracked subscriber.

use crate::{
    Change, ChangeFormat,
    envelope::{Source, Timestamp},
};

/// What a tracked subscriber is told: one of the notifications `enter`, `update`, `leave`, or `diff`.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::{
///     Change, ChangeFormat, ChangeKind, LeaveReason,
///     envelope::{Content, Source, Timestamp},
///     rpc::Changed,
/// };
///
/// let channel = "vehicles".parse()?;
/// let kind = ChangeKind::Leave(LeaveReason::Moved);
/// let changed = Changed {
///     source: Source::Channel(&channel),
///     change: Change { kind, key: "7", former: None, feature: Content::Null },
///     format: ChangeFormat::Changes,
///     timestamp: Timestamp::since_epoch(Duration::from_millis(5)),
/// };
/// assert_eq!(
///     changed.to_vec(),
///     br#"{"jsonrpc":"2.0","method":"leave","params":{"source":"vehicles","key":7,"reason":"moved","timestamp":5.0}}"#,
/// );
/// # Ok::<(), geocast_protocol::ChannelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changed<'a> {
    /// The channel.
    pub source: Source<'a>,
    /// What has become of which key.
    pub change: Change<'a>,
    /// How it is told.
    pub format: ChangeFormat,
    /// When it was received.
    pub timestamp: Timestamp,
}

impl Changed<'_> {
    /// Appends the notification to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"jsonrpc":"2.0","method":""#);
        let method = match self.format {
            ChangeFormat::Changes => self.change.kind.as_str(),
            ChangeFormat::Maplibre => "diff",
        };
        out.extend_from_slice(method.as_bytes());
        out.extend_from_slice(br#"","params":{"source":"#);
        self.source.write(out);
        match self.format {
            ChangeFormat::Changes => {
                out.extend_from_slice(br#","key":"#);
                out.extend_from_slice(self.change.key.as_bytes());
                self.change.write_rest("content", out);
            }
            ChangeFormat::Maplibre => {
                out.extend_from_slice(br#","diff":"#);
                self.change.write_diff(out);
            }
        }
        out.extend_from_slice(br#","timestamp":"#);
        self.timestamp.write(out);
        out.extend_from_slice(b"}}");
    }

    /// The notification as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}
