use std::collections::BTreeMap;

use bytes::Bytes;
use geocast_protocol::{Channel, Json, envelope::Content, rohrpost::Change};
use serde_json::value::RawValue;

use super::Layout;

/// The fields of a hash. What is no UTF-8 in a name has been replaced.
pub(crate) type Fields = BTreeMap<Box<str>, Bytes>;

/// What a hash was, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Before<'a> {
    /// This; without fields, there was none.
    Known(&'a Fields),
    /// It may have been anything.
    Unknown,
}

/// The pushes for a hash that is different now, each with its channel. No difference is no push.
///
/// An object that is new or other than it was is pushed with all its members, and with `updated_fields` if it is known which
/// of them are; of one that is gone there is the id alone. Values that are JSON stand as they are, others as strings.
pub(crate) fn changes(hash: &str, before: Before<'_>, after: &Fields) -> Vec<(Channel, Bytes)> {
    let none = Fields::new();
    let (known, old) = match before {
        Before::Known(old) => (true, old),
        Before::Unknown => (false, &none),
    };
    match Layout::of(hash) {
        Some(Layout::Object { group, id }) => {
            let differing = differing(old, after);
            let change = match (known, old.is_empty(), after.is_empty()) {
                (true, true, true) => return Vec::new(),
                (_, _, true) => Change::Delete,
                (true, true, false) => Change::Create,
                (true, false, false) if differing.is_empty() => return Vec::new(),
                _ => Change::Update,
            };
            let updated = (known && change == Change::Update).then_some(&*differing);
            let object = object(id, after, updated);
            vec![message(group, change, &object)]
        }
        Some(Layout::Table { kind }) => {
            let rows = differing(old, after);
            let row = |id: &&str| row(kind, id, known, old.get(*id), after.get(*id));
            rows.iter().filter_map(row).collect()
        }
        None => Vec::new(),
    }
}

