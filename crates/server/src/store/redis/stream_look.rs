use std::sync::Arc;

use deadpool_redis::redis::{Cmd, cmd, pipe};
use geocast_protocol::Channel;

use super::{
    commands::Commands,
    errand::Errand,
    remedy::Effect,
    stream_mark::Sight,
    streams::{AT_ONCE, Entries, EntryId, PAUSE, channel_of, entry_id, epoch_key, id, stream},
};
use crate::store::StoreError;

/// What a stream is at one moment, and what is behind an entry then.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) channel: Channel,
    pub(super) sight: Sight,
    pub(super) entries: Entries,
}

/// At which streams to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// At those to which something has been added, for which is waited a moment.
    Changed,
    /// At all.
    All,
}

/// A look as Redis answers it.
pub(super) type Row = (String, u64, String, String, String, String, u64, i64, String, Entries);

impl Commands {
    /// Looks what is behind these entries, or where streams end. What XREAD waits for is read by the script behind it: it tells in the same
    /// step what has become of the stream, and no entry comes or goes between the two.
    pub(super) async fn look(
        &self,
        positions: &[(Channel, Option<EntryId>)],
        scope: Scope,
    ) -> Result<Vec<Look>, StoreError> {
        let Some((first, _)) = positions.first() else { return Ok(Vec::new()) };
        let count = (AT_ONCE / positions.len()).max(1);
        let mut commands = pipe();
        if scope == Scope::Changed {
            let pause = PAUSE.min(self.timeout() / 2).as_millis() as u64;
            let mut wait = cmd("XREAD");
            wait.arg("COUNT").arg(1).arg("BLOCK").arg(pause.max(1)).arg("STREAMS");
            for (channel, _) in positions {
                wait.arg(stream(channel));
            }
            for (_, entry) in positions {
                wait.arg(entry.map_or_else(new, id));
            }
            commands.add_command(wait).ignore();
        }
        commands.add_command(look(positions, scope, count));
        let commands = Arc::new(commands);
        let send = move |mut errand: Errand| {
            let commands = Arc::clone(&commands);
            async move { Ok(errand.query_all::<(Vec<Row>,)>(&commands).await?) }
        };
        let (rows,) = self.run(first, Effect::Reads, send).await?;
        Ok(looks(rows, count))
    }
}

/// Reads a script's answers. The bound on entries is one for each stream.
pub(super) fn looks(rows: Vec<Row>, count: usize) -> Vec<Look> {
    rows.into_iter().filter_map(|row| read(row, count)).collect()
}

/// Asks a script to look at streams, and to read at most `count` entries of each.
pub(super) fn look(positions: &[(Channel, Option<EntryId>)], scope: Scope, count: usize) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(LOOK).arg(2 * positions.len());
    for (channel, _) in positions {
        command.arg(stream(channel));
    }
    for (channel, _) in positions {
        command.arg(epoch_key(channel));
    }
    command.arg(count).arg(if scope == Scope::All { "all" } else { "changed" });
    for (_, entry) in positions {
        command.arg(entry.map_or_else(new, id));
    }
    command
}

fn read(row: Row, count: usize) -> Option<Look> {
    let (stream, holds, first, last, generated, deleted, length, added, epoch, entries) = row;
    let sight = Sight {
        holds: holds > 0,
        first: entry_id(&first),
        last: entry_id(&last),
        generated: entry_id(&generated).unwrap_or_default(),
        deleted: entry_id(&deleted).unwrap_or_default(),
        length,
        added: u64::try_from(added).ok(),
        epoch: epoch.parse().ok(),
        read: entries.len() as u64,
        is_all: entries.len() < count,
    };
    Some(Look { channel: channel_of(&stream)?, sight, entries })
}

/// From the end on.
fn new() -> String {
    "$".to_owned()
}

/// Whether the entry that a stream is read from is there, the ends of the stream and what XINFO counts, its epoch, and the entries
/// behind that one. Behind the greatest id there can be none, and XRANGE refuses to look.
const LOOK: &str = "\
    local told, count = {}, #KEYS / 2 \
    local function edge(entry) return entry and entry[1] or '' end \
    for place = 1, count do \
        local stream, id, entries, held = KEYS[place], ARGV[place + 2], {}, {} \
        if id ~= '$' and id ~= '18446744073709551615-18446744073709551615' then \
            entries = redis.call('XRANGE', stream, '(' .. id, '+', 'COUNT', ARGV[1]) \
        end \
        if ARGV[2] == 'all' or id == '$' or #entries > 0 then \
            if id ~= '$' then held = redis.call('XRANGE', stream, id, id) end \
            local info, about = {}, {} \
            if redis.call('EXISTS', stream) == 1 then info = redis.call('XINFO', 'STREAM', stream) end \
            for field = 1, #info, 2 do about[info[field]] = info[field + 1] end \
            local epoch = redis.pcall('GET', KEYS[count + place]) \
            told[#told + 1] = { \
                stream, #held, edge(about['first-entry']), edge(about['last-entry']), \
                about['last-generated-id'] or '0-0', about['max-deleted-entry-id'] or '0-0', \
                about['length'] or 0, about['entries-added'] or (#info > 0 and -1 or 0), \
                type(epoch) == 'string' and epoch or '', entries \
            } \
        end \
    end \
    return told";
