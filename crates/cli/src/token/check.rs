use std::io::{self, Read, Write};

use clap::ArgMatches;
use geocast_protocol::Channel;
use geocast_server::{AcceptedToken, Patterns, RefusedToken, Settings};

use super::{TokenFault, at, date::date, now};
use crate::{arguments::CheckTokenArguments, config, exit::Exit, launch::Launch};

/// Says what a server with these settings would say.
pub(super) fn check(arguments: CheckTokenArguments, typed: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = Launch::try_from(config::resolve(typed)?.arguments.options)?.settings;
    let Some(keys) = &settings.tokens else { return Err(TokenFault::NoKeys.into()) };
    let token = match arguments.token.filter(|token| token != "-") {
        Some(token) => token,
        None => from_input()?,
    };
    let mut out = io::stdout().lock();
    match keys.examine(&token, at(now())).map_err(config::ConfigError::from)? {
        Ok(accepted) => {
            writeln!(out, "accepted")?;
            for line in opened(&accepted) {
                writeln!(out, "  {line}")?;
            }
            for channel in &arguments.channel {
                writeln!(out, "  {}", on(channel, &accepted, &settings))?;
            }
            Ok(Exit::Success)
        }
        Err(RefusedToken { code, message, reason, .. }) => {
            writeln!(out, "refused: {reason}")?;
            writeln!(out, "  clients are told 401 {code}: {message}")?;
            Ok(Exit::Failure)
        }
    }
}

/// What an accepted token opens, in lines.
pub(super) fn opened(token: &AcceptedToken) -> Vec<String> {
    let (read, publish) = token.patterns();
    let list = |patterns: &Patterns| match patterns.iter().collect::<Vec<_>>().join(",") {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    };
    let seconds = |name: &str| token.claims().get(name).and_then(serde_json::Value::as_f64);
    let mut lines = vec![format!("reads {}", list(read)), format!("publishes to {}", list(publish))];
    lines.push(match seconds("exp") {
        Some(end) => format!("until {}", date(end)),
        None => "for as long as its key, as it has no `exp`".to_owned(),
    });
    if let Some(user) = token.user() {
        lines.push(format!("named {user:?}"));
    }
    if token.is_limited() {
        lines.push("limited to a part of the world (`geo`)".to_owned());
    }
    lines
}

/// What may be done on a channel, and by what.
fn on(channel: &Channel, token: &AcceptedToken, settings: &Settings) -> String {
    let everybody = settings.channels.as_ref().is_some_and(|channels| channels.matches(channel.as_str()));
    let by_itself = |patterns: &Patterns| patterns.matches(channel.as_str());
    let (read, publish) = token.patterns();
    let bounded = |patterns| if by_itself(patterns) { ", as --jwt-channels does not have it" } else { "" };
    let reads = match (token.reads(channel), everybody) {
        (true, _) => "may be read, by the token".to_owned(),
        (false, true) => "may be read, as everybody may".to_owned(),
        (false, false) => format!("may not be read{}", bounded(read)),
    };
    let publishes = if token.publishes(channel) {
        "may be published to".to_owned()
    } else {
        format!("may not be published to{}", bounded(publish))
    };
    format!("{channel}: {reads}; {publishes}")
}

/// A token without the line break at its end.
fn from_input() -> anyhow::Result<String> {
    let mut text = String::new();
    io::stdin().take(LONGEST).read_to_string(&mut text)?;
    let token = text.trim();
    if token.is_empty() { Err(TokenFault::NoToken.into()) } else { Ok(token.to_owned()) }
}

/// Bytes; more than any token has that is accepted.
const LONGEST: u64 = 64 * 1024;
