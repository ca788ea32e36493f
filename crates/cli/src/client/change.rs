use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::pretty::{Colour, pretty};

/// What a tracked channel's message says of a key.
#[derive(Debug, Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    change: Cow<'a, str>,
    #[serde(borrow)]
    key: &'a RawValue,
    #[serde(borrow, default)]
    feature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

/// A change for people: what it is and of which key, then the feature or the reason. `None` for what is no change.
pub(super) fn heading(content: &str, colour: Colour) -> Option<String> {
    let Change { change, key, feature, reason } = serde_json::from_str(content).ok()?;
    let code = match &*change {
        "enter" => "32",
        "update" => "36",
        "leave" => "31",
        _ => return None,
    };
    let key = pretty(key.get(), Colour::Off);
    let head = format!("{change} {}", key.trim_end());
    let head = match colour {
        Colour::On => format!("\u{1b}[{code}m{head}\u{1b}[0m"),
        Colour::Off => head,
    };
    let behind = match (feature, reason) {
        (Some(feature), _) => pretty(feature.get(), colour),
        (None, Some(reason)) => format!("{}\n", reason.escape_debug()),
        (None, None) => "\n".to_owned(),
    };
    Some(format!("{head} {behind}"))
}

#[cfg(test)]
mod tests {
    use super::{Colour, heading};

    #[test]
    fn a_change_has_its_kind_and_key_in_front() {
        for (content, expected) in [
            (
                r#"{"change":"enter","key":7,"feature":{"type":"Feature","id":7}}"#,
                Some("enter 7 {\"type\": \"Feature\", \"id\": 7}\n"),
            ),
            (r#"{"change":"update","key":"a","feature":{}}"#, Some("update \"a\" {}\n")),
            (r#"{"change":"leave","key":"a","reason":"moved"}"#, Some("leave \"a\" moved\n")),
            (
                "{\"change\":\"leave\",\"key\":\"\u{9b}\",\"reason\":\"\u{9b}\"}",
                Some("leave \"\\u009b\" \\u{9b}\n"),
            ),
            (r#"{"change":"of heart","key":"a"}"#, None),
            (r#"{"type":"Feature","id":7}"#, None),
            ("7", None),
        ] {
            assert_eq!(heading(content, Colour::Off).as_deref(), expected, "{content}");
        }
        let coloured = heading(r#"{"change":"leave","key":7,"reason":"moved"}"#, Colour::On);
        assert_eq!(coloured.as_deref(), Some("\u{1b}[31mleave 7\u{1b}[0m moved\n"));
    }
}
