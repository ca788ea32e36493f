use serde_json::{Value, json};

/// What is pushed to clients of JSON-RPC: the name, what it means, and the schema of its parameters.
pub(super) fn notifications() -> Vec<(&'static str, &'static str, Value)> {
    let key = || json!({ "description": "The key, as it was published", "type": ["string", "number"] });
    let person = json!({ "type": "object", "properties": { "user": { "type": "string" }, "info": { "type": "object" } } });
    let people = json!({ "type": "array", "items": person });
    vec![
        (
            "message",
            "Something was published",
            params(&["content"], json!({ "content": {}, "offset": offset() })),
        ),
        ("gap", "Messages may have been missed before this", params(&[], json!({}))),
        (
            "ended",
            "The subscription is over, and nobody has ended it",
            params(&["error"], json!({ "error": error() })),
        ),
        (
            "enter",
            "A key has come into the viewport of a tracked subscription",
            params(&["key", "content"], json!({ "key": key(), "content": {}, "offset": offset() })),
        ),
        (
            "update",
            "A key in the viewport has changed",
            params(&["key", "content"], json!({ "key": key(), "content": {}, "offset": offset() })),
        ),
        (
            "leave",
            "A key is not in the viewport any more",
            params(
                &["key", "reason"],
                json!({ "key": key(), "reason": { "type": "string" }, "offset": offset() }),
            ),
        ),
        (
            "diff",
            "The same three as a diff for a source of MapLibre",
            params(&["diff"], json!({ "diff": diff(), "offset": offset() })),
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

/// What a call that failed is answered, and what a subscription ended with.
pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
            "data": { "type": "object" },
        },
    })
}

/// The place of a message in the history of its channel: a number of the embedded store, an id of a stream of Redis.
pub(super) fn offset() -> Value {
    json!({ "type": ["integer", "string"] })
}

fn params(required: &[&str], more: Value) -> Value {
    let mut properties = more;
    properties["source"] = json!({ "description": "The channel", "type": "string" });
    properties["timestamp"] = json!({ "description": "Milliseconds since 1970", "type": "number" });
    let required: Vec<&str> = ["source", "timestamp"].iter().chain(required).copied().collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn diff() -> Value {
    json!({
        "type": "object",
        "properties": {
            "add": { "type": "array", "items": { "type": "object" } },
            "update": { "type": "array", "items": { "type": "object", "required": ["id"] } },
            "remove": { "type": "array", "items": { "type": ["string", "number"] } },
            "removeAll": { "type": "boolean" },
        },
        "additionalProperties": false,
    })
}
