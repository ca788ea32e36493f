use std::collections::VecDeque;

use geocast_protocol::Channel;
use parking_lot::Mutex;
use rustc_hash::FxHashSet;

use super::{
    disconnected::Disconnected,
    probe::{Acknowledged, Probe, Unheard},
    push_reader::Push,
    request::{write_channels, write_command},
    subscriptions::{Changes, Subscriptions},
    url::Credentials,
};

/// What was said on a subscriber connection and what of it is not answered yet; bytes only, no socket.
///
/// Redis answers the commands of a connection in order, so each answer belongs to the oldest command without one.
/// Messages come in between.
#[derive(Debug)]
pub(super) struct Dialogue {
    unanswered: VecDeque<Request>,
    /// The channels that are in force.
    channels: FxHashSet<Channel>,
    pub(super) probe: Probe,
    /// The channel of the probe. `None` if the Redis user may not subscribe to it: PING alone has to do then.
    pub(super) probe_channel: Option<Channel>,
}

/// A command whose answer is awaited.
#[derive(Debug)]
enum Request {
    Auth,
    Name,
    Ping,
    SubscribeProbe,
    /// The channels that are not confirmed yet.
    Subscribe(VecDeque<Channel>),
    Unsubscribe(VecDeque<Channel>),
}

impl Dialogue {
    /// Begins: writes to `out` who we are, and the first PING.
    pub(super) fn new(credentials: Option<&Credentials>, probe_channel: Channel, out: &mut Vec<u8>) -> Self {
        let mut unanswered = VecDeque::new();
        if let Some(Credentials { user, password }) = credentials {
            let parts = ["AUTH"].into_iter().chain(user.as_deref()).chain([password.as_str()]);
            write_command(out, &parts.map(str::as_bytes).collect::<Vec<_>>());
            unanswered.push_back(Request::Auth);
        }
        write_command(out, &[b"CLIENT", b"SETNAME", b"geocast"]);
        unanswered.push_back(Request::Name);
        write_command(out, &[b"SUBSCRIBE", probe_channel.as_str().as_bytes()]);
        unanswered.push_back(Request::SubscribeProbe);
        let mut dialogue = Self {
            unanswered,
            channels: FxHashSet::default(),
            probe: Probe::default(),
            probe_channel: Some(probe_channel),
        };
        dialogue.ping(Acknowledged::default(), out);
        dialogue
    }

    /// Writes a PING, and returns its number. `acknowledged`: see [`Probe::begin`].
    pub(super) fn ping(&mut self, acknowledged: Acknowledged, out: &mut Vec<u8>) -> u64 {
        write_command(out, &[b"PING"]);
        self.unanswered.push_back(Request::Ping);
        self.probe.begin(acknowledged)
    }

    /// Writes changes of subscriptions.
    pub(super) fn change(&mut self, changes: Changes, out: &mut Vec<u8>) {
        let Changes { subscribe, unsubscribe } = changes;
        if !unsubscribe.is_empty() {
            write_channels(out, "UNSUBSCRIBE", &unsubscribe);
            self.unanswered.push_back(Request::Unsubscribe(unsubscribe.into()));
        }
        if !subscribe.is_empty() {
            write_channels(out, "SUBSCRIBE", &subscribe);
            self.unanswered.push_back(Request::Subscribe(subscribe.into()));
        }
    }

    /// The subscribed channel of this name.
    pub(super) fn channel(&self, name: &[u8]) -> Option<&Channel> {
        std::str::from_utf8(name).ok().and_then(|name| self.channels.get(name))
    }

    /// Takes a message on a channel that nobody subscribed to: only the probe's means something.
    ///
    /// # Errors
    ///
    /// As [`Probe::message`].
    pub(super) fn stray(&mut self, channel: &[u8], payload: &[u8]) -> Result<(), Unheard> {
        if self.probe_channel.as_ref().is_some_and(|probe| probe.as_str().as_bytes() == channel) {
            self.probe.message(payload)?;
        }
        Ok(())
    }

