//! Who comes and goes.

use crate::{
    Channel, Person,
    envelope::{Source, Timestamp},
    json::Object,
};

/// Somebody who is there, with how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present<'a> {
    /// Who.
    pub person: &'a Person,
    /// How many of the channel's subscribers that is.
    pub connections: u64,
}

/// What has become of who is there: the notification `presence`.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_protocol::{Person, envelope::Timestamp, rpc::PresenceChange};
///
/// let (channel, ada) = ("vehicles".parse()?, r#"{"user":"ada"}"#.parse::<Person>()?);
/// let change = PresenceChange {
///     channel: &channel,
///     clients: 3,
///     joined: &[&ada],
///     left: &[],
///     truncated: false,
///     timestamp: Timestamp::since_epoch(Duration::from_millis(5)),
/// };
/// assert_eq!(
///     String::from_utf8(change.to_vec())?,
///     concat!(
///         r#"{"jsonrpc":"2.0","method":"presence","params":{"source":"vehicles","clients":3,"#,
///         r#""joined":[{"user":"ada"}],"left":[],"truncated":false,"timestamp":5.0}}"#
///     ),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PresenceChange<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// How many clients are subscribed to it now.
    pub clients: u64,
    /// Who is there and was not.
    pub joined: &'a [&'a Person],
    /// Who was there and is not any more.
    pub left: &'a [&'a Person],
    /// Whether more came or left than is said.
    pub truncated: bool,
    /// When.
    pub timestamp: Timestamp,
}

impl Present<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        self.person.write_members(&mut object);
        object.json("connections", &self.connections.to_string());
        object.end();
    }
}

impl PresenceChange<'_> {
    /// The notification, as compact JSON without a line end.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = br#"{"jsonrpc":"2.0","method":"presence","params":"#.to_vec();
        let mut object = Object::new(&mut out);
        Source::Channel(self.channel).write(object.member("source"));
        object.json("clients", &self.clients.to_string());
        object.list("joined", self.joined, |out, person| person.write(out));
        object.list("left", self.left, |out, person| person.write(out));
        object.json("truncated", &self.truncated.to_string());
        self.timestamp.write(object.member("timestamp"));
        object.end();
        out.push(b'}');
        out
    }
}
