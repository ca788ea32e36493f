use std::collections::VecDeque;

use geocast_protocol::Channel;
use rustc_hash::FxHashSet;

use super::{entry::ShardId, placements::Placements};
use crate::store::redis::{
    address::Address,
    dialogue::{is_no_permission, unexpected},
    disconnected::Disconnected,
    probe::{Acknowledged, PROBE_PREFIX, Probe, Unheard},
    push_reader::Push,
    remedy::redirected,
    request::{write_channels, write_command},
    subscriptions::Changes,
    url::Credentials,
};

/// What was said to one master about its shard, and what of it is not answered yet; bytes only, no socket.
///
/// A master that loses a slot ends the subscriptions in it with the same words in which it confirms that one is given up, and then refuses
/// to give it up. So an end is taken wherever it comes, and what was to be given up is settled by the PING behind it.
#[derive(Debug)]
pub(super) struct Conversation {
    id: ShardId,
    master: Address,
    unanswered: VecDeque<Request>,
    /// The channels that are in force.
    channels: FxHashSet<Channel>,
    pub(super) probe: Probe,
    place: ProbePlace,
    /// The channel of the probe has ended, and another is to take its place at once.
    needs_place: bool,
    /// Whether the master has begun to tell of writes, and nobody was told of that.
    is_listening: bool,
}

/// A command whose answer is awaited.
#[derive(Debug)]
enum Request {
    Auth,
    Name,
    Ping,
    /// Behind all that the master has told before, with this number.
    Answer(u64),
    /// To this many channels on which the master tells of writes.
    Listen(usize),
    /// To this channel of the probe, for the first time or once more. Another may have taken its place meanwhile.
    Probe(Channel),
    Subscribe(Channel),
    /// Up to the PING that was sent with it.
    Unsubscribe(Vec<Channel>),
}

/// Where messages to oneself are published.
#[derive(Debug, PartialEq, Eq)]
enum ProbePlace {
    /// Nowhere: a channel in a slot of this master is to be found.
    Unknown,
    /// Here, if the master agrees.
    Asked(Channel),
    Known(Channel),
    /// The Redis user may not subscribe to it. PING alone has to do.
    Forbidden,
}

impl Conversation {
    /// Begins: writes to `out` who we are, and the first PING.
    pub(super) fn new(
        id: ShardId,
        master: Address,
        credentials: Option<&Credentials>,
        probe: Option<Channel>,
        out: &mut Vec<u8>,
    ) -> Self {
        let mut unanswered = VecDeque::new();
        if let Some(Credentials { user, password }) = credentials {
            let parts = ["AUTH"].into_iter().chain(user.as_deref()).chain([password.as_str()]);
            write_command(out, &parts.map(str::as_bytes).collect::<Vec<_>>());
            unanswered.push_back(Request::Auth);
        }
        write_command(out, &[b"CLIENT", b"SETNAME", b"geocast"]);
        unanswered.push_back(Request::Name);
        let mut begun = Self {
            id,
            master,
            unanswered,
            channels: FxHashSet::default(),
            probe: Probe::default(),
            place: ProbePlace::Unknown,
            needs_place: false,
            is_listening: false,
        };
        begun.ping(Acknowledged::default(), || probe, out);
        begun
    }

    /// Writes a PING, and returns its number. `acknowledged`: see [`Probe::begin`]. The channel of the probe is subscribed once more,
    /// because the answer says how many subscriptions Redis holds; `candidate` takes its place if there is none.
    pub(super) fn ping(
        &mut self,
        acknowledged: Acknowledged,
        candidate: impl FnOnce() -> Option<Channel>,
        out: &mut Vec<u8>,
    ) -> u64 {
        self.ask_for_probe(candidate, out);
        write_command(out, &[b"PING"]);
        self.unanswered.push_back(Request::Ping);
        self.probe.begin(acknowledged)
    }

