use std::ffi::OsString;

use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{
    CheckArguments, ConfigArguments, DoctorArguments, GetArguments, Options, ProbeArguments, ProducerOptions,
    PubArguments, SubArguments, TokenArguments,
};
use crate::{bench::BenchArguments, describe::DescribeArguments, exit::Exit};

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
    Config(ConfigArguments),
    /// Look at a Redis: what there is for geocast, and what is in its way
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArguments),
    /// Make tokens, and say what a server makes of one
    Token(TokenArguments),
    /// Ask a server whether it is live, or ready: for health checks
    #[command(after_help = PROBE_EXAMPLES)]
    Probe(ProbeArguments),
    /// Describe what is spoken and configured, for programs: OpenAPI, AsyncAPI, OpenRPC, JSON Schema
    Describe(DescribeArguments),
    /// Measure a server, and what this machine could do at best
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
        let matches = CommandLine::command().try_get_matches_from(spelled_out(line)).map_err(NoCommand)?;
        let CommandLine { command } = CommandLine::from_arg_matches(&matches).map_err(NoCommand)?;
        let (_, typed) = matches.subcommand().expect("a command is required");
        Ok(Self { typed: typed.clone(), command })
    }

    /// All commands with their options.
    pub(crate) fn commands() -> clap::Command {
        CommandLine::command()
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

const EXAMPLES: &str = "\
Examples:
  geocast demo                                    # vehicles that move, without any set-up
  geocast sub vehicles --bbox 5.9,45.8,10.5,47.8  # in another terminal
  geocast serve --redis redis://localhost --channels 'vehicles,news_*'

Exit codes: 0 done; 1 failed; 2 bad option or configuration; 3 nothing there, or less than --count
before --timeout; 4 server or Redis not reached; 130 stopped by a second signal.";

const CONFIGURATION: &str = "\
Every long option is also a key of the --config file (--ping-interval: ping_interval) and an
environment variable (GEOCAST_PING_INTERVAL). A flag wins over the environment, the environment over
the file. An empty variable is as good as none. --help shows all options.";

const SERVE_EXAMPLES: &str = "\
Every long option is also a key of the --config file (--ping-interval: ping_interval) and an
environment variable (GEOCAST_PING_INTERVAL). A flag wins over the environment, the environment over
the file. An empty variable is as good as none.

Examples:
  geocast serve
  geocast serve --redis redis://localhost --channels 'vehicles,news_*'
  geocast serve --host 0.0.0.0 --channels '*' --publish-key-file key.txt
  geocast serve --config geocast.toml --port 9000

SIGTERM or SIGINT closes the connections in order; a second one ends the process at once.
Exit codes: 0 stopped by a signal; 1 failed, for example because the port is taken; 2 bad option or
configuration; 130 stopped by a second signal.";

const CHECK_EXAMPLES: &str = "\
It takes all options of `geocast serve`, and reads environment and file as that does.

Examples:
  geocast check geocast.toml
  geocast check geocast.toml --offline
  geocast check --redis redis://localhost --channels '*'

Exit codes: 0 it can be served; 1 it can, but nobody could read anything, or something failed; 2 bad
option or configuration; 4 Redis not reached.";

const DEMO_EXAMPLES: &str = "\
It takes all options of `geocast serve`. Every long option is also a key of the --config file
(--ping-interval: ping_interval) and an environment variable (GEOCAST_PING_INTERVAL).

Examples:
  geocast demo
  geocast demo --vehicles 2000 --seed 7
  geocast demo --redis redis://localhost";

const GET_EXAMPLES: &str = "\
Prints one JSON value per line, or indented and coloured on a terminal.

Examples:
  geocast get vehicles --bbox 8.4,47.3,8.7,47.5
  geocast get vehicles rail-1 --projection epsg:3857

Exit codes: 0 printed; 1 failed; 2 bad option; 3 there is nothing, or no answer in time;
4 server not reached.";

const SUB_EXAMPLES: &str = "\
Prints one JSON value per line, or indented and coloured on a terminal. The box is meant in
EPSG:4326 (longitude, latitude) unless --bbox-crs says otherwise; --projection is for the output.

With --track, each value says what has become of which key:
  {\"change\":\"enter\",\"key\":7,\"feature\":{…}}, also with \"update\"
  {\"change\":\"leave\",\"key\":7,\"reason\":\"moved\"}

Examples:
  geocast sub vehicles --bbox 5.9,45.8,10.5,47.8 --count 5
  geocast sub vehicles --bbox 8.4,47.3,8.7,47.5 --projection epsg:3857 | jq .properties.line
  geocast sub vehicles --bbox 8.4,47.3,8.7,47.5 --track --explain=10s

Exit codes: 0 all of --count came; 1 failed; 2 bad option; 3 fewer than --count, or nothing, before
--timeout; 4 server not reached.";

const PROBE_EXAMPLES: &str = "\
Examples:
  geocast probe
  geocast probe live --url unix:/run/geocast.sock

Exit codes: 0 it is; 1 it is not, and standard error says why; 2 bad option; 4 server not reached.";

const DOCTOR_EXAMPLES: &str = "\
Nothing is written. At most --keys N keys are looked at, and some values of each hash.

Examples:
  geocast doctor redis://localhost
  geocast doctor --config geocast.toml
  geocast doctor redis://localhost --json | jq '.findings[] | select(.level != \"ok\")'

Exit codes: 0 nothing to mend; 1 there are warnings or problems; 2 bad option; 4 Redis not reached.";

const PUB_EXAMPLES: &str = "\
Examples:
  geocast pub news '\"hello\"'
  geocast pub vehicles --key tram-14 < feature.json

Exit codes: 0 published; 1 refused or failed; 2 bad option; 4 server not reached.";

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line as a shell would split them; what follows `#`, `|` or `<` is not for us.
    fn words(line: &str) -> Vec<OsString> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            let word = words.last_mut().unwrap();
            match (quote, c) {
                (Some(open), c) if open == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '#' | '|' | '<' | '&') => break,
                (None, ' ') => words.push(String::new()),
                (_, c) => word.push(c),
            }
        }
        words.into_iter().filter(|word| !word.is_empty()).map(Into::into).collect()
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
            let (Command::Serve(arguments) | Command::Check(arguments)) = invocation.command else {
                panic!("{line}")
            };
            let listen = arguments.options.listen;
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
