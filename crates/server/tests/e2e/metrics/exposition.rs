//! Reads what is exposed, as strictly as the two formats are specified.

use std::collections::{BTreeMap, BTreeSet};

/// All metrics of an answer, by name: that of the family, without the suffix of counters and infos.
#[derive(Debug)]
pub(crate) struct Exposition(pub(crate) BTreeMap<String, Family>);

/// A metric.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

/// A value, the name under which it stands, and its labels.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    /// # Panics
    ///
    /// It is not in this format.
    pub(crate) fn read(text: &str, is_open_metrics: bool) -> Self {
        let mut families = BTreeMap::<String, Family>::new();
        let mut current = String::new();
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(comment) = line.strip_prefix("# ") else {
                let sample = Sample::read(line);
                let family = families.get_mut(&current).unwrap_or_else(|| panic!("nothing is before {line}"));
                family.samples.push(sample);
                continue;
            };
            if comment == "EOF" {
                assert!(is_open_metrics && lines.peek().is_none(), "an end that is none");
                break;
            }
            let [what, name, said] = comment.splitn(3, ' ').collect::<Vec<_>>()[..]
                .try_into()
                .unwrap_or_else(|_| panic!("{line}"));
            if what == "TYPE" {
                current = family_name(name, said, is_open_metrics);
                let family = Family { kind: said.to_owned(), ..Family::default() };
                assert!(families.insert(current.clone(), family).is_none(), "{name} comes twice");
                continue;
            }
            let family = families.get_mut(&current).unwrap_or_else(|| panic!("no type is before {line}"));
            assert_eq!(family_name(name, &family.kind, is_open_metrics), current, "{line}");
            assert!(family.samples.is_empty(), "{line} comes too late");
            match what {
                "HELP" => said.clone_into(&mut family.help),
                "UNIT" => {
                    assert!(is_open_metrics && current.ends_with(&format!("_{said}")), "{line}");
                    family.unit = Some(said.to_owned());
                }
                _ => panic!("{line}"),
            }
        }
        assert_eq!(text.ends_with("\n# EOF\n"), is_open_metrics, "the end");
        families.iter().for_each(|(name, family)| family.check(name));
        Self(families)
    }

    /// The value of a sample that has these labels, and no others.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut samples = self.0.values().flat_map(|family| &family.samples);
        samples.find(|sample| sample.name == name && sample.labels == labels).map(|sample| sample.value)
    }

    /// All values of a name together.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let samples = self.0.values().flat_map(|family| &family.samples);
        samples.filter(|sample| sample.name == name).map(|sample| sample.value).sum()
    }
}

/// What a family is called: OpenMetrics says it, the older format says what its samples are called.
fn family_name(name: &str, kind: &str, is_open_metrics: bool) -> String {
    if is_open_metrics || kind != "counter" {
        // There is no other way to tell an info from a gauge there.
        return if is_open_metrics { name } else { name.strip_suffix("_info").unwrap_or(name) }.to_owned();
    }
    name.strip_suffix("_total").unwrap_or_else(|| panic!("the counter {name} does not say so")).to_owned()
}

impl Sample {
    fn read(line: &str) -> Self {
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, rest) = line.split_at(end);
        let mut labels = BTreeMap::new();
        let mut rest = rest;
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                let (label, value) = inside.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                assert!(is_name(label) && !label.contains(':'), "{line}");
                let (value, behind) = quoted(value).unwrap_or_else(|| panic!("{line}"));
                assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
                if let Some(next) = behind.strip_prefix(',') {
                    inside = next;
                    continue;
                }
                rest = behind.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
                break;
            }
        }
        let value = rest.strip_prefix(' ').and_then(|value| value.parse().ok());
        let value = value.unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(name), "{line}");
        Self { name: name.to_owned(), labels, value }
    }
}

impl Family {
    /// What holds for all metrics of ours.
    fn check(&self, name: &str) {
        let Self { kind, help, samples, .. } = self;
        assert!(name.starts_with("geocast_") || name.starts_with("process_"), "{name}");
        assert!(help.ends_with('.') && !help.contains(['"', '\\']), "{name}: {help}");
        let suffixes: &[&str] = match &**kind {
            "counter" => &["_total"],
            "info" => &["_info"],
            "gauge" => &["", "_info"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => panic!("{name} is a {kind}"),
        };
        let mut known = BTreeSet::new();
        for sample in samples {
            let suffix =
                sample.name.strip_prefix(name).unwrap_or_else(|| panic!("{} in {name}", sample.name));
            assert!(suffixes.contains(&suffix), "{}", sample.name);
            assert!(sample.value >= 0.0, "{sample:?}");
            assert!(known.insert((&sample.name, &sample.labels)), "twice: {sample:?}");
            assert_eq!(sample.labels.contains_key("le"), suffix == "_bucket", "{sample:?}");
        }
        let names: BTreeSet<Vec<&String>> = samples
            .iter()
            .map(|sample| sample.labels.keys().filter(|name| *name != "le").collect())
            .collect();
        assert!(names.len() <= 1, "{name} has not the same labels everywhere: {names:?}");
        if kind == "histogram" {
            self.check_buckets(name);
        }
    }

    fn check_buckets(&self, name: &str) {
        for count in self.samples.iter().filter(|sample| sample.name == format!("{name}_count")) {
            let mut before = (f64::NEG_INFINITY, 0.0);
            for sample in self.samples.iter().filter(|sample| sample.name.ends_with("_bucket")) {
                let mut labels = sample.labels.clone();
                let bound = labels.remove("le").expect("that was checked");
                if labels != count.labels {
                    continue;
                }
                let bound: f64 = bound.parse().unwrap_or_else(|_| panic!("{sample:?}"));
                assert!(bound > before.0 && sample.value >= before.1, "{sample:?} behind {before:?}");
                before = (bound, sample.value);
            }
            assert_eq!(before, (f64::INFINITY, count.value), "{name}");
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    let mut bytes = text.bytes();
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}

/// What stands before the closing quote, and what behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}
