use std::fmt::{self, Write};

use super::{
    family::{Family, Kind, Sample, Value},
    histogram::Reading,
};

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricsFormat {
    /// Prometheus' text format, version 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0, which says the same and has an end.
    OpenMetrics,
}

impl MetricsFormat {
    /// The one for a request whose header `Accept` is this: OpenMetrics, if it is accepted by its name.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let is_refused = |parameter: &str| {
            let weight = parameter.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f64>().ok());
            weight.is_some_and(|weight| weight <= 0.0)
        };
        let is_open_metrics = |range: &str| {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("application/openmetrics-text") && !parts.any(is_refused)
        };
        if accept.split(',').any(is_open_metrics) { Self::OpenMetrics } else { Self::Text }
    }

    /// The media type that goes with it.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn write(self, families: &[Family]) -> String {
        let mut text = String::with_capacity(families.len() * TYPICAL_FAMILY);
        let written = families.iter().try_for_each(|family| self.family(&mut text, family));
        written.expect("a string takes all");
        if self == Self::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }

    fn family(self, text: &mut String, family: &Family) -> fmt::Result {
        let Family { name, kind, help, samples } = family;
        let suffix = match kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        // OpenMetrics names the family, the older format what its samples are named.
        let (called, kind) = match (self, kind) {
            (Self::OpenMetrics, Kind::Info) => ("", "info"),
            (Self::OpenMetrics, Kind::Counter) => ("", "counter"),
            (Self::Text, Kind::Counter) => (suffix, "counter"),
            (_, Kind::Histogram) => ("", "histogram"),
            (_, Kind::Gauge) | (Self::Text, Kind::Info) => (suffix, "gauge"),
        };
        writeln!(text, "# TYPE {name}{called} {kind}")?;
        let unit =
            UNITS.into_iter().find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')));
        if let (Self::OpenMetrics, Some(unit)) = (self, unit) {
            writeln!(text, "# UNIT {name} {unit}")?;
        }
        writeln!(text, "# HELP {name}{called} {help}")?;
        samples.iter().try_for_each(|sample| self.sample(text, name, suffix, sample))
    }

    fn sample(self, text: &mut String, name: &str, suffix: &str, sample: &Sample) -> fmt::Result {
        let Reading { within, count, sum } = match &sample.value {
            Value::Integer(value) => {
                return writeln!(text, "{name}{suffix}{} {value}", Shown(sample, None));
            }
            Value::Real(value) => return writeln!(text, "{name}{suffix}{} {value}", Shown(sample, None)),
            Value::Histogram(reading) => reading,
        };
        for (bound, number) in within.iter().copied().chain([("+Inf", *count)]) {
            let bound = if self == Self::Text { bound.trim_end_matches(".0") } else { bound };
            writeln!(text, "{name}_bucket{} {number}", Shown(sample, Some(bound)))?;
        }
        writeln!(text, "{name}_sum{} {}", Shown(sample, None), sum.as_secs_f64())?;
        writeln!(text, "{name}_count{} {count}", Shown(sample, None))
    }
}

/// The labels of a sample, and the bound of a bucket.
struct Shown<'a>(&'a Sample, Option<&'a str>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.0.labels.iter().map(|(name, value)| (*name, &**value));
        let mut before = '{';
        for (name, value) in labels.chain(self.1.map(|bound| ("le", bound))) {
            write!(formatter, "{before}{name}=\"{}\"", Escaped(value))?;
            before = ',';
        }
        if before == ',' { formatter.write_char('}') } else { Ok(()) }
    }
}

/// Text that cannot be taken for the end of its quotes or of its line. What helps say has neither.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\\' => formatter.write_str("\\\\"),
            '"' => formatter.write_str("\\\""),
            '\n' => formatter.write_str("\\n"),
            other => formatter.write_char(other),
        })
    }
}

/// In which values are given; a name says so at its end.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// Bytes that a family takes, roughly.
const TYPICAL_FAMILY: usize = 256;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::histogram::Histogram;

    #[test]
    fn open_metrics_is_written_for_who_asks_for_it() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus, MetricsFormat::OpenMetrics),
            ("Application/OpenMetrics-Text", MetricsFormat::OpenMetrics),
            ("text/plain, application/openmetrics-text; q=0", MetricsFormat::Text),
            ("application/openmetrics-texts", MetricsFormat::Text),
            ("*/*", MetricsFormat::Text),
            ("", MetricsFormat::Text),
        ] {
            assert_eq!(MetricsFormat::accepted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn both_formats_say_the_same() {
        let histogram = Histogram::default();
        histogram.observe(Duration::from_millis(1500));
        let families = [
            Family::counter("a_bytes", "All bytes.").by("reason", [("x\\\"\n", 7_u64), ("y", 0)]),
            Family::gauge("b", "A ratio.").is(0.25),
            Family::info("c", "A version.").of([("version", "1".into())], 1_u64),
            Family::histogram("d_seconds", "Time.").of([("worker", "0".into())], histogram.read()),
        ];
        let text = MetricsFormat::Text.write(&families);
        let open = MetricsFormat::OpenMetrics.write(&families);
        for line in [
            "# TYPE a_bytes_total counter",
            "# HELP a_bytes_total All bytes.",
            "a_bytes_total{reason=\"x\\\\\\\"\\n\"} 7",
            "b 0.25",
            "# TYPE c_info gauge",
            "c_info{version=\"1\"} 1",
            "d_seconds_bucket{worker=\"0\",le=\"1\"} 0",
            "d_seconds_bucket{worker=\"0\",le=\"2.5\"} 1",
            "d_seconds_bucket{worker=\"0\",le=\"+Inf\"} 1",
            "d_seconds_sum{worker=\"0\"} 1.5",
            "d_seconds_count{worker=\"0\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        for line in [
            "# TYPE a_bytes counter",
            "# UNIT a_bytes bytes",
            "# HELP a_bytes All bytes.",
            "a_bytes_total{reason=\"y\"} 0",
            "# TYPE c info",
            "c_info{version=\"1\"} 1",
            "# UNIT d_seconds seconds",
            "d_seconds_bucket{worker=\"0\",le=\"1.0\"} 0",
        ] {
            assert!(open.lines().any(|found| found == line), "{line}\n{open}");
        }
        assert!(open.ends_with("# EOF\n") && !text.contains("EOF") && !text.contains("UNIT"));
    }
}