    /// Takes an answer.
    pub(super) fn answer(
        &mut self,
        answer: Push<'_>,
        subscriptions: &Mutex<Subscriptions>,
    ) -> Result<(), Disconnected> {
        let Some(request) = self.unanswered.front_mut() else {
            return Err(unexpected("nothing", answer));
        };
        match (request, answer) {
            (Request::Subscribe(expected), Push::Subscribed { channel }) => {
                let channel = confirmed(expected, channel, answer)?;
                subscriptions.lock().subscribed(&channel);
                self.channels.insert(channel);
                if !expected.is_empty() {
                    return Ok(());
                }
            }
            (Request::Unsubscribe(expected), Push::Unsubscribed { channel }) => {
                let channel = confirmed(expected, channel, answer)?;
                subscriptions.lock().unsubscribed(&channel);
                self.channels.remove(&channel);
                if !expected.is_empty() {
                    return Ok(());
                }
            }
            (Request::Subscribe(channels), Push::Error(reason)) if is_no_permission(reason) => {
                subscriptions.lock().refused(channels.make_contiguous(), &String::from_utf8_lossy(reason));
            }
            (Request::SubscribeProbe, Push::Error(reason)) if is_no_permission(reason) => {
                let reason = String::from_utf8_lossy(reason);
                tracing::warn!(event = "redis_probe_forbidden", %reason, "the redis user may not subscribe to __geocast_probe:*, only PING is used");
                self.probe_channel = None;
            }
            (Request::Ping, Push::Pong) => self.probe.answered()?,
            // The name only helps people who look at CLIENT LIST.
            (Request::Name, Push::Okay | Push::Error(_))
            | (Request::Auth, Push::Okay)
            | (Request::SubscribeProbe, Push::Subscribed { .. }) => {}
            (request, Push::Error(reason)) => {
                let reason = String::from_utf8_lossy(reason).into_owned();
                return Err(Disconnected::Refused { command: request.name(), reason });
            }
            (request, answer) => return Err(unexpected(request.name(), answer)),
        }
        self.unanswered.pop_front();
        Ok(())
    }
}

impl Request {
    fn name(&self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Name => "CLIENT SETNAME",
            Self::Ping => "PING",
            Self::SubscribeProbe | Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
        }
    }
}

/// Takes the next of the `expected` channels, which has to be the `confirmed` one.
fn confirmed(
    expected: &mut VecDeque<Channel>,
    confirmed: &[u8],
    answer: Push<'_>,
) -> Result<Channel, Disconnected> {
    match expected.pop_front() {
        Some(channel) if channel.as_str().as_bytes() == confirmed => Ok(channel),
        _ => Err(unexpected("SUBSCRIBE or UNSUBSCRIBE", answer)),
    }
}

/// Redis said what no answer to this command can be.
pub(super) fn unexpected(command: &'static str, answer: Push<'_>) -> Disconnected {
    let answer = match answer {
        Push::Subscribed { channel } => format!("subscribe {}", channel.escape_ascii()),
        Push::Unsubscribed { channel } => format!("unsubscribe {}", channel.escape_ascii()),
        Push::ShardSubscribed { channel, .. } => format!("ssubscribe {}", channel.escape_ascii()),
        Push::ShardUnsubscribed { channel } => format!("sunsubscribe {}", channel.escape_ascii()),
        Push::Error(reason) => reason.escape_ascii().to_string(),
        Push::Pong => "PONG".to_owned(),
        Push::Okay => "OK".to_owned(),
        Push::Message { .. } | Push::TooLong { .. } => "a message".to_owned(),
    };
    Disconnected::Unexpected { command, answer }
}

/// An ACL that forbids some channel is a matter of that channel; any other error is one of the connection.
pub(super) fn is_no_permission(reason: &[u8]) -> bool {
    reason.starts_with(b"NOPERM")
}

#[cfg(test)]
mod tests;
