use std::rc::Rc;

use geocast_protocol::{ChangeKind, Channel, LeaveReason};

use super::{Behind, Mirror, mirror::Entry, versions::OUTDATED};
use crate::{
    connection::Frame,
    event::TrackKey,
    hashing::HashSet,
    interest::{Sight, Withheld},
    rendering,
};

/// A channel's state, and what may be said of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) channel: &'a Channel,
    pub(crate) mirror: &'a Mirror,
    /// Keys that are no more because they have expired.
    pub(crate) expired: &'a HashSet<TrackKey>,
}

/// What a subscriber that is behind is to be told of a key, which it knows as it is written here.
#[derive(Debug)]
enum Difference<'a> {
    Leave(&'a TrackKey, LeaveReason),
    Show(&'a Entry, Option<&'a TrackKey>),
}

/// A key as a subscriber has it after it was told something, and the version if it still has it.
type Told = (TrackKey, Option<u64>);

impl Behind {
    /// Makes the difference between what the subscriber has and what it is to have, as far as so many bytes go, and notes it
    /// as sent. What leaves comes first. True if that was all: then the subscriber is up to date.
    ///
    /// Everything is compared only when what was found before has been told, so that a large state is not gone through
    /// again for each part of it.
    pub(crate) fn catch_up(&mut self, source: Source<'_>, room: usize) -> (Vec<Frame>, bool) {
        let (mut frames, mut told) = (Vec::new(), Vec::new());
        let (mut left, mut is_all) = (room, false);
        loop {
            while left > 0
                && let Some(key) = self.differing.next()
            {
                let Some((frame, now)) = self.tell(source, &key) else { continue };
                left = left.saturating_sub(frame.bytes().len());
                frames.push(frame);
                told.push(now);
            }
            // Who is up to date needs no such list any more, and may share this one with many who are not.
            if is_all && self.differing.as_slice().is_empty() {
                return (frames, true);
            }
            self.note(std::mem::take(&mut told));
            if left == 0 {
                return (frames, false);
            }
            is_all = self.compare(source);
        }
    }

    /// Finds keys of which something is to be told, those that leave first. True if these are all; there may be more than can be
    /// told before much has changed again.
    fn compare(&mut self, source: Source<'_>) -> bool {
        let (mut leaving, mut showing) = (Vec::new(), Vec::new());
        let mut compared = self.has.len();
        for known in self.has.iter() {
            if let Some(Difference::Leave(key, _)) =
                difference(source, &self.sight, Some(known), source.mirror.get(known.0))
            {
                leaving.push(key);
            }
        }
        source.mirror.visit(self.sight.bounds(), |entry| {
            compared += 1;
            let known = self.has.get(&entry.key);
            if let Some(Difference::Show(..)) = difference(source, &self.sight, known, Some(entry)) {
                showing.push(&entry.key);
            }
        });
        let most = FEWEST.max(compared / COMPARED_FOR_EACH);
        let is_all = leaving.len() + showing.len() <= most;
        if !is_all {
            // All have their turn, even if those that are visited first change all the time.
            let first = fastrand::usize(..=showing.len());
            showing.rotate_left(first);
        }
        let differing: Vec<TrackKey> = leaving.into_iter().chain(showing).take(most).cloned().collect();
        self.differing = differing.into_iter();
        is_all
    }

    /// What the subscriber is told of a key that differed, if it still does.
    fn tell(&self, source: Source<'_>, key: &TrackKey) -> Option<(Frame, Told)> {
        let Self { has, sight, .. } = self;
        match difference(source, sight, has.get(key), source.mirror.get(key))? {
            Difference::Leave(key, reason) => {
                Some((rendering::leave(source.channel, key, reason, sight), (key.clone(), None)))
            }
            Difference::Show(entry, former) => {
                let kind = if former.is_some() { ChangeKind::Update } else { ChangeKind::Enter };
                let (form, told) =
                    (sight.change(kind, &entry.event), (kind, sight.format().unwrap_or_default()));
                let frame = rendering::change(&entry.event, former, told, &form).ok()?;
                Some((frame, (entry.key.clone(), Some(entry.version))))
            }
        }
    }

    fn note(&mut self, told: Vec<Told>) {
        if told.is_empty() {
            return;
        }
        let has = Rc::make_mut(&mut self.has);
        for (key, version) in told {
            match version {
                Some(version) => has.insert(key, version),
                None => has.remove(&key),
            }
        }
    }
}

/// What is to be told of a key to somebody who knows it in this version, or not, if it is in the mirror like this, or not.
fn difference<'a>(
    source: Source<'_>,
    sight: &Sight,
    known: Option<(&'a TrackKey, u64)>,
    entry: Option<&'a Entry>,
) -> Option<Difference<'a>> {
    let shown = entry.map(|entry| (entry, sight.shows(&entry.event)));
    let (key, version) = match (known, shown) {
        (known, Some((entry, Ok(())))) => {
            let is_same = known.is_some_and(|(_, version)| version == entry.version);
            return (!is_same).then_some(Difference::Show(entry, known.map(|(key, _)| key)));
        }
        (None, _) => return None,
        (Some(known), _) => known,
    };
    let reason = match shown {
        None if source.expired.contains(key) => LeaveReason::Expired,
        None => LeaveReason::Deleted,
        Some((_, Err(Withheld::Filtered))) => LeaveReason::Filtered,
        Some((entry, _)) if entry.version == version || version == OUTDATED => LeaveReason::Viewport,
        Some((_, Err(Withheld::Access))) => LeaveReason::Access,
        Some(_) => LeaveReason::Moved,
    };
    Some(Difference::Leave(key, reason))
}

/// Keys that may be compared for each one that is found to differ: telling it costs about as much.
const COMPARED_FOR_EACH: usize = 8;

/// As many keys that differ are found at once in any case.
const FEWEST: usize = 1_000;

#[cfg(test)]
mod tests;
