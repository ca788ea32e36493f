use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use super::{Layer, Table};

/// What a file says of options that the command line or the environment decides.
#[derive(Debug, Default)]
pub(crate) struct Overridden(BTreeMap<String, Idle>);

/// A value in a file that does not count.
#[derive(Debug)]
struct Idle {
    values: Vec<OsString>,
    /// How what counts is called where it stands.
    decided_by: String,
    /// Whether that says the same in the same words.
    is_same: bool,
}

impl Overridden {
    /// What does not count of a file below these.
    pub(super) fn of(file: &Layer, above: &Layer, table: &Table) -> Self {
        let idle = file.0.iter().filter_map(|(key, given)| {
            let option = table.option(key)?;
            let names = [option.key()].into_iter().chain(table.conflicts(option));
            let (name, decides) = names.filter_map(|name| Some((name, above.0.get(name)?))).next()?;
            let decided_by = decides.source.name(table.option(name)?);
            // A list may be one value with commas.
            let written = |values: &[OsString]| values.join(OsStr::new(","));
            let is_same = name == key && written(&decides.values) == written(&given.values);
            Some((key.clone(), Idle { values: given.values.clone(), decided_by, is_same }))
        });
        Self(idle.collect())
    }

    /// What is said there now, was not before, and would change something: each option with what decides it. No values, as
    /// some are secret.
    pub(super) fn changed(&self, now: &Self) -> Vec<String> {
        let is_new =
            |key: &str, idle: &Idle| self.0.get(key).is_none_or(|before| before.values != idle.values);
        let changed = now.0.iter().filter(|(key, idle)| !idle.is_same && is_new(key, idle));
        changed.map(|(key, idle)| format!("{key} ({})", idle.decided_by)).collect()
    }
}
