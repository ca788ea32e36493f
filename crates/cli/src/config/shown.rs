use std::fmt::Write;

use geocast_server::RedisUrl;

use super::{ConfigOption, Table, Values, default_file::is_literal, layer::Given, toml_value::toml_value};

/// Every option with its value and where that is from, one on each line, as TOML. What is secret is not shown.
pub(super) fn text(values: &Values, only_given: bool) -> String {
    let table = Table::new();
    let mut shown = String::new();
    for option in table.options() {
        let given = values.given(option.key());
        let (value, place) = match given {
            Some(given) => (value(option, given), given.source.place()),
            None if only_given => continue,
            None => default(option),
        };
        writeln!(shown, "{:<33} # {place}", format!("{} = {value}", option.key()))
            .expect("a string takes everything");
    }
    shown
}

fn value(option: ConfigOption<'_>, given: &Given) -> String {
    let values: Vec<_> = given.values.iter().map(|value| value.to_string_lossy()).collect();
    let typed = values.join(",");
    if !option.is_secret() {
        return toml_value(option, &typed);
    }
    // Of a URL, everything but the password can be shown.
    let url = typed.parse::<RedisUrl>().ok().filter(|_| option.key() == "redis");
    toml_value(option, &url.map_or_else(|| "…".to_owned(), |url| url.to_string()))
}

fn default(option: ConfigOption<'_>) -> (String, String) {
    match option.default() {
        Some(default) if is_literal(&default) => (toml_value(option, &default), "default".to_owned()),
        Some(default) => ("…".to_owned(), format!("default: {default}")),
        None if option.is_switch() => ("false".to_owned(), "default".to_owned()),
        None => ("…".to_owned(), "not set".to_owned()),
    }
}
