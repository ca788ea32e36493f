//! What clients and the server say over WebSockets, as AsyncAPI 3.0.

mod notifications;
mod plain;
mod rohrpost;
mod rpc;
mod text;

use serde_json::{Map, Value, json};

use super::{VERSION, object};

/// What is spoken at an address.
struct Dialect {
    name: &'static str,
    address: &'static str,
    summary: &'static str,
    /// What stands in the address for something.
    parameters: Value,
    /// By clients.
    said: Vec<Message>,
    /// To clients.
    told: Vec<Message>,
}

/// One frame.
struct Message {
    /// Behind that of its dialect.
    name: String,
    title: String,
    content_type: &'static str,
    payload: Value,
}

impl Message {
    fn json(name: &str, title: &str, payload: Value) -> Self {
        Self::new(name, title, "application/json", payload)
    }

    fn text(name: &str, title: &str, payload: Value) -> Self {
        Self::new(name, title, "text/plain", payload)
    }

    /// A binary frame.
    fn bytes(name: &str, title: &str) -> Self {
        let payload = json!({ "type": "string", "format": "binary" });
        Self::new(name, title, "application/octet-stream", payload)
    }

    fn new(name: &str, title: &str, content_type: &'static str, payload: Value) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), content_type, payload }
    }

    fn described(self) -> Value {
        json!({ "title": self.title, "contentType": self.content_type, "payload": self.payload })
    }
}

pub(super) fn description() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for dialect in [text::dialect(), rpc::dialect(), rohrpost::dialect(), plain::aiows(), plain::pipeline()] {
        let Dialect { name, address, summary, parameters, said, told } = dialect;
        let mut own = Map::new();
        for (action, heard) in [("receive", said), ("send", told)] {
            let mut named = Vec::new();
            for message in heard {
                let id = format!("{name}.{}", message.name);
                named.push(json!({ "$ref": format!("#/channels/{name}/messages/{id}") }));
                own.insert(id.clone(), json!({ "$ref": format!("#/components/messages/{id}") }));
                messages.insert(id, message.described());
            }
            operations.insert(
                format!("{name}.{action}"),
                json!({
                    "action": action,
                    "channel": { "$ref": format!("#/channels/{name}") },
                    "messages": named,
                }),
            );
        }
        channels.insert(
            name.to_owned(),
            json!({ "address": address, "description": summary, "parameters": parameters, "messages": own }),
        );
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "geocast",
            "version": VERSION,
            "description": "What is said over WebSockets. docs/protocol.md says what it means.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

/// One of the messages of these names.
fn any_of(names: impl IntoIterator<Item = String>) -> Value {
    let refer = |name| json!({ "$ref": format!("#/components/messages/{name}/payload") });
    json!({ "anyOf": names.into_iter().map(refer).collect::<Vec<_>>() })
}

/// The place of a message in the history of its channel: a number of the embedded store, an id of a stream of Redis.
fn offset() -> Value {
    json!({ "description": "The place in the history of the channel, if it has one", "type": ["integer", "string"] })
}

fn timestamp() -> Value {
    json!({ "description": "Milliseconds since 1970", "type": "number" })
}

/// The key of something that is tracked.
fn key() -> Value {
    json!({ "description": "The key, as it was published", "type": ["string", "number"] })
}

/// A `GeoJSONSourceDiff`.
fn diff() -> Value {
    let property = json!({ "key": { "type": "string" }, "value": {} });
    let changed = json!({
        "id": key(),
        "newGeometry": { "type": "object" },
        "removeAllProperties": { "const": true },
        "addOrUpdateProperties": { "type": "array", "items": object(&property, &["key", "value"]) },
    });
    let list = |items: Value| json!({ "type": "array", "items": items, "minItems": 1 });
    let mut diff = object(
        &json!({
            "add": list(json!({ "type": "object" })),
            "update": list(object(&changed, &["id", "newGeometry", "removeAllProperties", "addOrUpdateProperties"])),
            "remove": list(key()),
        }),
        &[],
    );
    diff["minProperties"] = json!(1);
    diff
}