    /// Finds another channel for the probe, if the one that there was has ended: markers come on it as well.
    pub(super) fn mend_probe(&mut self, candidate: impl FnOnce() -> Option<Channel>, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.needs_place) {
            self.ask_for_probe(candidate, out);
        }
    }

    fn ask_for_probe(&mut self, candidate: impl FnOnce() -> Option<Channel>, out: &mut Vec<u8>) {
        if self.place == ProbePlace::Unknown
            && let Some(candidate) = candidate()
        {
            self.place = ProbePlace::Asked(candidate);
        }
        if let ProbePlace::Asked(channel) | ProbePlace::Known(channel) = &self.place {
            write_command(out, &[b"SSUBSCRIBE", channel.as_str().as_bytes()]);
            self.unanswered.push_back(Request::Probe(channel.clone()));
        }
    }

    /// Does without shards from here on: only what the master tells of writes is heard.
    pub(super) fn forgo_shards(&mut self) {
        self.place = ProbePlace::Forbidden;
    }

    /// Has the master tell of writes, on these channels.
    pub(super) fn listen(&mut self, channels: &[Channel], out: &mut Vec<u8>) {
        write_channels(out, "SUBSCRIBE", channels);
        self.unanswered.push_back(Request::Listen(channels.len()));
    }

    /// Has the master answer behind all that it has told before.
    pub(super) fn ask(&mut self, number: u64, out: &mut Vec<u8>) {
        write_command(out, &[b"PING"]);
        self.unanswered.push_back(Request::Answer(number));
    }

    /// Whether the master has begun to tell of writes: true once.
    pub(super) fn has_begun_to_listen(&mut self) -> bool {
        std::mem::take(&mut self.is_listening)
    }

    /// Writes changes of subscriptions. Each channel is subscribed by itself: those of one command would have to share a slot, and
    /// would be refused together.
    pub(super) fn change(&mut self, changes: Changes, out: &mut Vec<u8>) {
        let Changes { subscribe, unsubscribe } = changes;
        if !unsubscribe.is_empty() {
            for channel in &unsubscribe {
                write_command(out, &[b"SUNSUBSCRIBE", channel.as_str().as_bytes()]);
            }
            write_command(out, &[b"PING"]);
            self.unanswered.push_back(Request::Unsubscribe(unsubscribe));
        }
        for channel in subscribe {
            write_command(out, &[b"SSUBSCRIBE", channel.as_str().as_bytes()]);
            self.unanswered.push_back(Request::Subscribe(channel));
        }
    }

    /// The subscribed channel of this name.
    pub(super) fn channel(&self, name: &[u8]) -> Option<&Channel> {
        std::str::from_utf8(name).ok().and_then(|name| self.channels.get(name))
    }

    /// Where messages to oneself are published, if that is known.
    pub(super) fn probe_channel(&self) -> Option<&Channel> {
        match &self.place {
            ProbePlace::Known(channel) => Some(channel),
            ProbePlace::Unknown | ProbePlace::Asked(_) | ProbePlace::Forbidden => None,
        }
    }

    /// Takes a message on a channel that nobody subscribed to. One on the channel of the probe proves that messages arrive, or
    /// is the marker that is returned.
    ///
    /// # Errors
    ///
    /// As [`Probe::message`].
    pub(super) fn take_probe(&mut self, channel: &[u8], payload: &[u8]) -> Result<Option<Channel>, Unheard> {
        if self.probe_channel().is_none_or(|probe| probe.as_str().as_bytes() != channel) {
            return Ok(None);
        }
        let marker = std::str::from_utf8(payload).ok().filter(|text| text.starts_with(PROBE_PREFIX));
        match marker.map(str::parse) {
            Some(marker) => Ok(marker.ok()),
            None => self.probe.message(payload).map(|()| None),
        }
    }

    /// Takes an answer, or the end of a subscription.
    pub(super) fn answer(
        &mut self,
        answer: Push<'_>,
        placements: &mut Placements,
    ) -> Result<(), Disconnected> {
        if let Push::ShardUnsubscribed { channel } = answer {
            self.ended(channel, placements);
            return Ok(());
        }
        let Some(request) = self.unanswered.front_mut() else {
            return Err(unexpected("nothing", answer));
        };
        match (request, answer) {
            (Request::Subscribe(channel), Push::ShardSubscribed { channel: confirmed, .. })
                if channel.as_str().as_bytes() == confirmed =>
            {
                placements.subscribed(self.id, channel);
                self.channels.insert(channel.clone());
            }
            (Request::Subscribe(channel), Push::Error(reason)) if is_no_permission(reason) => {
                placements.refused(self.id, channel, &String::from_utf8_lossy(reason));
            }
            (Request::Subscribe(channel), Push::Error(reason)) if is_elsewhere(reason) => {
                let owner = owner(reason, &self.master);
                placements.turned_away(self.id, channel, owner.as_ref());
            }
            // Some have ended by themselves, and an error says so of each.
            (Request::Unsubscribe(_), Push::Error(_)) => return Ok(()),
            (Request::Unsubscribe(channels), Push::Pong) => {
                for channel in channels {
                    self.channels.remove(&*channel);
                    placements.left(self.id, channel);
                }
            }
            (Request::Listen(missing), Push::Subscribed { .. }) => {
                *missing = missing.saturating_sub(1);
                if *missing > 0 {
                    return Ok(());
                }
                self.is_listening = true;
            }
            (Request::Listen(_), Push::Error(reason)) if is_no_permission(reason) => {
                let (reason, master) = (String::from_utf8_lossy(reason), &self.master);
                tracing::error!(event = "watch_forbidden", %reason, %master, "redis does not let us hear of writes into watched hashes");
            }
            (Request::Probe(asked), Push::ShardSubscribed { held, .. }) => {
                if self.place.is_at(asked) {
                    self.place = ProbePlace::Known(asked.clone());
                }
                let expected = self.channels.len() as u64 + 1;
                if held != expected {
                    return Err(Disconnected::Forgotten { held, expected });
                }
            }
            (Request::Probe(asked), Push::Error(reason)) if is_elsewhere(reason) => {
                if self.place.is_at(asked) {
                    self.place = ProbePlace::Unknown;
                }
            }
            (Request::Probe(_), Push::Error(reason))
                if is_no_permission(reason) && !is_of_command(reason) =>
            {
                let reason = String::from_utf8_lossy(reason);
                tracing::warn!(event = "redis_probe_forbidden", %reason, "the redis user may not SSUBSCRIBE to __geocast_probe:*, only PING is used");
                self.place = ProbePlace::Forbidden;
            }
            (Request::Ping, Push::Pong) => self.probe.answered()?,
            (Request::Answer(number), Push::Pong) => placements.has_answered(self.id, *number),
            // The name only helps people who look at CLIENT LIST.
            (Request::Name, Push::Okay | Push::Error(_)) | (Request::Auth, Push::Okay) => {}
            (request, Push::Error(reason)) => {
                let reason = String::from_utf8_lossy(reason).into_owned();
                return Err(Disconnected::Refused { command: request.name(), reason });
            }
            (request, answer) => return Err(unexpected(request.name(), answer)),
        }
        self.unanswered.pop_front();
        Ok(())
    }

    fn ended(&mut self, name: &[u8], placements: &mut Placements) {
        if let Some(channel) = self.channel(name).cloned() {
            self.channels.remove(&channel);
            placements.ended(self.id, &channel);
        } else if self.probe_channel().is_some_and(|probe| probe.as_str().as_bytes() == name) {
            self.place = ProbePlace::Unknown;
            self.needs_place = true;
        }
    }
}

