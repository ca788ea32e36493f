use geocast_protocol::Word;

use super::streams::EntryId;

/// How far a stream has been followed, and what was known of it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last entry that was read; in a stream without any, the last that there was.
    pub(super) reached: EntryId,
    /// Entries that had ever been added by then; not known of a Redis before version 7.
    pub(super) added: Option<u64>,
    /// Which history it is; none before it has a name.
    pub(super) epoch: Option<Word>,
}

/// What a stream is at one moment, seen from an entry behind which it is read. What Redis says of a stream:
/// <https://redis.io/docs/latest/commands/xinfo-stream/>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    /// Whether the entry is still there.
    pub(super) holds: bool,
    /// The ends of what is there.
    pub(super) first: Option<EntryId>,
    pub(super) last: Option<EntryId>,
    /// The last id that was given, also to what is gone; `0-0` where there is no stream.
    pub(super) generated: EntryId,
    /// The largest id that was removed with XDEL; what is trimmed is not among those.
    pub(super) deleted: EntryId,
    /// Entries that are there.
    pub(super) length: u64,
    /// Entries that were ever added, from Redis 7 on.
    pub(super) added: Option<u64>,
    pub(super) epoch: Option<Word>,
    /// Entries that were read behind the one it is seen from.
    pub(super) read: u64,
    /// Whether there are no more of them.
    pub(super) is_all: bool,
}

/// What lies between a mark and what was read behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Whole,
    /// Entries that were gone before they could be read; or it is not known that there were none.
    Missed,
    /// What was there is not, though nothing trimmed it: this is not the history that has been followed.
    Lost,
}

impl Mark {
    /// From the end of a stream on.
    pub(super) fn at_the_end(sight: &Sight) -> Self {
        Self { reached: sight.end(), added: sight.added, epoch: sight.epoch.clone() }
    }

    /// Redis trims the oldest entries only. So nothing is missing behind an entry that is there, but what XDEL has removed; and an
    /// entry that is gone while an older one is there was not trimmed. When all is gone that was there, what has been added says
    /// whether more is gone than that; where Redis does not count, it is taken to be.
    pub(super) fn judge(&self, sight: &Sight) -> Verdict {
        let is_another = self.epoch.is_some() && self.epoch != sight.epoch;
        if is_another || sight.generated < self.reached {
            return Verdict::Lost;
        }
        if !sight.holds && sight.first.is_some_and(|first| first <= self.reached) {
            return Verdict::Lost;
        }
        match (self.added, sight.added, sight.behind(self.reached)) {
            (Some(before), Some(now), Some(behind)) if now == before + behind => Verdict::Whole,
            // Nobody takes back what was counted.
            (Some(before), Some(now), Some(behind)) if now < before + behind && !sight.holds => Verdict::Lost,
            (Some(_), Some(_), Some(_)) => Verdict::Missed,
            _ if sight.holds || (sight.length == 0 && sight.generated == self.reached) => Verdict::Whole,
            _ => Verdict::Missed,
        }
    }

    /// Where to go on: behind `last`, which was read last, in the history of this epoch.
    pub(super) fn next(
        &self,
        sight: &Sight,
        verdict: Verdict,
        last: Option<EntryId>,
        epoch: Option<Word>,
    ) -> Self {
        let stays = if verdict == Verdict::Whole { self.reached } else { sight.end() };
        let unread =
            if sight.is_all { Some(0) } else { sight.behind(self.reached).map(|behind| behind - sight.read) };
        let added = match unread {
            Some(unread) => sight.added.map(|added| added.saturating_sub(unread)),
            None if verdict == Verdict::Whole => self.added.map(|added| added + sight.read),
            None => None,
        };
        Self { reached: last.unwrap_or(stays), added, epoch }
    }
}

impl Sight {
    /// Whether nothing is missing behind the entry that it is seen from, by all that Redis knows.
    pub(super) fn is_whole_behind(&self, entry: EntryId) -> bool {
        match entry {
            // What there has ever been.
            (0, 0) => self.added == Some(self.length),
            _ => (self.holds && self.deleted <= entry) || self.generated == entry,
        }
    }

    fn end(&self) -> EntryId {
        self.last.unwrap_or(self.generated)
    }

