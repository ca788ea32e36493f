use super::ConfigOption;

/// A value as it is typed, in the form that a TOML file has it.
pub(super) fn toml_value(option: ConfigOption<'_>, typed: &str) -> String {
    // The escapes of JSON are among those of TOML.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let is_number = matches!(option.placeholder(), "N" | "PORT")
        && !typed.is_empty()
        && typed.bytes().all(|b| b.is_ascii_digit());
    if is_number || option.is_switch() {
        return typed.to_owned();
    }
    if option.is_list() {
        let items: Vec<String> =
            typed.split(',').map(str::trim).filter(|item| !item.is_empty()).map(quoted).collect();
        return format!("[{}]", items.join(", "));
    }
    quoted(typed)
}

#[cfg(test)]
mod tests {
    use super::{super::Table, toml_value};

    #[test]
    fn values_are_written_as_files_have_them() {
        let table = Table::new();
        for (key, typed, expected) in [
            ("port", "8765", "8765"),
            ("ping_interval", "25s", "\"25s\""),
            ("max_message", "16KiB", "\"16KiB\""),
            ("deflate", "true", "true"),
            ("channels", "a,b*", "[\"a\", \"b*\"]"),
            ("host", "a\"b", "\"a\\\"b\""),
            ("bbox_keyword", "gen=,mots=type", "[\"gen=\", \"mots=type\"]"),
        ] {
            assert_eq!(toml_value(table.option(key).unwrap(), typed), expected, "{key}");
        }
    }
}
