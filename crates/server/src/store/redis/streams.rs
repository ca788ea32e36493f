use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{Cmd, Value, cmd, pipe};
use geocast_protocol::{Channel, Offset, Word, envelope::Timestamp};

use super::{commands::Commands, remedy::Effect};
use crate::{
    clock,
    store::{
        StoreError,
        history::{History, HistoryBound, HistoryPosition, HistoryQuery, KeptMessage, Place},
    },
};

/// The id of an entry: milliseconds, and a number.
pub(super) type EntryId = (u64, u64);

/// Entries as Redis answers them: an id, then names and values by turns.
pub(super) type Entries = Vec<(String, Vec<Vec<u8>>)>;

/// What is done to the state together with a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    /// Nothing.
    None,
    /// A key is set to the message.
    Set(&'a str),
    /// A key is removed; if there was none, there is no message.
    Remove(&'a str),
}

/// The history of channels: a stream for each.
impl Commands {
    /// Appends a message to the stream of its channel, and says where it stands; `None` if there was nothing to change.
    pub(super) async fn append(
        &self,
        channel: &Channel,
        bound: HistoryBound,
        change: Change<'_>,
        payload: &[u8],
    ) -> Result<Option<HistoryPosition>, StoreError> {
        let command = append(channel, bound, change, payload);
        let done: Vec<String> = self.single(channel, Effect::Changes, command).await?;
        let [id, epoch] = done.as_slice() else { return Ok(None) };
        self.appended(1);
        let offset =
            id.parse().map_err(|error| StoreError::Refused(format!("offset in {channel}: {error}")))?;
        Ok(Some(HistoryPosition { offset, epoch: epoch_of(channel, epoch)? }))
    }

    /// Appends messages, or sends those that have no bound, in one transaction.
    pub(super) async fn append_all(
        &self,
        messages: Vec<(Channel, Bytes, Option<HistoryBound>)>,
    ) -> Result<(), StoreError> {
        let Some((first, ..)) = messages.first() else { return Ok(()) };
        let first = first.clone();
        let mut transaction = pipe();
        transaction.atomic();
        for (channel, payload, bound) in &messages {
            transaction.add_command(match bound {
                Some(bound) => append(channel, *bound, Change::None, payload),
                None => cmd("PUBLISH").arg(channel.as_str()).arg(&payload[..]).to_owned(),
            });
        }
        let transaction = Arc::new(transaction);
        let send = move |mut errand: super::errand::Errand| {
            let transaction = Arc::clone(&transaction);
            async move { Ok(errand.query_all::<Vec<Value>>(&transaction).await?) }
        };
        self.run(&first, Effect::Changes, send).await?;
        self.appended(messages.iter().filter(|(.., bound)| bound.is_some()).count() as u64);
        Ok(())
    }

    /// The last entry of a channel's stream.
    pub(super) async fn end(&self, channel: &Channel) -> Result<EntryId, StoreError> {
        let command = range("XREVRANGE", channel, "+", "-", 1);
        let entries: Entries = self.single(channel, Effect::Reads, command).await?;
        Ok(entries.first().and_then(|(id, _)| entry_id(id)).unwrap_or_default())
    }

    /// Waits for a moment for what comes behind these entries.
    pub(super) async fn follow(
        &self,
        positions: &[(Channel, EntryId)],
    ) -> Result<Vec<(String, Entries)>, StoreError> {
        let Some((first, _)) = positions.first() else { return Ok(Vec::new()) };
        let mut command = cmd("XREAD");
        // The bound on entries is one for each stream.
        let count = (AT_ONCE / positions.len()).max(1);
        let pause = PAUSE.min(self.timeout() / 2).as_millis() as u64;
        command.arg("COUNT").arg(count).arg("BLOCK").arg(pause.max(1)).arg("STREAMS");
        for (channel, _) in positions {
            command.arg(stream(channel));
        }
        for (_, (time, number)) in positions {
            command.arg(format!("{time}-{number}"));
        }
        let read: Option<Vec<(String, Entries)>> = self.single(first, Effect::Reads, command).await?;
        Ok(read.unwrap_or_default())
    }

    /// Reads a part of a history, as it is at one moment.
    pub(super) async fn recall(
        &self,
        channel: &Channel,
        query: &HistoryQuery,
    ) -> Result<History, StoreError> {
        let since = query.since.as_ref().and_then(|since| since.offset).and_then(as_entry);
        let count = query.most.clamp(1, AT_ONCE);
        let epoch = epoch_key(channel);
        let mut transaction = pipe();
        transaction.atomic();
        transaction.add_command(cmd("SET").arg(&epoch).arg(new_epoch()).arg("NX").to_owned());
        transaction.add_command(cmd("GET").arg(&epoch).to_owned());
        transaction.add_command(range("XREVRANGE", channel, "+", "-", 1));
        transaction.add_command(range("XRANGE", channel, "-", "+", 1));
        transaction.add_command(cmd("EVAL").arg(UNTRIMMED).arg(1).arg(stream(channel)).to_owned());
        transaction.add_command(match since {
            Some((time, number)) => range("XRANGE", channel, &format!("({time}-{number}"), "+", count),
            None => range("XREVRANGE", channel, "+", "-", count),
        });
        let transaction = Arc::new(transaction);
        let send = move |mut errand: super::errand::Errand| {
            let transaction = Arc::clone(&transaction);
            async move { Ok(errand.query_all::<Answers>(&transaction).await?) }
        };
        let (_, epoch, last, first, untrimmed, mut entries) =
            self.run(channel, Effect::Changes, send).await?;
        let epoch = epoch_of(channel, &epoch)?;
        if since.is_none() {
            entries.reverse();
        }
        let id = |entries: &Entries| entries.first().and_then(|(id, _)| entry_id(id));
        let (first, end) = (id(&first), id(&last).unwrap_or_default());
        let is_whole = match query.offset(&epoch) {
            Ok(None) => true,
            Ok(Some(_)) => {
                since.is_some_and(|since| is_whole(since, first, end) || (since, untrimmed) == ((0, 0), 1))
            }
            Err(_other) => false,
        };
        Ok(part(entries, query, self.max_message(), end, (epoch, is_whole)))
    }
}

/// What a transaction that reads a history is answered.
type Answers = (Option<String>, String, Entries, Entries, u64, Entries);

/// The name of the stream of a channel.
pub(super) fn stream(channel: &Channel) -> String {
    format!("{STREAMS}{channel}")
}

/// The name of the key with the epoch of the stream of a channel.
fn epoch_key(channel: &Channel) -> String {
    format!("{EPOCHS}{channel}")
}

/// A name that no other history has.
fn new_epoch() -> String {
    format!("{:016x}", fastrand::u64(..))
}

fn epoch_of(channel: &Channel, epoch: &str) -> Result<Word, StoreError> {
    epoch.parse().map_err(|error| StoreError::Refused(format!("epoch of {channel}: {error}")))
}

/// The channel of the stream of this name.
pub(super) fn channel_of(stream: &str) -> Option<Channel> {
    stream.strip_prefix(STREAMS)?.parse().ok()
}

pub(super) fn entry_id(text: &str) -> Option<EntryId> {
    match text.parse().ok()? {
        Offset::Entry(time, number) => Some((time, number)),
        Offset::Number(_) => None,
    }
}

/// The message of an entry: the field of that name, or else the first one.
pub(super) fn message((id, fields): (String, Vec<Vec<u8>>)) -> Option<KeptMessage> {
    let (time, number) = entry_id(&id)?;
    let named = fields.chunks_exact(2).position(|field| field[0] == FIELD.as_bytes()).unwrap_or_default();
    let payload = fields.into_iter().nth(named * 2 + 1)?;
    let published = Timestamp::since_epoch(Duration::from_millis(time));
    Some(KeptMessage {
        place: Place { offset: Offset::Entry(time, number), published },
        payload: payload.into(),
    })
}

/// Whether nothing is missing behind an entry. What Redis has trimmed was older than what is left; of an entry before all
/// that is left it is not known.
fn is_whole(since: EntryId, first: Option<EntryId>, end: EntryId) -> bool {
    since == end || (since <= end && first.is_some_and(|first| first <= since))
}

fn as_entry(offset: Offset) -> Option<EntryId> {
    match offset {
        Offset::Entry(time, number) => Some((time, number)),
        // As Redis reads an id without its number.
        Offset::Number(time) => Some((time, 0)),
    }
}

/// Of what was read, as much as is asked for. Entries without any message, or with one that is longer than `longest` bytes, are
/// passed over.
fn part(
    entries: Entries,
    query: &HistoryQuery,
    longest: usize,
    end: EntryId,
    (epoch, is_whole): (Word, bool),
) -> History {
    let (mut is_all, mut bytes) = (entries.len() < query.most.min(AT_ONCE), 0);
    let mut messages: Vec<KeptMessage> = Vec::new();
    let mut reached = None;
    for entry in entries.into_iter().take(query.most) {
        let passed = entry_id(&entry.0);
        if let Some(kept) = message(entry).filter(|kept| kept.payload.len() <= longest) {
            bytes += kept.payload.len() + ENTRY;
            if bytes > query.bytes && !messages.is_empty() {
                is_all = false;
                break;
            }
            messages.push(kept);
        }
        reached = passed.or(reached);
    }
    let (time, number) = reached.filter(|_| !is_all).unwrap_or(end);
    let end = Offset::Entry(end.0, end.1);
    History { messages, offset: Offset::Entry(time, number), end, epoch, is_whole }
}

fn range(verb: &str, channel: &Channel, from: &str, to: &str, count: usize) -> Cmd {
    cmd(verb).arg(stream(channel)).arg(from).arg(to).arg("COUNT").arg(count).to_owned()
}

/// A script that changes the state, appends a message and trims its stream.
fn append(channel: &Channel, bound: HistoryBound, change: Change<'_>, payload: &[u8]) -> Cmd {
    let (verb, key) = match change {
        Change::None => ("", ""),
        Change::Set(key) => ("HSET", key),
        Change::Remove(key) => ("HDEL", key),
    };
    let now = clock::timestamp().millis() as u64;
    let oldest =
        bound.age.map_or(0, |age| now.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
    cmd("EVAL")
        .arg(APPEND)
        .arg(3)
        .arg(channel.as_str())
        .arg(stream(channel))
        .arg(epoch_key(channel))
        .arg(payload)
        .arg(verb)
        .arg(key)
        .arg(bound.messages.unwrap_or_default())
        .arg(oldest)
        .arg(new_epoch())
        .to_owned()
}

/// A script stops at its first error, so a state that cannot be set is not published, and neither is either where there can be no epoch.
/// Answered is the offset of the message with the epoch, or nothing if there was nothing to change.
const APPEND: &str = "\
    local epoch = redis.call('GET', KEYS[3]) \
    if not epoch then epoch = ARGV[6] redis.call('SET', KEYS[3], epoch) end \
    if ARGV[2] == 'HSET' then redis.call('HSET', KEYS[1], ARGV[3], ARGV[1]) end \
    if ARGV[2] == 'HDEL' and redis.call('HDEL', KEYS[1], ARGV[3]) == 0 then return {} end \
    local id = redis.call('XADD', KEYS[2], '*', 'payload', ARGV[1]) \
    if ARGV[4] ~= '0' then redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[4]) end \
    if ARGV[5] ~= '0' then redis.call('XTRIM', KEYS[2], 'MINID', '~', ARGV[5]) end \
    return {id, epoch}";

/// Whether a stream has all entries that were ever added to it; not known of a Redis before version 7.
const UNTRIMMED: &str = "\
    if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end \
    local info, about = redis.call('XINFO', 'STREAM', KEYS[1]), {} \
    for place = 1, #info, 2 do about[info[place]] = info[place + 1] end \
    return about['entries-added'] == about['length'] and 1 or 0";

/// What the name of a stream begins with; then comes the channel.
const STREAMS: &str = "geocast:history:";

/// What the name of the key with the epoch of a stream begins with.
const EPOCHS: &str = "geocast:history-epoch:";

/// The field of an entry that is its message.
const FIELD: &str = "payload";

/// Entries that are read at once.
const AT_ONCE: usize = 256;

/// For how long Redis is asked to wait for what comes: so long may a channel wait that nobody here followed before.
const PAUSE: Duration = Duration::from_millis(100);

/// What an entry counts besides its message.
const ENTRY: usize = 192;
