use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use thiserror::Error;

use crate::StoreError;

/// Whether messages that are published in Redis still come out of the subscriber connection.
///
/// Every interval a PING goes over the connection, and a message is published to oneself through the command pool, from
/// each master. An answered PING shows that the connection is open, but only the messages show that it belongs to the Redis that
/// publishers speak to, and that what is published on the other masters of a cluster gets here. The messages of one
/// interval have to arrive before the PING of the next is answered. Both come over the same connection in order, so a
/// reader that was held up is never mistaken for one that is deaf.
///
/// The other way round, a PING has to be answered before messages arrive that were published [long after it](Self::overtake). A connection on
/// which only what is sent to Redis is lost would else be taken for a good one for as long as anything is published.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// The number of the last PING, and of the messages published with it.
    sent: u64,
    /// The PING that is not yet answered.
    outstanding: Option<u64>,
    /// What has to have arrived when the outstanding PING is answered.
    due: Acknowledged,
    /// What arrived last, by number.
    arrived: VecDeque<Acknowledged>,
}

/// What Redis said it has published for one connection: how many messages of this number. None with number 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Acknowledged {
    number: u64,
    copies: u32,
}

impl Acknowledged {
    /// Redis has published `copies` messages of a number. Later numbers count.
    pub(super) fn take(&mut self, number: u64, copies: u32) {
        if number > self.number {
            *self = Self { number, copies };
        }
    }
}

/// Whether Redis forbids to publish messages to oneself, by what became of those of one connection: then nobody notices that it is open
/// and deaf.
#[derive(Debug, Clone, Default)]
pub(super) struct Forbidden(Arc<AtomicBool>);

impl Forbidden {
    /// Warns where it is forbidden and was not before.
    pub(super) fn note<T>(&self, outcome: &Result<T, StoreError>) {
        if let Some(reason) = self.news(outcome) {
            tracing::warn!(event = "redis_probe_forbidden", %reason, "the redis user may not publish to __geocast_probe:*, only PING is used");
        }
    }

    /// Why it is forbidden from now on. A Redis that is away says nothing about it.
    fn news<'a, T>(&self, outcome: &'a Result<T, StoreError>) -> Option<&'a str> {
        let reason = match outcome {
            Ok(_) => None,
            Err(StoreError::Refused(reason)) => Some(reason.as_str()),
            Err(_) => return None,
        };
        let was_forbidden = self.0.swap(reason.is_some(), Ordering::Relaxed);
        reason.filter(|_| !was_forbidden)
    }
}

impl Probe {
    /// A new interval, whose number is returned, for the PING and for the messages. What Redis `acknowledged` was published
    /// for this connection, not an earlier one.
    pub(super) fn begin(&mut self, acknowledged: Acknowledged) -> u64 {
        self.sent += 1;
        self.outstanding = Some(self.sent);
        self.due = acknowledged;
        self.sent
    }

    /// Whether a PING is not yet answered.
    pub(super) fn is_outstanding(&self) -> bool {
        self.outstanding.is_some()
    }

    /// The number of messages that are published because a PING has gone unanswered for long. If they arrive before its answer,
    /// Redis has not heard it.
    pub(super) fn overtake(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    /// A message to oneself arrived.
    ///
    /// # Errors
    ///
    /// [`Unheard`], if the outstanding PING should have been answered before.
    pub(super) fn message(&mut self, payload: &[u8]) -> Result<(), Unheard> {
        let number = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok());
        // Anybody can publish on the channel of the probe: a number that was never sent says nothing.
        let Some(number) = number.filter(|&number: &u64| number <= self.sent) else { return Ok(()) };
        if self.outstanding.is_some_and(|ping| ping < number) {
            return Err(Unheard);
        }
        if let Some(known) = self.arrived.iter_mut().find(|known| known.number == number) {
            known.copies = known.copies.saturating_add(1);
            return Ok(());
        }
        if self.arrived.len() >= REMEMBERED {
            self.arrived.pop_front();
        }
        self.arrived.push_back(Acknowledged { number, copies: 1 });
        Ok(())
    }

    /// The PING was answered.
    pub(super) fn answered(&mut self) -> Result<(), Deaf> {
        self.outstanding = None;
        let Acknowledged { number, copies } = self.due;
        let arrived = self.arrived.iter().find(|known| known.number == number);
        if arrived.map_or(0, |known| known.copies) < copies { Err(Deaf) } else { Ok(()) }
    }
}

/// Numbers that are under way are the last, the one before it, and one that a slow master was late with.
const REMEMBERED: usize = 4;

/// What the names of all channels begin with that are for oneself.
pub(super) const PROBE_PREFIX: &str = "__geocast_probe:";

/// The connection is open, but what is published does not arrive on it.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("a message published as a probe did not arrive")]
pub(super) struct Deaf;

