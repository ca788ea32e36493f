use std::collections::BTreeMap;

use geocast_server::RedisValue;
use serde::Serialize;

use super::{
    extent::Extent,
    payload::{Form, Payload},
};

/// What is known of some values of a channel.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Sample {
    /// So many values were looked at.
    pub(super) values: usize,
    /// Of these, by form.
    pub(super) forms: BTreeMap<Form, usize>,
    /// Around all positions, as they are written.
    pub(super) extent: Option<Extent>,
    /// Values whose properties say the opposite of their coordinates.
    pub(super) swapped: usize,
    /// The length of the longest value, in bytes.
    pub(super) longest: u64,
    /// The beginning of one value, of GeoJSON if there is any, without control characters.
    pub(super) example: Option<String>,
}

impl Sample {
    pub(super) fn add(&mut self, value: &RedisValue) {
        self.values += 1;
        let bytes = match value {
            RedisValue::Longer(length) => {
                self.longest = self.longest.max(*length);
                return;
            }
            RedisValue::Whole(bytes) => bytes,
        };
        self.longest = self.longest.max(bytes.len() as u64);
        let Payload { form, extent, is_swapped } = Payload::read(bytes);
        *self.forms.entry(form).or_default() += 1;
        self.extent = match (self.extent, extent) {
            (Some(known), Some(more)) => Some(known.with(more)),
            (known, more) => known.or(more),
        };
        self.swapped += usize::from(is_swapped);
        let is_first = form.is_geojson() && self.count(Form::is_geojson) == 1;
        if is_first || self.example.is_none() {
            self.example = Some(shortened(bytes));
        }
    }

    /// So many values have one of these forms.
    pub(super) fn count(&self, of: impl Fn(Form) -> bool) -> usize {
        self.forms.iter().filter(|(form, _)| of(**form)).map(|(_, count)| count).sum()
    }

    /// Whether this can be the state of a channel: most of it is meant to be read by others, as it seems.
    pub(super) fn is_state(&self) -> bool {
        2 * self.count(Form::is_json) > self.values
    }
}

/// The beginning, for one line.
fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]);
    let mut line: String = text.chars().take(SHOWN).flat_map(printable).collect();
    if text.chars().count() > SHOWN {
        line.push('…');
    }
    line
}

fn printable(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

/// Characters of an example.
const SHOWN: usize = 72;

#[cfg(test)]
mod tests {
    use super::{RedisValue, Sample, shortened};

    #[test]
    fn examples_are_one_short_line() {
        assert_eq!(shortened(b"a\n\x1b[31m"), "a\\n\\u{1b}[31m");
        assert_eq!(shortened("ä".repeat(100).as_bytes()), format!("{}…", "ä".repeat(72)));
    }

    #[test]
    fn geojson_is_the_example_where_there_is_any() {
        let mut sample = Sample::default();
        let point = |x| format!("{{\"type\":\"Point\",\"coordinates\":[{x},2]}}");
        for (value, example) in [
            ("{\"lat\":47.1,\"lon\":8.1}".to_owned(), "{\"lat\":47.1,\"lon\":8.1}".to_owned()),
            (point(1), point(1)),
            (point(5), point(1)),
        ] {
            sample.add(&RedisValue::Whole(value.into_bytes()));
            assert_eq!(sample.example, Some(example));
        }
    }

    #[test]
    fn what_is_mostly_json_is_state() {
        let mut sample = Sample::default();
        for (value, is_state) in [("{\"a\":1}", true), ("x", false), ("[1]", true)] {
            sample.add(&RedisValue::Whole(value.as_bytes().to_vec()));
            assert_eq!(sample.is_state(), is_state, "{value}");
        }
        sample.add(&RedisValue::Longer(1_000_000));
        assert_eq!((sample.values, sample.longest, sample.is_state()), (4, 1_000_000, false));
    }
}
