use std::time::Instant;

use futures_util::{FutureExt, StreamExt};

use super::{CloseCode, Connection, frame, liveness::Due, mailbox::Condition, run::End};
use crate::{Count, clock};

/// What happens because time has passed.
impl Connection {
    /// Does what the time demands.
    pub(super) fn tick(&mut self, now: Instant) -> Option<End> {
        if self.session.is_unsettled() && self.settles_at(now) <= now {
            self.is_opening = false;
            let effects = self.session.settle();
            self.add(effects);
            self.proceed();
        }
        if self.is_over {
            return Some(End::Close(CloseCode::Asked));
        }
        if let Some(spread) = self.worker.draining() {
            self.leave_at.get_or_insert_with(|| now + spread.mul_f64(fastrand::f64()));
        }
        if self.session.expires_in(clock::timestamp()).is_some_and(|left| left.is_zero()) {
            self.count(Count::ClosedExpired);
            return Some(End::Close(CloseCode::Expired));
        }
        if self.dismissed.is_none() && self.session.is_to_be_judged(clock::timestamp()) {
            self.judge(now);
        }
        if self.leave_at.is_some_and(|leave_at| leave_at <= now) {
            let Some(code) = self.dismissed else { return Some(End::Close(CloseCode::Restart)) };
            self.count(Count::ClosedRevoked);
            return Some(End::Close(code));
        }
        match self.liveness.due(now) {
            Due::Ping => {
                self.worker.with_mailbox(self.id, |mailbox| mailbox.send(frame::PING));
            }
            // It is not being read at this moment, or has not had the ping yet, so its silence says nothing. Whether a full socket is
            // being read is judged below.
            Due::Close if !self.reads(now) || self.is_blocked() => self.liveness.heard(now),
            Due::Close => match self.websocket.next().now_or_never() {
                Some(message) => return self.receive(message),
                None => {
                    self.count(Count::ClosedSilent);
                    return Some(End::Close(CloseCode::Silent));
                }
            },
            Due::Nothing => {}
        }
        if self.mailbox(|mailbox| mailbox.due()).is_some_and(|due| due <= now) {
            self.worker.with_mailbox(self.id, |_| ());
        }
        match self.mailbox(|mailbox| Some(mailbox.condition()))? {
            Condition::Idle => None,
            Condition::Blocked { since } if since + self.worker.node.settings.timeouts.write > now => None,
            Condition::Blocked { .. } if self.is_being_read(now) => None,
            Condition::Blocked { .. } | Condition::Overflowed => {
                self.count(Count::ClosedSlow);
                Some(End::Close(CloseCode::SlowConsumer))
            }
            Condition::Broken(_) => Some(End::Gone),
        }
    }

    fn is_being_read(&self, now: Instant) -> bool {
        let taken = self.worker.with_mailbox(self.id, |mailbox| mailbox.insist(now)).flatten();
        taken.inspect(|bytes| self.worker.written(*bytes)).is_some()
    }

    /// When something is to be done although nothing has come.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let mut deadline = self.liveness.next();
        let write_limit = self.worker.node.settings.timeouts.write;
        let blocked = self.mailbox(|mailbox| match mailbox.condition() {
            Condition::Blocked { since } => Some(since + write_limit),
            _ => None,
        });
        let settle = self.session.is_unsettled().then(|| self.settles_at(now));
        let candidates = [
            blocked,
            settle,
            self.leave_at,
            self.session.resumes(now),
            self.session.expires_in(clock::timestamp()).map(|left| now + left),
            self.session.judged_in(clock::timestamp()).map(|left| now + left),
            self.mailbox(|mailbox| mailbox.due()),
        ];
        for candidate in candidates.into_iter().flatten() {
            deadline = deadline.min(candidate);
        }
        deadline
    }

    /// When the frames that have come are applied: at once, but for the first ones of a connection, which a client
    /// sends one by one.
    fn settles_at(&self, now: Instant) -> Instant {
        let settle = self.worker.node.settings.timeouts.settle;
        let first_heard = self.liveness.first_heard().filter(|_| self.is_opening);
        first_heard.map_or(now, |first| first + settle)
    }
}
