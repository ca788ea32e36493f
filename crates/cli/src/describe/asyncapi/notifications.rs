use serde_json::{Value, json};

use super::{diff, key, object, offset, rpc::error, timestamp};

/// What is pushed to clients of JSON-RPC: the name, what it means, and the schema of its parameters.
pub(super) fn notifications() -> Vec<(&'static str, &'static str, Value)> {
    let person = object(&json!({ "user": { "type": "string" }, "info": { "type": "object" } }), &[]);
    let people = json!({ "type": "array", "items": person });
    let feature = || params(&["key", "content"], json!({ "key": key(), "content": {} }));
    let mut message = params(&["content"], json!({ "content": {} }));
    message["properties"]["offset"] = offset();
    vec![
        ("message", "Something was published", message),
        ("gap", "Messages may have been missed before this", params(&[], json!({}))),
        (
            "ended",
            "The subscription is over, and nobody has ended it",
            params(&["error"], json!({ "error": error() })),
        ),
        ("enter", "A key has come into the viewport of a tracked subscription", feature()),
        ("update", "A key in the viewport has changed", feature()),
        (
            "leave",
            "A key is not in the viewport any more",
            params(&["key", "reason"], json!({ "key": key(), "reason": { "type": "string" } })),
        ),
        (
            "diff",
            "The same three as a diff for a source of MapLibre",
            params(&["diff"], json!({ "diff": diff() })),
        ),
        (
            "presence",
            "Others have come or gone",
            params(
                &["clients", "joined", "left", "truncated"],
                json!({
                    "clients": { "type": "integer", "minimum": 0 },
                    "joined": people,
                    "left": people,
                    "truncated": { "type": "boolean" },
                }),
            ),
        ),
    ]
}

fn params(required: &[&str], more: Value) -> Value {
    let mut properties = more;
    properties["source"] = json!({ "description": "The channel", "type": "string" });
    properties["timestamp"] = timestamp();
    let required: Vec<&str> = ["source", "timestamp"].iter().chain(required).copied().collect();
    object(&properties, &required)
}
