use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{Cmd, Value, cmd, from_redis_value, pipe};
use geocast_protocol::{Channel, Offset, Word, envelope::Timestamp};

use super::{
    commands::Commands,
    epochs::{Witness, confirm, new_epoch},
    errand::Errand,
    remedy::Effect,
    stream_look::{Row, Scope, look, looks},
};
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
        self.appended(u64::from(!done.is_empty()));
        position(channel, &done)
    }

    /// Appends messages, or sends those that have no bound, in one transaction, and says where those are that were appended.
    pub(super) async fn append_all(
        &self,
        messages: Vec<(Channel, Bytes, Option<HistoryBound>)>,
    ) -> Result<Vec<(Channel, HistoryPosition)>, StoreError> {
        let Some((first, ..)) = messages.first() else { return Ok(Vec::new()) };
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
        let send = move |mut errand: Errand| {
            let transaction = Arc::clone(&transaction);
            async move { Ok(errand.query_all::<Vec<Value>>(&transaction).await?) }
        };
        let answers: Vec<Value> = self.run(&first, Effect::Changes, send).await?;
        let mut appended = Vec::new();
        for ((channel, _, bound), answer) in messages.into_iter().zip(answers) {
            if bound.is_some() {
                self.appended(1);
                let answer: Vec<String> = from_redis_value(answer).unwrap_or_default();
                // It has been appended, whatever can be said of it.
                let position = position(&channel, &answer).ok().flatten();
                appended.extend(position.map(|position| (channel, position)));
            }
        }
        Ok(appended)
    }

    /// The last entry of a channel's stream.
    pub(super) async fn end(&self, channel: &Channel) -> Result<EntryId, StoreError> {
        let command = range("XREVRANGE", channel, "+", "-", 1);
        let entries: Entries = self.single(channel, Effect::Reads, command).await?;
        Ok(entries.first().and_then(|(id, _)| entry_id(id)).unwrap_or_default())
    }

    /// Reads a part of a history, as it is at one moment; one that has lost its witness begins anew before.
    pub(super) async fn recall(
        &self,
        channel: &Channel,
        query: &HistoryQuery,
        witness: Witness,
    ) -> Result<History, StoreError> {
        let since = query.since.as_ref().and_then(|since| since.offset).and_then(as_entry);
        let count = query.most.clamp(1, AT_ONCE);
        let latest = if since.is_some() { 1 } else { count };
        let mut transaction = pipe();
        transaction.atomic();
        transaction.add_command(confirm(&[(channel.clone(), witness)]));
        transaction.add_command(range("XREVRANGE", channel, "+", "-", latest));
        transaction.add_command(look(&[(channel.clone(), since)], Scope::All, count));
        let transaction = Arc::new(transaction);
        let send = move |mut errand: Errand| {
            let transaction = Arc::clone(&transaction);
            async move { Ok(errand.query_all::<Answers>(&transaction).await?) }
        };
        let (epochs, mut latest, rows) = self.run(channel, Effect::Changes, send).await?;
        let epoch = epochs.first().filter(|epoch| !epoch.is_empty());
        let unnamed = || StoreError::Refused(format!("the history of {channel} can be given no epoch"));
        let epoch = epoch_of(channel, epoch.ok_or_else(unnamed)?)?;
        let end = latest.first().and_then(|(id, _)| entry_id(id)).unwrap_or_default();
        let seen = looks(rows, count).pop();
        let is_whole = match query.offset(&epoch) {
            Ok(None) => true,
            Ok(Some(_)) => {
                let seen = seen.as_ref().map(|look| &look.sight);
                since.zip(seen).is_some_and(|(since, seen)| seen.is_whole_behind(since))
            }
            Err(_other) => false,
        };
        latest.reverse();
        let entries =
            if since.is_some() { seen.map(|look| look.entries).unwrap_or_default() } else { latest };
        Ok(part(entries, query, self.max_message(), end, (epoch, is_whole)))
    }
}

/// What a transaction that reads a history is answered.
type Answers = (Vec<String>, Entries, Vec<Row>);

/// The name of the stream of a channel.
pub(super) fn stream(channel: &Channel) -> String {
    format!("{STREAMS}{channel}")
}

/// The name of the key with the epoch of the stream of a channel.
pub(super) fn epoch_key(channel: &Channel) -> String {
    format!("{EPOCHS}{channel}")
}

/// Where a script says that it has appended, if it has.
fn position(channel: &Channel, answer: &[String]) -> Result<Option<HistoryPosition>, StoreError> {
    let [id, epoch] = answer else { return Ok(None) };
    let offset = id.parse().map_err(|error| StoreError::Refused(format!("offset in {channel}: {error}")))?;
    Ok(Some(HistoryPosition { offset, epoch: epoch_of(channel, epoch)? }))
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

/// An id as Redis reads it.
pub(super) fn id((time, number): EntryId) -> String {
    format!("{time}-{number}")
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

pub(super) fn as_entry(offset: Offset) -> Option<EntryId> {
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
        .arg(new_epoch(None))
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

/// What the name of a stream begins with; then comes the channel.
const STREAMS: &str = "geocast:history:";

/// What the name of the key with the epoch of a stream begins with.
const EPOCHS: &str = "geocast:history-epoch:";

/// The field of an entry that is its message.
const FIELD: &str = "payload";

/// Entries that are read at once.
pub(super) const AT_ONCE: usize = 256;

/// For how long Redis is asked to wait for what comes: so long may a channel wait that nobody here followed before.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// What an entry counts besides its message.
const ENTRY: usize = 192;
