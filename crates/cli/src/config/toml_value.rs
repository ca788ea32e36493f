use super::ConfigOption;

/// A value as it is typed, in the form that a TOML file has it.
pub(super) fn toml_value(option: ConfigOption<'_>, typed: &str) -> String {
    // The escapes of JSON are among those of TOML.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let is_number = match option.placeholder() {
        "N" | "PORT" | "SIZE" | "[HOST:]PORT" => is_integer(typed),
        // Other times have a unit.
        "TIME" => typed == "0",
        _ => false,
    };
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

/// Whether TOML has it as a number: without zeros before it, and within 64 bits.
fn is_integer(typed: &str) -> bool {
    typed.parse::<u64>().is_ok_and(|number| i64::try_from(number).is_ok() && number.to_string() == typed)
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
            ("max_message", "16384", "16384"),
            ("metrics", "9100", "9100"),
            ("metrics", "localhost:9100", "\"localhost:9100\""),
            ("drain_spread", "0", "0"),
            ("seed", "007", "\"007\""),
            ("seed", "18446744073709551615", "\"18446744073709551615\""),
            ("jwt_issuer", "7", "\"7\""),
            ("deflate", "true", "true"),
            ("channels", "a,b*", "[\"a\", \"b*\"]"),
            ("host", "a\"b", "\"a\\\"b\""),
            ("bbox_keyword", "gen=,mots=type", "[\"gen=\", \"mots=type\"]"),
        ] {
            assert_eq!(toml_value(table.option(key).unwrap(), typed), expected, "{key}");
        }
    }
}
