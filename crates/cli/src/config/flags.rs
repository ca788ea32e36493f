use std::ffi::OsStr;

use serde_json::Value;

use super::{ConfigError, Given, Layer, Source, Table, Unknown};

/// The key of a file under which options stand that need no value.
pub(super) const FLAGS: &str = "flags";

/// Reads a list of options that are simply to be on.
pub(super) fn read(value: &Value, source: &Source, table: &Table) -> Result<Layer, ConfigError> {
    let invalid = |value: &dyn std::fmt::Display, reason: &str| ConfigError::Value {
        value: format!("{FLAGS}={value}"),
        place: source.place(),
        reason: reason.to_owned(),
    };
    let list = value.as_array().ok_or_else(|| invalid(value, "expected a list of options without value"))?;
    let mut layer = Layer::default();
    for name in list {
        let name = name.as_str().ok_or_else(|| invalid(name, "expected the name of an option"))?;
        let option = table.options().find(|option| option.is_called(name));
        let option = option.ok_or_else(|| Unknown::key(name, source.place(), table))?;
        let on = if option.key() == "redis" { LOCAL_REDIS } else { "true" };
        let given = Given { values: vec![on.into()], source: source.clone() };
        if !option.is_switch() && option.key() != "redis" {
            return Err(given.invalid(option, OsStr::new(on), "it takes a value: give it a key".to_owned()));
        }
        layer.0.insert(option.key().to_owned(), given);
    }
    Ok(layer)
}

/// What the flag `redis` of the reference stands for.
const LOCAL_REDIS: &str = "redis://localhost";
