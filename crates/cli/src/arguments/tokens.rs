use std::path::PathBuf;

use clap::Args;
use geocast_server::Patterns;

/// Signed tokens (JWT) that open channels to their bearers.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tokens")]
pub(crate) struct TokenOptions {
    /// Accept JWTs signed with the HS256 secret in this file
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) jwt_key_file: Option<PathBuf>,
    /// Accept JWTs signed with a key of this JSON Web Key Set: HS256, RS256, ES256, EdDSA
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) jwks_file: Option<PathBuf>,
    /// Who has to have issued a token (`iss`) [default: anybody with a key]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) jwt_issuer: Option<String>,
    /// For whom a token has to be (`aud`) [default: tokens without `aud`]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) jwt_audience: Option<String>,
    /// Channels that tokens can open at most, as patterns [default: those that they name]
    #[arg(long, value_name = "PATTERNS", hide_short_help = true)]
    pub(crate) jwt_channels: Option<Patterns>,
}
