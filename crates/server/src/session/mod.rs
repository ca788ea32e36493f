//! One client's conversation, without sockets: messages go in, [`Effect`]s come out, and time is an argument.

mod account;
mod conversation;
mod effect;
mod fault;
mod judgement;
mod subscriptions;
mod thinning;
mod view;
mod wishes;

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_geo_filter::{Catalogue, KnownCrs};
use geocast_protocol::{Channel, Crs, envelope::Timestamp};

pub use account::{ChannelAccount, Sent};
pub use conversation::Conversation;
pub(crate) use effect::{Asked, Attendee, Buffering, Effect, Muster, Recall};
pub use effect::{Fetch, Publication, Receipt};
pub use fault::{Fault, FaultKind};
pub(crate) use judgement::{Admission, Dismissal, Ended};
pub use thinning::Thinning;
pub(crate) use view::{Naming, name_of};
pub use view::{Report, View, Viewport};
pub use wishes::Wishes;

pub(crate) use self::subscriptions::Cause;
use self::subscriptions::{Subscription, Subscriptions};
use crate::{
    Access, Count, Limits, Settings,
    access::Identity,
    admission::RateTable,
    client_limits::ClientLimits,
    clock,
    dialect::{AnyDialect, Message},
    pipeline::ClientId,
    rate::Rate,
};

/// What a client has said so far, and what follows from it.
///
/// Messages that arrive together are applied as a set. A dialect may put a change of the view before everything else in its
/// set, so that a BBOX behind a GET still holds for it.
#[derive(Debug)]
pub(crate) struct Session {
    rules: Arc<Rules>,
    /// Those that held when it began.
    limits: Arc<Limits>,
    client: ClientId,
    identity: Identity,
    /// For whom a token stands that came with the request that is being read.
    bearer: Option<Box<Identity>>,
    rate: Rate,
    /// Until when others with the same token have used up its rate.
    token_resumes: Option<Instant>,
    view: View,
    subscriptions: Subscriptions,
    /// Nothing most of the time, so that it takes no room in every connection.
    waiting: Option<Box<Waiting>>,
    /// What the dialect remembers.
    memory: Option<Box<dyn Any + Send>>,
}

/// What every session of a server goes by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) access: Arc<Access>,
    pub(crate) catalogue: Arc<Catalogue>,
    /// As at the start.
    pub(crate) settings: Arc<Settings>,
    /// What of them is followed when they are read again.
    pub(crate) limits: ClientLimits,
    /// The system that data comes in, EPSG:4326.
    pub(crate) source: KnownCrs,
    /// How fast commands come with each token.
    pub(crate) token_rates: RateTable<u64>,
}

/// The part of a set of messages that takes effect when the set is complete.
#[derive(Debug, Default)]
struct Waiting {
    /// The view was changed for all of the set.
    view: Option<Change>,
    /// Views with boxes that another box of the set has replaced.
    boxes: Vec<Effect>,
    /// The last word on collecting, for all of the set.
    buffering: Option<Option<Buffering>>,
    effects: Vec<Effect>,
}

/// The last change of the view.
#[derive(Debug)]
struct Change {
    /// Who made it.
    dialect: AnyDialect,
    /// Whether a box was named in the set, which may be refused.
    has_box: bool,
}

/// What there is to count about one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted(pub(crate) Vec<Count>);

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) wall: Timestamp,
}

impl Rules {
    pub(crate) fn new(access: Arc<Access>, catalogue: Arc<Catalogue>, settings: Arc<Settings>) -> Self {
        Self {
            source: catalogue.crs(Crs::WGS84.code()).expect("every database of PROJ has EPSG:4326"),
            limits: ClientLimits::new(&settings.limits),
            token_rates: RateTable::new(settings.limits.token_rate, clock::now()),
            access,
            catalogue,
            settings,
        }
    }
}

impl Session {
    /// A session that begins in a coordinate system, usually the source's, and keeps these limits.
    pub(crate) fn new(
        rules: Arc<Rules>,
        limits: Arc<Limits>,
        identity: Identity,
        output: KnownCrs,
        now: Instant,
    ) -> Self {
        let rate = Rate::new(limits.commands_per_second, limits.command_burst, now);
        Self {
            rules,
            limits,
            client: ClientId::next(),
            identity,
            bearer: None,
            rate,
            token_resumes: None,
            view: View::new(output),
            subscriptions: Subscriptions::default(),
            waiting: None,
            memory: None,
        }
    }

    /// What is done first.
    pub(crate) fn open(&mut self, dialect: &AnyDialect, channel: Option<Channel>, now: Now) -> Vec<Effect> {
        let mut noted = Noted::default();
        let mut conversation = Conversation::new(self, dialect, &mut noted, now);
        dialect.open(&mut conversation);
        if let Some(channel) = channel {
            // Whoever may not read it was not let in. It is the first, so no bound is reached.
            let _refused: Result<(), Fault> = conversation.admit(channel, Cause::Address);
        }
        let mut effects = self.settle();
        if self.view.output != self.rules.source {
            let asked = Asked {
                dialect: dialect.clone(),
                rights: self.identity.rights(),
                admission: Admission::default(),
                receipt: None,
            };
            effects.push(Effect::View(Box::new(self.view.clone()), asked));
        }
        effects
    }

