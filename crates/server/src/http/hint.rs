use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};

use crate::event::TrackKey;

/// What whoever sets a key may not know of the value, if there is something: it is stored and sent all the same.
/// `tracked_as` is the key by which tracked subscriptions know it, `property` the one of features without an id.
pub(super) fn hint(
    key: &str,
    value: &Bytes,
    tracked_as: Option<&TrackKey>,
    property: Option<&str>,
) -> Option<String> {
    if let Some(tracked_as) = tracked_as {
        let tracked_as = tracked_as.as_str();
        return (tracked_as != key).then(|| {
            format!(
                "tracked subscriptions know this feature as {tracked_as:.40?}, not as the key {key:.40?}: \
                set under two keys, it is one of the same id to them"
            )
        });
    }
    let is_object = match value.trim_ascii_start().first() {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return None,
    };
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(value) {
        return Some(format!("this is no JSON, and sent as text: {error}"));
    }
    // An array would be taken for the members in their order.
    let Typed { kind } = is_object.then(|| serde_json::from_slice(value).ok())??;
    match &*kind {
        "Feature" => {
            let missing =
                property.map_or_else(String::new, |property| format!(" and no property {property:.40?}"));
            Some(format!(
                "the feature has no `id`{missing}: tracked subscriptions, and the live map, have no key to know it by"
            ))
        }
        "FeatureCollection" => {
            Some("a FeatureCollection is not tracked: set each feature under its own key".to_owned())
        }
        _ => None,
    }
}

/// What GeoJSON calls itself.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn told(value: &str, property: Option<&str>) -> Option<String> {
        let value = Bytes::copy_from_slice(value.as_bytes());
        let known = Event::tracked_as(&value, property);
        hint("7", &value, known.as_ref(), property)
    }

    #[test]
    fn what_is_in_order_is_not_commented_on() {
        for value in [
            r#"{"type":"Feature","id":7,"geometry":null,"properties":null}"#,
            r#"{"type":"Feature","id":"7","geometry":null,"properties":null}"#,
            r#"{"type":"Point","coordinates":[1,2]}"#,
            r#"{"delay":5}"#,
            r#"{"type":5}"#,
            "[1,2]",
            r#"["Feature"]"#,
            "on time",
            "1",
        ] {
            assert_eq!(told(value, None), None, "{value}");
        }
        assert_eq!(
            told(r#"{"type":"Feature","geometry":null,"properties":{"train":7}}"#, Some("train")),
            None
        );
    }

    #[test]
    fn what_may_be_a_mistake_is_named() {
        let bare = r#"{"type":"Feature","geometry":null,"properties":{}}"#;
        for (value, property, expected) in [
            (
                r#"{"type":"Feature","id":"x","geometry":null,"properties":null}"#,
                None,
                r#"as "x", not as the key "7""#,
            ),
            (bare, None, "the feature has no `id`: "),
            (bare, Some("train"), r#"the feature has no `id` and no property "train": "#),
            (r#"{"type":"FeatureCollection","features":[]}"#, None, "a FeatureCollection is not tracked"),
            (r#"{"type":"#, None, "this is no JSON, and sent as text: EOF"),
            ("[1,2", None, "this is no JSON, and sent as text: "),
        ] {
            let told = told(value, property).unwrap_or_default();
            assert!(told.contains(expected), "{value}: {told}");
        }
    }
}
