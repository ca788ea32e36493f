use serde_json::{Map, Value, json};

use crate::config::{ConfigOption, Table};

/// The JSON Schema of the configuration file, read off the options of the command line, as the file itself is.
pub(super) fn description() -> Value {
    let table = Table::new();
    let options = table.options().filter(|option| !option.names_the_file());
    let mut properties: Map<String, Value> =
        options.map(|option| (option.key().to_owned(), property(option))).collect();
    properties.insert(
        "flags".to_owned(),
        json!({
            "description": "Options that take no value and are to be on",
            "type": "array",
            "items": { "type": "string" },
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of geocast",
        "description": "What `geocast serve --config FILE` reads, as TOML or JSON",
        "type": "object",
        "properties": properties,
        // Other spellings of the same options, as of `tls_cert`.
        "patternProperties": { "^(cert|key|pwd|unix_socket)$": { "type": "string" } },
        "additionalProperties": false,
    })
}

fn property(option: ConfigOption<'_>) -> Value {
    let mut schema = kind(option);
    schema["description"] = json!(option.help());
    schema
}

/// What a value may be. The program reads the same more exactly: whether a pattern is one, and a file is there.
fn kind(option: ConfigOption<'_>) -> Value {
    if option.is_switch() {
        return json!({ "enum": [true, false, "true", "false"] });
    }
    let choices = option.choices();
    if !choices.is_empty() {
        return json!({ "enum": choices });
    }
    match option.placeholder() {
        "N" | "PORT" => json!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" }),
        "TIME" => {
            json!({ "anyOf": [{ "const": 0 }, { "type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h)|0)$" }] })
        }
        "SIZE" => json!({
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": "^[0-9]+([Bb]|[KkMmGg]([Ii]?[Bb])?)?$",
        }),
        "DIR" | "FILE" | "FILTER" | "HOST" | "KEY" | "PATH" | "URL" => json!({ "type": "string" }),
        _ => json!({
            "type": ["string", "number", "boolean", "array"],
            "items": { "type": ["string", "number", "boolean"] },
        }),
    }
}
