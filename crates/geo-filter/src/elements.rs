use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::key::{Key, Name};

/// The byte ranges of a FeatureCollection's features; none if the payload is no such thing. Looked up only when
/// features are to be cut out, as most documents never need it.
pub(crate) fn features(payload: &[u8]) -> Vec<Range<usize>> {
    let Ok(Features(Some(array))) = serde_json::from_slice(payload) else { return Vec::new() };
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(array.get()) else { return Vec::new() };
    elements
        .into_iter()
        .map(|element| {
            // Raw values are slices of what they were read from: the distance is the place.
            let start = element.get().as_ptr() as usize - payload.as_ptr() as usize;
            start..start + element.get().len()
        })
        .collect()
}

/// The last `features` member of an object.
struct Features<'a>(Option<&'a RawValue>);

impl<'a> Deserialize<'a> for Features<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FeaturesVisitor)
    }
}

struct FeaturesVisitor;

impl<'a> Visitor<'a> for FeaturesVisitor {
    type Value = Features<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Features<'a>, A::Error> {
        let mut features = None;
        while let Some(Key(name)) = object.next_key()? {
            if let Name::Features = name {
                features = Some(object.next_value::<&RawValue>()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Features(features))
    }
}
