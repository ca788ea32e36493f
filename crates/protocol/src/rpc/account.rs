use crate::{Channel, json::Object};

/// What has become of a channel's events on their way to a client, in the result of `session`: `events` is the sum of
/// `granted` and all that was `withheld`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Whether the client is told what enters and leaves its viewport.
    pub tracked: bool,
    /// Events since the subscription began.
    pub events: u64,
    /// Those that were put among what is sent to the client.
    pub granted: u64,
    /// Those that were not, by reason.
    pub withheld: &'a [(&'a str, u64)],
}

/// What has become of all events that were put among what is sent to a client, of whichever channel, since it connected:
/// `granted` is the sum of all else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// All of them.
    pub granted: u64,
    /// Those that have left.
    pub delivered: u64,
    /// Those that are still waiting.
    pub waiting: u64,
    /// Those that made way for a newer state of the same key.
    pub replaced: u64,
    /// Those that were dropped because the client reads too slowly.
    pub slow: u64,
}

impl Account<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::new(out);
        object.json("tracked", &self.tracked.to_string());
        object.json("events", &self.events.to_string());
        object.json("granted", &self.granted.to_string());
        counts(object.member("withheld"), self.withheld.iter().copied());
        object.end();
    }
}

impl Sent {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let Self { granted, delivered, waiting, replaced, slow } = *self;
        let members = [
            ("granted", granted),
            ("delivered", delivered),
            ("waiting", waiting),
            ("replaced", replaced),
            ("slow", slow),
        ];
        counts(out, members);
    }
}

/// An object of numbers.
pub(super) fn counts<'a>(out: &mut Vec<u8>, counts: impl IntoIterator<Item = (&'a str, u64)>) {
    let mut object = Object::new(out);
    for (name, count) in counts {
        object.json(name, &count.to_string());
    }
    object.end();
}
