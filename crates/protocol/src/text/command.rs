//! What a client may ask for.

use crate::{ChangeFormat, Channel, Crs, Since, Word};

use super::Bbox;

/// One command of the text dialect.
///
/// [`FromStr`](std::str::FromStr) reads it and `Display` prints it; the print of any command reads back as an
/// equal command, as long as it stays within [`MAX_COMMAND_BYTES`].
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `GET channel [key [client_ref]]`: the state of a channel, or one key of it.
    Get {
        /// The channel whose hash is read; also as `channel=`.
        channel: Channel,
        /// One key of the hash, or all its values; also as `key=`.
        key: Option<Word>,
        /// What the answers repeat; also as `client_ref=` or `client_reference=`.
        client_reference: Option<Word>,
    },
    /// `PGET channel [key [client_ref]] [projection=epsg:n]`: as [`Command::Get`], in a CRS of its own.
    Pget {
        /// The channel whose hash is read; also as `channel=`.
        channel: Channel,
        /// One key of the hash, or all its values; also as `key=`.
        key: Option<Word>,
        /// What the answers repeat; also as `client_ref=` or `client_reference=`.
        client_reference: Option<Word>,
        /// The CRS of the answers, [`Crs::WGS84`] unless given, whatever the session's is.
        crs: Crs,
    },
    /// `SUB channel [track [format]] [since=offset [epoch=word]]`: receive what is published from now on, or be told what enters
    /// the viewport, changes in it, and leaves it.
    Subscribe {
        /// The channel; also as `channel=`.
        channel: Channel,
        /// How changes are told; none without the word `track`. Also as `track=true` or `track=format`.
        track: Option<ChangeFormat>,
        /// What of the channel's history comes first, for clients that want to know where they stand in it; as `since=` and
        /// `epoch=` only.
        since: Option<Since>,
    },
    /// `DEL channel`: stop receiving it.
    Unsubscribe {
        /// The channel; also as `channel=`.
        channel: Channel,
    },
    /// `PING [client_ref=…]`: asks for a sign of life.
    Ping {
        /// What the answer repeats; as `client_ref=` or `client_reference=` only, since clients put anything
        /// behind PING.
        client_reference: Option<Word>,
    },
    /// `BBOX left bottom right top [zoom] [crs=epsg:n] [members=inside|whole] [fields=name,…] [precision=n]
    /// [tolerance=pixels] [min_move=pixels] [name=value,…]…`: sets the viewport. `BBOX` alone is `None` and clears it.
    Bbox(Option<Bbox>),
    /// `PROJECTION epsg:n`: the CRS of all later geometry. Takes exactly one positional word.
    Projection(Crs),
    /// `BUFFER milliseconds count`: collect what is pushed. Needs two positional words; `BUFFER 0 0` turns
    /// it off.
    Buffer {
        /// How long to collect at most, in milliseconds. What is too long is for the server to say.
        milliseconds: u32,
        /// How many messages to collect at most. What is too many is for the server to say.
        count: u32,
    },
    /// `RESET`: drop the channels that the viewport subscribed to.
    Reset,
}

impl Command {
    /// The name that the command has on the wire, in upper case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Get { .. } => "GET",
            Self::Pget { .. } => "PGET",
            Self::Subscribe { .. } => "SUB",
            Self::Unsubscribe { .. } => "DEL",
            Self::Ping { .. } => "PING",
            Self::Bbox(_) => "BBOX",
            Self::Projection(_) => "PROJECTION",
            Self::Buffer { .. } => "BUFFER",
            Self::Reset => "RESET",
        }
    }
}

/// The longest command that is read, in bytes of UTF-8: 16 KiB, the limit that a gateway sets to a client's
/// messages.
pub const MAX_COMMAND_BYTES: usize = 16 * 1024;