    /// How many entries are there behind the one it is seen from, if that is known. Without any that is older, all are.
    fn behind(&self, entry: EntryId) -> Option<u64> {
        if self.is_all {
            return Some(self.read);
        }
        self.first.is_some_and(|first| first > entry).then_some(self.length.max(self.read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mark at the fifth entry of those that were added, `5-0`, and a stream that holds these, of which so many were read.
    struct Case {
        holds: bool,
        entries: Option<(u64, u64)>,
        added: Option<u64>,
        read: (u64, bool),
    }

    fn mark(added: Option<u64>) -> Mark {
        Mark { reached: (5, 0), added, epoch: "a".parse().ok() }
    }

    fn sight(case: &Case) -> Sight {
        let (first, last) = case.entries.unzip();
        Sight {
            holds: case.holds,
            first: first.map(|first| (first, 0)),
            last: last.map(|last| (last, 0)),
            generated: (last.unwrap_or(5), 0),
            deleted: (0, 0),
            length: case.entries.map_or(0, |(first, last)| last - first + 1),
            added: case.added,
            epoch: "a".parse().ok(),
            read: case.read.0,
            is_all: case.read.1,
        }
    }

    fn check(case: &Case, expected: Verdict) {
        let (mark, sight) = (mark(case.added.map(|_| 5)), sight(case));
        let verdict = mark.judge(&sight);
        assert_eq!(verdict, expected, "{sight:?}");
        // What follows is not judged by what was before it.
        let last = sight.last.filter(|_| sight.read > 0).map(|(last, _)| {
            let (first, all) = (sight.first.map_or(0, |(first, _)| first.max(6)), sight.read);
            (if sight.is_all { last } else { first + all - 1 }, 0)
        });
        let next = mark.next(&sight, verdict, last, sight.epoch.clone());
        let holds = sight.first.is_some_and(|first| first <= next.reached);
        let left = sight.last.map_or(0, |(last, _)| last.saturating_sub(next.reached.0));
        let again = Sight { holds, read: left, is_all: true, ..sight };
        assert_eq!(next.judge(&again), Verdict::Whole, "{next:?} {again:?}");
    }

    #[test]
    fn what_was_not_read_is_missed() {
        for (holds, entries, added, read, expected) in [
            (true, Some((1, 5)), 5, (0, true), Verdict::Whole),
            (true, Some((1, 9)), 9, (4, true), Verdict::Whole),
            (true, Some((1, 9)), 9, (2, false), Verdict::Whole),
            (true, Some((5, 9)), 9, (4, true), Verdict::Whole),
            // All that was known is trimmed, and nothing else.
            (false, Some((6, 9)), 9, (4, true), Verdict::Whole),
            (false, Some((6, 9)), 9, (2, false), Verdict::Whole),
            (false, None, 5, (0, true), Verdict::Whole),
            // More is.
            (false, Some((7, 9)), 9, (3, true), Verdict::Missed),
            (false, Some((7, 9)), 9, (2, false), Verdict::Missed),
            (false, None, 6, (0, true), Verdict::Missed),
            // XDEL took some between the mark and the end, or all.
            (true, Some((1, 9)), 10, (4, true), Verdict::Missed),
            (true, Some((1, 5)), 6, (0, true), Verdict::Missed),
            // An older one is there.
            (false, Some((1, 9)), 9, (4, true), Verdict::Lost),
            (false, Some((1, 9)), 9, (2, false), Verdict::Lost),
            // It has gone back.
            (false, Some((1, 4)), 4, (0, true), Verdict::Lost),
            // It began anew, behind what was there.
            (false, Some((6, 9)), 4, (4, true), Verdict::Lost),
        ] {
            check(&Case { holds, entries, added: Some(added), read }, expected);
        }
    }

    #[test]
    fn without_a_count_it_is_missed_if_it_may_be() {
        for (holds, entries, read, expected) in [
            (true, Some((1, 5)), (0, true), Verdict::Whole),
            (true, Some((5, 9)), (2, false), Verdict::Whole),
            (false, None, (0, true), Verdict::Whole),
            (false, Some((6, 9)), (4, true), Verdict::Missed),
            (false, Some((1, 9)), (4, true), Verdict::Lost),
            (false, Some((1, 4)), (0, true), Verdict::Lost),
        ] {
            check(&Case { holds, entries, added: None, read }, expected);
        }
    }

    #[test]
    fn another_epoch_is_another_history() {
        let now = sight(&Case { holds: true, entries: Some((1, 5)), added: Some(5), read: (0, true) });
        for epoch in [None, "b".parse().ok()] {
            assert_eq!(mark(Some(5)).judge(&Sight { epoch, ..now.clone() }), Verdict::Lost);
        }
        let unnamed = Mark { epoch: None, ..mark(Some(5)) };
        assert_eq!(unnamed.judge(&now), Verdict::Whole, "it was given a name");
    }

    #[test]
    fn a_stream_that_is_not_there_is_lost_or_has_not_begun() {
        let nothing = sight(&Case { holds: false, entries: None, added: Some(0), read: (0, true) });
        let nothing = Sight { generated: (0, 0), ..nothing };
        assert_eq!(mark(Some(5)).judge(&nothing), Verdict::Lost);
        let begun = Mark::at_the_end(&nothing);
        assert_eq!(begun.judge(&nothing), Verdict::Whole);
        let (some, fewer) = (Some((1, 3)), Some((2, 3)));
        let first = sight(&Case { holds: false, entries: some, added: Some(3), read: (3, true) });
        assert_eq!(begun.judge(&first), Verdict::Whole);
        let trimmed = sight(&Case { holds: false, entries: fewer, added: Some(3), read: (2, true) });
        assert_eq!(begun.judge(&trimmed), Verdict::Missed);
    }

    #[test]
    fn what_is_asked_for_has_to_be_there() {
        let now = sight(&Case { holds: true, entries: Some((3, 9)), added: Some(9), read: (4, true) });
        assert!(now.is_whole_behind((5, 0)));
        assert!(!Sight { deleted: (7, 0), ..now.clone() }.is_whole_behind((5, 0)), "some were removed");
        assert!(Sight { deleted: (4, 0), ..now.clone() }.is_whole_behind((5, 0)), "it was before it");
        let without = Sight { holds: false, ..now };
        assert!(!without.is_whole_behind((5, 0)));
        assert!(without.is_whole_behind((9, 0)), "nothing has come since");
        assert!(!without.is_whole_behind((0, 0)), "some were trimmed");
        assert!(Sight { length: 9, ..without }.is_whole_behind((0, 0)));
    }
}
