use geocast_protocol::Channel;

use super::{CloseCode, Connection, Frame, run::End, work::Request};
use crate::{
    Count,
    access::Unaccepted,
    clock,
    dialect::Answer,
    session::{Asked, Dismissal, Effect, Ended, Fault},
};

/// What follows from the server judging anew what it has let a client do.
impl Connection {
    /// Ends what the client may not have any more, and says so.
    pub(super) fn judge(&mut self) -> Option<End> {
        let now = clock::timestamp();
        let ended = match self.session.judge(now) {
            Ok(ended) => ended,
            Err(dismissal) => {
                self.count(Count::ClosedRevoked);
                return Some(End::Close(match dismissal {
                    Dismissal::Unaccepted(Unaccepted::Token) => CloseCode::Revoked,
                    Dismissal::Unaccepted(Unaccepted::Page) | Dismissal::Address => CloseCode::Forbidden,
                }));
            }
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
