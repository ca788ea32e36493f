use std::{any::Any, sync::Arc, time::Duration};

use geocast_geo_filter::KnownCrs;
use geocast_protocol::{ChangeFormat, Channel, Crs, Number, envelope::Timestamp, text::Members};

use super::{
    Asked, Buffering, Cause, Effect, Fault, FaultKind, Fetch, Noted, Now, Publication, Receipt, Session,
    Subscription, View, Viewport,
};
use crate::{
    Count, Event, Settings,
    access::TokenError,
    dialect::{AnyDialect, Payload},
    handler::Handling,
    pipeline::ClientId,
};

/// What a [`Dialect`](crate::Dialect) can do for a client that has said something.
///
/// Everything is done in the order in which it is asked for, and what is said behind something that takes time is sent
/// behind it.
#[derive(Debug)]
pub struct Conversation<'a> {
    session: &'a mut Session,
    dialect: &'a AnyDialect,
    noted: &'a mut Noted,
    now: Now,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        session: &'a mut Session,
        dialect: &'a AnyDialect,
        noted: &'a mut Noted,
        now: Now,
    ) -> Self {
        Self { session, dialect, noted, now }
    }

    /// Goes on in another dialect for the time of `talk`.
    pub(crate) fn speaking(&mut self, dialect: &AnyDialect, talk: impl FnOnce(&mut Conversation<'_>)) {
        talk(&mut Conversation { session: self.session, dialect, noted: self.noted, now: self.now });
    }

    /// Goes on as the one for whom a token stands, for the time of `talk`. Where the server reads no tokens, this one is
    /// passed over.
    ///
    /// # Errors
    /// The token is not accepted; then there is no `talk`.
    pub(crate) fn presenting<T>(
        &mut self,
        token: &str,
        talk: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, TokenError> {
        let identity =
            match self.session.rules.access.identify_token(token, &self.session.identity, self.now.wall) {
                Ok(identity) => identity,
                Err(TokenError::Unused) => return Ok(talk(self)),
                Err(error) => return Err(error),
            };
        let own = std::mem::replace(&mut self.session.identity, identity);
        let told = talk(self);
        self.session.identity = own;
        Ok(told)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.now.wall
    }

    /// Whose conversation it is.
    pub fn client(&self) -> ClientId {
        self.session.client
    }

    /// What the dialect remembers of this client: one value, made when it is first asked for.
    pub fn memory<T: Any + Send>(&mut self, begin: impl FnOnce(ClientId) -> T) -> &mut T {
        let Session { client, memory, .. } = &mut *self.session;
        let memory = memory.get_or_insert_with(|| Box::new(()));
        if !memory.is::<T>() {
            *memory = Box::new(begin(*client));
        }
        memory.downcast_mut().expect("it has been made of this type just now")
    }

    /// Counts one more command of a message that holds several, for the client's rate.
    pub fn spend(&mut self) {
        self.session.rate.spend(self.now.instant);
    }

    /// Lets the client wait with its next message for so much longer than it would.
    pub(crate) fn occupy(&mut self, time: Duration) {
        self.session.rate.occupy(self.now.instant, time);
    }

    /// Sends the client something.
    pub fn say(&mut self, payload: Payload) {
        self.wants(Effect::Say(payload));
    }

    /// Sends what is said during `talk`, at once or later, as the dialect's
    /// [`gathered`](crate::Dialect::gathered) makes it.
    pub fn gather(&mut self, talk: impl FnOnce(&mut Self)) {
        self.wants(Effect::Gather);
        talk(self);
        self.wants(Effect::Release(self.dialect.clone()));
    }

    /// Whether the client may read the channel. A refusal is counted.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`].
    pub fn may_read(&mut self, channel: &Channel) -> Result<(), Fault> {
        let Session { rules, identity, client, .. } = &*self.session;
        rules.access.reads(identity, channel, self.now.wall).map_err(|refused| {
            tracing::debug!(%client, %refused);
            self.noted.0.push(Count::ChannelRefused);
            Fault::new(FaultKind::AccessDenied, refused.to_string()).of(channel.as_str())
        })
    }

    /// Reads state and sends what of it is in the viewport. The caller has seen to it that the client
    /// [may read](Self::may_read) it.
    pub fn get(&mut self, fetch: Fetch) {
        let asked = self.asked(None);
        self.wants(Effect::Fetch(fetch, asked));
    }

    /// Delivers a channel, in the dialect of this conversation. With a receipt, the client is told when the subscription is
    /// in force.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::TooManySubscriptions`].
    pub fn subscribe(&mut self, channel: Channel, receipt: Option<Receipt>) -> Result<(), Fault> {
        self.ask_for(channel, None, receipt)
    }

    /// Tells the client what of a channel's state enters its viewport, changes in it, and leaves it, beginning with all that
    /// is inside. With a receipt, the client is told when the subscription is in force, before anything else.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::TooManySubscriptions`].
    pub fn track(
        &mut self,
        channel: Channel,
        format: ChangeFormat,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        self.ask_for(channel, Some(format), receipt)
    }

    fn ask_for(
        &mut self,
        channel: Channel,
        track: Option<ChangeFormat>,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        self.may_read(&channel)?;
        let rights = self.session.identity.rights();
        if let Some(subscription) = self.session.subscriptions.find(&channel) {
            subscription.cause = Cause::Command;
            if subscription.is_like(self.dialect, track, &rights) {
                // That it was asked for before does not mean that the store has confirmed it.
                if receipt.is_some() {
                    let asked = self.asked(receipt);
                    self.wants(Effect::Confirm(channel, track, asked));
                }
                return Ok(());
            }
        }
        self.deliver(channel, track, Cause::Command, receipt)
    }

    /// Delivers a channel whatever the client may read: the decision is another's, such as a filter's.
    ///
    /// # Errors
    /// [`FaultKind::TooManySubscriptions`].
    pub(crate) fn admit(&mut self, channel: Channel) -> Result<(), Fault> {
        if self.session.subscriptions.contains(&channel) {
            return Ok(());
        }
        self.deliver(channel, None, Cause::Command, None)
    }

    /// Delivers a channel no more. False if it was not delivered.
    pub fn unsubscribe(&mut self, channel: &Channel) -> bool {
        let known = self.session.subscriptions.remove(channel);
        if known {
            self.wants(Effect::Unsubscribe(channel.clone()));
        }
        known
    }

    /// What the client looks at.
    pub fn view(&self) -> &View {
        &self.session.view
    }

    /// Changes what the client looks at, from here on.
    pub fn look(&mut self, change: impl FnOnce(&mut View), receipt: Option<Receipt>) {
        self.pan();
        change(&mut self.session.view);
        let view = Box::new(self.session.view.clone());
        let asked = self.asked(receipt);
        self.wants(Effect::View(view, asked));
    }

    /// Changes what the client looks at, for all that has come together with this.
    pub fn change_view(&mut self, change: impl FnOnce(&mut View)) {
        self.pan();
        change(&mut self.session.view);
        self.session.waiting.view = Some(self.dialect.clone());
    }

    /// A view that is replaced before it was shown costs the client nothing.
    fn pan(&mut self) {
        if self.session.is_panning() {
            self.session.rate.refund();
        }
    }

    /// A box that a client named: `[left, bottom, right, top]`, in this system or else in that of the client's view, and the
    /// zoom level, if it named one.
    ///
    /// # Errors
    /// [`FaultKind::InvalidBbox`], [`FaultKind::BboxUnits`], [`FaultKind::UnknownCrs`], [`FaultKind::AccessDenied`].
    pub fn viewport(
        &self,
        corners: [f64; 4],
        crs: Option<Crs>,
        members: Members,
        zoom: Option<Number>,
    ) -> Result<Viewport, Fault> {
        let members = self.session.identity.limit(zoom.map(f64::from), members)?;
        let crs = crs.map_or(Ok(self.session.view.output), |crs| self.known(crs))?;
        let rules = &self.session.rules;
        let region = rules.catalogue.region(crs, rules.settings.axis_order, corners);
        let region = region.map_err(|error| Fault::from(error).of(format!("{corners:?}")))?;
        Ok(Viewport { corners, region, crs, members, zoom })
    }

    /// What the operator has set.
    pub(crate) fn settings(&self) -> &Settings {
        &self.session.rules.settings
    }

    /// Subscribes to the channels that come with a viewport.
    pub fn start_viewport_channels(&mut self) {
        let rules = Arc::clone(&self.session.rules);
        for channel in &rules.settings.viewport_channels {
            if self.session.subscriptions.contains(channel) {
                continue;
            }
            // Whatever keeps a channel away has been counted.
            let _refused: Result<(), Fault> = self
                .may_read(channel)
                .and_then(|()| self.deliver(channel.clone(), None, Cause::Viewport, None));
        }
    }

    /// Unsubscribes from the channels that came with a viewport.
    pub fn reset(&mut self) {
        let subscriptions = self.session.subscriptions.iter();
        let dropped: Vec<Channel> = subscriptions
            .filter(|(_, subscription)| subscription.cause == Cause::Viewport)
            .map(|(channel, _)| channel.clone())
            .collect();
        for channel in dropped {
            self.unsubscribe(&channel);
        }
    }

    /// Collects pushes for so many milliseconds, or until there are so many; a zero is no bound, two end it. Returns what
    /// is in force.
    ///
    /// # Errors
    /// [`FaultKind::BufferTooLarge`].
    pub fn buffer(&mut self, milliseconds: u32, count: u32) -> Result<(u32, u32), Fault> {
        let (longest, most) = self.session.rules.settings.limits.buffer;
        if milliseconds > longest || count > most {
            let message = format!(
                "buffer of {milliseconds} ms and {count} messages is above the allowed {longest} ms and {most} messages"
            );
            return Err(Fault::new(FaultKind::BufferTooLarge, message));
        }
        if milliseconds == 0 && count == 0 {
            self.session.waiting.buffering = Some(None);
            return Ok((0, 0));
        }
        // A bound of zero stands for none, so the other one decides alone.
        let milliseconds = if milliseconds == 0 { longest } else { milliseconds };
        let count = if count == 0 { most } else { count };
        self.session.waiting.buffering = Some(Some(Buffering {
            wait: Duration::from_millis(u64::from(milliseconds)),
            count: count as usize,
            dialect: self.dialect.clone(),
        }));
        Ok((milliseconds, count))
    }

    /// Publishes something. With a receipt, the client is told when the store has it.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::PayloadRefused`].
    pub fn publish(&mut self, publication: Publication, receipt: Option<Receipt>) -> Result<(), Fault> {
        let rules = &self.session.rules;
        let admitted = rules.access.publishes(&self.session.identity, &publication.channel, self.now.wall);
        let admitted = admitted.map_err(|error| {
            let subject = publication.channel.as_str();
            Fault::new(FaultKind::AccessDenied, error.to_string()).of(subject)
        });
        let readable = || {
            Event::check(&publication.payload, &rules.settings.limits.payload())
                .map_err(|error| Fault::new(FaultKind::PayloadRefused, error.to_string()))
        };
        if let Err(fault) = admitted.and_then(|()| readable()) {
            self.count(Count::PublishRefused);
            return Err(fault);
        }
        let asked = self.asked(receipt);
        self.wants(Effect::Publish(publication, asked));
        Ok(())
    }

    /// Has a request handled. What follows does not wait for it.
    pub(crate) fn handle(&mut self, handling: Handling) {
        self.wants(Effect::Handle(handling));
    }

    /// Closes the connection once all that was asked for before has been done.
    pub fn close(&mut self) {
        self.wants(Effect::Close);
    }

    /// Sends something to other clients on a channel of the server's own, which nobody has to be allowed.
    pub(crate) fn publish_freely(&mut self, publication: Publication) {
        let asked = self.asked(None);
        self.wants(Effect::Publish(publication, asked));
    }

    /// Publishes something for a filter, whatever the settings let the client do. The program's own policy is asked.
    pub(crate) fn publish_for_filter(&mut self, publication: Publication) {
        let Session { rules, identity, client, .. } = &*self.session;
        if let Err(refused) = rules.access.publishes_for_filter(identity, &publication.channel) {
            tracing::warn!(%client, %refused, "what a filter wanted published is dropped");
            return self.count(Count::PublishRefused);
        }
        self.publish_freely(publication);
    }

    /// Says what is believed about the client.
    pub fn report(&mut self, reference: Box<str>) {
        self.wants(Effect::Report(reference, self.dialect.clone()));
    }

    /// A system of PROJ's database.
    ///
    /// # Errors
    /// [`FaultKind::UnknownCrs`].
    pub fn known(&self, crs: Crs) -> Result<KnownCrs, Fault> {
        self.session.rules.catalogue.crs(crs.code()).ok_or_else(|| {
            let message = format!("coordinate reference system `{crs}` is not known here");
            Fault::new(FaultKind::UnknownCrs, message).of(crs.to_string())
        })
    }

    pub(crate) fn count(&mut self, count: Count) {
        self.noted.0.push(count);
    }

    fn deliver(
        &mut self,
        channel: Channel,
        track: Option<ChangeFormat>,
        cause: Cause,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        let limit = self.session.rules.settings.limits.subscriptions;
        let subscriptions = &mut self.session.subscriptions;
        if subscriptions.len() >= limit && !subscriptions.contains(&channel) {
            self.count(Count::SubscriptionRefused);
            let message = format!("channel `{channel}` would be one more than the {limit} allowed");
            return Err(Fault::new(FaultKind::TooManySubscriptions, message).of(channel.as_str()));
        }
        let (dialect, rights) = (self.dialect.clone(), self.session.identity.rights());
        subscriptions.insert(channel.clone(), Subscription { cause, dialect, track, rights });
        let asked = self.asked(receipt);
        self.wants(Effect::Subscribe(channel, track, asked));
        Ok(())
    }

    fn asked(&self, receipt: Option<Receipt>) -> Asked {
        Asked { dialect: self.dialect.clone(), rights: self.session.identity.rights(), receipt }
    }

    fn wants(&mut self, effect: Effect) {
        self.session.waiting.effects.push(effect);
    }
}
