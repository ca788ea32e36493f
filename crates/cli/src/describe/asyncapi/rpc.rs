use geocast_protocol::rpc::{Frame, METHODS, Method, Refusal};
use serde_json::{Map, Value, json};

use super::{Dialect, Message, any_of, notifications::notifications, object};
use crate::describe::constant;

pub(super) fn dialect() -> Dialect {
    let mut said: Vec<Message> = METHODS
        .iter()
        .map(|method| Message::json(&format!("call.{}", method.name), method.summary, call(method)))
        .collect();
    let results = METHODS.iter().map(|method| {
        let title = format!("The answer to {}", method.name);
        Message::json(&format!("result.{}", method.name), &title, answer("result", &constant(method.result)))
    });
    let failed = Message::json("error", "A call has failed", answer("error", &error()));
    let answers: Vec<Message> = results.chain([failed]).collect();
    let pushes: Vec<Message> = notifications()
        .into_iter()
        .map(|(name, title, params)| {
            Message::json(&format!("notification.{name}"), title, notification(name, &params))
        })
        .collect();

    let mut calls = batch("calls", "Calls that are made together", &said);
    calls.payload["maxItems"] = json!(Frame::MAX_CALLS);
    let together = [
        batch("answers", "The answers to calls that were made together", &answers),
        batch("notifications", "What `buffer` has collected", &pushes),
    ];
    said.push(calls);
    Dialect {
        name: "rpc",
        address: "/rpc",
        summary: "JSON-RPC 2.0",
        parameters: json!({}),
        said,
        told: answers.into_iter().chain(pushes).chain(together).collect(),
    }
}

/// Some of these in one array.
fn batch(name: &str, title: &str, messages: &[Message]) -> Message {
    let items = any_of(messages.iter().map(|message| format!("rpc.{}", message.name)));
    Message::json(&format!("batch.{name}"), title, json!({ "type": "array", "items": items, "minItems": 1 }))
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
    let by_name = object(&properties.into(), &required);
    let by_position = json!({ "type": "array", "minItems": required.len(), "maxItems": method.params.len() });
    let mut members = vec!["jsonrpc", "method"];
    members.extend((!required.is_empty()).then_some("params"));
    // Further members are passed over.
    json!({
        "type": "object",
        "required": members,
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": id(),
            "method": { "const": method.name },
            "params": { "anyOf": [by_name, by_position] },
        },
    })
}

fn answer(member: &str, schema: &Value) -> Value {
    let properties = json!({ "jsonrpc": { "const": "2.0" }, "id": id(), member: schema });
    object(&properties, &["jsonrpc", "id", member])
}

fn notification(name: &str, params: &Value) -> Value {
    let properties = json!({ "jsonrpc": { "const": "2.0" }, "method": { "const": name }, "params": params });
    object(&properties, &["jsonrpc", "method", "params"])
}

fn id() -> Value {
    json!({ "type": ["string", "number", "null"] })
}

/// What a call that failed is answered, and what a subscription ended with.
pub(super) fn error() -> Value {
    let data = json!({
        "parameter": { "description": "Which one is wrong", "type": "string" },
        "reason": { "enum": Refusal::ALL.map(Refusal::as_str) },
    });
    let properties = json!({
        "code": { "type": "integer" },
        "message": { "type": "string" },
        "data": object(&data, &[]),
    });
    object(&properties, &["code", "message"])
}
