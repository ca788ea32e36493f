use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::key::{Key, Name};
use crate::{Document, Kind, elements, outline};

/// Where the properties of a payload's features stand in it (RFC 7946 §3.2), found without looking into them.
///
/// A *member* is a feature of a FeatureCollection, with the number that it has in a [`Shape`](crate::Shape); a Feature by
/// itself is member 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Per member, the bytes of the object; empty where there is none.
    members: Vec<Range<usize>>,
}

impl Properties {
    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// The bytes of each object, in the order of the payload.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Range<usize>> {
        self.members.iter().filter(|place| !place.is_empty())
    }

    /// Whether a member has such an object, were it empty.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.places().next().is_some()
    }

    /// The values of one property as they are written, of all members that have it, ascending. Of properties with the same
    /// name the last one counts, as with `JSON.parse`. `payload` must be the bytes this was read from.
    #[must_use]
    pub fn values<'a>(&self, payload: &'a [u8], name: &str) -> Vec<(usize, &'a str)> {
        let places = self.members.iter().enumerate().filter(|(_, place)| !place.is_empty());
        let values = places.filter_map(|(member, place)| {
            let mut object = serde_json::Deserializer::from_slice(payload.get(place.clone())?);
            let value = Sought { name: name.as_bytes() }.deserialize(&mut object).ok()??;
            Some((member, value.get()))
        });
        values.collect()
    }
}

impl Document {
    /// Where the properties of its features stand; `None` if it is neither a Feature nor a FeatureCollection. `payload` must
    /// be the bytes this document was read from.
    #[must_use]
    pub fn properties(&self, payload: &[u8]) -> Option<Properties> {
        if matches!(self.kind(), Kind::Text | Kind::Binary) {
            return None;
        }
        if !self.is_collection() {
            let feature = Feature::read(payload).filter(|feature| feature.is_feature)?;
            return Some(Properties { members: vec![feature.place(payload)] });
        }
        let members = elements::features(payload).into_iter().map(|element| {
            let feature = payload.get(element).and_then(Feature::read);
            feature.map_or(0..0, |feature| feature.place(payload))
        });
        Some(Properties { members: members.collect() })
    }
}

/// The members of an object that matter here, the last of each name.
#[derive(Default)]
struct Feature<'a> {
    is_feature: bool,
    /// An object.
    properties: Option<&'a RawValue>,
}

impl<'a> Feature<'a> {
    fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Where its properties stand in the payload that it was read from.
    fn place(&self, payload: &[u8]) -> Range<usize> {
        // A raw value is a slice of what it was read from: the distance of the two is its place.
        self.properties.map_or(0..0, |object| {
            let start = object.get().as_ptr() as usize - payload.as_ptr() as usize;
            start..start + object.get().len()
        })
    }
}

impl<'a> Deserialize<'a> for Feature<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FeatureVisitor)
    }
}

struct FeatureVisitor;

