//! What fuzzers need of tokens.

use std::sync::LazyLock;

use geocast_protocol::envelope::Timestamp;

use super::{
    TokenSettings,
    tokens::{Verifier, signed_with},
};

/// What the tokens of the server under test are signed with.
pub(crate) const SECRET: &[u8] = b"a secret that everybody may know";

/// Until when the token is valid, or what a log says of it.
pub(crate) fn read(token: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let grant = VERIFIER.read(token, now).map_err(|error| error.to_string())?;
    Ok(grant.expires())
}

/// A token with this header and these claims, whatever they are.
pub(crate) fn sign(header: &str, claims: &str, secret: &[u8]) -> String {
    signed_with(header, claims, secret)
}

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::with_secret(TokenSettings::new(Vec::new()), SECRET));
