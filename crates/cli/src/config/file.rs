use std::{ffi::OsString, fs, path::Path};

use serde_json::{Map, Value};

use super::{ConfigError, ConfigOption, Given, Layer, Source, Table, Unknown, flags};

/// Reads a file, TOML or JSON by its name.
pub(super) fn read(path: &Path, table: &Table) -> Result<Layer, ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let syntax = |reason: String| ConfigError::Syntax { path: path.to_owned(), reason };
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    let keys: Map<String, Value> = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("toml") => toml::from_str(&text).map_err(|error| syntax(toml_reason(&error, &text)))?,
        Some("json") => {
            serde_json::from_str(&without_comments(&text)).map_err(|error| syntax(json_reason(&error)))?
        }
        _ => return Err(ConfigError::Extension(path.to_owned())),
    };
    let mut layer = Layer::default();
    for (key, value) in &keys {
        let source = Source::File { path: path.to_owned(), line: line_of(key, &text) };
        if key == flags::FLAGS {
            flags::read(value, &source, table)?.0.into_iter().for_each(|(key, on)| {
                // What has a key of its own is not only to be on.
                layer.0.entry(key).or_insert(on);
            });
            continue;
        }
        let option = table.options().find(|option| option.is_called(key) && !option.names_the_file());
        let Some(option) = option else {
            if value.is_object() {
                return Err(ConfigError::Section { name: key.clone(), place: source.place() });
            }
            return Err(Unknown::key(key, source.place(), table).into());
        };
        layer.0.insert(option.key().to_owned(), given(value, source, option, table)?);
    }
    Ok(layer)
}

/// What is wrong, and where. The line itself is not quoted, as the error would: what is in it may be secret.
fn toml_reason(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else { return error.message().to_owned() };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("TOML parse error at line {line}, column {column}: {}", error.message())
}

/// The same. What is right JSON, but no object, would be quoted as well.
fn json_reason(error: &serde_json::Error) -> String {
    if error.is_data() { "expected an object with the options".to_owned() } else { error.to_string() }
}

/// Lines that begin with a number sign are left empty, so that the places in messages stay right. No text in JSON goes on
/// over the end of a line.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn given(
    value: &Value,
    source: Source,
    option: ConfigOption<'_>,
    table: &Table,
) -> Result<Given, ConfigError> {
    let mut given = Given { values: Vec::new(), source };
    let written = match value {
        Value::Array(items) => {
            items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        value => scalar(value),
    };
    let Some(written) = written else {
        let reason = "expected text, a number, true, false or a list of these".to_owned();
        return Err(given.invalid(option, OsString::from(value.to_string()).as_os_str(), reason));
    };
    given.values.push(written.into());
    given.check(table, option)?;
    Ok(given)
}

/// The value as it would be written on the command line.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The line, counted from one, in which a key stands: the first that begins with it, or else has it in quotes.
fn line_of(key: &str, text: &str) -> usize {
    let begins = |line: &str| {
        let rest =
            line.trim_start_matches(|c: char| c.is_whitespace() || "{[,\"'".contains(c)).strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || "=:\"'].".contains(c)))
    };
    let quoted = format!("\"{key}\"");
    let found =
        text.lines().position(begins).or_else(|| text.lines().position(|line| line.contains(&quoted)));
    found.map_or(1, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ConfigError, Table, line_of, read};

    #[test]
    fn keys_are_found_where_they_stand() {
        for (key, text, line) in [
            ("port", "host = \"port\"\nport = 1\n", 2),
            ("port", "# port\n\nports = 1\n port=1", 4),
            ("port", "{\n  \"host\": \"x\",\n  \"port\": 1\n}", 3),
            ("port", "{\"host\":\"x\",\n\"log\":\"info\",\"port\":1}", 2),
            ("limits", "a = 1\n[limits]\nb = 2", 2),
        ] {
            assert_eq!(line_of(key, text), line, "{key} in {text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_without_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, place) in [
            ("a.toml", "port = 1\npublish_key = \"hunter2-secret\n", "line 2, column"),
            ("a.toml", "publish_key = hunter2-secret", "line 1, column"),
            ("a.toml", "# ä\nport = 1 hunter2-secret", "line 2, column 8:"),
            ("a.toml", "publish_key = \"a\"\npublish_key = \"hunter2-secret\"\n", "line 2, column 1:"),
            ("a.json", "{\n\"publish_key\": \"hunter2-secret\n}", "line 3 column 0"),
            ("a.json", "{\"publish_key\": hunter2-secret}", "line 1 column"),
            ("a.json", "\"hunter2-secret\"", "expected an object"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let error = read(&path, &Table::new()).expect_err(text);
            assert!(matches!(error, ConfigError::Syntax { .. }), "{error:?}");
            assert!(error.to_string().contains(place), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text:?}: {error}");
        }
    }
}