/// What is published arrives on the connection, but what is written to it does not.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("redis has not answered a PING, and a message published long after it arrived")]
pub(super) struct Unheard;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_is_said_once_until_it_is_not() {
        let refused = || Err(StoreError::Refused("NOPERM".to_owned()));
        let away = Err(StoreError::Unavailable("away".to_owned()));
        let outcomes = [Ok(()), refused(), away, refused(), Ok(()), refused()];
        let forbidden = Forbidden::default();
        let told: Vec<bool> = outcomes.iter().map(|outcome| forbidden.news(outcome).is_some()).collect();
        assert_eq!(told, [false, true, false, false, false, true]);
        assert_eq!(Forbidden::default().news(&outcomes[1]), Some("NOPERM"), "another connection");
    }

    fn once(number: u64) -> Acknowledged {
        Acknowledged { number, copies: u32::from(number > 0) }
    }

    #[test]
    fn hears_all_masters_or_is_deaf() {
        for (copies, expected) in [(2, Err(Deaf)), (3, Ok(()))] {
            let mut probe = Probe::default();
            probe.begin(once(0));
            for _ in 0..copies {
                assert_eq!(probe.message(b"1"), Ok(()));
            }
            assert_eq!(probe.answered(), Ok(()));
            probe.begin(Acknowledged { number: 1, copies: 3 });
            assert_eq!(probe.message(b"2"), Ok(()));
            assert_eq!(probe.answered(), expected, "{copies} of three");
        }
    }

    #[test]
    fn a_master_that_is_late_is_waited_for() {
        let mut probe = Probe::default();
        let mut acknowledged = Acknowledged::default();
        for number in 1..=9 {
            probe.begin(acknowledged);
            assert_eq!(probe.answered(), Ok(()), "{number}");
            // Of two masters, one is an interval behind.
            assert_eq!(probe.message(number.to_string().as_bytes()), Ok(()));
            assert_eq!(probe.message((number - 1).to_string().as_bytes()), Ok(()));
            acknowledged.take(number - 1, 2);
        }
        acknowledged.take(3, 7);
        assert_eq!(acknowledged, Acknowledged { number: 8, copies: 2 });
    }

    #[test]
    fn is_content_while_messages_arrive() {
        let mut probe = Probe::default();
        assert_eq!(probe.begin(once(0)), 1);
        assert!(probe.is_outstanding());
        assert_eq!(probe.answered(), Ok(()), "the first message is not due yet");
        assert!(!probe.is_outstanding());
        assert_eq!(probe.message(b"1"), Ok(()));
        assert_eq!(probe.begin(once(1)), 2);
        assert_eq!(probe.message(b"2"), Ok(()));
        assert_eq!(probe.answered(), Ok(()));
    }

    #[test]
    fn a_late_message_counts_if_it_comes_before_the_answer() {
        let mut probe = Probe::default();
        probe.begin(once(0));
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(once(1));
        assert_eq!(probe.message(b"1"), Ok(()));
        assert_eq!(probe.answered(), Ok(()));
    }

    #[test]
    fn an_answer_without_the_message_is_deaf() {
        let mut probe = Probe::default();
        probe.begin(once(0));
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(once(1));
        assert_eq!(probe.answered(), Err(Deaf));
    }

    #[test]
    fn what_redis_did_not_acknowledge_is_not_expected() {
        let mut probe = Probe::default();
        for _ in 0..3 {
            probe.begin(once(0));
            assert_eq!(probe.answered(), Ok(()));
        }
    }

    #[test]
    fn a_ping_that_is_overtaken_was_not_heard() {
        let mut probe = Probe::default();
        assert_eq!(probe.begin(once(0)), 1);
        assert_eq!(probe.message(b"1"), Ok(()), "it may come first: they go over different connections");
        assert_eq!(probe.overtake(), 2);
        assert_eq!(probe.message(b"1"), Ok(()), "of another master");
        assert_eq!(probe.message(b"2"), Err(Unheard));
    }

    #[test]
    fn what_was_to_overtake_counts_as_any_other_message() {
        let mut probe = Probe::default();
        probe.begin(once(0));
        assert_eq!(probe.overtake(), 2);
        assert_eq!(probe.answered(), Ok(()), "in time, although late");
        assert_eq!(probe.begin(once(2)), 3);
        assert_eq!(probe.message(b"2"), Ok(()));
        assert_eq!(probe.answered(), Ok(()));
        assert_eq!(probe.begin(once(3)), 4);
        assert_eq!(probe.answered(), Err(Deaf));
    }

    #[test]
    fn foreign_messages_prove_nothing() {
        let mut probe = Probe::default();
        probe.begin(once(0));
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(once(1));
        for payload in [&b"99"[..], b"x", b"", b"-1", b"\xff"] {
            assert_eq!(probe.message(payload), Ok(()));
        }
        assert_eq!(probe.answered(), Err(Deaf));
    }
}
