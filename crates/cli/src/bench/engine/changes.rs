use std::ops::{Add, Sub};

use memchr::memmem;
use serde::Serialize;

/// What a tracked subscriber was told of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Change {
    Enter,
    Update,
    Leave,
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(in crate::bench) struct Changes {
    pub(in crate::bench) enters: u64,
    pub(in crate::bench) updates: u64,
    pub(in crate::bench) leaves: u64,
}

impl Change {
    /// Reads an envelope as far as it takes; none if it is about something else.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let at = memmem::find(payload, MARK)? + MARK.len();
        match payload.get(at)? {
            b'e' => Some(Self::Enter),
            b'u' => Some(Self::Update),
            b'l' => Some(Self::Leave),
            _ => None,
        }
    }

    /// What somebody is told who saw something before or not, and sees it now or not.
    pub(in crate::bench) fn between(before: bool, after: bool) -> Option<Self> {
        match (before, after) {
            (false, true) => Some(Self::Enter),
            (true, true) => Some(Self::Update),
            (true, false) => Some(Self::Leave),
            (false, false) => None,
        }
    }
}

impl Changes {
    pub(in crate::bench) fn note(&mut self, change: Change) {
        let count = match change {
            Change::Enter => &mut self.enters,
            Change::Update => &mut self.updates,
            Change::Leave => &mut self.leaves,
        };
        *count += 1;
    }

    pub(in crate::bench) fn total(self) -> u64 {
        self.enters + self.updates + self.leaves
    }
}

impl Add for Changes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            enters: self.enters + other.enters,
            updates: self.updates + other.updates,
            leaves: self.leaves + other.leaves,
        }
    }
}

impl Sub for Changes {
    type Output = Self;

    /// What came since.
    fn sub(self, before: Self) -> Self {
        Self {
            enters: self.enters - before.enters,
            updates: self.updates - before.updates,
            leaves: self.leaves - before.leaves,
        }
    }
}

/// What stands before the kind of a change.
const MARK: &[u8] = b"\"change\":\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_told_apart() {
        let envelope =
            |content: &str| format!("{{\"source\":\"bench\",\"content\":{content},\"timestamp\":1.0}}");
        for (content, change) in [
            (r#"{"change":"enter","key":7,"feature":{"id":7}}"#, Some(Change::Enter)),
            (r#"{"change":"update","key":7,"feature":{"id":7}}"#, Some(Change::Update)),
            (r#"{"change":"leave","key":7,"reason":"moved"}"#, Some(Change::Leave)),
            (r#"{"status":"open"}"#, None),
            (r#"{"change":""#, None),
        ] {
            assert_eq!(Change::read(envelope(content).as_bytes()), change, "{content}");
        }
        assert_eq!(Change::read(MARK), None);
    }

    #[test]
    fn what_came_since_is_counted() {
        let mut changes = Changes::default();
        for (before, after) in [(false, true), (true, true), (true, true), (true, false), (false, false)] {
            Change::between(before, after).into_iter().for_each(|change| changes.note(change));
        }
        assert_eq!(changes, Changes { enters: 1, updates: 2, leaves: 1 });
        assert_eq!((changes.total(), changes + changes - changes), (4, changes));
    }
}