/// The push for one object of a table, unless it can have no channel.
fn row(
    kind: &str,
    id: &str,
    known: bool,
    old: Option<&Bytes>,
    new: Option<&Bytes>,
) -> Option<(Channel, Bytes)> {
    let group = Layout::group(kind, id)?;
    let Some(new) = new else {
        return Some(message(group, Change::Delete, &object(id, &Fields::new(), None)));
    };
    let members = |value: &Bytes| serde_json::from_slice::<BTreeMap<Box<str>, Box<RawValue>>>(value).ok();
    let change = if known && old.is_none() { Change::Create } else { Change::Update };
    let mut value = Vec::new();
    let content = content(new, Json::MAX_DEPTH - AROUND_OBJECT);
    content.write(&mut value);
    // What is written as a string has no members, whatever stands in it.
    let written = matches!(content, Content::Json(_)).then_some(new);
    if let (Some(old), Some(new)) = (old.and_then(members), written.and_then(members))
        && !new.contains_key("updated_fields")
    {
        let names = old.keys().chain(new.keys());
        let raw = |value: Option<&Box<RawValue>>| value.map(|raw| raw.get().to_owned());
        let mut updated: Vec<&str> =
            names.filter(|name| raw(old.get(*name)) != raw(new.get(*name))).map(|name| &**name).collect();
        updated.sort_unstable();
        updated.dedup();
        let end = value.iter().rposition(|byte| *byte == b'}')?;
        value.truncate(end);
        if !new.is_empty() {
            value.push(b',');
        }
        value.extend_from_slice(format!(r#""updated_fields":{}}}"#, list(&updated)).as_bytes());
    }
    Some(message(group, change, &value))
}

/// The names of fields that are in one only, or have other values.
fn differing<'a>(old: &'a Fields, new: &'a Fields) -> Vec<&'a str> {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let other = new.iter().filter(|(name, value)| old.get(*name) != Some(*value)).map(|(name, _)| name);
    let mut names: Vec<&str> = gone.chain(other).map(|name| &**name).collect();
    names.sort_unstable();
    names
}

/// An object as JSON: its id, unless it has one as a field, its fields, and which of them are new.
fn object(id: &str, fields: &Fields, updated: Option<&[&str]>) -> Vec<u8> {
    let mut out = vec![b'{'];
    let mut member = |name: &str, value: &mut dyn FnMut(&mut Vec<u8>)| {
        if out.len() > 1 {
            out.push(b',');
        }
        Content::Text(name).write(&mut out);
        out.push(b':');
        value(&mut out);
    };
    if !fields.contains_key("id") {
        member("id", &mut |out| {
            if is_number(id) { out.extend_from_slice(id.as_bytes()) } else { Content::Text(id).write(out) }
        });
    }
    for (name, value) in fields {
        member(name, &mut |out| content(value, Json::MAX_DEPTH - AROUND_OBJECT - 1).write(out));
    }
    if let Some(updated) = updated.filter(|_| !fields.contains_key("updated_fields")) {
        member("updated_fields", &mut |out| out.extend_from_slice(list(updated).as_bytes()));
    }
    out.push(b'}');
    out
}

/// Whether an id is a whole number as JSON writes it, which every reader takes exactly.
fn is_number(id: &str) -> bool {
    id == "0" || (id.len() < 16 && !id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A value as what it is. JSON that nests deeper than `levels` counts as text: the push around it would nest too deep to be
/// delivered.
fn content(value: &[u8], levels: usize) -> Content<'_> {
    let fits = |text: &str| text.parse::<Json>().is_ok_and(|json| !json.is_deeper_than(levels));
    match std::str::from_utf8(value) {
        Ok(text) if fits(text) => Content::Json(value),
        Ok(text) => Content::Text(text),
        Err(_) => Content::Binary(value),
    }
}

fn list(names: &[&str]) -> String {
    serde_json::to_string(names).expect("texts are JSON")
}

fn message(group: Channel, change: Change, object: &[u8]) -> (Channel, Bytes) {
    let mut out = br#"{"group":"#.to_vec();
    Content::Text(group.as_str()).write(&mut out);
    out.extend_from_slice(format!(r#","type":"{}","object":"#, change.as_str()).as_bytes());
    out.extend_from_slice(object);
    out.push(b'}');
    (group, out.into())
}

/// Levels of a push around what became of the object.
const AROUND_OBJECT: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &'static str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).into(), Bytes::from_static(value.as_bytes()))).collect()
    }

    type Pairs<'a> = &'a [(&'a str, &'static str)];

    fn check(hash: &str, before: Option<Pairs<'_>>, after: Pairs<'_>, expected: &[&str]) {
        let old = before.map(fields);
        let before = old.as_ref().map_or(Before::Unknown, Before::Known);
        let found = changes(hash, before, &fields(after));
        for (group, message) in &found {
            let value: serde_json::Value = serde_json::from_slice(message).expect("JSON");
            assert_eq!(value["group"], group.as_str());
        }
        let found: Vec<&str> =
            found.iter().map(|(_, message)| std::str::from_utf8(message).expect("text")).collect();
        assert_eq!(found, expected, "{hash} {before:?} {after:?}");
    }

    #[test]
    fn a_hash_is_an_object() {
        let (none, one): (Pairs<'_>, Pairs<'_>) = (&[], &[("name", "x"), ("n", "7.10")]);
        check(
            "collection:5",
            Some(none),
            one,
            &[r#"{"group":"collection-5","type":"create","object":{"id":5,"n":7.10,"name":"x"}}"#],
        );
        check(
            "collection:5",
            Some(one),
            &[("name", "y"), ("m", "{}")],
            &[
                r#"{"group":"collection-5","type":"update","object":{"id":5,"m":{},"name":"y","updated_fields":["m","n","name"]}}"#,
            ],
        );
        check("collection:5", Some(one), one, &[]);
        check("collection:5", Some(none), none, &[]);
        check(
            "collection:a-b",
            Some(one),
            none,
            &[r#"{"group":"collection-a-b","type":"delete","object":{"id":"a-b"}}"#],
        );
        check(
            "collection:05",
            None,
            &[("id", "\"own\"")],
            &[r#"{"group":"collection-05","type":"update","object":{"id":"own"}}"#],
        );
        check("collection:5", None, none, &[r#"{"group":"collection-5","type":"delete","object":{"id":5}}"#]);
        check("a b:5", Some(none), one, &[]);
    }

    #[test]
    fn a_hash_is_a_table() {
        check(
            "cars",
            Some(&[("1", r#"{"a":1,"b":2}"#), ("2", "{}"), ("3", "x"), ("4", "4")]),
            &[("1", r#"{"a":1, "b":3,"c":0} "#), ("3", "y"), ("4", "4"), ("5", "[5.0]")],
            &[
                r#"{"group":"cars-1","type":"update","object":{"a":1, "b":3,"c":0,"updated_fields":["b","c"]}}"#,
                r#"{"group":"cars-2","type":"delete","object":{"id":2}}"#,
                r#"{"group":"cars-3","type":"update","object":"y"}"#,
                r#"{"group":"cars-5","type":"create","object":[5.0]}"#,
            ],
        );
        check("cars", None, &[("1", "{}")], &[r#"{"group":"cars-1","type":"update","object":{}}"#]);
        check(
            "cars",
            Some(&[("1", r#"{"a":1}"#)]),
            &[("1", "{}")],
            &[r#"{"group":"cars-1","type":"update","object":{"updated_fields":["a"]}}"#],
        );
        check("cars", Some(&[]), &[("a b", "1")], &[]);
    }

    #[test]
    fn what_nests_too_deep_is_told_as_text() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let hash = |name: &str, value: String| Fields::from([(name.into(), Bytes::from(value))]);
        let pushed = |hash: &str, before: &Fields, after: &Fields| -> serde_json::Value {
            let found = changes(hash, Before::Known(before), after);
            let message = std::str::from_utf8(&found[0].1).expect("text");
            assert!(message.parse::<Json>().is_ok(), "it can be delivered: {message}");
            serde_json::from_str(message).expect("JSON")
        };
        let fields = |levels| pushed("a:1", &Fields::new(), &hash("b", deep(levels)))["object"]["b"].clone();
        assert!(fields(30).is_array());
        for levels in [31, 32, 33, 100] {
            assert_eq!(fields(levels), deep(levels));
        }
        let row = |levels| {
            let values = ["0", "1"].map(|n| format!(r#"{{"a":{},"n":{n}}}"#, deep(levels)));
            let [before, after] = values.clone().map(|value| hash("1", value));
            (pushed("cars", &before, &after)["object"].clone(), values[1].clone())
        };
        assert_eq!(row(30).0["updated_fields"], serde_json::json!(["n"]));
        for levels in [31, 32, 33, 100] {
            let (object, value) = row(levels);
            assert_eq!(object, value);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_as_such() {
        let after = Fields::from([("b".into(), Bytes::from_static(b"\xff"))]);
        let found = changes("a:1", Before::Known(&Fields::new()), &after);
        assert_eq!(
            found[0].1,
            r#"{"group":"a-1","type":"create","object":{"id":1,"b":{"base64":"/w=="}}}"#.as_bytes()
        );
    }
}
