use std::ffi::OsString;

use clap::{Arg, ArgMatches, Args, FromArgMatches};

use crate::arguments::{DemoArguments, Invocation};

/// All options that can be configured, as they are declared for the command line: what the environment and the file may
/// say is read off that declaration, and so are the values that are right.
#[derive(Debug)]
pub(crate) struct Table(clap::Command);

/// One option of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConfigOption<'a>(&'a Arg);

impl Table {
    pub(crate) fn new() -> Self {
        let command = clap::Command::new("geocast").no_binary_name(true).disable_help_flag(true);
        Self(DemoArguments::augment_args(command))
    }

    /// The options in the order of their declaration.
    pub(crate) fn options(&self) -> impl Iterator<Item = ConfigOption<'_>> {
        self.0.get_arguments().map(ConfigOption)
    }

    /// What options stand under in the help, in the order of their declaration; what only the demonstration has comes last.
    pub(super) fn headings(&self) -> Vec<&str> {
        let mut headings: Vec<&str> = Vec::new();
        for option in self.options() {
            if !headings.contains(&option.heading()) {
                headings.push(option.heading());
            }
        }
        headings.sort_by_key(|heading| *heading == "Demo");
        headings
    }

    /// The option of this name, in the form it has on the command line, in the file, or anything between.
    pub(crate) fn option(&self, name: &str) -> Option<ConfigOption<'_>> {
        let key = name.replace('-', "_");
        self.options().find(|option| option.is_called(&key))
    }

    /// What stands in the environment, besides, for the clients' options.
    pub(super) fn client_variables() -> Vec<String> {
        let commands = Invocation::commands();
        let arguments = commands.get_subcommands().flat_map(clap::Command::get_arguments);
        arguments.filter_map(Arg::get_env).map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// The options that cannot be given together with this one.
    pub(super) fn conflicts<'a>(&'a self, option: ConfigOption<'a>) -> Vec<&'a str> {
        // clap knows a conflict on the side that declares it only.
        let declared =
            self.0.get_arg_conflicts_with(option.0).into_iter().map(|other| other.get_id().as_str());
        let against = self.options().filter(move |other| {
            self.0.get_arg_conflicts_with(other.0).iter().any(|other| other.get_id() == option.0.get_id())
        });
        declared.chain(against.map(|other| other.0.get_id().as_str())).collect()
    }

    /// Reads arguments as the command line would.
    pub(crate) fn read(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<ArgMatches, clap::Error> {
        self.0.clone().try_get_matches_from(arguments)
    }

    /// Reads arguments, all of them right, into what they say.
    pub(super) fn arguments(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<DemoArguments, clap::Error> {
        DemoArguments::from_arg_matches(&self.read(arguments)?)
    }
}

impl<'a> ConfigOption<'a> {
    /// The key in a file.
    pub(crate) fn key(self) -> &'a str {
        self.0.get_id().as_str()
    }

    /// Whether this is its key, or another one by which it is known elsewhere.
    pub(super) fn is_called(self, key: &str) -> bool {
        let mut others = self.0.get_all_aliases().unwrap_or_default().into_iter();
        self.key() == key || others.any(|other| other.replace('-', "_") == key)
    }

    /// Whether it is on where it is given without a value.
    pub(crate) fn is_switch(self) -> bool {
        self.0.get_value_names().is_some_and(|names| names.len() == 1 && names[0] == "true|false")
    }

    /// Whether it has several values, between commas or in a list.
    pub(crate) fn is_list(self) -> bool {
        self.0.get_value_delimiter().is_some() || self.placeholder() == "PATTERNS"
    }

    /// What it stands under in the help.
    pub(crate) fn heading(self) -> &'a str {
        self.0.get_help_heading().unwrap_or("Other")
    }

    /// The variable in the environment.
    pub(crate) fn variable(self) -> String {
        format!("{PREFIX}{}", self.key().to_ascii_uppercase())
    }

    /// The name on the command line.
    pub(crate) fn flag(self) -> String {
        format!("--{}", self.0.get_long().unwrap_or_else(|| self.key()))
    }

    /// One argument that gives the option this value.
    pub(crate) fn argument(self, value: &std::ffi::OsStr) -> OsString {
        let mut argument = OsString::from(self.flag());
        argument.push("=");
        argument.push(value);
        argument
    }

    /// Whether the value may hold a password and is not to be repeated.
    pub(crate) fn is_secret(self) -> bool {
        self.0.is_hide_env_values_set()
    }

    /// Whether it names the file itself, and so cannot stand in it.
    pub(crate) fn names_the_file(self) -> bool {
        self.key() == "config"
    }

    /// What stands for its value in the help, such as `TIME`.
    pub(crate) fn placeholder(self) -> &'a str {
        self.0.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str())
    }

    /// The only values that it has, if there are such.
    pub(crate) fn choices(self) -> Vec<String> {
        let values = self.0.get_possible_values();
        values.into_iter().map(|value| value.get_name().to_owned()).collect()
    }

    /// Its one letter on the command line, if it has one.
    pub(super) fn letter(self) -> Option<char> {
        self.0.get_short()
    }

    /// What is said about it, on the command line's help.
    pub(crate) fn help(self) -> String {
        self.0.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// What of that says what it is for, in one line.
    pub(super) fn purpose(self) -> String {
        let help = self.help();
        let purpose = help.split_once(DEFAULT).map_or(help.as_str(), |(purpose, _)| purpose);
        purpose.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What of that says which value it has where none is given: a value, or words.
    pub(super) fn default(self) -> Option<String> {
        let help = self.help();
        let (_, default) = help.split_once(DEFAULT)?;
        Some(default.trim_end_matches(']').to_owned())
    }
}

/// What stands before a default.
const DEFAULT: &str = "[default: ";
/// What every variable begins with.
pub(super) const PREFIX: &str = "GEOCAST_";
