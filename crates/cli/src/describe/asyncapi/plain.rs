//! Dialects in which what is said stands by itself.

use serde_json::json;

use super::{Dialect, Message};

pub(super) fn aiows() -> Dialect {
    Dialect {
        name: "aiows",
        address: "/channel/{name}/",
        summary: "What is published on a channel, as with aiows. --url-prefix stands before the address",
        parameters: json!({ "name": { "description": "The channel, as aiows names it" } }),
        said: vec![Message::text(
            "close",
            "Asks for the end of the connection. Anything else is passed over",
            json!({ "const": "close" }),
        )],
        told: vec![
            Message::json(
                "json",
                "JSON that was published; with --encode-json-twice a string that holds it",
                json!({}),
            ),
            Message::text("text", "Other text that was published", json!({ "type": "string" })),
            Message::bytes("bytes", "Bytes that were published"),
        ],
    }
}

/// Where there are filters.
pub(super) fn pipeline() -> Dialect {
    let messages = |title: &str| {
        vec![Message::text("text", title, json!({ "type": "string" })), Message::bytes("bytes", title)]
    };
    Dialect {
        name: "pipeline",
        address: "/pipeline",
        summary: "Where there are filters (--filters), also on /. What is sent to whom is up to them",
        parameters: json!({}),
        said: messages("Whatever the filters take, and pass on"),
        told: messages("Whatever the filters take, and pass on"),
    }
}
