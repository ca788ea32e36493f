use super::tallies::Tally;

/// How many speak which dialect.
#[derive(Debug)]
pub(crate) struct Dialects {
    begun: Tally,
    ended: Tally,
}

impl Dialects {
    /// Of these names.
    pub(crate) fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        let mut names: Vec<&'static str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self { begun: Tally::new(names.iter().copied()), ended: Tally::new(names) }
    }

    /// A connection speaks a dialect.
    pub(crate) fn begin(&self, dialect: &str) {
        self.begun.add(dialect);
    }

    /// And does no more.
    pub(crate) fn end(&self, dialect: &str) {
        self.ended.add(dialect);
    }

    /// Connections so far.
    pub(super) fn opened(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.begun.iter()
    }

    /// Connections at this moment.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&'static str, u64)> {
        // What has ended is read first, so that none ends before it has begun.
        let ended: Vec<(&'static str, u64)> = self.ended.iter().collect();
        self.begun.iter().zip(ended).map(|((name, begun), (_, ended))| (name, begun.saturating_sub(ended)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_gone_are_counted_as_opened_alone() {
        let dialects = Dialects::new(["b", "a", "b"]);
        for dialect in ["a", "b", "b"] {
            dialects.begin(dialect);
        }
        dialects.end("b");
        assert_eq!(dialects.opened().collect::<Vec<_>>(), [("a", 1), ("b", 2), ("other", 0)]);
        assert_eq!(dialects.open().collect::<Vec<_>>(), [("a", 1), ("b", 1), ("other", 0)]);
    }
}
