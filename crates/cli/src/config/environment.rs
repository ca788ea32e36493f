use std::ffi::OsString;

use super::{ConfigError, Given, Layer, Source, Table, Unknown, table::PREFIX};

/// Reads the variables that are ours. An empty one is as good as none, because some tools cannot unset them.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    table: &Table,
) -> Result<Layer, ConfigError> {
    let for_clients = Table::client_variables();
    let mut layer = Layer::default();
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let Some(option) = table.options().find(|option| option.variable() == name) else {
            if for_clients.iter().any(|known| *known == name) {
                continue;
            }
            let known = table.options().map(|option| option.variable()).chain(for_clients);
            return Err(Unknown::new(&name, Source::Environment.place(), known).into());
        };
        if !value.is_empty() {
            let given = Given { values: vec![value], source: Source::Environment };
            given.check(table, option)?;
            layer.0.insert(option.key().to_owned(), given);
        }
    }
    Ok(layer)
}
