use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use geocast_protocol::Channel;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What an event is the state of: the id of a GeoJSON feature (RFC 7946 §3.2), on its channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    channel: Channel,
    id: Id,
}

/// A string is never the same as a number. Numbers are the same if they are written the same: to take one state for
/// another loses data, to take it for a different one costs its transmission.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Id {
    Text(Arc<str>),
    Number(Arc<str>),
}

/// The members of a feature that matter here. A document in which they occur twice has no key.
#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: &'a RawValue,
}

impl Key {
    /// The key of a payload, if it is a feature with an id.
    pub(super) fn read(channel: &Channel, payload: &Bytes) -> Option<Self> {
        let Feature { kind, id } = serde_json::from_slice(payload).ok()?;
        if kind != "Feature" {
            return None;
        }
        let id = match id.get().as_bytes().first()? {
            b'"' => Id::Text(serde_json::from_str::<String>(id.get()).ok()?.into()),
            b'-' | b'0'..=b'9' => Id::Number(id.get().into()),
            _ => return None,
        };
        Some(Self { channel: channel.clone(), id })
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::store::deletion_notice;

    fn key(payload: &str) -> Option<Key> {
        Key::read(&"cars".parse().expect("a channel"), &payload.to_owned().into())
    }

    #[test]
    fn features_with_an_id_have_a_key() {
        let same = [
            r#"{"type":"Feature","id":"a7","geometry":null,"properties":null}"#,
            r#" {"geometry":{"type":"Point","id":1,"coordinates":[1,2]}, "id" : "\u0061\u0037", "type":"Feature"}"#,
            std::str::from_utf8(&deletion_notice("a7")).expect("JSON is text"),
        ]
        .map(key);
        assert!(same[0].is_some());
        assert!(same.iter().all(|key| *key == same[0]), "{same:?}");
        let ids = [r#""1""#, "1", "1.0", "-1", r#""""#];
        for (place, id) in ids.iter().enumerate() {
            let of = |id| key(&format!(r#"{{"type":"Feature","id":{id}}}"#));
            assert!(of(id).is_some() && of(id) == of(id), "{id}");
            assert!(ids[..place].iter().all(|other| of(other) != of(id)), "{id}");
        }
    }

    #[test]
    fn one_id_on_two_channels_is_two_keys() {
        let payload = deletion_notice("a7");
        let [one, two] =
            ["cars", "trams"].map(|channel| Key::read(&channel.parse().expect("a channel"), &payload));
        assert!(one.is_some() && two.is_some() && one != two);
    }

    #[test]
    fn anything_else_has_none() {
        for payload in [
            r#"{"type":"Feature"}"#,
            r#"{"id":7}"#,
            r#"{"type":"Point","id":7,"coordinates":[1,2]}"#,
            r#"{"type":"FeatureCollection","id":7,"features":[]}"#,
            r#"{"type":"Feature","id":null}"#,
            r#"{"type":"Feature","id":[7]}"#,
            r#"{"type":"Feature","id":{"a":1}}"#,
            r#"{"type":"Feature","id":true}"#,
            r#"{"type":"Feature","id":7,"id":8}"#,
            r#"{"type":"Feature","id":"\ud800"}"#,
            r#"[{"type":"Feature","id":7}]"#,
            r#"{"type":"Feature","id":7"#,
            "\u{feff}{\"type\":\"Feature\",\"id\":7}",
            "",
        ] {
            assert_eq!(key(payload), None, "{payload}");
        }
    }
}
