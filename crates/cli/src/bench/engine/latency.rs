use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// From the moment a message was handed to the publishing socket to the moment a client had read it. Kept to three
/// digits, in a space that does not grow with the number of messages.
#[derive(Debug)]
pub(in crate::bench) struct Latency(Histogram<u64>);

/// In milliseconds, what so many of all deliveries took at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(in crate::bench) struct Percentiles {
    pub(in crate::bench) p50: f64,
    pub(in crate::bench) p90: f64,
    pub(in crate::bench) p99: f64,
    #[serde(rename = "p99.9")]
    pub(in crate::bench) p999: f64,
    pub(in crate::bench) max: f64,
}

impl Latency {
    pub(in crate::bench) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("one is less than half of the longest"))
    }

    /// What takes longer than an hour is recorded as an hour.
    pub(in crate::bench) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// None as long as nothing was recorded.
    pub(in crate::bench) fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| milliseconds(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: milliseconds(self.0.max()),
        })
    }
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// An hour in nanoseconds, longer than any run.
const LONGEST: u64 = 3_600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut random = fastrand::Rng::with_seed(1);
        for count in [1, 2, 10, 999, 50_000] {
            let mut latency = Latency::new();
            let mut sorted: Vec<u64> =
                (0..count).map(|_| 1000 + (random.f64().powi(8) * 1e9) as u64).collect();
            for &nanoseconds in &sorted {
                latency.record(Duration::from_nanos(nanoseconds));
            }
            sorted.sort_unstable();
            // The smallest value that this part of all values does not exceed.
            let naive = |quantile: f64| {
                let rank = (quantile * sorted.len() as f64).ceil() as usize;
                sorted[rank.max(1) - 1] as f64 / 1e6
            };
            let Percentiles { p50, p90, p99, p999, max } = latency.percentiles().unwrap();
            for (found, quantile) in [(p50, 0.5), (p90, 0.9), (p99, 0.99), (p999, 0.999), (max, 1.0)] {
                let expected = naive(quantile);
                assert!(
                    (found - expected).abs() <= expected * 0.001 + 1e-6,
                    "{quantile} of {count}: {found} for {expected}"
                );
            }
        }
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Latency::new().percentiles(), None);
    }
}
