use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use super::{ConfigError, ConfigOption, Table};

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct Layer(pub(super) BTreeMap<String, Given>);

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Given {
    /// As it would be written on the command line; more than one where it was given more than once.
    pub(super) values: Vec<OsString>,
    pub(super) source: Source,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    Environment,
    File { path: PathBuf, line: usize },
}

impl Given {
    /// Fails if the option cannot have this value. Flags have been read before.
    pub(super) fn check(&self, table: &Table, option: ConfigOption<'_>) -> Result<(), ConfigError> {
        for value in &self.values {
            if let Err(error) = table.read([option.argument(value)]) {
                return Err(self.invalid(option, value, reason(&error)));
            }
        }
        Ok(())
    }

    pub(super) fn invalid(&self, option: ConfigOption<'_>, value: &OsStr, reason: String) -> ConfigError {
        let value = if option.is_secret() { "…".into() } else { value.to_string_lossy() };
        ConfigError::Value {
            value: format!("{}={value}", self.source.name(option)),
            place: self.source.place(),
            reason,
        }
    }
}

impl Source {
    /// How the option is called there.
    pub(super) fn name(&self, option: ConfigOption<'_>) -> String {
        match self {
            Self::Flag => option.flag(),
            Self::Environment => option.variable(),
            Self::File { .. } => option.key().to_owned(),
        }
    }

    /// Where that is.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Flag => "on the command line".to_owned(),
            Self::Environment => "in the environment".to_owned(),
            Self::File { path, line } => format!("in {}, line {line}", path.display()),
        }
    }
}

/// What is wrong with a value, and what would be right.
fn reason(error: &clap::Error) -> String {
    use clap::error::{ContextKind, ContextValue};
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => format!("expected {}", valid.join(" or ")),
        _ => "a value is missing".to_owned(),
    }
}
