use thiserror::Error;

/// Whether messages that are published in Redis still come out of the subscriber connection.
///
/// Every interval a PING goes over the connection, and a message is published to oneself through the command pool.
/// An answered PING shows that the connection is open, but only the message shows that it belongs to the Redis that
/// publishers speak to. The message of one interval has to arrive before the PING of the next is answered. Both come
/// over the same connection in order, so a reader that was held up is never mistaken for one that is deaf.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// The number of the last PING, and of the message published with it.
    sent: u64,
    /// The PING that is not yet answered.
    outstanding: Option<u64>,
    /// The last message that has to have arrived when the outstanding PING is answered.
    due: u64,
    /// The last message that arrived.
    arrived: u64,
}

impl Probe {
    /// A new interval, whose number is returned, for the PING and for the message. `acknowledged` is the number of the
    /// last message that Redis said it has published; it was published for this connection, not an earlier one.
    pub(super) fn begin(&mut self, acknowledged: u64) -> u64 {
        self.sent += 1;
        self.outstanding = Some(self.sent);
        self.due = acknowledged;
        self.sent
    }

    /// Whether a PING is not yet answered.
    pub(super) fn is_outstanding(&self) -> bool {
        self.outstanding.is_some()
    }

    /// A message to oneself arrived.
    pub(super) fn message(&mut self, payload: &[u8]) {
        let number = std::str::from_utf8(payload).ok().and_then(|text| text.parse().ok());
        // Anybody can publish on the channel of the probe: a number that was never sent says nothing.
        if let Some(number) = number.filter(|&number: &u64| number <= self.sent) {
            self.arrived = self.arrived.max(number);
        }
    }

    /// The PING was answered.
    pub(super) fn answered(&mut self) -> Result<(), Deaf> {
        self.outstanding = None;
        if self.arrived < self.due { Err(Deaf) } else { Ok(()) }
    }
}

/// What the names of all channels begin with that are for oneself.
pub(super) const PROBE_PREFIX: &str = "__geocast_probe:";

/// The connection is open, but what is published does not arrive on it.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("a message published as a probe did not arrive")]
pub(super) struct Deaf;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_content_while_messages_arrive() {
        let mut probe = Probe::default();
        assert_eq!(probe.begin(0), 1);
        assert!(probe.is_outstanding());
        assert_eq!(probe.answered(), Ok(()), "the first message is not due yet");
        assert!(!probe.is_outstanding());
        probe.message(b"1");
        assert_eq!(probe.begin(1), 2);
        probe.message(b"2");
        assert_eq!(probe.answered(), Ok(()));
    }

    #[test]
    fn a_late_message_counts_if_it_comes_before_the_answer() {
        let mut probe = Probe::default();
        probe.begin(0);
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(1);
        probe.message(b"1");
        assert_eq!(probe.answered(), Ok(()));
    }

    #[test]
    fn an_answer_without_the_message_is_deaf() {
        let mut probe = Probe::default();
        probe.begin(0);
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(1);
        assert_eq!(probe.answered(), Err(Deaf));
    }

    #[test]
    fn what_redis_did_not_acknowledge_is_not_expected() {
        let mut probe = Probe::default();
        for _ in 0..3 {
            probe.begin(0);
            assert_eq!(probe.answered(), Ok(()));
        }
    }

    #[test]
    fn foreign_messages_prove_nothing() {
        let mut probe = Probe::default();
        probe.begin(0);
        assert_eq!(probe.answered(), Ok(()));
        probe.begin(1);
        for payload in [&b"99"[..], b"x", b"", b"-1", b"\xff"] {
            probe.message(payload);
        }
        assert_eq!(probe.answered(), Err(Deaf));
    }
}
