use std::time::Instant;

use geocast_protocol::Channel;

use super::{CloseCode, Connection, Frame, work::Request};
use crate::{
    Count,
    access::Unaccepted,
    clock,
    dialect::Answer,
    session::{Asked, Dismissal, Effect, Ended, Fault, Publication},
};

/// What follows from the server judging anew what it has let a client do.
impl Connection {
    /// Ends what the client may not have any more, and says so.
    pub(super) fn judge(&mut self, instant: Instant) {
        self.session.look_at_token_rate(instant);
        let now = clock::timestamp();
        let ended = match self.session.judge(now) {
            Ok(ended) => ended,
            Err((dismissal, channels)) => return self.dismiss(dismissal, &channels, instant),
        };
        for Ended { channel, dialect, fault } in ended {
            self.count(Count::SubscriptionEnded);
            self.give_up(&channel, &fault);
            self.effects.retain(|effect| !matches!(effect, Effect::Attend(other, _) if *other == channel));
            self.stand_up(&channel);
            self.leave(&channel);
            let notice = dialect.answer(Answer::Ended { channel: &channel, fault: &fault }, now);
            let notice: Vec<Frame> = notice.iter().map(Frame::from).collect();
            // Not among what is kept to be sent together, which answers what was asked.
            self.worker.with_mailbox(self.id, |mailbox| mailbox.answer(&notice));
        }
    }

    /// Delivers nothing more, reads nothing more, and closes. The close is spread as those of a stopping server are: all bearers of a
    /// key are judged at the same moment, and are not to connect again all at once.
    fn dismiss(&mut self, dismissal: Dismissal, channels: &[Channel], now: Instant) {
        self.dismissed = Some(match dismissal {
            Dismissal::Unaccepted(Unaccepted::Token) => CloseCode::Revoked,
            Dismissal::Unaccepted(Unaccepted::Page) | Dismissal::Address => CloseCode::Forbidden,
        });
        // A server that stops has settled that already.
        self.leave_at.get_or_insert_with(|| now + self.worker.node.close_spread().mul_f64(fastrand::f64()));
        self.work.take_if(|work| work.is_request());
        self.handled = None;
        // Publications may still be allowed.
        let stays = |effect: &Effect| {
            !matches!(effect, Effect::Attend(..) | Effect::Muster(..)) && Request::of(effect).is_none()
        };
        self.effects.retain(stays);
        if let Some(unsettled) = self.session.unsettled() {
            unsettled.retain(stays);
        }
        self.depart();
        for channel in channels {
            self.leave(channel);
        }
    }

    /// An effect whose turn has come; or none, because access was configured anew while it waited and does not let the client have
    /// it any more. Then that is said.
    pub(super) fn admitted(&mut self, effect: Effect) -> Option<Effect> {
        let (Effect::Fetch(_, asked) | Effect::Recall(_, asked) | Effect::Publish(_, asked)) = &effect else {
            return Some(effect);
        };
        let (session, now) = (&self.session, clock::timestamp());
        if session.is_as_then(&asked.admission) {
            return Some(effect);
        }
        let (judged, asked, count) = match &effect {
            Effect::Publish(Publication { channel, .. }, asked) => (
                session.still_publishes(channel, &asked.admission, now),
                asked.clone(),
                Count::PublishRefused,
            ),
            _ => {
                let Request { channel, asked } = Request::of(&effect)?;
                (session.still_reads(&channel, &asked.admission, now), asked, Count::ChannelRefused)
            }
        };
        let Err(fault) = judged else { return Some(effect) };
        self.count(count);
        self.fail(&asked, &fault);
        None
    }

    /// Refuses what has been asked for of a channel and not been done, also in a set that is not complete yet.
    fn give_up(&mut self, channel: &Channel, fault: &Fault) {
        let mut refused = Vec::new();
        if let Some(request) = self.work.as_ref().and_then(|work| work.request_of(channel)) {
            refused.push(request.clone());
            self.work = None;
        }
        self.effects.retain(|effect| match Request::of(effect) {
            Some(request) if request.channel == *channel => {
                refused.push(request);
                false
            }
            Some(_) | None => true,
        });
        for Request { asked, .. } in refused {
            if asked.receipt.is_some() {
                self.fail(&asked, fault);
            }
        }
        if let Some(unsettled) = self.session.unsettled() {
            // Answered in its place: it may be part of an answer to all of the set.
            let judged =
                std::mem::take(unsettled).into_iter().flat_map(|effect| match Request::of(&effect) {
                    Some(Request { channel: wanted, asked }) if wanted == *channel => asked.refused(fault),
                    Some(_) | None => vec![effect],
                });
            *unsettled = judged.collect();
        }
    }
}

impl Asked {
    /// What is said instead of doing it, if anything is.
    fn refused(self, fault: &Fault) -> Vec<Effect> {
        let Some(receipt) = self.receipt else { return Vec::new() };
        let failed = Answer::Failed { reference: Some(&receipt.reference), fault };
        self.dialect.answer(failed, clock::timestamp()).into_iter().map(Effect::Say).collect()
    }
}
