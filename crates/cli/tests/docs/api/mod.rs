//! The descriptions of `geocast describe`: as recorded in docs/api and docs/options.md, right by the schemas of their formats, and true of what a server says.

mod config;
mod conversations;
mod frames;
mod http;
mod requests;
mod transcripts;

use std::fs;

use serde_json::{Value, json};

use crate::{
    geocast::{code, run, stderr, stdout},
    pages::root,
    schemas::{faults, openapi_faults},
};

#[test]
fn descriptions_are_as_recorded() {
    let mut differing = Vec::new();
    let programs =
        ["openapi", "asyncapi", "openrpc", "config"].map(|what| (what, format!("docs/api/{what}.json")));
    for (what, path) in programs.into_iter().chain([("options", "docs/options.md".to_owned())]) {
        let output = run(&["describe", what]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let (path, text) = (root().join(path), stdout(&output));
        if std::env::var_os("UPDATE_API").is_some() {
            fs::write(&path, &text).expect("it can be written");
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            differing.push(what);
        }
    }
    assert!(
        differing.is_empty(),
        "{differing:?} differ: UPDATE_API=1 cargo test -p geocast --test docs writes them anew"
    );
}

#[test]
fn descriptions_are_right_by_the_schemas_of_their_formats() {
    assert_eq!(openapi_faults(&described("openapi")), "");
    assert_eq!(
        faults(&format_schema("@asyncapi/specs/schemas/3.0.0-without-$id.json"), &described("asyncapi")),
        ""
    );
    assert_eq!(faults(&format_schema("@open-rpc/meta-schema/index.js"), &described("openrpc")), "");
    for (what, wrong) in [("asyncapi", "channels"), ("openrpc", "methods")] {
        let mut description = described(what);
        description[wrong] = json!(7);
        let schema = if what == "asyncapi" {
            "@asyncapi/specs/schemas/3.0.0-without-$id.json"
        } else {
            "@open-rpc/meta-schema/index.js"
        };
        assert_ne!(faults(&format_schema(schema), &description), "", "{what}");
    }
}

fn described(what: &str) -> Value {
    serde_json::from_str(&stdout(&run(&["describe", what]))).expect("JSON")
}

/// One of a package of npm: a file of JSON, or a script that has it as its one constant.
fn format_schema(package: &str) -> Value {
    let path = root().join("crates/cli/tests/docs/node_modules").join(package);
    let text = fs::read_to_string(&path);
    let text =
        text.unwrap_or_else(|error| panic!("{}: {error}: `make setup-test` installs it", path.display()));
    let Some((_, constant)) = text.split_once("exports.openrpcDocument = {") else {
        return serde_json::from_str(&text).expect("JSON");
    };
    let (constant, _) = constant.split_once("};").expect("it ends");
    // It calls draft 7 by a name of its own, under which nobody knows it.
    let constant = constant
        .replace("https://meta.json-schema.tools/#", DRAFT_7)
        .replace("https://meta.json-schema.tools", DRAFT_7);
    let mut schema: Value = serde_json::from_str(&format!("{{{constant}}}")).expect("JSON");
    schema["$schema"] = json!(DRAFT_7);
    schema
}

const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";
