use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;

use super::Line;

/// Another node, as far as it has been heard.
///
/// What it has said is not forgotten at once when that may not hold any more: it is doubtful for a while, in which it can be said
/// again, so nobody is missed who has been there all the time.
#[derive(Debug, Default)]
pub(super) struct Neighbour {
    /// What it has said.
    lines: FxHashSet<Line>,
    /// What it had said before it began to say everything again, or was read again, and has not said since.
    doubtful: FxHashSet<Line>,
    /// Since when; absent if nobody waits for that.
    doubted: Option<Instant>,
    /// Since when it is not among those that are alive.
    missing: Option<Instant>,
    is_gone: bool,
}

impl Neighbour {
    /// It is there.
    pub(super) fn meet(&mut self) {
        (self.missing, self.is_gone) = (None, false);
    }

    /// It is not among those that are alive.
    pub(super) fn miss(&mut self, now: Instant) {
        self.missing.get_or_insert(now);
    }

    /// It is no more.
    pub(super) fn go(&mut self, now: Instant) {
        self.begin(now);
        (self.doubted, self.is_gone) = (None, true);
    }

    /// All that it has said is about to be heard again.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.doubtful.is_empty() {
            std::mem::swap(&mut self.lines, &mut self.doubtful);
        } else {
            self.doubtful.extend(self.lines.drain());
        }
        self.doubted = Some(now);
    }

    pub(super) fn says(&mut self, line: &Line) {
        self.doubtful.remove(line);
        self.lines.insert(line.clone());
    }

    pub(super) fn takes_back(&mut self, line: &Line) {
        self.doubtful.remove(line);
        self.lines.remove(line);
    }

    /// Some lines that do not hold any more: of a node that has been missing, or not said something again, for so long.
    pub(super) fn forgotten(&mut self, now: Instant, patience: Duration, most: usize) -> Vec<Line> {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= patience;
        if self.missing.is_some_and(is_over) && !self.is_gone {
            self.go(now);
        }
        if self.doubtful.is_empty() || self.doubted.is_some_and(|since| !is_over(since)) {
            return Vec::new();
        }
        some(&mut self.doubtful, most)
    }

    /// Whether there is nothing to be known of it any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_gone && self.lines.is_empty() && self.doubtful.is_empty()
    }
}

/// Takes some lines out.
pub(super) fn some(lines: &mut FxHashSet<Line>, most: usize) -> Vec<Line> {
    if lines.len() <= most {
        return lines.drain().collect();
    }
    let some: Vec<Line> = lines.iter().take(most).cloned().collect();
    for line in &some {
        lines.remove(line);
    }
    some
}
