//! The description that programs read.

use serde_json::{Value, json};

use crate::Json;

use super::{METHODS, Method, Refusal};

/// The OpenRPC 1.3 document of all methods: the result of `rpc.discover`.
///
/// `title` and `version` are those of the server.
#[must_use]
pub fn discover(title: &str, version: &str) -> Json {
    let errors = Refusal::ALL.iter().map(|refusal| {
        let error = json!({ "code": refusal.code(), "message": refusal.as_str() });
        (refusal.as_str().to_owned(), error)
    });
    let document = json!({
        "openrpc": "1.3.2",
        "info": { "title": title, "version": version },
        "methods": METHODS.iter().map(describe).collect::<Vec<_>>(),
        "components": { "errors": Value::Object(errors.collect()) },
    });
    document.to_string().parse().expect("a document of constants is JSON and shallow")
}

fn describe(method: &Method) -> Value {
    let params = method.params.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "summary": parameter.summary,
            "required": parameter.required,
            "schema": constant(parameter.schema),
        })
    });
    let values = method
        .params
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "value": constant(parameter.example) }));
    json!({
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "either",
        "params": params.collect::<Vec<_>>(),
        "result": { "name": "result", "schema": constant(method.result) },
        "examples": [{
            "name": method.name,
            "params": values.collect::<Vec<_>>(),
            "result": { "name": "result", "value": constant(method.result_example) },
        }],
    })
}

/// Reads a piece of the table.
fn constant(json: &str) -> Value {
    serde_json::from_str(json).expect("the table is JSON")
}