impl<'a> Visitor<'a> for FeatureVisitor {
    type Value = Feature<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Feature<'a>, A::Error> {
        let mut feature = Feature::default();
        while let Some(Key(name)) = object.next_key()? {
            match name {
                Name::Type => feature.is_feature = outline::is_feature(object.next_value()?),
                Name::Properties => {
                    let value: &RawValue = object.next_value()?;
                    feature.properties = Some(value).filter(|value| value.get().starts_with('{'));
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(feature)
    }
}

/// The last value of a name in an object.
struct Sought<'n> {
    name: &'n [u8],
}

impl<'a> DeserializeSeed<'a> for Sought<'_> {
    type Value = Option<&'a RawValue>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Sought<'_> {
    type Value = Option<&'a RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_sought) = object.next_key_seed(Is(self.name))? {
            if is_sought {
                found = Some(object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a member's name is this.
struct Is<'n>(&'n [u8]);

impl<'a> DeserializeSeed<'a> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<bool, D::Error> {
        // As bytes, because a name with a lone surrogate is JSON (RFC 8259 §8.2) and yet no Unicode text.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Document, Limits};

    /// The values of the property `a`, and how many members there are; `None` for what is no feature.
    fn a(payload: &str) -> Option<(usize, Vec<(usize, String)>)> {
        let document = Document::read(payload.as_bytes(), &Limits::default()).expect("within limits");
        let properties = document.properties(payload.as_bytes())?;
        let values = properties.values(payload.as_bytes(), "a");
        let values = values.into_iter().map(|(member, value)| (member, value.to_owned())).collect();
        Some((properties.members(), values))
    }

    #[test]
    fn values_come_as_they_are_written() {
        for (payload, value) in [
            (r#"{"type":"Feature","properties":{"b":1,"a": 7.10 }}"#, Some("7.10")),
            (
                r#"{"properties":{"a":1,"\u0061":"\u00e9","b":{"a":2}},"type":"\u0046eature"}"#,
                Some(r#""\u00e9""#),
            ),
            (r#" {"type":"Feature","properties":{"a":1},"properties":{"a":[2]}}"#, Some("[2]")),
            (r#"{"type":"Feature","properties":{"\ud800":1,"a":"\ud800"}}"#, Some(r#""\ud800""#)),
            (r#"{"type":"Feature","properties":{"a":1},"properties":null}"#, None),
            (r#"{"type":"Feature","properties":[{"a":1}],"a":2}"#, None),
            (
                r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2],"properties":{"a":1}}}"#,
                None,
            ),
            (r#"{"type":"Feature"}"#, None),
        ] {
            let values = value.map(|value| (0, value.to_owned())).into_iter().collect();
            assert_eq!(a(payload), Some((1, values)), "{payload}");
        }
    }

    #[test]
    fn what_is_no_json_is_no_feature() {
        assert_eq!(a("{\"type\":\"Feature\",\"b\0\":1,\"properties\":{\"a\":1}}"), None);
        assert_eq!(a(r#"{"type":"Feature","properties":{"a":1}"#), None);
    }

    #[test]
    fn members_are_numbered_as_in_the_shape() {
        for geometry in ["null", r#"{"type":"Point","coordinates":[1,2]}"#] {
            let feature = |properties| {
                format!(r#"{{"type":"Feature","geometry":{geometry},"properties":{properties}}}"#)
            };
            let features = [
                feature("null"),
                feature(r#"{"a":1}"#),
                "7".to_owned(),
                feature("{}"),
                feature(r#"{"a":null}"#),
            ];
            let payload = format!(r#"{{"features":[{}],"type":"FeatureCollection"}}"#, features.join(" , "));
            let expected = vec![(1, "1".to_owned()), (4, "null".to_owned())];
            assert_eq!(a(&payload), Some((5, expected)), "{payload}");
            let document = Document::read(payload.as_bytes(), &Limits::default()).expect("within limits");
            assert_eq!((document.shape().members(), document.is_collection()), (5, true));
            let trimmed = String::from_utf8(document.trim(payload.as_bytes(), &[1])).expect("a text");
            assert_eq!(a(&trimmed), Some((1, vec![(0, "1".to_owned())])), "{trimmed}");
        }
        assert_eq!(a(r#"{"type":"FeatureCollection","features":[]}"#), Some((0, Vec::new())));
    }

    #[test]
    fn what_is_no_feature_has_no_properties() {
        for payload in [
            r#"{"type":"Point","coordinates":[1,2],"properties":{"a":1}}"#,
            r#"{"properties":{"a":1}}"#,
            r#"{"type":"FeatureCollection","properties":{"a":1}}"#,
            r#"[{"type":"Feature","properties":{"a":1}}]"#,
            r#"{"type":"Feature","properties":{"a":1}"#,
            "7",
            "",
        ] {
            assert_eq!(a(payload), None, "{payload}");
        }
    }
}
