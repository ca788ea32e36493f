use std::ffi::OsString;

use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::examples::{
    CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, CONFIG_EXAMPLES, CONFIGURATION, DEMO_EXAMPLES, DESCRIBE_EXAMPLES,
    DOCTOR_EXAMPLES, EXAMPLES, GET_EXAMPLES, MAN_EXAMPLES, PROBE_EXAMPLES, PUB_EXAMPLES, SERVE_EXAMPLES,
    SUB_EXAMPLES, TOKEN_EXAMPLES, TOP_EXAMPLES,
};
use super::{
    CheckArguments, CompletionsArguments, ConfigArguments, DoctorArguments, GetArguments, ManArguments,
    Options, ProbeArguments, ProducerOptions, PubArguments, SubArguments, TokenArguments, TopArguments,
    short_help,
};
use crate::{
    bench::{BENCH_EXAMPLES, BenchArguments},
    describe::DescribeArguments,
    exit::Exit,
};

/// What was typed, as far as it could be read.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) command: Command,
    /// What was typed behind the command, with the knowledge of where each value is from.
    pub(crate) typed: ArgMatches,
}

/// Real-time gateway: Redis or an embedded store to WebSocket clients, filtered by viewport
#[derive(Debug, Parser)]
#[command(name = "geocast", version, subcommand_required = true, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway
    #[command(after_help = CONFIGURATION, after_long_help = SERVE_EXAMPLES)]
    Serve(ServeArguments),
    /// Run the gateway with vehicles that move through Switzerland on the channel `vehicles`
    #[command(after_help = CONFIGURATION, after_long_help = DEMO_EXAMPLES)]
    Demo(DemoArguments),
    /// Print the state of a channel, or one key of it
    #[command(after_help = GET_EXAMPLES)]
    Get(GetArguments),
    /// Print what is published on channels
    #[command(after_help = SUB_EXAMPLES)]
    Sub(SubArguments),
    /// Publish to a channel, with --key also to its state
    #[command(after_help = PUB_EXAMPLES)]
    Pub(PubArguments),
    /// Say what `serve` would refuse, without serving; and try Redis
    #[command(after_help = CHECK_EXAMPLES, after_long_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Print a commented configuration file, or what holds in the end and why
    #[command(after_help = CONFIG_EXAMPLES)]
    Config(ConfigArguments),
    /// Look at a Redis: what there is for geocast, and what is in its way
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArguments),
    /// Make tokens, and say what a server makes of one
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(TokenArguments),
    /// Ask a server whether it is live, or ready: for health checks
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(ProbeArguments),
    /// Show what goes on in a running server, to its operator
    #[command(after_help = TOP_EXAMPLES)]
    Top(TopArguments),
    /// Describe what is spoken and configured, for programs: OpenAPI, AsyncAPI, OpenRPC, JSON Schema
    #[command(after_help = DESCRIBE_EXAMPLES)]
    Describe(DescribeArguments),
    /// Print what has a shell complete the options of this program
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArguments),
    /// Write manual pages
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArguments),
    /// Measure a server, and what this machine could do at best
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArguments),
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What `demo` takes: all that can be configured.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    pub(crate) producer: ProducerOptions,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// The command line is no command: it asks for help, or makes no sense.
#[derive(Debug)]
pub(crate) struct NoCommand(clap::Error);

impl Invocation {
    /// Reads a command line, the name of the program first.
    pub(crate) fn read(line: impl IntoIterator<Item = OsString>) -> Result<Self, NoCommand> {
        let matches = short_help::shortened(CommandLine::command())
            .try_get_matches_from(spelled_out(line))
            .map_err(NoCommand)?;
        let CommandLine { command } = CommandLine::from_arg_matches(&matches).map_err(NoCommand)?;
        let (_, typed) = matches.subcommand().expect("a command is required");
        Ok(Self { typed: typed.clone(), command })
    }

    /// All commands with their options.
    pub(crate) fn commands() -> clap::Command {
        short_help::shortened(CommandLine::command())
    }
}

impl NoCommand {
    /// Prints the help or what is wrong.
    pub(crate) fn show(self) -> Exit {
        let Self(error) = self;
        let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if let Some(answer) = without_secret(&error) {
            eprintln!("error: {answer}");
        } else {
            // Where the help cannot be printed, neither can an excuse.
            let _closed: std::io::Result<()> = error.print();
        }
        if is_help { Exit::Success } else { Exit::Usage }
    }
}

/// Long options with one dash that command lines of other gateways have.
fn spelled_out(line: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut serves = false;
    line.into_iter().enumerate().map(move |(place, word)| {
        if place == 1 {
            serves = ["serve", "demo", "check"].iter().any(|command| word == *command);
        }
        match word.to_str() {
            Some("-cert") if serves => "--tls-cert".into(),
            Some("-key") if serves => "--tls-key".into(),
            _ => word,
        }
    })
}

