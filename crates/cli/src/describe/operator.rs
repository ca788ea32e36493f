use serde_json::{Value, json};

use super::{
    object,
    openapi::{answer, refusal},
};

/// What operators are shown.
pub(super) fn description() -> Value {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    json!({
        "operationId": "operator",
        "summary": "How the server is, and who is connected, for operators. It is there with --operator-token-file",
        "security": [{ "operator": [] }],
        "parameters": [
            query("after", "Only connections with greater ids", json!({ "type": "integer", "minimum": 0, "default": 0 })),
            query("limit", "How many connections at most", json!({ "type": "integer", "minimum": 0, "maximum": 1000, "default": 100 })),
        ],
        "responses": {
            "200": answer("What is so at this moment, within a second", &report()),
            "400": refusal("A parameter makes no sense"),
            "401": refusal("The token is missing, or is another one"),
            "404": refusal("There is no token for operators"),
            "429": refusal("Too many questions wait for an answer already"),
        },
    })
}

fn report() -> Value {
    closed(&json!({
        "at": described("When this was read, in milliseconds since 1970", &amount()),
        "server": closed(&json!({
            "version": text(),
            "uptime_seconds": amount(),
            "draining": truth(),
            "limits": closed(&json!({
                "connections": count(),
                "subscriptions_per_connection": count(),
                "outbox_bytes": count(),
                "message_bytes": count(),
                "publication_bytes": count(),
                "in_flight_bytes": count(),
                "commands_per_second": count(),
            })),
        })),
        "now": now(),
        "totals": { "description": "What only rises, by name", "type": "object", "additionalProperties": count() },
        "store": store(),
        "workers": list(&closed(&json!({ "up": truth(), "connections": count() })), 64),
        "channels": closed(&json!({
            "list": list(&closed(&json!({
                "name": text(),
                "subscribers": count(),
                "events": described("Since somebody has listened without a break", &count()),
                "deliveries": described("How often one of them was handed to a subscriber since then", &count()),
            })), 200),
            "truncated": described("Whether there are more", &truth()),
        })),
        "connections": closed(&json!({
            "list": list(&connection(), 1000),
            "next": described("The `after` of the next page", &or_null(&count())),
        })),
        "slow": described("For whom most waits, the worst first", &list(&connection(), 50)),
        "errors": closed(&json!({
            "list": described("The latest first", &list(&closed(&json!({
                "at": described("In milliseconds since 1970", &amount()),
                "level": { "enum": ["warn", "error"] },
                "text": { "type": "string" },
            })), 100)),
            "total": described("Since the start", &count()),
        })),
    }))
}

fn now() -> Value {
    closed(&json!({
        "connections": count(),
        "dialects": { "description": "Connections by dialect", "type": "object", "additionalProperties": count() },
        "channels": described("That somebody listens to", &count()),
        "subscriptions": described("To messages", &count()),
        "tracked": described("Tracked subscriptions", &count()),
        "behind": described("Of those, the ones that are not up to date", &count()),
        "cohorts": described("Sets of subscriptions with equal interests", &count()),
        "slow": described("Clients whose socket is full", &count()),
        "outbox_bytes": described("That wait for all clients", &count()),
        "outbox_largest_bytes": described("That wait for the client that most wait for", &count()),
        "in_flight_bytes": described("On their way from the store to workers", &count()),
    }))
}

fn store() -> Value {
    closed(&json!({
        "kind": text(),
        "description": described("Which one, for people", &text()),
        "healthy": truth(),
        "trouble": described("What is wrong, for people", &or_null(&text())),
        "probe_age_seconds": or_null(&amount()),
        "probe_round_trip_seconds": or_null(&amount()),
        "interruptions": described("Times that messages stopped coming", &count()),
        "reconnects": described("Times that they came again", &count()),
        "commands_failed": count(),
        "state_bytes": or_null(&count()),
        "history_bytes": or_null(&count()),
    }))
}

fn connection() -> Value {
    let corners = json!({ "type": "array", "items": { "type": "number" }, "minItems": 4, "maxItems": 4 });
    let viewport = closed(&json!({
        "crs": described("The system that the client named it in", &text()),
        "corners": described("Left, bottom, right, top, in the units of that system", &corners),
        "boxes": described("West, south, east, north, in degrees (EPSG:4326), within the world", &list(&corners, 8)),
    }));
    closed(&json!({
        "id": count(),
        "address": described("Address and port, or `unix`", &text()),
        "dialect": text(),
        "age_seconds": amount(),
        "crs": described("Of what it is sent", &or_null(&text())),
        "viewport": or_null(&viewport),
        "channels": closed(&json!({ "count": count(), "names": described("The first few", &list(&text(), 5)) })),
        "waiting_bytes": count(),
        "blocked": described("Whether its socket is full", &truth()),
        "behind": described("Whether a map of it is not up to date", &truth()),
        "delivered": described("Messages that have left to it", &count()),
        "dropped": described("Messages that had to leave its queue again", &count()),
    }))
}

/// All of these, and nothing else.
fn closed(properties: &Value) -> Value {
    let names: Vec<&str> =
        properties.as_object().into_iter().flat_map(|names| names.keys()).map(String::as_str).collect();
    object(properties, &names)
}

fn described(description: &str, schema: &Value) -> Value {
    let mut described = schema.clone();
    described["description"] = json!(description);
    described
}

fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn list(items: &Value, most: usize) -> Value {
    json!({ "type": "array", "items": items, "maxItems": most })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn truth() -> Value {
    json!({ "type": "boolean" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn amount() -> Value {
    json!({ "type": "number", "minimum": 0 })
}
