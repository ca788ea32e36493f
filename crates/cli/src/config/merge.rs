use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
};

use clap::{ArgMatches, parser::ValueSource};

use super::{ConfigError, Given, Layer, Overridden, Source, Table, environment, file};
use crate::arguments::DemoArguments;

/// What holds in the end.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) arguments: DemoArguments,
    pub(crate) values: Values,
    /// What the file says in vain.
    pub(crate) overridden: Overridden,
}

/// The values of all options that have one, as they were given.
#[derive(Debug)]
pub(crate) struct Values(BTreeMap<String, Given>);

/// What holds in the end: a flag wins over the environment, the environment over the file.
pub(crate) fn resolve(typed: &ArgMatches) -> Result<Resolved, ConfigError> {
    merge(typed, std::env::vars_os())
}

/// The same, with this file, if there is one, as if it had been typed behind `--config`.
pub(crate) fn resolve_file(typed: &ArgMatches, file: Option<PathBuf>) -> Result<Resolved, ConfigError> {
    let table = Table::new();
    let mut flags = flags(typed, &table);
    if let Some(file) = file {
        flags.0.insert("config".to_owned(), Given { values: vec![file.into()], source: Source::Flag });
    }
    lay(flags, std::env::vars_os(), &table)
}

fn merge(
    typed: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Resolved, ConfigError> {
    let table = Table::new();
    lay(flags(typed, &table), variables, &table)
}

fn lay(
    flags: Layer,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    table: &Table,
) -> Result<Resolved, ConfigError> {
    let environment = environment::read(variables, table)?;
    let named = [&flags, &environment].into_iter().find_map(|layer| layer.0.get("config"));
    let named = named.and_then(|given| given.values.last()).map(PathBuf::from);
    let file = named.map(|path| file::read(&path, table)).transpose()?.unwrap_or_default();
    let mut merged = Layer::default();
    for layer in [flags, environment] {
        merged.underlay(layer, table)?;
    }
    let overridden = Overridden::of(&file, &merged, table);
    merged.underlay(file, table)?;
    let arguments = merged.0.iter().flat_map(|(key, given)| {
        let option = table.option(key);
        given.values.iter().filter_map(move |value| option.map(|option| option.argument(value)))
    });
    let arguments = table
        .arguments(arguments)
        .expect("every value has been read by the same table, and none excludes another");
    Ok(Resolved { arguments, values: Values(merged.0), overridden })
}

impl Values {
    /// The keys of the options that have another value there.
    pub(crate) fn differing<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a str> {
        let keys = self.0.keys().chain(other.0.keys());
        let value = |values: &'a Self, key: &str| values.0.get(key).map(|given| &given.values);
        keys.filter(|key| value(self, key) != value(other, key)).map(String::as_str).collect()
    }

    /// What was given for an option, if anything was.
    pub(super) fn given(&self, key: &str) -> Option<&Given> {
        self.0.get(key)
    }
}

/// What was really typed, without defaults.
fn flags(typed: &ArgMatches, table: &Table) -> Layer {
    let typed_in = |id: &&str| typed.value_source(id) == Some(ValueSource::CommandLine);
    let ids = typed.ids().map(clap::Id::as_str).filter(|id| table.option(id).is_some()).filter(typed_in);
    let given = ids.filter_map(|id| {
        let values = typed.get_raw(id)?.map(ToOwned::to_owned).collect();
        Some((id.to_owned(), Given { values, source: Source::Flag }))
    });
    Layer(given.collect())
}

impl Layer {
    /// Adds what a source of less weight says about everything that is still open.
    fn underlay(&mut self, lower: Self, table: &Table) -> Result<(), ConfigError> {
        for (key, given) in &lower.0 {
            let Some(option) = table.option(key) else { continue };
            let excluded =
                table.conflicts(option).into_iter().filter_map(|other| Some((other, lower.0.get(other)?)));
            if let Some((other, _)) = excluded.into_iter().next() {
                let name = |key: &str| table.option(key).map(|option| given.source.name(option));
                return Err(ConfigError::Conflict {
                    first: name(key).unwrap_or_default(),
                    second: name(other).unwrap_or_default(),
                    place: given.source.place(),
                });
            }
        }
        for (key, given) in lower.0 {
            let Some(option) = table.option(&key) else { continue };
            let decided = table.conflicts(option).iter().any(|other| self.0.contains_key(*other));
            if !decided {
                self.0.entry(key).or_insert(given);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
