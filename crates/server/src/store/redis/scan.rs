use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::watch::Fields;

/// Reading a hash in batches.
///
/// HVALS would bring a hash in one answer: of whatever size, held in whole by Redis and by us, while Redis serves nobody
/// else. HSCAN brings every field that is there from the first batch to the last, at least once, with the value of that
/// moment. That is no snapshot of one instant, but neither is any read once live messages follow: whoever subscribes
/// first and then reads misses nothing.
///
/// The number of fields per batch follows the size of those seen so far, towards batches of about 1 MiB. A batch is the
/// most that is held above the bound.
#[derive(Debug)]
pub(super) struct Scan {
    /// By field, since HSCAN may bring a field twice while Redis resizes the hash. The later value is the newer.
    values: FxHashMap<Vec<u8>, Bytes>,
    bytes: usize,
    limit: usize,
    next: Option<(u64, usize)>,
}

impl Scan {
    /// Nothing is read yet. Fields and values may have `limit` bytes together.
    pub(super) fn new(limit: usize) -> Self {
        Self { values: FxHashMap::default(), bytes: 0, limit, next: Some((0, FIRST_COUNT)) }
    }

    /// The cursor and the number of fields to ask for next, or `None` at the end.
    pub(super) fn next(&self) -> Option<(u64, usize)> {
        self.next
    }

    /// Takes an answer: the next cursor, and fields and values by turns. False if the bound is exceeded.
    pub(super) fn take(&mut self, cursor: u64, batch: Vec<Vec<u8>>) -> bool {
        let mut batch = batch.into_iter();
        while let (Some(field), Some(value)) = (batch.next(), batch.next()) {
            self.bytes += field.len() + value.len();
            let length = field.len();
            if let Some(older) = self.values.insert(field, value.into()) {
                self.bytes -= length + older.len();
            }
        }
        if self.bytes > self.limit {
            return false;
        }
        let mean = self.bytes / self.values.len().max(1) + 1;
        self.next = (cursor != 0).then(|| (cursor, (BATCH_BYTES / mean).clamp(1, MAX_COUNT)));
        true
    }

    /// What was read, by field. What is no UTF-8 in a name is replaced.
    pub(super) fn into_fields(self) -> Fields {
        let name = |field: Vec<u8>| String::from_utf8_lossy(&field).into_owned().into_boxed_str();
        self.values.into_iter().map(|(field, value)| (name(field), value)).collect()
    }

    /// What was read, in no order.
    pub(super) fn into_values(self) -> Vec<Bytes> {
        self.values.into_values().collect()
    }
}

/// Enough that most hashes come in one or two answers.
const FIRST_COUNT: usize = 100;
/// Redis takes about a millisecond to send as much.
const BATCH_BYTES: usize = 1024 * 1024;
const MAX_COUNT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(pairs: &[(&str, &str)]) -> Vec<Vec<u8>> {
        pairs
            .iter()
            .flat_map(|(field, value)| [field.as_bytes().to_vec(), value.as_bytes().to_vec()])
            .collect()
    }

    #[test]
    fn goes_on_until_the_cursor_is_zero() {
        let mut scan = Scan::new(100);
        assert_eq!(scan.next(), Some((0, FIRST_COUNT)));
        assert!(scan.take(7, batch(&[("a", "1"), ("b", "2")])));
        assert_eq!(scan.next().map(|(cursor, _)| cursor), Some(7));
        assert!(scan.take(9, batch(&[])));
        assert!(scan.take(0, batch(&[("a", "3"), ("c", "4")])));
        assert_eq!(scan.next(), None);
        let mut values = scan.into_values();
        values.sort();
        assert_eq!(values, ["2", "3", "4"], "the later value of a field counts, and once");
    }

    #[test]
    fn stops_above_the_bound_only() {
        let mut scan = Scan::new(10);
        assert!(scan.take(1, batch(&[("a", "123456789")])));
        assert!(scan.take(2, batch(&[("a", "987654321")])), "a field that comes again is counted once");
        assert!(!scan.take(3, batch(&[("b", "")])));
    }

    #[test]
    fn asks_for_fewer_when_they_are_large() {
        let mut scan = Scan::new(usize::MAX);
        assert!(scan.take(1, batch(&[("a", &"x".repeat(300_000))])));
        assert_eq!(scan.next(), Some((1, 3)));
        let mut scan = Scan::new(usize::MAX);
        assert!(scan.take(1, batch(&[("a", "")])));
        assert_eq!(scan.next(), Some((1, MAX_COUNT)));
    }
}
