use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::cut;
use crate::{Document, Properties};

impl Document {
    /// The payload with those properties of its features alone whose names are to be kept, and not another byte changed;
    /// `None` if that is all of it. `payload` must be the bytes this document was read from, or what
    /// [`trim`](Self::trim) or [`rewrite`](Self::rewrite) has made of them.
    ///
    /// Of properties with the same name all are kept or none. A name that is no Unicode is not kept.
    #[must_use]
    pub fn reduce(&self, payload: &[u8], is_kept: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
        let cuts = self.properties(payload)?.cuts(payload, is_kept);
        if cuts.is_empty() {
            return None;
        }
        let (mut out, mut at) = (Vec::with_capacity(payload.len()), 0);
        for cut in cuts {
            out.extend_from_slice(payload.get(at..cut.start)?);
            at = cut.end;
        }
        out.extend_from_slice(payload.get(at..)?);
        Some(out)
    }
}

impl Properties {
    /// The bytes of all properties that are not kept, ascending.
    pub(crate) fn cuts(&self, payload: &[u8], is_kept: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
        let mut cuts = Vec::new();
        for place in self.places() {
            let Some(Entries(entries)) =
                payload.get(place.clone()).and_then(|object| serde_json::from_slice(object).ok())
            else {
                continue;
            };
            let places: Vec<Range<usize>> =
                entries.iter().map(|(name, value)| start(payload, name)..end(payload, value)).collect();
            cuts.extend(cut::cuts(&places, |index| {
                entries
                    .get(index)
                    .is_some_and(|(name, _)| text(name.get()).is_some_and(|name| is_kept(&name)))
            }));
        }
        cuts
    }
}

/// The members of an object, names and values as they are written.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Deserialize<'a> for Entries<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'a> Visitor<'a> for EntriesVisitor {
    type Value = Entries<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Entries<'a>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = object.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

/// Where a raw value begins in the payload, of which it is a slice.
fn start(payload: &[u8], raw: &RawValue) -> usize {
    raw.get().as_ptr() as usize - payload.as_ptr() as usize
}

/// Where it ends.
fn end(payload: &[u8], raw: &RawValue) -> usize {
    start(payload, raw) + raw.get().len()
}

/// A JSON string as text.
fn text(json: &str) -> Option<std::borrow::Cow<'_, str>> {
    match json.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(plain.into()),
        _ => serde_json::from_str::<String>(json).ok().map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::{Document, Limits};

    fn reduced(payload: &str, kept: &[&str]) -> String {
        let document = Document::read(payload.as_bytes(), &Limits::default()).expect("within limits");
        match document.reduce(payload.as_bytes(), |name| kept.contains(&name)) {
            Some(reduced) => String::from_utf8(reduced).expect("a text"),
            None => payload.to_owned(),
        }
    }

    #[test]
    fn other_bytes_stay() {
        let feature = |properties: &str| {
            format!(
                r#" {{"type":"Feature", "a":1,"properties" :{properties} ,"geometry":{{"type":"Point","coordinates":[1.0,2]}}}}"#
            )
        };
        for (properties, kept, expected) in [
            (r#"{"a":1,"b":2,"c":3}"#, &["b"][..], r#"{"b":2}"#),
            (r#"{"a":1,"b":2,"c":3}"#, &["a", "c"], r#"{"a":1,"c":3}"#),
            (r#"{ "a" : 1.50 , "b":{"a":[1]} ,"c":"x" }"#, &["b", "a"], r#"{ "a" : 1.50 , "b":{"a":[1]} }"#),
            (r#"{ "a":1, "b":2 }"#, &["a", "b"], r#"{ "a":1, "b":2 }"#),
            (r#"{ "a":1, "b":2 }"#, &[], "{  }"),
            (r#"{"a":1,"\u0062":2,"b":3,"\ud800":4}"#, &["b"], r#"{"\u0062":2,"b":3}"#),
            ("{}", &["a"], "{}"),
            ("null", &["a"], "null"),
            (r#"[{"a":1}]"#, &[], r#"[{"a":1}]"#),
        ] {
            assert_eq!(reduced(&feature(properties), kept), feature(expected), "{kept:?} of {properties}");
        }
    }

    #[test]
    fn what_has_been_cut_and_rewritten_can_be_reduced() {
        let feature = |id: u32, x: f64| {
            format!(
                r#"{{"type":"Feature","properties":{{"id":{id},"b":[2]}},"geometry":{{"type":"Point","coordinates":[{x},2]}}}}"#
            )
        };
        let payload = format!(
            r#"{{"type":"FeatureCollection","features":[{}, {}]}}"#,
            feature(1, 1.0),
            feature(2, 3.0)
        );
        let document = Document::read(payload.as_bytes(), &Limits::default()).expect("within limits");
        let trimmed = document.trim(payload.as_bytes(), &[1]);
        let shape = document.shape().map(|[x, y]| [x + 10.0, y]);
        let rewritten = document.rewrite(payload.as_bytes(), &shape, None, crate::Decimals::METRES);
        for (payload, expected) in [
            (
                trimmed,
                r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":2},"geometry":{"type":"Point","coordinates":[3,2]}}]}"#,
            ),
            (
                rewritten.expect("it is finite"),
                r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":1},"geometry":{"type":"Point","coordinates":[11,2]}}, {"type":"Feature","properties":{"id":2},"geometry":{"type":"Point","coordinates":[13,2]}}]}"#,
            ),
        ] {
            let reduced = document.reduce(&payload, |name| name == "id").expect("there is more");
            assert_eq!(String::from_utf8(reduced).expect("a text"), expected);
        }
    }

    proptest! {
        #[test]
        fn only_what_is_kept_remains(
            members in prop::collection::vec(prop::collection::btree_map("[a-d\"\\\\é]", 0..9, 0..5), 0..4),
            kept in prop::collection::vec("[a-d\"\\\\é]", 0..4),
        ) {
            let features = |keep: &dyn Fn(&String) -> bool| -> Vec<Value> {
                let of = |properties: &std::collections::BTreeMap<String, i32>| {
                    let properties: serde_json::Map<String, Value> = properties
                        .iter()
                        .filter(|(name, _)| keep(name))
                        .map(|(name, value)| (name.clone(), json!(value)))
                        .collect();
                    json!({ "type": "Feature", "geometry": null, "properties": properties })
                };
                members.iter().map(of).collect()
            };
            let payload = json!({ "type": "FeatureCollection", "features": features(&|_| true) }).to_string();
            let expected = json!({ "type": "FeatureCollection", "features": features(&|name| kept.contains(name)) });
            let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
            prop_assert_eq!(reduced(&payload, &kept), expected.to_string());
        }
    }
}
