use std::sync::Arc;

use geocast_protocol::{ChangeFormat, Channel, Since};

use super::{
    super::{Cause, Effect, Fault, FaultKind, Fetch, Recall, Receipt, Session, Subscription},
    Conversation,
};
use crate::{ChannelRule, Count};

/// What is read and delivered.
impl Conversation<'_> {
    /// Whether the client may read the channel. A refusal is counted.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`].
    pub fn may_read(&mut self, channel: &Channel) -> Result<(), Fault> {
        let Session { rules, client, .. } = &*self.session;
        rules.access.reads(self.session.asking(), channel, self.now.wall).map_err(|refused| {
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

    /// Whether messages of a channel are kept.
    pub fn has_history(&self, channel: &Channel) -> bool {
        ChannelRule::find(&self.session.rules.settings.history, channel).is_some()
    }

    /// Delivers a channel that has a history, with the place of each message in it. The client is told from where on, by
    /// [`Answer::Subscribed`](crate::Answer::Subscribed) under the receipt's reference. Where it asks for what came `since`, that is
    /// sent first, unless some of it is gone; then the client is told so, and gets what comes from now on.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::HistoryUnavailable`], [`FaultKind::TooManySubscriptions`].
    pub fn resume(
        &mut self,
        channel: Channel,
        since: Option<Since>,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        self.may_read(&channel)?;
        self.must_have_history(&channel)?;
        let subscription = self.subscription(Cause::Command, None);
        self.take_up(&channel, Subscription { is_numbered: true, ..subscription })?;
        let asked = self.asked(receipt);
        self.wants(Effect::Resume(channel, since, asked));
        Ok(())
    }

    /// Reads a part of a channel's history and sends what of it is in the viewport. The caller has seen to it that the client
    /// [may read](Self::may_read) it.
    pub(crate) fn history(&mut self, recall: Recall) -> Result<(), Fault> {
        self.must_have_history(&recall.channel)?;
        let asked = self.asked(None);
        self.wants(Effect::Recall(recall, asked));
        Ok(())
    }

    fn must_have_history(&self, channel: &Channel) -> Result<(), Fault> {
        if self.has_history(channel) {
            return Ok(());
        }
        let message = format!("channel `{channel}` has no history");
        Err(Fault::new(FaultKind::HistoryUnavailable, message).of(channel.as_str()))
    }

    /// Delivers a channel whatever the client may read: the decision is another's, or has been made before.
    ///
    /// # Errors
    /// [`FaultKind::TooManySubscriptions`].
    pub(crate) fn admit(&mut self, channel: Channel, cause: Cause) -> Result<(), Fault> {
        if self.session.subscriptions.contains(&channel) {
            return Ok(());
        }
        self.deliver(channel, None, cause, None)
    }

    /// Delivers a channel no more. False if it was not delivered.
    pub fn unsubscribe(&mut self, channel: &Channel) -> bool {
        let known = self.session.subscriptions.remove(channel);
        if known {
            self.wants(Effect::Unsubscribe(channel.clone()));
        }
        known
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

    fn ask_for(
        &mut self,
        channel: Channel,
        track: Option<ChangeFormat>,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        self.may_read(&channel)?;
        let (rights, bearer) = (self.session.asking().rights(), self.session.bearer.clone());
        if let Some(subscription) = self.session.subscriptions.find(&channel) {
            subscription.cause = Cause::Command;
            if subscription.is_like(self.dialect, track, &rights) {
                // It may be another token, which lasts longer.
                subscription.bearer = bearer;
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

    fn deliver(
        &mut self,
        channel: Channel,
        track: Option<ChangeFormat>,
        cause: Cause,
        receipt: Option<Receipt>,
    ) -> Result<(), Fault> {
        let subscription = self.subscription(cause, track);
        self.take_up(&channel, subscription)?;
        let asked = self.asked(receipt);
        self.wants(Effect::Subscribe(channel, track, asked));
        Ok(())
    }

    /// A subscription of who asks.
    fn subscription(&self, cause: Cause, track: Option<ChangeFormat>) -> Subscription {
        let (dialect, rights) = (self.dialect.clone(), self.session.asking().rights());
        let bearer = self.session.bearer.clone();
        Subscription { cause, dialect, track, is_numbered: false, rights, bearer }
    }

    /// Remembers a subscription, if there may be one more.
    fn take_up(&mut self, channel: &Channel, subscription: Subscription) -> Result<(), Fault> {
        let limit = self.session.limits.subscriptions;
        let subscriptions = &mut self.session.subscriptions;
        if subscriptions.len() >= limit && !subscriptions.contains(channel) {
            self.count(Count::SubscriptionRefused);
            let message = format!("channel `{channel}` would be one more than the {limit} allowed");
            return Err(Fault::new(FaultKind::TooManySubscriptions, message).of(channel.as_str()));
        }
        subscriptions.insert(channel.clone(), subscription);
        if self.has_presence(channel) {
            let attendee = self.attendee(None, false);
            self.wants(Effect::Attend(channel.clone(), Box::new(attendee)));
        }
        Ok(())
    }
}