    /// Takes one message.
    pub(crate) fn receive(&mut self, message: Message<'_>, dialect: &AnyDialect, now: Now) -> Noted {
        self.spend(now.instant);
        let mut noted = Noted::default();
        dialect.receive(message, &mut Conversation::new(self, dialect, &mut noted, now));
        noted
    }

    /// Notes that the client is gone.
    pub(crate) fn close(&mut self, dialect: &AnyDialect, now: Now) -> Noted {
        let mut noted = Noted::default();
        dialect.close(&mut Conversation::new(self, dialect, &mut noted, now));
        noted
    }

    /// Ends a set of messages that arrived together and says what is to be done.
    pub(crate) fn settle(&mut self) -> Vec<Effect> {
        let waiting = self.waiting.take().unwrap_or_default();
        let mut effects = Vec::new();
        effects.extend(waiting.buffering.map(Effect::Buffer));
        effects.extend(waiting.boxes);
        effects.extend(
            waiting
                .view
                .map(|Change { dialect, .. }| Asked {
                    dialect,
                    rights: self.identity.rights(),
                    admission: Admission::default(),
                    receipt: None,
                })
                .map(|asked| Effect::View(Box::new(self.view.clone()), asked)),
        );
        effects.extend(waiting.effects);
        effects
    }

    /// Whether the last that was said may be replaced by what comes next: where the client looks.
    pub(crate) fn is_panning(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| match waiting.effects.last() {
            Some(effect) => matches!(effect, Effect::View(..)),
            None => waiting.view.is_some(),
        })
    }

    /// Who asks for what is being read.
    fn asking(&self) -> &Identity {
        self.bearer.as_deref().unwrap_or(&self.identity)
    }

    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    /// Whether something waits for [`settle`](Self::settle).
    pub(crate) fn is_unsettled(&self) -> bool {
        self.waiting.is_some()
    }

    /// What waits for [`settle`](Self::settle) besides the view, to be gone through.
    pub(crate) fn unsettled(&mut self) -> Option<&mut Vec<Effect>> {
        self.waiting.as_mut().map(|waiting| &mut waiting.effects)
    }

    /// When the next message may be read, if the client sent more than its rate allows.
    pub(crate) fn resumes(&self, now: Instant) -> Option<Instant> {
        self.rate.resumes(now).max(self.token_resumes.filter(|resumes| *resumes > now))
    }

    /// Counts a command, or a frame that means nothing, for the rates that the client is held to.
    pub(crate) fn spend(&mut self, now: Instant) {
        self.rate.spend(now);
        if let Some(token) = self.identity.token() {
            self.token_resumes = self.rules.token_rates.spend(token, now);
        }
    }

    /// Looks again until when the client has to wait for others with the same token: the rate may be another one.
    pub(crate) fn look_at_token_rate(&mut self, now: Instant) {
        let token = self.identity.token();
        self.token_resumes = token.and_then(|token| self.rules.token_rates.resumes(token, now));
    }

    /// What is to be kept within.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whose session it is.
    pub(crate) fn client(&self) -> ClientId {
        self.client
    }

    /// How long the client's token still holds, if it ends. At most a day: who asks asks again.
    pub(crate) fn expires_in(&self, now: Timestamp) -> Option<Duration> {
        let left = self.identity.expires()?.millis() - now.millis();
        Some(Duration::from_secs_f64((left / 1000.0).clamp(0.0, 86_400.0)))
    }

    /// Goes back to a view that is in force, because the one that was asked for cannot be shown.
    pub(crate) fn go_back(&mut self, view: View) {
        self.view = view;
    }

    /// Takes back a box that cannot be looked at: the one in force stays. Without one, the channels that a box brings along
    /// go, and are returned.
    pub(crate) fn put_back(&mut self, refused: &Viewport, in_force: &View) -> Vec<Channel> {
        if self.view.viewport.as_ref() != Some(refused) {
            return Vec::new();
        }
        self.view.look_as(in_force);
        if in_force.viewport.is_some() {
            return Vec::new();
        }
        let subscriptions = self.subscriptions.iter();
        let dropped = subscriptions.filter(|(_, subscription)| subscription.cause == Cause::Viewport);
        let dropped: Vec<Channel> = dropped.map(|(channel, _)| channel.clone()).collect();
        for channel in &dropped {
            self.subscriptions.remove(channel);
        }
        dropped
    }

    /// Gives up a subscription that could not begin, unless it has been asked for anew in the set that is being read.
    pub(crate) fn forget(&mut self, channel: &Channel) {
        let is_asked_anew = self
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.effects.iter().any(|effect| effect.begins(channel)));
        if !is_asked_anew {
            self.subscriptions.remove(channel);
        }
    }

    /// What the client looks at, as far as it has been said.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// What is delivered.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = (&Channel, &Subscription)> {
        self.subscriptions.iter()
    }
}

#[cfg(test)]
mod tests;
