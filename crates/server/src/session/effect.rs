use std::time::Duration;

use bytes::Bytes;
use geocast_geo_filter::KnownCrs;
use geocast_protocol::{ChangeFormat, Channel, Person, Since, Word};

use super::{Admission, View};
use crate::{
    HistoryPosition, Store, StoreError,
    access::Held,
    dialect::{AnyDialect, Payload},
    handler::Handling,
};

/// What a session wants done. Effects are carried out one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Send this.
    Say(Payload),
    /// From here on, everything is filtered and projected like this.
    View(Box<View>, Asked),
    /// From here on, pushes are collected, or no longer.
    Buffer(Option<Buffering>),
    /// Read state and send it.
    Fetch(Fetch, Asked),
    /// Deliver this channel, in the dialect of who asked: as changes of keys, if a format of those is given.
    Subscribe(Channel, Option<ChangeFormat>, Asked),
    /// Deliver this channel, and say from where in its history on; first what came behind this, if it is still there.
    Resume(Channel, Option<Since>, Asked),
    /// Send what was missed, as that can be done, and deliver the channel then.
    Replay(Channel, Since, Asked),
    /// Read a part of a history and send it.
    Recall(Recall, Asked),
    /// Say when the delivery of this channel, which was asked for before in the same words, is in force.
    Confirm(Channel, Option<ChangeFormat>, Asked),
    /// Let the others on this channel be told of the client.
    Attend(Channel, Box<Attendee>),
    /// Say who is on a channel.
    Muster(Muster, AnyDialect),
    /// Deliver this channel no more.
    Unsubscribe(Channel),
    /// Publish this.
    Publish(Publication, Asked),
    /// Have this handled, and send what comes of it whenever it comes.
    Handle(Handling),
    /// Say what is believed about the client.
    Report(Box<str>, AnyDialect),
    /// Close the connection, when all of the above has been sent.
    Close,
    /// Keep what is to be sent from here on.
    Gather,
    /// Send what was kept, together.
    Release(AnyDialect),
}

impl Effect {
    /// Whether this begins to deliver the channel.
    pub(crate) fn begins(&self, channel: &Channel) -> bool {
        matches!(self, Self::Subscribe(begun, ..) | Self::Resume(begun, ..) if begun == channel)
    }
}

/// Who asked for something, and what is said when it is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) dialect: AnyDialect,
    /// To what of the world whoever asks is limited.
    pub(crate) rights: Held,
    pub(crate) admission: Admission,
    pub(crate) receipt: Option<Receipt>,
}

/// How a client knows what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the client called it: comes back with a failure.
    pub reference: Box<str>,
    /// What is said when it is done.
    pub done: Option<Payload>,
}

/// State to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetch {
    /// Whose state.
    pub channel: Channel,
    /// One key; without it, all values.
    pub key: Option<Word>,
    /// The system of the answer's coordinates; without it, the session's.
    pub crs: Option<KnownCrs>,
    /// What the client calls it.
    pub reference: Option<Box<str>>,
}

/// A part of a history, to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recall {
    /// Whose history.
    pub(crate) channel: Channel,
    /// What follows this; without it, the end.
    pub(crate) since: Option<Since>,
    /// At most so many messages.
    pub(crate) most: usize,
    /// What the client calls it.
    pub(crate) reference: Box<str>,
}

/// What others on a channel are told of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attendee {
    /// Who it is, if that is known.
    pub(crate) person: Option<Person>,
    /// Whether it is told of the others.
    pub(crate) watches: bool,
}

/// A question who is on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Muster {
    /// Which.
    pub(crate) channel: Channel,
    /// So many entries at most.
    pub(crate) most: usize,
    /// What the client calls it.
    pub(crate) reference: Box<str>,
}

/// Something to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub channel: Channel,
    /// Under which key of the channel's state it is kept; without one, it is not.
    pub key: Option<Word>,
    /// What.
    pub payload: Bytes,
}

/// How pushes are collected into one message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buffering {
    /// Longest time a push waits.
    pub(crate) wait: Duration,
    /// Number of pushes that are sent without waiting longer.
    pub(crate) count: usize,
    /// Pushes in this dialect are collected.
    pub(crate) dialect: AnyDialect,
}

impl Publication {
    /// Hands it to a store.
    pub(crate) async fn publish(self, store: &dyn Store) -> Result<Option<HistoryPosition>, StoreError> {
        let Self { channel, key, payload } = self;
        match key {
            Some(key) => store.put(&channel, key.as_str(), payload).await,
            None => store.publish(&channel, payload).await,
        }
    }
}

impl Fetch {
    /// All values of a channel's state, or the one of a key, in the session's coordinate system.
    pub fn new(channel: Channel, key: Option<Word>) -> Self {
        Self { channel, key, crs: None, reference: None }
    }

    /// The same, under a name of the client's.
    pub(crate) fn under(self, reference: Option<Word>) -> Self {
        Self { reference: reference.map(|word| word.as_str().into()), ..self }
    }
}
