use geocast_protocol::rohrpost::Change;
use serde_json::{Value, json};

use super::{Dialect, Message, object};

pub(super) fn dialect() -> Dialect {
    let group = json!({
        "type": "object",
        "required": ["type", "id"],
        "properties": { "type": { "type": "string" }, "id": { "type": ["string", "number"] } },
    });
    let known = ["ping", "subscribe", "unsubscribe"];
    let other = json!({ "type": "string", "not": { "enum": known } });
    Dialect {
        name: "rohrpost",
        address: "/rohrpost/",
        summary: "rohrpost. Also on /ws/rohrpost/",
        parameters: json!({}),
        said: vec![
            request("ping", "Asks for a sign of life", &json!({ "const": "ping" }), None),
            request(
                "subscribe",
                "Asks for the updates of a group",
                &json!({ "const": "subscribe" }),
                Some(&group),
            ),
            request(
                "unsubscribe",
                "Asks for no more of them",
                &json!({ "const": "unsubscribe" }),
                Some(&group),
            ),
            request(
                "request",
                "A request of another type, for a handler of --rohrpost-handler",
                &other,
                None,
            ),
        ],
        told: vec![
            Message::json("reply", "What a request is answered", reply()),
            Message::json(
                "error",
                "What is wrong with a request, or why it could not be carried out",
                failure(),
            ),
            push("push", "An update of a group", &update()),
            push("ended", "The subscription is over, and nobody has ended it", &ended()),
        ],
    }
}

/// Further members are passed over, or are for the handler.
fn request(name: &str, title: &str, kind: &Value, data: Option<&Value>) -> Message {
    let mut payload = json!({
        "type": "object",
        "required": ["id", "type"],
        "properties": {
            "id": {},
            "type": kind,
            "data": {},
            "auth_jwt": {
                "description": "A token that counts for this request alone",
                "type": ["string", "null"],
            },
        },
    });
    if let Some(data) = data {
        payload["properties"]["data"] = data.clone();
        payload["required"] = json!(["id", "type", "data"]);
    }
    Message::json(name, title, payload)
}

fn reply() -> Value {
    let properties = json!({
        "id": id(),
        "type": { "description": "That of the request; `pong` for `ping`", "type": "string", "not": { "const": PUSHED } },
        "data": { "type": "object" },
    });
    object(&properties, &["type"])
}

fn failure() -> Value {
    let kind = json!({ "description": "That of the request, if it could be read" });
    let properties = json!({ "id": id(), "type": kind, "error": { "type": "string" } });
    object(&properties, &["error"])
}

fn id() -> Value {
    json!({ "description": "That of the request, as it was written; left out where it is empty, zero, false or null" })
}

/// What is published as a whole push passes as it is, with whatever else it has.
fn push(name: &str, title: &str, data: &Value) -> Message {
    let payload = json!({
        "type": "object",
        "required": ["id", "type", "data"],
        "properties": {
            "id": { "description": "Rises with each message", "type": "number" },
            "type": { "const": PUSHED },
            "data": data,
        },
    });
    Message::json(name, title, payload)
}

fn update() -> Value {
    let kinds = [Change::Create, Change::Update, Change::Delete].map(Change::as_str);
    json!({
        "type": "object",
        "required": ["group", "type", "object"],
        "properties": { "group": { "type": "string" }, "type": { "enum": kinds }, "object": {} },
    })
}

fn ended() -> Value {
    object(&json!({ "group": { "type": "string" }, "error": { "type": "string" } }), &["group", "error"])
}

/// The type of what is pushed.
const PUSHED: &str = "subscription-update";
