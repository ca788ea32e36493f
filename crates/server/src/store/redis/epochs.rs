use deadpool_redis::redis::{Cmd, cmd};
use geocast_protocol::{Channel, Word};

use super::{
    commands::Commands,
    remedy::Effect,
    streams::{EntryId, epoch_key, id, stream},
};
use crate::{clock, store::StoreError};

/// What proves that a history is the one that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    /// An entry that was there; none if it is known that some were lost.
    pub(super) entry: Option<EntryId>,
    /// The epoch in which that was.
    pub(super) epoch: Option<Word>,
}

impl Witness {
    /// Proves nothing.
    pub(super) const NONE: Self = Self { entry: Some((0, 0)), epoch: None };
}

impl Commands {
    /// Which histories these are; each that has lost its witness begins anew. None where that, or any epoch, cannot be written down,
    /// as on a replica.
    pub(super) async fn confirm(
        &self,
        witnesses: &[(Channel, Witness)],
    ) -> Result<Vec<Option<Word>>, StoreError> {
        let Some((first, _)) = witnesses.first() else { return Ok(Vec::new()) };
        // Asked once more, it finds the epoch that it has begun.
        let epochs: Vec<String> = self.single(first, Effect::Reads, confirm(witnesses)).await?;
        Ok(epochs.into_iter().map(|epoch| epoch.parse().ok()).collect())
    }
}

/// A name that no other history has, and that comes behind this one in the order of names: so it is known of two which began
/// later, also when a Redis has lost the later one.
pub(super) fn new_epoch(after: Option<&Word>) -> String {
    let before = after.and_then(|after| u64::from_str_radix(after.as_str().get(1..13)?, 16).ok());
    let now = clock::timestamp().millis() as u64;
    let begin = before.filter(|_| after.is_some_and(is_dated)).map_or(now, |before| now.max(before + 1));
    format!("t{begin:012x}{:08x}", fastrand::u32(..))
}

/// Those of earlier versions are random alone; they have no `t`, and come before all others.
fn is_dated(epoch: &Word) -> bool {
    epoch.as_str().starts_with('t')
}

/// Asks a script whether histories still are what they were.
pub(super) fn confirm(witnesses: &[(Channel, Witness)]) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(CONFIRM).arg(2 * witnesses.len());
    for (channel, _) in witnesses {
        command.arg(stream(channel));
    }
    for (channel, _) in witnesses {
        command.arg(epoch_key(channel));
    }
    for (_, Witness { entry, epoch }) in witnesses {
        command.arg(entry.map(id).unwrap_or_default()).arg(epoch.as_ref().map_or("", Word::as_str));
        command.arg(new_epoch(epoch.as_ref()));
    }
    command
}

/// One step for each channel, so that of several nodes that notice a loss the first begins a new epoch, and the others find it.
/// An entry is gone for another reason than trimming if an older one is there, or the stream has not come so far.
const CONFIRM: &str = "\
    local told, count = {}, #KEYS / 2 \
    local function range(stream, first, last) \
        local found = redis.pcall('XRANGE', stream, first, last, 'COUNT', 1) \
        if not found.err then return #found > 0 end \
        if string.find(found.err, 'WRONGTYPE') then return false end \
        error(found.err) \
    end \
    local function wide(id) \
        local time, number = string.match(id, '^(%d+)-(%d+)$') \
        return string.rep('0', 20 - #time) .. time .. string.rep('0', 20 - #number) .. number \
    end \
    local function is_lost(stream, id) \
        if id == '' then return true end \
        if id == '0-0' or range(stream, id, id) then return false end \
        if range(stream, '-', id) then return true end \
        if range(stream, '-', '+') then return false end \
        local info = redis.pcall('XINFO', 'STREAM', stream) \
        if info.err then return true end \
        for field = 1, #info, 2 do \
            if info[field] == 'last-generated-id' then return wide(info[field + 1]) < wide(id) end \
        end \
        return false \
    end \
    for place = 1, count do \
        local stream, key = KEYS[place], KEYS[count + place] \
        local id, known, new = ARGV[3 * place - 2], ARGV[3 * place - 1], ARGV[3 * place] \
        local epoch = redis.pcall('GET', key) \
        if type(epoch) == 'table' then \
            epoch = '' \
        elseif not epoch or epoch < known or (epoch == known and is_lost(stream, id)) then \
            epoch = redis.pcall('SET', key, new).err and '' or new \
        end \
        told[place] = epoch \
    end \
    return told";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_epochs_are_in_their_order() {
        let old: Word = "ffffffffffffffff".parse().expect("a word");
        let mut last: Word = new_epoch(Some(&old)).parse().expect("a word");
        assert!(last > old);
        for _ in 0..100 {
            let next: Word = new_epoch(Some(&last)).parse().expect("a word");
            assert!(next > last, "{next} {last}");
            last = next;
        }
        let ahead: Word = "tfffffffffff0aaaaaaaa".parse().expect("a word");
        assert!(new_epoch(Some(&ahead)).as_str() > ahead.as_str(), "of a clock that is ahead");
    }
}
