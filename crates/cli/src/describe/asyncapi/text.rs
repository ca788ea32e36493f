use serde_json::{Value, json};

use super::{Dialect, Message, any_of, diff, key, object, offset, timestamp};

pub(super) fn dialect() -> Dialect {
    let text = || json!({ "type": "string" });
    let failed = object(&json!({ "code": text(), "message": text() }), &["code", "message"]);
    let subscribed = json!({
        "channel": text(),
        "offset": offset(),
        "epoch": text(),
        "recovered": { "description": "Whether nothing is missing before what follows", "type": "boolean" },
    });
    let collected = json!({ "type": "array", "items": any_of(["text.envelope".to_owned()]), "minItems": 1 });
    Dialect {
        name: "text",
        address: "/ws",
        summary: "The text dialect of geOps' real-time interface. Also on / and where --text-paths says. A frame that is a JSON \
                  object or array is JSON-RPC, as on /rpc",
        parameters: json!({}),
        said: vec![Message::text(
            "command",
            "A command, such as `SUB vehicles`",
            json!({ "type": "string", "minLength": 1 }),
        )],
        told: vec![
            notice(
                "open",
                "The connection is open: the first of all",
                &member("status", &json!({ "const": "open" })),
            ),
            notice("pong", "The answer to PING", &json!({ "const": "PONG" })),
            notice(
                "error",
                "What could not be done, or a subscription that is over",
                &member("error", &failed),
            ),
            notice(
                "gap",
                "Messages of a channel may have been missed before this",
                &member("gap", &member("channel", &text())),
            ),
            notice(
                "subscribed",
                "From where on a channel follows, where that was asked for",
                &member("subscribed", &object(&subscribed, &["channel"])),
            ),
            Message::json(
                "envelope",
                "What was published, or is state",
                envelope(
                    &json!({
                        "description": "The channel, with the key behind it where one was asked for",
                        "type": "string",
                    }),
                    &json!({ "description": "What was published, as it was" }),
                ),
            ),
            Message::json(
                "change",
                "What has become of a key of a tracked channel",
                envelope(&text(), &change()),
            ),
            Message::json("diff", "The same as a diff for a source of MapLibre", envelope(&text(), &diff())),
            Message::json(
                "buffer",
                "What BUFFER has collected",
                envelope(&json!({ "const": "buffer" }), &collected),
            ),
        ],
    }
}

/// What the server says of itself.
fn notice(name: &str, title: &str, content: &Value) -> Message {
    Message::json(name, title, envelope(&json!({ "const": "websocket" }), content))
}

fn envelope(source: &Value, content: &Value) -> Value {
    let properties = json!({
        "source": source,
        "content": content,
        "timestamp": timestamp(),
        "client_reference": {
            "description": "What the command gave as such",
            "type": ["string", "null"],
        },
        "offset": offset(),
    });
    object(&properties, &["source", "content", "timestamp", "client_reference"])
}

fn change() -> Value {
    let told = json!({ "change": { "enum": ["enter", "update"] }, "key": key(), "feature": {} });
    let left = json!({ "change": { "const": "leave" }, "key": key(), "reason": { "type": "string" } });
    json!({ "oneOf": [object(&told, &["change", "key", "feature"]), object(&left, &["change", "key", "reason"])] })
}

/// An object with nothing but this.
fn member(name: &str, schema: &Value) -> Value {
    object(&json!({ name: schema }), &[name])
}
