use std::borrow::Cow;

use bytes::Bytes;
use geocast_geo_filter::{Document, Kind};
use geocast_protocol::{Channel, Crs};
use serde::{Deserialize, de::IgnoredAny};

use crate::event::TrackKey;

/// What whoever publishes may not know of a payload, if there is something: it is sent all the same. `crs` is the system that
/// payloads of the channel come in. Of positions, only the first is looked at.
pub(super) fn of_payload(channel: &Channel, payload: &[u8], document: &Document, crs: Crs) -> Option<String> {
    match document.kind() {
        Kind::Geographic if crs == Crs::WGS84 => of_position(channel, *document.shape().positions().first()?),
        Kind::Geographic => None,
        Kind::Json => encoded_twice(payload),
        Kind::Text | Kind::Binary => no_json(payload),
    }
}

/// What whoever sets a key may not know of the value besides. `tracked_as` is the key by which tracked subscriptions know it,
/// `property` the one of features without an id.
pub(super) fn of_key(
    key: &str,
    value: &Bytes,
    tracked_as: Option<&TrackKey>,
    property: Option<&str>,
) -> Option<String> {
    if let Some(tracked_as) = tracked_as {
        let tracked_as = tracked_as.as_str();
        return (tracked_as != key).then(|| {
            format!(
                "tracked subscriptions know this feature as {:?}, not as the key {:?}: \
                set under two keys, it is one of the same id to them",
                excerpt(tracked_as),
                excerpt(key)
            )
        });
    }
    // An array would be taken for the members in their order.
    let is_object = value.trim_ascii_start().first() == Some(&b'{');
    let Typed { kind } = is_object.then(|| serde_json::from_slice(value).ok())??;
    match &*kind {
        "Feature" => {
            let missing = property
                .map_or_else(String::new, |property| format!(" and no property {:?}", excerpt(property)));
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

/// What is odd about a position that should be in degrees.
fn of_position(channel: &Channel, [x, y]: [f64; 2]) -> Option<String> {
    let is_degrees = x.abs() <= FURTHEST && y.abs() <= 90.0;
    if is_degrees || !x.is_finite() || !y.is_finite() {
        return None;
    }
    let seen = format!("the first position is [{}, {}]", number(x), number(y));
    // More than a full circle is no angle at all.
    if x.abs() > FURTHEST || y.abs() > 360.0 {
        let remedy = if x.abs().max(y.abs()) > WIDEST {
            "divide it first if it is in millionths or so".to_owned()
        } else {
            format!(
                "project it before, or have the server started with --channel-crs {}=epsg:3857, or the number that the system has",
                if is_plain(channel) { channel.as_str() } else { "PATTERN" }
            )
        };
        return Some(format!(
            "{seen}, which is not in degrees: GeoJSON has the longitude, then the latitude, in degrees of EPSG:4326 (RFC 7946 §4); \
             {remedy}"
        ));
    }
    let guess = if x.abs() <= 90.0 && y.abs() <= 180.0 { "; they seem to be swapped" } else { "" };
    Some(format!(
        "{seen}, and {} is no latitude: GeoJSON has the longitude first, then the latitude, in degrees \
         (RFC 7946 §3.1.1, §4){guess}",
        number(y)
    ))
}

/// What is odd about JSON without a place, if it is a string that holds what it should have been.
fn encoded_twice(payload: &[u8]) -> Option<String> {
    let [b'"', b'{' | b'[', ..] = payload.trim_ascii_start() else { return None };
    let inner: String = serde_json::from_slice(payload).ok()?;
    serde_json::from_str::<IgnoredAny>(&inner).ok()?;
    Some(format!(
        "this is JSON within a JSON string, {:?}, encoded twice: clients are sent a string, and no viewport applies; \
         send the result of one JSON.stringify or json.dumps",
        excerpt(&inner)
    ))
}

/// Whether a name can be typed as it is in a list of patterns.
fn is_plain(channel: &Channel) -> bool {
    channel.as_str().chars().all(|character| character.is_alphanumeric() || "-_./:".contains(character))
}

/// What is odd about text and bytes, if they begin like JSON.
fn no_json(payload: &[u8]) -> Option<String> {
    if let [0xff, 0xfe, b'{' | b'[', 0, ..] | [0xfe, 0xff, 0, b'{' | b'[', ..] = payload {
        return Some(
            "this begins like JSON in UTF-16, and is sent as bytes: JSON is UTF-8 (RFC 8259 §8.1)".to_owned(),
        );
    }
    let plain = payload.strip_prefix("\u{feff}".as_bytes()).unwrap_or(payload);
    let is_marked = plain.len() < payload.len();
    let [first @ (b'{' | b'['), rest @ ..] = plain.trim_ascii() else { return None };
    if let Err(error) = std::str::from_utf8(payload) {
        return Some(format!("this begins like JSON, but is no UTF-8, and sent as bytes: {error}"));
    }
    let Err(error) = serde_json::from_slice::<IgnoredAny>(plain) else {
        return is_marked.then(|| {
            "a byte order mark stands before the JSON, so this is sent as text: leave the mark out".to_owned()
        });
    };
    // Text may well begin with brackets: `[12:30] on time`.
    let next = rest.trim_ascii_start().first();
    let is_meant = *first == b'{'
        || error.is_eof()
        || matches!(next, Some(b'{' | b'[' | b'"'))
        || rest.last() == Some(&b']');
    is_meant.then(|| format!("this is no JSON, and sent as text like any other: {error}"))
}

/// As people write it: shortest, and with an exponent where it is long.
fn number(number: f64) -> String {
    format!("{number:?}").trim_end_matches(".0").to_owned()
}

/// The beginning of what may be long.
pub(super) fn excerpt(text: &str) -> String {
    let mut rest = text.chars();
    let mut shown: String = rest.by_ref().take(40).collect();
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

/// What GeoJSON calls itself.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// Degrees of longitude that data may be away: a position a turn away is where it would be without, and maps that show several
/// worlds say such. Ten turns are further than any goes.
const FURTHEST: f64 = 3600.0;

/// Metres that no projection of the Earth is wider than by much: half of Web Mercator's.
const WIDEST: f64 = 20_037_509.0;

#[cfg(test)]
mod tests {
    use geocast_geo_filter::Limits;

    use super::*;
    use crate::Event;

    /// What is told of a value of the key `7`.
    fn told(value: impl AsRef<[u8]>, property: Option<&str>) -> Option<String> {
        let value = Bytes::copy_from_slice(value.as_ref());
        let known = Event::tracked_as(&value, property);
        told_in(&value, Crs::WGS84).or_else(|| of_key("7", &value, known.as_ref(), property))
    }

    fn told_in(payload: &[u8], crs: Crs) -> Option<String> {
        let document = Event::looked_into(payload, &Limits::default()).expect("it is within limits");
        of_payload(&"cars".parse().expect("a channel"), payload, &document, crs)
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
            "[12:30] on time",
            "\u{feff}[info] started",
            "1",
            r#""on time""#,
            r#""{ no JSON""#,
            r#""[info] started""#,
        ] {
            assert_eq!(told(value, None), None, "{value}");
        }
        assert_eq!(
            told(r#"{"type":"Feature","geometry":null,"properties":{"train":7}}"#, Some("train")),
            None
        );
        // Marked as text and as bytes by whoever published it as a package.
        for value in [&b"\xfftext\n{"[..], b"\xffbytes\n{", b"\xfe", b"\xef\xbb\xbfon time"] {
            assert_eq!(told(value, None), None, "{value:?}");
        }
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
            (
                r#"{"type":"#,
                None,
                "sent as text like any other: EOF while parsing a value at line 1 column 8",
            ),
            ("[1,2", None, "this is no JSON, and sent as text like any other: "),
            ("{'a':1}", None, "key must be a string at line 1 column 2"),
            ("{\"a\":\n NaN}", None, "expected value at line 2 column 2"),
            ("\u{feff}{\"a\":1}", None, "a byte order mark"),
            ("\u{feff}{\"a\":1", None, "this is no JSON, and sent as text like any other: EOF"),
            ("[1;2]", None, "this is no JSON, and sent as text like any other: expected `,` or `]`"),
            ("[\"a\" 1", None, "this is no JSON, and sent as text like any other: "),
            (
                r#" "{\"type\":\"Feature\",\"geometry\":null,\"properties\":null}""#,
                None,
                r#""{\"type\":\"Feature\",\"geometry\":null,\"prope…", encoded twice"#,
            ),
            (r#""[1,2]""#, None, r#""[1,2]", encoded twice"#),
        ] {
            let told = told(value, property).unwrap_or_default();
            assert!(told.contains(expected), "{value}: {told}");
        }
        let latin = told(b"{\"a\":\"\xe9\"}", None).unwrap_or_default();
        assert!(latin.contains("no UTF-8") && latin.ends_with("from index 6"), "{latin}");
        for wide in [&b"\xff\xfe{\0\"\0"[..], b"\xfe\xff\0{\0\""] {
            assert!(told(wide, None).is_some_and(|told| told.contains("UTF-16")), "{wide:?}");
        }
        let long = format!(r#"{{"type":"Feature","id":"{}"}}"#, "x".repeat(1_000));
        assert!(told(long, None).is_some_and(|told| told.len() < 300), "an id may be long");
    }

    #[test]
    fn the_first_position_is_in_degrees_unless_the_channel_has_another_system() {
        let metres = Some("not in degrees: GeoJSON has the longitude");
        let latitude = Some(" is no latitude: GeoJSON has the longitude first, then the latitude");
        for (position, expected) in [
            ("8.54,47.37", None),
            ("-180,-90", None),
            ("180,90,40000", None),
            // A turn away, on maps with more than one world.
            ("530,-20", None),
            ("951000,6002000.5", metres),
            ("-951000,20", metres),
            ("2600000,1200000", metres),
            ("85400000,473700000", metres),
            ("8,500", metres),
            ("1e300,1e-300", metres),
            ("47.37,151.2", latitude),
            ("-90.5,91", latitude),
            ("8,-90.01", latitude),
            // It is withheld, whatever the system.
            ("1e999,2", None),
        ] {
            for value in [
                format!(
                    r#"{{"type":"Feature","id":7,"geometry":{{"type":"Point","coordinates":[{position}]}}}}"#
                ),
                format!(r#"{{"type":"LineString","coordinates":[[{position}],[1,2]]}}"#),
            ] {
                let told = told(&value, None);
                assert_eq!(told.is_some(), expected.is_some(), "{value}: {told:?}");
                let told = told.unwrap_or_default();
                assert!(told.contains(expected.unwrap_or_default()) && told.len() < 400, "{value}: {told}");
                assert_eq!(told_in(value.as_bytes(), "epsg:3857".parse().expect("a CRS")), None, "{value}");
            }
        }
        let point = |position| {
            told(format!(r#"{{"type":"Point","coordinates":[{position}]}}"#), None).unwrap_or_default()
        };
        let metres = point("951000,6002000.5");
        assert!(metres.starts_with("the first position is [951000, 6002000.5], "), "{metres}");
        assert!(metres.contains("--channel-crs cars=epsg:3857"), "{metres}");
        assert!(point("85400000,473700000").ends_with("; divide it first if it is in millionths or so"));
        assert!(point("47.37,151.2").ends_with("; they seem to be swapped"));
        assert!(point("100,95").ends_with("§4)"));
    }
}