impl ProbePlace {
    /// Whether it is this channel, or is to be.
    fn is_at(&self, channel: &Channel) -> bool {
        matches!(self, Self::Asked(at) | Self::Known(at) if at == channel)
    }
}

impl Request {
    fn name(&self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Name => "CLIENT SETNAME",
            Self::Ping | Self::Answer(_) => "PING",
            Self::Listen(_) => "SUBSCRIBE",
            Self::Probe(_) | Self::Subscribe(_) => "SSUBSCRIBE",
            Self::Unsubscribe(_) => "SUNSUBSCRIBE",
        }
    }
}

/// Who has the slot, as the master says that was `asked`.
fn owner(reason: &[u8], asked: &Address) -> Option<Address> {
    let moved = std::str::from_utf8(reason).ok()?.strip_prefix("MOVED ")?;
    redirected(moved.split(' ').nth(1)?, asked)
}

/// The command is forbidden, whatever the channel.
fn is_of_command(reason: &[u8]) -> bool {
    is_no_permission(reason) && String::from_utf8_lossy(reason).to_lowercase().contains("'ssubscribe'")
}

/// There are no shards for us, rather than not at this moment.
pub(super) fn is_impossible(reason: &Disconnected) -> bool {
    let Disconnected::Refused { command: "SSUBSCRIBE", reason: said } = reason else { return false };
    is_unknown(reason) || is_of_command(said.as_bytes())
}

/// The command is not known: Redis is older than 7.
pub(super) fn is_unknown(reason: &Disconnected) -> bool {
    let Disconnected::Refused { reason, .. } = reason else { return false };
    reason.starts_with("ERR unknown command")
}

/// The slot is with another master, or with nobody at this moment.
fn is_elsewhere(reason: &[u8]) -> bool {
    [&b"MOVED "[..], b"ASK ", b"CLUSTERDOWN ", b"TRYAGAIN "].iter().any(|code| reason.starts_with(code))
}

#[cfg(test)]
mod tests;
