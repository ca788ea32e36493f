//! When an envelope was made.

use std::{io::Write as _, time::Duration};

/// Milliseconds since the Unix epoch, 1970-01-01T00:00:00Z, as clients expect them: a float.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Timestamp(f64);

impl Timestamp {
    /// The time that lies `elapsed` after the epoch, to the microsecond.
    ///
    /// Today's milliseconds leave a float about a quarter of a microsecond of precision, and more digits on the wire
    /// would say nothing.
    #[must_use]
    pub fn since_epoch(elapsed: Duration) -> Self {
        // Exact below 2⁵³ µs, which is in the year 2255.
        Self(elapsed.as_micros() as f64 / 1000.0)
    }

    /// Milliseconds since the epoch; finite and not negative.
    #[must_use]
    pub const fn millis(self) -> f64 {
        self.0
    }

    /// Appends a JSON number that has a decimal point or an exponent.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        // The debug form of a float, unlike the display form, never looks like an integer.
        write!(out, "{:?}", self.0).expect("a Vec takes every byte");
    }

    /// The most bytes that [`Timestamp::write`] appends.
    pub(crate) const MAX_BYTES: usize = 24;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_a_float() {
        let check = |elapsed: Duration, expected: &str| {
            let mut out = Vec::new();
            Timestamp::since_epoch(elapsed).write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{elapsed:?}");
            assert!(expected.len() <= Timestamp::MAX_BYTES);
        };
        check(Duration::ZERO, "0.0");
        check(Duration::from_millis(1_700_000_000_123), "1700000000123.0");
        check(Duration::from_micros(1_700_000_000_123_456), "1700000000123.456");
        check(Duration::from_nanos(1_700_000_000_123_456_789), "1700000000123.456");
        check(Duration::MAX, "1.8446744073709552e22");
    }
}
