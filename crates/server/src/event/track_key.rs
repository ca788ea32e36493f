use std::{borrow::Cow, hash::Hash, sync::Arc};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What tells the features of a tracked channel apart: the member `id` (RFC 7946 §3.2), or a property where that is set.
///
/// A number is the same key as the string that is written like it, because a hash names its fields by strings.
#[derive(Debug, Clone)]
pub(crate) struct TrackKey {
    text: Arc<str>,
    /// As it stood in the feature.
    is_number: bool,
}

/// A feature that can be tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tracked {
    pub(crate) key: TrackKey,
    /// Whether it says that there is no such feature any more.
    pub(crate) is_deleted: bool,
}

/// The members of a feature that matter here. A document in which they occur twice has no key.
#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    deleted: Option<&'a RawValue>,
}

impl Tracked {
    /// Reads a payload, which is a feature with a key or none. Without an id, the property of this name is the key.
    pub(super) fn read(payload: &Bytes, property: Option<&str>) -> Option<Self> {
        let Feature { kind, id, properties, deleted } = serde_json::from_slice(payload).ok()?;
        if kind != "Feature" {
            return None;
        }
        let key = id.and_then(TrackKey::read).or_else(|| {
            let properties = properties?.get();
            let members: std::collections::HashMap<Cow<'_, str>, &RawValue> =
                serde_json::from_str(properties).ok()?;
            TrackKey::read(members.get(property?)?)
        })?;
        Some(Self { key, is_deleted: deleted.is_some_and(|deleted| deleted.get() == "true") })
    }
}

impl TrackKey {
    fn read(value: &RawValue) -> Option<Self> {
        let json = value.get();
        let (text, is_number) = match json.as_bytes().first()? {
            b'"' => (serde_json::from_str::<String>(json).ok()?.into(), false),
            b'-' | b'0'..=b'9' => (json.into(), true),
            _ => return None,
        };
        Some(Self { text, is_number })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of its text.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Whether both are written the same.
    pub(crate) fn is_written_like(&self, other: &Self) -> bool {
        self == other && self.is_number == other.is_number
    }

    /// As JSON: a string, or a number where it came as one.
    pub(crate) fn json(&self) -> Cow<'_, str> {
        if self.is_number {
            Cow::Borrowed(&self.text)
        } else {
            Cow::Owned(serde_json::to_string(&*self.text).expect("a string is JSON"))
        }
    }
}

impl PartialEq for TrackKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TrackKey {}

impl Hash for TrackKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::deletion_notice;

    fn key(payload: &str, property: Option<&str>) -> Option<(String, bool)> {
        let tracked = Tracked::read(&payload.to_owned().into(), property)?;
        Some((tracked.key.json().into_owned(), tracked.is_deleted))
    }

    #[test]
    fn the_id_comes_before_the_property() {
        let feature = r#"{"type":"Feature","id":"a\"7","geometry":null,"properties":{"train":5}}"#;
        assert_eq!(key(feature, Some("train")), Some((r#""a\"7""#.to_owned(), false)));
        let bare = r#"{"type":"Feature","geometry":null,"properties":{"n":{"x":1},"train":5}}"#;
        assert_eq!(key(bare, Some("train")), Some(("5".to_owned(), false)));
        for (payload, property) in [
            (bare, None),
            (bare, Some("n")),
            (bare, Some("other")),
            (r#"{"type":"Feature","id":null,"properties":null}"#, Some("train")),
            (r#"{"type":"Point","id":7}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(key(payload, property), None, "{payload}");
        }
    }

    #[test]
    fn a_number_is_the_key_that_a_hash_writes_as_text() {
        let number = Tracked::read(&r#"{"type":"Feature","id":7}"#.into(), None).expect("a key");
        let notice = Tracked::read(&deletion_notice("7"), None).expect("a key");
        assert_eq!(number.key, notice.key);
        assert!(notice.is_deleted && !number.is_deleted);
    }
}