/// What is said about an invalid value that must not be repeated, because it may hold a password.
fn without_secret(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = match argument.strip_prefix("--") {
        Some(long) => long.split(' ').next()?,
        None if argument == REDIS => "redis",
        None => return None,
    };
    let secret = crate::config::Table::new().option(name).is_some_and(|option| option.is_secret());
    (secret && error.kind() == ErrorKind::ValueValidation).then(|| {
        let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        format!("invalid value for '{argument}': {reason}")
    })
}

/// The argument of `doctor`, as clap calls it.
const REDIS: &str = "[URL]";

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line as a shell would split them; what follows `#`, `|`, `<` or `>` is not for us.
    fn words(line: &str) -> Vec<OsString> {
        // A word that is not begun is none; one between quotes may be empty.
        let mut words: Vec<Option<String>> = vec![None];
        let mut quote = None;
        for c in line.chars() {
            let word = words.last_mut().unwrap();
            match (quote, c) {
                (Some(open), c) if open == c => quote = None,
                (None, '\'' | '"') => {
                    word.get_or_insert_default();
                    quote = Some(c);
                }
                (None, '#' | '|' | '<' | '>' | '&') => break,
                (None, ' ') => words.push(None),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        words.into_iter().flatten().map(Into::into).collect()
    }

    /// What stands below the options of a command and of all commands in it.
    fn helps(command: &clap::Command) -> Vec<String> {
        let own = [command.get_after_help(), command.get_after_long_help()];
        let own = own.into_iter().flatten().map(ToString::to_string);
        own.chain(command.get_subcommands().flat_map(helps)).collect()
    }

    #[test]
    fn every_example_can_be_typed() {
        let readme = include_str!("../../README.md").lines();
        let readme = readme.chain(include_str!("../../../../docs/access.md").lines());
        let readme = readme.chain(include_str!("../../../../docs/filters.md").lines());
        let readme = readme.chain(include_str!("../../../../docs/guarantees.md").lines());
        let readme = readme.chain(include_str!("../../../../docs/migrating.md").lines());
        let readme = readme.chain(include_str!("../../../../docs/tracking.md").lines());
        let help = helps(&CommandLine::command());
        let help = help.iter().flat_map(|help| help.lines());
        let examples: Vec<_> =
            readme.chain(help).map(str::trim).filter(|line| line.starts_with("geocast ")).collect();
        assert!(examples.len() > 20, "only {} examples", examples.len());
        for example in examples {
            if let Err(NoCommand(error)) = Invocation::read(words(example)) {
                panic!("`{example}`: {error}");
            }
        }
    }

    #[test]
    fn negative_numbers_are_values() {
        for line in ["geocast pub temperature -5", "geocast sub a --bbox -10,-20,3,4", "geocast pub a -"] {
            assert!(Invocation::read(words(line)).is_ok(), "{line}");
        }
    }

    #[test]
    fn a_certificate_may_be_named_with_one_dash() {
        for line in [
            "geocast serve -cert a.pem -key b.pem",
            "geocast serve --cert a.pem --key b.pem",
            "geocast check --tls-cert=a.pem --tls-key b.pem",
        ] {
            let invocation = Invocation::read(words(line)).unwrap();
            let listen = match invocation.command {
                Command::Serve(arguments) => arguments.options.listen,
                Command::Check(arguments) => arguments.options.listen,
                other => panic!("{line}: {other:?}"),
            };
            assert_eq!(
                (listen.tls_cert, listen.tls_key),
                (Some("a.pem".into()), Some("b.pem".into())),
                "{line}"
            );
        }
        assert!(Invocation::read(words("geocast pub news -key")).is_err());
    }

    #[test]
    fn clap_finds_the_declarations_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_wrong_url_with_a_password_is_not_repeated() {
        let line = words("geocast serve --redis redis+tls://u:secret@host");
        let Err(NoCommand(error)) = Invocation::read(line) else { panic!("no such scheme") };
        let said = without_secret(&error).unwrap();
        assert!(
            said.starts_with("invalid value for '--redis <URL>': ") && !said.contains("secret"),
            "{said}"
        );
        let Err(NoCommand(error)) = Invocation::read(words("geocast doctor redis://u:secret@host:x")) else {
            panic!("no such port")
        };
        let said = without_secret(&error).unwrap();
        assert!(said.contains("not the port") && !said.contains("secret"), "{said}");
        let Err(NoCommand(error)) = Invocation::read(words("geocast serve --port x")) else {
            panic!("no port")
        };
        assert_eq!(without_secret(&error), None);
    }
}
