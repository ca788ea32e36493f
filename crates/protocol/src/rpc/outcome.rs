//! What the methods return.

use crate::{
    Channel, Crs, Json, Number, Offset, Pixels, Precision, Word,
    envelope::{Content, Timestamp},
    json::{self, Object},
    text::Members,
};

use super::{Account, Corners, Present, PropertyFilter, Sent, account::counts, parameter::Field};

/// The result of a call: the state that is in force after it. The table of methods has the schema of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// Of `ping`: what the call carried, or `"pong"`.
    Pong(Option<&'a Json>),
    /// Of `get`.
    Values {
        /// The channel that was read.
        channel: &'a Channel,
        /// The key, if one was asked for.
        key: Option<&'a Word>,
        /// The CRS that the values are in.
        crs: Crs,
        /// The values that are in the viewport; put in as they are, where they are JSON.
        values: &'a [Content<'a>],
    },
    /// Of `subscribe`.
    Subscribed {
        /// The channel.
        channel: &'a Channel,
        /// Whether the client is told what enters and leaves its viewport.
        tracked: bool,
        /// The end of the channel's history, if it has one.
        position: Option<Position<'a>>,
        /// Whether all that was missed follows, if `since` was given.
        recovered: Option<bool>,
        /// Whether the client is told who comes and goes; left out where it is not.
        presence: bool,
    },
    /// Of `unsubscribe`.
    Unsubscribed {
        /// The channel.
        channel: &'a Channel,
    },
    /// Of `viewport`.
    Viewport(Viewport<'a>),
    /// Of `projection`.
    Projection {
        /// The CRS of all later geometry.
        crs: Crs,
    },
    /// Of `buffer`.
    Buffer {
        /// How long is collected at most, in milliseconds.
        milliseconds: u32,
        /// How many messages are collected at most.
        count: u32,
    },
    /// Of `publish`.
    Published {
        /// The channel.
        channel: &'a Channel,
        /// The key under which it is kept, if one was given.
        key: Option<&'a Word>,
        /// Where it stands, on a channel with a history.
        position: Option<Position<'a>>,
    },
    /// Of `history`.
    History {
        /// The channel.
        channel: &'a Channel,
        /// How far this goes.
        position: Position<'a>,
        /// Whether nothing is missing behind the offset that was asked for, if one was.
        recovered: Option<bool>,
        /// What was asked for, oldest first.
        messages: &'a [Kept<'a>],
    },
    /// Of `presence`.
    Presence {
        /// The channel.
        channel: &'a Channel,
        /// How many clients are subscribed to it.
        clients: u64,
        /// Who of them is known.
        entries: &'a [Present<'a>],
        /// Whether there are more.
        truncated: bool,
        /// Whether the other nodes have not been heard of lately.
        stale: bool,
    },
    /// Of `session`.
    Session {
        /// The channels that are subscribed to.
        channels: &'a [Channel],
        /// The CRS of all later geometry.
        crs: Crs,
        /// The viewport, if there is one.
        viewport: Option<Viewport<'a>>,
        /// How many messages were withheld, by reason, on all channels and on the connection.
        withheld: &'a [(&'a str, u64)],
        /// What has become of the events of each channel.
        accounts: &'a [Account<'a>],
        /// What has become of all that was granted.
        connection: Sent,
    },
    /// Of `rpc.discover`: what [`discover`](super::discover) makes.
    Description(&'a Json),
}

/// A place in the history of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// Which message it is.
    pub offset: Offset,
    /// Which history it is: another one begins when a store lost it.
    pub epoch: &'a Word,
}

/// A viewport that is in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport<'a> {
    /// The box, if there is one.
    pub bbox: Option<Corners>,
    /// The CRS of the box; without a box, the session's.
    pub crs: Crs,
    /// The map's zoom level, if it was given.
    pub zoom: Option<Number>,
    /// What features' properties must be.
    pub properties: &'a [PropertyFilter],
    /// What passes of a collection that is partly inside; left out without a box.
    pub members: Members,
    /// The only properties that are sent; left out where all are.
    pub fields: Option<&'a [String]>,
    /// How many decimals coordinates have at most, if that was asked for.
    pub precision: Option<Precision>,
    /// How far lines may be from where they are, if that was asked for.
    pub tolerance: Option<Pixels>,
    /// How far something moves at least before it is told, if that was asked for.
    pub min_move: Option<Pixels>,
}

/// A message of a channel's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept<'a> {
    /// Where it stands in the history.
    pub offset: Offset,
    /// What was published; put in as it is, where it is JSON.
    pub content: Content<'a>,
    /// When it was received.
    pub timestamp: Timestamp,
}

