use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use geocast_protocol::Channel;
use geocast_server::Patterns;

use crate::units;

/// `geocast token`
#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

/// What is done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Sign a token and print it
    #[command(after_help = MAKE_EXAMPLES)]
    Make(MakeArguments),
    /// Say what a server would say about a token, and why
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckTokenArguments),
    /// Print the public keys that a server checks tokens with (--jwks-file)
    #[command(after_help = KEYS_EXAMPLES)]
    Keys(SignedWith),
}

/// The key of whoever makes tokens.
#[derive(Debug, Args)]
pub(crate) struct SignedWith {
    /// The secret of HS256, or a private key of Ed25519 (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    /// What tokens call the key (`kid`)
    #[arg(long, value_name = "NAME")]
    pub(crate) kid: Option<String>,
}

/// `geocast token make`
#[derive(Debug, Args)]
pub(crate) struct MakeArguments {
    #[command(flatten)]
    pub(crate) key: SignedWith,
    /// Channels that may be read, as patterns such as 'team_a_*,news'
    #[arg(long, value_name = "PATTERNS")]
    pub(crate) sub: Option<Patterns>,
    /// Channels that may be published to
    #[arg(long, value_name = "PATTERNS")]
    pub(crate) r#pub: Option<Patterns>,
    /// For how long it is valid
    #[arg(long, value_name = "TIME", value_parser = units::some_time, default_value = "1h")]
    pub(crate) expires: Duration,
    /// For ever, or rather for as long as its key
    #[arg(long, conflicts_with = "expires")]
    pub(crate) never_expires: bool,
    /// To what of the world it is limited: the claim `geo` as JSON, or a file that holds it, as @FILE
    #[arg(long, value_name = "JSON")]
    pub(crate) geo: Option<String>,
    /// Whom it names (`sub` as a text), as presence tells it to others
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Who issues it (`iss`)
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Option<String>,
    /// For whom it is (`aud`)
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,
}

/// `geocast token check`. What has the name of an option of `serve` is that option.
#[derive(Debug, Args)]
pub(crate) struct CheckTokenArguments {
    /// The token; `-` or nothing for standard input
    pub(crate) token: Option<String>,
    /// Say what may be done on these channels
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',')]
    pub(crate) channel: Vec<Channel>,
    /// Read the server's options from this TOML or JSON file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The server's keys: the HS256 secret in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) jwt_key_file: Option<PathBuf>,
    /// The server's keys: this JSON Web Key Set
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// Who has to have issued it
    #[arg(long, value_name = "NAME")]
    pub(crate) jwt_issuer: Option<String>,
    /// For whom it has to be
    #[arg(long, value_name = "NAME")]
    pub(crate) jwt_audience: Option<String>,
    /// Channels that tokens can open at most
    #[arg(long, value_name = "PATTERNS")]
    pub(crate) jwt_channels: Option<Patterns>,
    /// Channels that are open to everybody
    #[arg(long, value_name = "PATTERNS")]
    pub(crate) channels: Option<Patterns>,
}

const MAKE_EXAMPLES: &str = "\
Prints the token alone, and on a terminal what it opens. Keep it out of the list
of processes: clients take it from GEOCAST_TOKEN.

Examples:
  geocast token make --key-file secret.txt --sub 'team_*' --pub team_x
  geocast token make --key-file key.pem --sub '*' --geo @region.json

Exit codes: 0 made; 2 bad option, key or claim.";

const CHECK_EXAMPLES: &str = "\
Keys, issuer, audience and channels are those of the server: options, variables,
or its --config.

Examples:
  geocast token check --config geocast.toml < token.txt
  geocast token check --jwt-key-file secret.txt --channel news < token.txt

Exit codes: 0 it is accepted; 1 it is not, and standard output says why; 2 bad
option.";

const KEYS_EXAMPLES: &str = "\
Examples:
  openssl genpkey -algorithm ed25519 -out key.pem
  geocast token keys --key-file key.pem --kid first > keys.json
  geocast serve --jwks-file keys.json

Exit codes: 0 printed; 2 the file holds a secret, which has no public part, or
no key.";
