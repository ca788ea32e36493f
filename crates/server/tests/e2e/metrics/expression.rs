//! What an expression of PromQL asks for, as far as that is names of metrics and of labels.

use std::collections::BTreeSet;

/// Metrics with the labels that are matched, and labels that results are grouped by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) metrics: Vec<(String, Vec<Matcher>)>,
    pub(crate) labels: BTreeSet<String>,
}

/// `label="value"`, or one of the other operators.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) operator: String,
    pub(crate) value: String,
}

impl Asked {
    /// # Panics
    ///
    /// The expression has something that is not known here.
    pub(crate) fn of(expression: &str) -> Self {
        let mut asked = Self::default();
        let mut rest = expression.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            if first.is_ascii_digit() {
                // Numbers, also in the form of durations and powers.
                rest = &rest
                    [rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len())..];
            } else if length > 0 {
                let (word, behind) = rest.split_at(length);
                rest = asked.word(word, behind.trim_start(), expression);
            } else if let Some(behind) = rest.strip_prefix('[') {
                let (range, behind) = behind.split_once(']').unwrap_or_else(|| panic!("{expression}"));
                assert!(range == "$__rate_interval" || range.parse::<u32>().is_err(), "{expression}");
                rest = behind;
            } else {
                assert!("()+-*/<>=!,".contains(first), "{first} in {expression}");
                rest = &rest[1..];
            }
            rest = rest.trim_start();
        }
        let opened = expression.matches('(').count();
        assert_eq!(opened, expression.matches(')').count(), "{expression}");
        asked
    }

    fn word<'a>(&mut self, word: &str, behind: &'a str, expression: &str) -> &'a str {
        if GROUPING.contains(&word) {
            let inside = behind.strip_prefix('(').and_then(|inside| inside.split_once(')'));
            let (labels, behind) = inside.unwrap_or_else(|| panic!("{word} in {expression}"));
            self.labels.extend(labels.split(',').map(|label| label.trim().to_owned()));
            return behind;
        }
        if FUNCTIONS.contains(&word) {
            assert!(behind.starts_with("(") || behind.starts_with("by"), "{word} in {expression}");
            return behind;
        }
        if word == "and" {
            return behind;
        }
        let Some(inside) = behind.strip_prefix('{') else {
            self.metrics.push((word.to_owned(), Vec::new()));
            return behind;
        };
        let (matchers, behind) = inside.split_once('}').unwrap_or_else(|| panic!("{expression}"));
        let matchers = matchers.split(',').map(|matcher| {
            let end = matcher.find(['=', '!']).unwrap_or_else(|| panic!("{matcher} in {expression}"));
            let (label, rest) = matcher.split_at(end);
            let value = rest.trim_start_matches(['=', '!', '~']);
            let operator = rest.strip_suffix(value).expect("it is its end").to_owned();
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = value.unwrap_or_else(|| panic!("{matcher} in {expression}")).to_owned();
            Matcher { label: label.trim().to_owned(), operator, value }
        });
        self.metrics.push((word.to_owned(), matchers.collect()));
        behind
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

const GROUPING: [&str; 3] = ["by", "on", "without"];
const FUNCTIONS: [&str; 9] =
    ["changes", "count", "histogram_quantile", "increase", "max", "min", "rate", "sum", "time"];

#[test]
fn names_of_metrics_and_labels_are_found() {
    let asked = Asked::of(
        "sum by (instance, reason) (rate(a_total{reason=~\"x|y\",job=\"g\"}[5m])) > on (instance) 0.9 * b and c > 4e9",
    );
    let names: Vec<&str> = asked.metrics.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a_total", "b", "c"]);
    let matcher = &asked.metrics[0].1[0];
    assert_eq!((&*matcher.label, &*matcher.operator, &*matcher.value), ("reason", "=~", "x|y"));
    assert_eq!(asked.labels.iter().collect::<Vec<_>>(), ["instance", "reason"]);
    for broken in ["sum(a", "a{b}", "a{b=c}", "rate a", "a ? b"] {
        assert!(std::panic::catch_unwind(|| Asked::of(broken)).is_err(), "{broken}");
    }
}
