//! How clients talk: what their messages mean, and what they are told.

mod aiows;
mod commands;
mod mixed;
mod rohrpost;
mod rpc;
mod text;

use std::{
    fmt::Debug,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use geocast_protocol::{
    Change, ChangeFormat, Channel, Crs, Offset, Word,
    envelope::{Content, Timestamp},
    rpc::Present,
};

pub(crate) use aiows::Aiows;
pub use commands::CommandHandler;
pub(crate) use commands::Commands;
pub(crate) use mixed::Mixed;
pub(crate) use rohrpost::Rohrpost;
pub(crate) use rpc::Rpc;
pub(crate) use text::Text;

use crate::{
    History, Place,
    session::{Conversation, Fault, Fetch, Report},
};

/// A dialect of the WebSocket side.
///
/// One value serves all clients and all workers; what is to be known of one client is in the [`Conversation`]. Nothing here
/// may wait: what takes time is asked of the conversation and comes back as an [`Answer`].
///
/// # Tracking
///
/// Who asks the conversation to [`track`](Conversation::track) a channel is pushed what becomes of keys in its viewport: then
/// [`Push::change`] says what has become of which key, and the content is its feature, or [`Content::Null`] where it leaves. It
/// is `None` for messages without a key, and wherever nobody tracks; a dialect that never asks needs not look at it. Of rohrpost,
/// aiows and the pipeline none does.
///
/// ```
/// use std::time::Duration;
///
/// use geocast_server::{
///     Answer, Change, ChangeFormat, ChangeKind, Channel, Content, Conversation, Dialect, Kind, LeaveReason, Message,
///     Payload, Push, Timestamp, Told,
/// };
///
/// /// A channel's name tracks it; then come `+key feature`, `=key feature` and `-key reason`.
/// #[derive(Debug)]
/// struct Signs;
///
/// impl Dialect for Signs {
///     fn name(&self) -> &'static str {
///         "signs"
///     }
///
///     fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
///         let Message::Text(name) = message else { return };
///         let Ok(channel) = name.parse::<Channel>() else { return };
///         if let Err(fault) = conversation.track(channel, ChangeFormat::default(), None) {
///             conversation.say(Payload::text(fault.message));
///         }
///     }
///
///     fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
///         let Some(Told { change, .. }) = push.change else {
///             push.content.write(buffer);
///             return Kind::Text;
///         };
///         let (sign, reason) = match change.kind {
///             ChangeKind::Enter => (b'+', None),
///             ChangeKind::Update => (b'=', None),
///             ChangeKind::Leave(reason) => (b'-', Some(reason)),
///         };
///         buffer.push(sign);
///         buffer.extend_from_slice(change.key.as_bytes());
///         buffer.push(b' ');
///         match reason {
///             Some(reason) => buffer.extend_from_slice(reason.as_str().as_bytes()),
///             None => push.content.write(buffer),
///         }
///         Kind::Text
///     }
///
///     fn answer(&self, _: Answer<'_>, _: Timestamp) -> Vec<Payload> {
///         Vec::new()
///     }
/// }
///
/// let channel: Channel = "vehicles".parse()?;
/// let told = |kind, content| {
///     let change = Change { kind, key: "7", former: None, feature: content };
///     let change = Some(Told { change, format: ChangeFormat::default() });
///     let push = Push { channel: &channel, content, published: Timestamp::since_epoch(Duration::ZERO), number: 1, offset: None, change };
///     let mut buffer = Vec::new();
///     Signs.push(&push, &mut buffer);
///     buffer
/// };
/// assert_eq!(told(ChangeKind::Enter, Content::Json(b"{}")), b"+7 {}");
/// assert_eq!(told(ChangeKind::Leave(LeaveReason::Moved), Content::Null), b"-7 moved");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Dialect: Debug + Send + Sync + 'static {
    /// Its name in logs, and the WebSocket sub-protocol (RFC 6455 §1.9) by which clients may ask for it.
    fn name(&self) -> &'static str;

    /// A client has connected.
    fn open(&self, _conversation: &mut Conversation<'_>) {}

    /// A client has said something.
    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>);

    /// A client is gone. What is said now reaches nobody, but what is published is published.
    fn close(&self, _conversation: &mut Conversation<'_>) {}

    /// Whether a client is spared what it has itself sent to others. Costs each event a comparison per client.
    fn spares_sender(&self) -> bool {
        false
    }

    /// Appends to `buffer` what a subscriber is sent for a published message, and says of what kind it is. Made once for all
    /// subscribers to whom the message looks the same.
    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind;

    /// What a client is sent for what it asked for; nothing is silence.
    fn answer(&self, answer: Answer<'_>, now: Timestamp) -> Vec<Payload>;

    /// What is sent for replies that were [gathered](Conversation::gather).
    fn gathered(&self, replies: Vec<Payload>) -> Vec<Payload> {
        replies
    }

    /// What a subscriber of a channel is told when messages of it may have been missed, because the store was away; nothing is
    /// silence.
    fn gap(&self, _channel: &Channel, _now: Timestamp) -> Option<Payload> {
        None
    }

    /// What stands around pushes that are sent together, if they ever are.
    fn wrap(&self, _now: Timestamp) -> Option<Wrap> {
        None
    }
}

/// A message of a client.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// A text frame.
    Text(&'a str),
    /// A binary frame.
    Binary(&'a [u8]),
}

/// A published message, as far as one kind of subscribers is to see it.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// The channel it was published on.
    pub channel: &'a Channel,
    /// The message, in the coordinate system that is asked for.
    pub content: Content<'a>,
    /// When this node got it.
    pub published: Timestamp,
    /// Its number among all that this node got.
    pub number: u64,
    /// Where it stands in the history of the channel, if that has one and who subscribed [is told](Conversation::resume).
    pub offset: Option<Offset>,
    /// What it changes about a key, for a tracked subscriber; `None` for a message that changes none. See
    /// [`Dialect`](Dialect#tracking).
    pub change: Option<Told<'a>>,
}

/// What a tracked subscriber is told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What has become of which key; its feature is the content of the push.
    pub change: Change<'a>,
    /// How the client wants to be told.
    pub format: ChangeFormat,
}

/// What has become of something that needed time.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// State has been read.
    Values {
        /// What was asked for.
        fetch: &'a Fetch,
        /// The system of the values' coordinates.
        crs: Crs,
        /// What is in the client's viewport.
        values: &'a [Content<'a>],
    },
    /// What the server believes about the client.
    Report {
        /// By which the client knows what it asked for.
        reference: &'a str,
        /// What it is.
        report: &'a Report<'a>,
    },
    /// A channel that was [resumed](Conversation::resume) is delivered from here on, or what was missed follows.
    Subscribed {
        /// By which the client knows what it asked for.
        reference: Option<&'a str>,
        /// The channel.
        channel: &'a Channel,
        /// Behind which message of the channel's history everything follows.
        offset: Offset,
        /// Which history it is.
        epoch: &'a Word,
        /// Whether nothing is missing behind the offset that was given, if one was.
        recovered: Option<bool>,
        /// Whether the client is told who comes to the channel and goes.
        is_watching: bool,
    },
    /// What a client has published is in the history of its channel. A dialect that says nothing to this says what the
    /// [`Receipt`](crate::Receipt) has ready.
    Published {
        /// By which the client knows what it asked for.
        reference: &'a str,
        /// The channel.
        channel: &'a Channel,
        /// The key of its state under which it is kept.
        key: Option<&'a Word>,
        /// Where it stands in the channel's history.
        offset: Offset,
        /// Which history it is.
        epoch: &'a Word,
    },
    /// Who is on a channel.
    Presence {
        /// By which the client knows what it asked for.
        reference: &'a str,
        /// The channel.
        channel: &'a Channel,
        /// How many clients are subscribed to it, on all nodes.
        clients: u64,
        /// Who of them is known.
        entries: &'a [Present<'a>],
        /// Whether there are more.
        is_truncated: bool,
        /// Whether the other nodes have not been heard of lately.
        is_stale: bool,
    },
    /// A part of a channel's history has been read.
    History {
        /// By which the client knows what it asked for.
        reference: &'a str,
        /// The channel.
        channel: &'a Channel,
        /// What was read.
        history: &'a History,
        /// Whether it was asked for what follows an offset.
        resumes: bool,
        /// The messages in the client's viewport, and where they stand.
        messages: &'a [(Place, Content<'a>)],
    },
    /// A channel is not delivered any more, although nobody has asked for that.
    Ended {
        /// The channel.
        channel: &'a Channel,
        /// Why.
        fault: &'a Fault,
    },
    /// It could not be done.
    Failed {
        /// By which the client knows what it asked for.
        reference: Option<&'a str>,
        /// Why.
        fault: &'a Fault,
    },
}

