use serde_json::{Value, json};

use super::{VERSION, object, operator};

/// The addresses for HTTP, as OpenAPI 3.1.
pub(super) fn description() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "geocast",
            "version": VERSION,
            "summary": "Publishing, state and health over HTTP",
            "description": "State is read, and subscriptions are made, over WebSockets: see the AsyncAPI description.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8765" }],
        "security": [{}, { "bearer": [] }, { "pwd": [] }, { "token": [] }],
        "paths": {
            "/live": { "get": {
                "operationId": "live",
                "summary": "Whether the process runs. Depends on nothing else",
                "security": [{}],
                "responses": { "200": answer("It does", &object(&json!({ "status": { "const": "live" } }), &["status"])) },
            } },
            "/ready": { "get": {
                "operationId": "ready",
                "summary": "Whether clients can be served: the store answers, and the server is not about to stop",
                "security": [{}],
                "responses": {
                    "200": answer("They can", &ready()),
                    "503": refusal("They cannot: the store does not answer, or the server is stopping"),
                },
            } },
            "/api/channels": { "get": {
                "operationId": "channels",
                "summary": "The channels that whoever asks may read and be told of",
                "responses": {
                    "200": answer("Their names, in order, a thousand at most", &object(
                        &json!({ "channels": { "type": "array", "items": { "type": "string" }, "maxItems": 1000 } }),
                        &["channels"],
                    )),
                    "401": refusal("A token is not accepted"),
                    "403": refusal("Not from this page"),
                },
            } },
            "/metrics": { "get": {
                "operationId": "metrics",
                "summary": "What the server tells Prometheus of itself, where operators may read it",
                "security": [{}, { "metrics": [] }],
                "responses": {
                    "200": {
                        "description": "Metrics",
                        "content": {
                            "text/plain": { "schema": { "type": "string" } },
                            "application/openmetrics-text": { "schema": { "type": "string" } },
                        },
                    },
                    "401": refusal("The token of --metrics-token-file is missing, or is another one"),
                    "403": refusal("They are not for clients"),
                    "404": refusal("They are on a port of their own"),
                },
            } },
            "/api/operator": { "get": operator::description() },
            "/api/publish/{channel}": {
                "parameters": [path("channel", "The channel")],
                "post": publication("publish", "Publish on a channel", &["published"]),
            },
            "/api/state/{channel}/{key}": {
                "parameters": [path("channel", "The channel"), path("key", "The key of its state")],
                "put": publication("put", "Set one key of a channel's state, and publish the value", &["published", "key"]),
                "delete": deletion(),
            },
            "/channel/{name}/": {
                "parameters": [path("name", "The channel, as aiows names it")],
                "post": package("package", "Publish a package, as with aiows"),
            },
            "/broadcast/": { "post": package("broadcast", "Publish many packages, all or none, as with aiows") },
        },
        "components": {
            "schemas": { "Refusal": object(
                &json!({ "error": object(
                    &json!({
                        "code": { "description": "Stable, for programs", "type": "string" },
                        "message": { "description": "For people: what was wrong", "type": "string" },
                    }),
                    &["code", "message"],
                ) }),
                &["error"],
            ) },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "The publish key, or a token (JWT)" },
                "metrics": { "type": "http", "scheme": "bearer", "description": "The token for metrics" },
                "operator": { "type": "http", "scheme": "bearer", "description": "The token of --operator-token-file" },
                "pwd": { "type": "apiKey", "in": "query", "name": "pwd", "description": "The publish key" },
                "token": { "type": "apiKey", "in": "query", "name": "token", "description": "A token (JWT)" },
            },
        },
    })
}

fn publication(id: &str, summary: &str, answered: &[&str]) -> Value {
    let mut properties: Value = answered.iter().map(|name| (*name, json!({ "type": "string" }))).collect();
    properties["offset"] = json!({
        "description": "Where the message stands in the channel's history, if it has one",
        "type": ["integer", "string"],
    });
    properties["epoch"] = json!({ "description": "Which history that is", "type": "string" });
    let of_all = "that a position is not in degrees, or that JSON is encoded twice, or is none";
    let description = match id {
        "put" => format!(
            "What may not be expected: that tracked subscriptions know the value by another key, or none; {of_all}"
        ),
        _ => format!("What may not be expected: {of_all}"),
    };
    properties["hint"] = json!({ "type": "string", "description": description });
    json!({
        "operationId": id,
        "summary": summary,
        "requestBody": {
            "description": "What reaches subscribers as it is: GeoJSON, any JSON, or text; not nothing",
            "required": true,
            "content": { "application/json": { "schema": {} }, "text/plain": { "schema": { "type": "string" } } },
        },
        "responses": responses(&answer("The store has it", &object(&properties, answered)), PUBLISHING),
    })
}

fn deletion() -> Value {
    let properties = json!({ "deleted": { "type": "string" }, "key": { "type": "string" } });
    let success = answer("It is gone", &object(&properties, &["deleted", "key"]));
    json!({
        "operationId": "delete",
        "summary": "Remove one key of a channel's state, and tell subscribers by a feature without geometry",
        "responses": responses(&success, &[("404", "There is no such key")]),
    })
}

/// What aiows says, each in one text; what comes before it is as elsewhere.
fn package(id: &str, summary: &str) -> Value {
    let said = |text: &str| answer(text, &json!({ "const": text }));
    json!({
        "operationId": id,
        "summary": summary,
        "requestBody": { "required": true, "content": { "*/*": { "schema": {} } } },
        "responses": {
            "201": said("OK"),
            "400": said("Bad request"),
            "403": said("Not authorized"),
            "408": refusal(LATE),
            "413": said("Payload too large"),
            "429": said("Too many requests"),
            "502": said("Bad gateway"),
            "503": said("Service unavailable"),
            "507": said("Insufficient storage"),
        },
    })
}

fn ready() -> Value {
    object(
        &json!({
            "status": { "const": "ready" },
            "store": { "description": "Which one, for people", "type": "string" },
            "connections": { "description": "WebSockets", "type": "integer", "minimum": 0 },
            "reload": object(
                &json!({
                    "at": { "description": "When, in milliseconds since 1970", "type": "number" },
                    "failures": { "description": "How much could not be read", "type": "integer", "minimum": 0 },
                }),
                &["at", "failures"],
            ),
        }),
        &["status"],
    )
}

/// Of what is told to the store: the success, what can be wrong with all of it, and what with this.
fn responses(success: &Value, more: &[(&str, &str)]) -> Value {
    let mut responses = json!({
        "200": success,
        "400": refusal("The channel, the key or the body is none"),
        "401": refusal("A key or a token is missing, or a token is not accepted"),
        "403": refusal("Not on this channel, not with this key, or not from this page"),
        "408": refusal(LATE),
        "429": refusal("The token is used more often than --token-rate allows"),
        "502": refusal("The store refuses it"),
        "503": refusal("The store does not answer"),
        "507": refusal("The store is full, or what it has of this key is too large"),
    });
    for (status, description) in more {
        responses[*status] = refusal(description);
    }
    responses
}

pub(super) fn answer(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

pub(super) fn refusal(description: &str) -> Value {
    answer(description, &json!({ "$ref": "#/components/schemas/Refusal" }))
}

fn path(name: &str, description: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string" } })
}

const LATE: &str = "The request and its answer took longer than --request-timeout";
/// What can be wrong with a body.
const PUBLISHING: &[(&str, &str)] = &[
    ("413", "The body is larger than --max-publication"),
    (
        "422",
        "Subscribers could not be sent it: it is nested deeper than --max-depth, or has more positions than --max-vertices",
    ),
];
