use geocast_protocol::rpc::{METHODS, Method};
use serde_json::{Map, Value, json};

use super::{
    VERSION, constant,
    notifications::{error, notifications, offset},
};

/// What clients and the server say over WebSockets, as AsyncAPI 3.0.
pub(super) fn description() -> Value {
    let mut messages = Map::new();
    messages.insert(
        "text.command".to_owned(),
        json!({
            "title": "A command of the text dialect, such as `SUB vehicles`",
            "contentType": "text/plain",
            "payload": { "type": "string", "minLength": 1 },
        }),
    );
    messages.insert(
        "text.envelope".to_owned(),
        message("An answer, or something that was published", &envelope()),
    );
    messages.insert(
        "text.batch".to_owned(),
        message("What BUFFER has collected", &json!({ "type": "array", "items": envelope(), "minItems": 1 })),
    );
    for method in METHODS {
        messages.insert(format!("rpc.call.{}", method.name), message(method.summary, &call(method)));
        messages.insert(
            format!("rpc.result.{}", method.name),
            message(&format!("The answer to {}", method.name), &answer("result", &constant(method.result))),
        );
    }
    messages.insert("rpc.error".to_owned(), message("A call has failed", &answer("error", &error())));
    for (name, summary, params) in notifications() {
        messages.insert(format!("rpc.notification.{name}"), message(summary, &notification(name, &params)));
    }
    messages
        .insert("rohrpost.request".to_owned(), message("A request of rohrpost", &rohrpost(&["id", "type"])));
    messages.insert("rohrpost.reply".to_owned(), message("A reply, or an update of a group", &rohrpost(&[])));

    let names: Vec<&String> = messages.keys().collect();
    let mut channels = Map::new();
    let mut operations = Map::new();
    for (channel, address, summary, from_clients) in CHANNELS {
        let own: Vec<&&String> =
            names.iter().filter(|name| name.starts_with(&format!("{channel}."))).collect();
        let refer = |name: &str| json!({ "$ref": format!("#/components/messages/{name}") });
        let messages: Map<String, Value> =
            own.iter().map(|name| ((**name).to_string(), refer(name))).collect();
        channels.insert(
            (*channel).to_owned(),
            json!({
                "address": address, "description": summary, "messages": messages,
            }),
        );
        for (action, said) in [("receive", true), ("send", false)] {
            let some =
                own.iter().filter(|name| from_clients.iter().any(|prefix| name.starts_with(prefix)) == said);
            let messages: Vec<Value> =
                some.map(|name| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") })).collect();
            operations.insert(
                format!("{channel}.{action}"),
                json!({
                    "action": action,
                    "channel": { "$ref": format!("#/channels/{channel}") },
                    "messages": messages,
                }),
            );
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "geocast",
            "version": VERSION,
            "description": "What is said over WebSockets, in text frames. docs/protocol.md says what it means.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

fn message(title: &str, payload: &Value) -> Value {
    json!({ "title": title, "contentType": "application/json", "payload": payload })
}

fn envelope() -> Value {
    json!({
        "type": "object",
        "required": ["source", "content", "timestamp", "client_reference"],
        "properties": {
            "source": { "description": "The channel, with a key behind it where one was asked for; or `websocket`", "type": "string" },
            "content": { "description": "What was published, as it was" },
            "timestamp": { "description": "Milliseconds since 1970", "type": "number" },
            "client_reference": { "description": "What the command said behind its arguments", "type": ["string", "null"] },
            "offset": offset(),
        },
    })
}

fn call(method: &Method) -> Value {
    let required: Vec<&str> = method.params.iter().filter(|one| one.required).map(|one| one.name).collect();
    let properties: Map<String, Value> = method
        .params
        .iter()
        .map(|one| {
            let mut schema = json!({ "description": one.summary });
            let own = constant(one.schema);
            schema["anyOf"] = if one.required { json!([own]) } else { json!([own, { "type": "null" }]) };
            (one.name.to_owned(), schema)
        })
        .collect();
    let by_name = json!({
        "type": "object", "required": required, "properties": properties, "additionalProperties": false,
    });
    let by_position = json!({ "type": "array", "minItems": required.len(), "maxItems": method.params.len() });
    let mut members = vec!["jsonrpc", "method"];
    members.extend((!required.is_empty()).then_some("params"));
    json!({
        "type": "object",
        "required": members,
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": { "type": ["string", "number", "null"] },
            "method": { "const": method.name },
            "params": { "anyOf": [by_name, by_position] },
        },
    })
}

fn answer(member: &str, schema: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["jsonrpc", "id", member],
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": { "type": ["string", "number", "null"] },
            member: schema,
        },
        "additionalProperties": false,
    })
}

fn notification(name: &str, params: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["jsonrpc", "method", "params"],
        "properties": { "jsonrpc": { "const": "2.0" }, "method": { "const": name }, "params": params },
        "additionalProperties": false,
    })
}

fn rohrpost(required: &[&str]) -> Value {
    json!({
        "type": "object",
        "required": required,
        "properties": {
            "id": { "type": ["string", "number"] },
            "type": { "type": "string" },
            "data": {},
            "auth_jwt": { "type": "string" },
            "error": { "type": "string" },
        },
    })
}

/// The dialects: their name, the usual address, what they are, and which messages clients say.
const CHANNELS: &[(&str, &str, &str, &[&str])] = &[
    ("text", "/ws", "The text dialect of geOps' real-time interface", &["text.command"]),
    ("rpc", "/rpc", "JSON-RPC 2.0, also in batches; on /ws as well", &["rpc.call."]),
    ("rohrpost", "/rohrpost/", "rohrpost", &["rohrpost.request"]),
];
