use geocast_protocol::{ChangeFormat, Channel};

use crate::{
    access::{Held, Identity},
    dialect::AnyDialect,
};

/// The channels that are delivered to one client. They are few, so a list takes less room than a map and no more time.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Vec<(Channel, Subscription)>);

/// A channel that is delivered.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) cause: Cause,
    pub(crate) dialect: AnyDialect,
    /// How changes are told, if it is tracked.
    pub(crate) track: Option<ChangeFormat>,
    /// Whether the client is told where messages stand in the channel's history.
    pub(crate) is_numbered: bool,
    /// To what of the world who subscribed is limited.
    pub(crate) rights: Held,
    /// Who subscribed, if it was not the client as it connected: for whom a token stands that came with the request.
    pub(crate) bearer: Option<Box<Identity>>,
}

/// Why a channel is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The client asked for it by name.
    Command,
    /// Its viewport brought it along.
    Viewport,
    /// The address that the client connected to names it.
    Address,
    /// A filter decided so, whatever the client may read.
    Filter,
}

impl Subscription {
    /// Whether asking for this once more changes nothing.
    pub(super) fn is_like(&self, dialect: &AnyDialect, track: Option<ChangeFormat>, rights: &Held) -> bool {
        !self.is_numbered && (&self.dialect, self.track, &self.rights) == (dialect, track, rights)
    }
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, channel: &Channel) -> bool {
        self.place(channel).is_some()
    }

    pub(super) fn find(&mut self, channel: &Channel) -> Option<&mut Subscription> {
        self.place(channel).map(|place| &mut self.0[place].1)
    }

    /// Adds a subscription, or replaces the channel's.
    pub(super) fn insert(&mut self, channel: Channel, subscription: Subscription) {
        match self.place(&channel) {
            Some(place) => self.0[place].1 = subscription,
            None => {
                if self.0.is_empty() {
                    // Most clients have one.
                    self.0.reserve_exact(1);
                }
                self.0.push((channel, subscription));
            }
        }
    }

    /// True if there was one.
    pub(super) fn remove(&mut self, channel: &Channel) -> bool {
        let place = self.place(channel);
        if let Some(place) = place {
            self.0.swap_remove(place);
        }
        place.is_some()
    }

    /// Keeps those of which this is so.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&Channel, &mut Subscription) -> bool) {
        self.0.retain_mut(|(channel, subscription)| keeps(channel, subscription));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Channel, &Subscription)> {
        self.0.iter().map(|(channel, subscription)| (channel, subscription))
    }

    fn place(&self, channel: &Channel) -> Option<usize> {
        self.0.iter().position(|(other, _)| other == channel)
    }
}