/// The kind of a message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Anything.
    Binary,
}

/// A message to one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The kind of the bytes.
    pub kind: Kind,
    /// The message.
    pub bytes: Vec<u8>,
}

/// What stands around pushes that are sent as one message.
#[derive(Debug, Clone)]
pub struct Wrap {
    /// Before the first.
    pub prefix: &'static [u8],
    /// Between two.
    pub separator: &'static [u8],
    /// Behind the last.
    pub suffix: Vec<u8>,
}

/// A dialect, shared. Two are the same if they are one value.
#[derive(Debug, Clone)]
pub(crate) struct AnyDialect(Arc<dyn Dialect>);

impl AnyDialect {
    pub(crate) fn new(dialect: impl Dialect) -> Self {
        Self(Arc::new(dialect))
    }

    /// What tells it from every other one.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>().addr()
    }
}

impl From<Arc<dyn Dialect>> for AnyDialect {
    fn from(dialect: Arc<dyn Dialect>) -> Self {
        Self(dialect)
    }
}

impl Deref for AnyDialect {
    type Target = dyn Dialect;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl PartialEq for AnyDialect {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for AnyDialect {}

impl Hash for AnyDialect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl Wrap {
    /// Nothing: for dialects of which nothing is collected.
    pub(crate) const NONE: Self = Self { prefix: b"", separator: b"", suffix: Vec::new() };
}

impl Payload {
    /// A text message. The bytes must be UTF-8.
    pub fn text(bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind: Kind::Text, bytes: bytes.into() }
    }
}
