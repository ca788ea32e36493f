use std::{
    fs,
    io::{self, IsTerminal, Write},
};

use geocast_server::{Patterns, TokenSettings};
use serde_json::{Map, Value, json};

use super::{TokenFault, at, check::opened, now, signing_key};
use crate::{arguments::MakeArguments, config::ConfigError, exit::Exit};

/// Prints a token that a server with the key accepts.
pub(super) fn make(arguments: &MakeArguments) -> anyhow::Result<Exit> {
    let key = signing_key(&arguments.key)?;
    let claims = claims(arguments)?;
    let token = key.sign(&claims);
    let mut settings = TokenSettings::new(Vec::new());
    settings.audience = arguments.audience.clone();
    let accepted = key.examine(&settings, &token, at(now()));
    let accepted = accepted.map_err(|refused| TokenFault::Refused(refused.reason))?;
    if io::stderr().is_terminal() {
        for line in opened(&accepted) {
            eprintln!("geocast: {line}");
        }
    }
    writeln!(io::stdout(), "{token}")?;
    Ok(Exit::Success)
}

fn claims(arguments: &MakeArguments) -> anyhow::Result<Map<String, Value>> {
    let patterns = |patterns: &Option<Patterns>| -> Vec<String> {
        patterns.iter().flat_map(Patterns::iter).map(str::to_owned).collect()
    };
    let (sub, publish) = (patterns(&arguments.sub), patterns(&arguments.r#pub));
    if sub.is_empty() && publish.is_empty() && arguments.user.is_none() {
        return Err(TokenFault::Idle.into());
    }
    let issued = now().as_secs();
    let mut claims = Map::new();
    let mut claim =
        |name: &str, value: Option<Value>| value.map(|value| claims.insert(name.to_owned(), value));
    claim("iss", arguments.issuer.clone().map(Value::from));
    claim("aud", arguments.audience.clone().map(Value::from));
    claim("sub", arguments.user.clone().map(Value::from));
    claim("iat", Some(json!(issued)));
    let expires = (!arguments.never_expires).then(|| json!(issued + arguments.expires.as_secs().max(1)));
    claim("exp", expires);
    claim("channels", Some(json!({ "sub": sub, "pub": publish })));
    claim("geo", arguments.geo.as_deref().map(geo).transpose()?);
    Ok(claims)
}

/// The claim as it was given, or as a file holds it.
fn geo(given: &str) -> anyhow::Result<Value> {
    let read = |path: &str| {
        fs::read_to_string(path).map_err(|source| ConfigError::NamedFile {
            option: "geo",
            path: path.into(),
            source,
        })
    };
    let text = given.strip_prefix('@').map_or_else(|| Ok(given.to_owned()), read)?;
    let claim = serde_json::from_str(&text);
    Ok(claim.map_err(|source| TokenFault::Geo { given: given.to_owned(), source })?)
}
