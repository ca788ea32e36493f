use std::time::Duration;

use geocast_protocol::{Channel, envelope::Timestamp};

use super::{Cause, Fault, FaultKind, Session};
use crate::{
    access::{Identity, Unaccepted},
    dialect::AnyDialect,
};

/// A subscription that is over, and not because the client wants it so.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) channel: Channel,
    /// In which the client is told.
    pub(crate) dialect: AnyDialect,
    pub(crate) fault: Fault,
}

/// Why a client may not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// Who it is.
    Unaccepted(Unaccepted),
    /// It may not read the channel that its address names, and there is nothing else it is here for.
    Address,
}

/// By what a client was let ask for something. When its turn comes, that may not hold any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admission {
    /// The number of the terms. None where nobody has to be allowed it.
    terms: Option<u64>,
    /// Who asked, if it was not the client as it connected.
    bearer: Option<Box<Identity>>,
}

impl PartialEq for Admission {
    fn eq(&self, other: &Self) -> bool {
        let token = |admission: &Self| admission.bearer.as_ref().map(|bearer| bearer.token());
        self.terms == other.terms && token(self) == token(other)
    }
}

/// Whether a client may still have what it was given: access is configured anew, and tokens end.
impl Session {
    /// Whether that is a question.
    pub(crate) fn is_to_be_judged(&self, now: Timestamp) -> bool {
        self.identity.terms() != self.rules.access.number()
            || self.bearers().any(|bearer| bearer.has_expired(now))
    }

    /// Answers it. The subscriptions that are returned are over; whether there are any, what is asked for from here on is
    /// judged when it is asked for.
    ///
    /// # Errors
    /// The client may not stay. All its subscriptions are over: these are their channels.
    pub(crate) fn judge(&mut self, now: Timestamp) -> Result<Vec<Ended>, (Dismissal, Vec<Channel>)> {
        let access = &self.rules.access;
        if let Err(unaccepted) = access.judge(&mut self.identity) {
            return Err((Dismissal::Unaccepted(unaccepted), self.give_up()));
        }
        let (identity, mut ended, mut is_over) = (&self.identity, Vec::new(), false);
        self.subscriptions.retain(|channel, subscription| {
            if subscription.cause == Cause::Filter {
                return true;
            }
            let reads = match &mut subscription.bearer {
                Some(bearer) => {
                    // What is not accepted stays marked as not judged, and may not read.
                    let _refused: Result<(), Unaccepted> = access.judge(bearer);
                    access.reads(bearer, channel, now)
                }
                None => access.reads(identity, channel, now),
            };
            let Err(refused) = reads else { return true };
            tracing::debug!(client = %self.client, %refused, "a subscription ends");
            is_over |= subscription.cause == Cause::Address;
            let message = format!("the subscription has ended: {refused}");
            let fault = Fault::new(FaultKind::AccessDenied, message).of(channel.as_str());
            ended.push(Ended { channel: channel.clone(), dialect: subscription.dialect.clone(), fault });
            false
        });
        if is_over {
            let mut channels = self.give_up();
            channels.extend(ended.into_iter().map(|ended| ended.channel));
            return Err((Dismissal::Address, channels));
        }
        Ok(ended)
    }

    /// Ends all subscriptions, and names their channels.
    fn give_up(&mut self) -> Vec<Channel> {
        let mut channels = Vec::new();
        self.subscriptions.retain(|channel, _| {
            channels.push(channel.clone());
            false
        });
        channels
    }

    /// By what the client is let ask for what is being read.
    pub(super) fn admission(&self) -> Admission {
        Admission { terms: Some(self.asking().terms()), bearer: self.bearer.clone() }
    }

    /// Whether access is as it was when something was asked for.
    pub(crate) fn is_as_then(&self, admission: &Admission) -> bool {
        admission.terms.is_none_or(|terms| terms == self.rules.access.number())
    }

    /// Whether a channel may be read by who asked for that.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`].
    pub(crate) fn still_reads(
        &self,
        channel: &Channel,
        admission: &Admission,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let reads = self.rules.access.reads(&self.judged_anew(admission), channel, now);
        reads.map_err(|refused| Fault::new(FaultKind::AccessDenied, refused.to_string()).of(channel.as_str()))
    }

    /// Whether who asked for that may publish to a channel.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`].
    pub(crate) fn still_publishes(
        &self,
        channel: &Channel,
        admission: &Admission,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let publishes = self.rules.access.publishes(&self.judged_anew(admission), channel, now);
        publishes
            .map_err(|refused| Fault::new(FaultKind::AccessDenied, refused.to_string()).of(channel.as_str()))
    }

    fn judged_anew(&self, admission: &Admission) -> Identity {
        let mut identity = admission.bearer.as_deref().unwrap_or(&self.identity).clone();
        // What is not accepted stays marked as not judged, and may do nothing.
        let _refused: Result<(), Unaccepted> = self.rules.access.judge(&mut identity);
        identity
    }

    /// How long it is until the first token ends that a subscription hangs on. At most a day: who asks asks again.
    pub(crate) fn judged_in(&self, now: Timestamp) -> Option<Duration> {
        let ends = self.bearers().filter_map(Identity::expires).map(|ends| ends.millis() - now.millis());
        let left = ends.min_by(f64::total_cmp)?;
        Some(Duration::from_secs_f64((left / 1000.0).clamp(0.0, 86_400.0)))
    }

    fn bearers(&self) -> impl Iterator<Item = &Identity> {
        self.subscriptions.iter().filter_map(|(_, subscription)| subscription.bearer.as_deref())
    }
}
