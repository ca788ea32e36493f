//! `geocast token`: tokens for trying out and for scripts, and what a server makes of one.

mod check;
mod date;
mod make;

use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

use clap::ArgMatches;
use geocast_server::{SigningKey, Timestamp};
use thiserror::Error;

use crate::{
    arguments::{SignedWith, TokenArguments, TokenCommand},
    config::ConfigError,
    exit::Exit,
};

/// What cannot be done with a token, because something that was given makes no sense.
#[derive(Debug, Error)]
pub(crate) enum TokenFault {
    /// The claim `geo` is no JSON.
    #[error("--geo {given:?} is no JSON: {source}")]
    Geo { given: String, source: serde_json::Error },
    /// It would open nothing.
    #[error("the token would open no channel: name some with --sub PATTERNS or --pub PATTERNS")]
    Idle,
    /// No server would accept it.
    #[error("no server would accept this token: {0}")]
    Refused(String),
    /// A secret has no public part.
    #[error("{0} holds a secret, which has no public part: the server needs it itself, as --jwt-key-file")]
    NotPublic(String),
    /// There are no keys to check with.
    #[error(
        "there is no key to check tokens with: give the server's --jwks-file, --jwt-key-file or --config"
    )]
    NoKeys,
    /// What is to be a token cannot be one.
    #[error("there is no token on standard input")]
    NoToken,
}

/// Does what was asked for.
pub(crate) fn token(arguments: TokenArguments, typed: &ArgMatches) -> anyhow::Result<Exit> {
    match arguments.command {
        TokenCommand::Make(arguments) => make::make(&arguments),
        TokenCommand::Check(arguments) => {
            let (_, typed) = typed.subcommand().expect("a subcommand is required");
            check::check(arguments, typed)
        }
        TokenCommand::Keys(key) => keys(&key),
    }
}

fn keys(key: &SignedWith) -> anyhow::Result<Exit> {
    let name = || TokenFault::NotPublic(key.key_file.display().to_string());
    let set = signing_key(key)?.public_set().ok_or_else(name)?;
    writeln!(io::stdout(), "{set:#}")?;
    Ok(Exit::Success)
}

fn signing_key(key: &SignedWith) -> Result<SigningKey, ConfigError> {
    Ok(SigningKey::read(&key.key_file, key.kid.clone())?)
}

/// Since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn at(since_epoch: Duration) -> Timestamp {
    Timestamp::since_epoch(since_epoch)
}