impl Outcome<'_> {
    /// Appends the result to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        let json = match *self {
            Self::Pong(data) => Some(data.map_or(r#""pong""#, Json::as_str)),
            Self::Description(document) => Some(document.as_str()),
            _ => None,
        };
        match json {
            Some(json) => out.extend_from_slice(json.as_bytes()),
            None => self.write_object(out),
        }
    }

    /// The result as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write_object(&self, out: &mut Vec<u8>) {
        if let Self::Viewport(viewport) = self {
            return viewport.write(out);
        }
        let mut object = Object::new(out);
        match *self {
            Self::Pong(_) | Self::Description(_) | Self::Viewport(_) => {}
            Self::Values { channel, key, crs, values } => {
                named(&mut object, channel, key);
                object.text("crs", &crs.to_string());
                object.list("values", values, |out, value| value.write(out));
            }
            Self::Subscribed { channel, tracked, position, recovered, presence } => {
                named(&mut object, channel, None);
                object.json("tracked", &tracked.to_string());
                placed(&mut object, position);
                if let Some(recovered) = recovered {
                    object.json("recovered", &recovered.to_string());
                }
                if presence {
                    object.json("presence", "true");
                }
            }
            Self::Unsubscribed { channel } => {
                named(&mut object, channel, None);
                object.json("subscribed", "false");
            }
            Self::Projection { crs } => object.text("crs", &crs.to_string()),
            Self::Buffer { milliseconds, count } => {
                object.json("milliseconds", &milliseconds.to_string());
                object.json("count", &count.to_string());
            }
            Self::Published { channel, key, position } => {
                named(&mut object, channel, key);
                placed(&mut object, position);
            }
            Self::History { channel, position, recovered, messages } => {
                named(&mut object, channel, None);
                placed(&mut object, Some(position));
                if let Some(recovered) = recovered {
                    object.json("recovered", &recovered.to_string());
                }
                object.list("messages", messages, |out, message| message.write(out));
            }
            Self::Presence { channel, clients, entries, truncated, stale } => {
                named(&mut object, channel, None);
                object.json("clients", &clients.to_string());
                object.list("entries", entries, |out, entry| entry.write(out));
                object.json("truncated", &truncated.to_string());
                object.json("stale", &stale.to_string());
            }
            Self::Session { channels, crs, viewport, withheld, accounts, connection } => {
                object.list("channels", channels, |out, channel| json::string(out, channel.as_str()));
                object.text("crs", &crs.to_string());
                let place = object.member("viewport");
                match viewport {
                    Some(viewport) => viewport.write(place),
                    None => place.extend_from_slice(b"null"),
                }
                counts(object.member("withheld"), withheld.iter().copied());
                let mut by_channel = Object::new(object.member("accounts"));
                accounts
                    .iter()
                    .for_each(|account| account.write(by_channel.member(account.channel.as_str())));
                by_channel.end();
                connection.write(object.member("connection"));
            }
        }
        object.end();
    }
}

impl Viewport<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        object.json("bbox", self.bbox.json().as_deref().unwrap_or("null"));
        object.text("crs", &self.crs.to_string());
        if let Some(zoom) = self.zoom {
            object.json("zoom", &zoom.to_string());
        }
        if !self.properties.is_empty() {
            object.json("properties", &super::property::print(self.properties));
        }
        if self.bbox.is_some() {
            object.text("members", self.members.as_str());
        }
        if let Some(fields) = self.fields {
            object.list("fields", fields, |out, name| json::string(out, name));
        }
        if let Some(precision) = self.precision {
            object.json("precision", &precision.to_string());
        }
        for (name, pixels) in [("tolerance", self.tolerance), ("min_move", self.min_move)] {
            if let Some(pixels) = pixels {
                object.json(name, &pixels.to_string());
            }
        }
        object.end();
    }
}

impl Kept<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        self.offset.write_json(object.member("offset"));
        self.content.write(object.member("content"));
        self.timestamp.write(object.member("timestamp"));
        object.end();
    }
}

fn named(object: &mut Object<'_>, channel: &Channel, key: Option<&Word>) {
    object.text("channel", channel.as_str());
    if let Some(key) = key {
        object.text("key", key.as_str());
    }
}

fn placed(object: &mut Object<'_>, position: Option<Position<'_>>) {
    if let Some(Position { offset, epoch }) = position {
        offset.write_json(object.member("offset"));
        object.text("epoch", epoch.as_str());
    }
}
