use thiserror::Error;

use super::{Algorithm, compact::LARGEST_TOKEN};
use crate::{PatternError, access::rights::RightsError};

/// Why a token is not accepted: in full, for logs. Clients are told [`said`](Self::said) only. What a token's text says is
/// shortened and without control characters, and of its secrets (its signature) nothing is repeated.
#[derive(Debug, Error)]
pub(crate) enum TokenError {
    /// The server has no keys.
    #[error("tokens are not in use on this server")]
    Unused,
    /// It would not be clear which one counts.
    #[error("more than one token was sent")]
    Several,
    /// Longer than any that is accepted.
    #[error("the token has {0} bytes, more than the {max} it may have", max = LARGEST_TOKEN)]
    TooLong(usize),
    /// Not in the compact form (RFC 7515 §7.1).
    #[error("the token does not consist of three parts with points between them")]
    Parts,
    /// A part of it cannot be decoded.
    #[error("the token's {part} is not base64url without padding: {source}")]
    Base64 {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: base64::DecodeError,
    },
    /// The header is not the JSON that it is to be.
    #[error("the token's header cannot be read: {0}")]
    Header(String),
    /// It demands that extensions are understood.
    #[error("the token's header has `crit`, but no extension is supported")]
    Critical,
    /// Another algorithm, `none` among them.
    #[error("the token's algorithm `{0}` is not HS256, RS256, ES256 or EdDSA")]
    Algorithm(String),
    /// A key is for one algorithm.
    #[error("the token is signed with {algorithm}, but the key `{id}` is for another algorithm")]
    OtherAlgorithm {
        /// The one in its header.
        algorithm: Algorithm,
        /// The key in its header.
        id: String,
    },
    /// There is no such key.
    #[error("there is no key `{id}` for {algorithm}")]
    UnknownKey {
        /// The algorithm in its header.
        algorithm: Algorithm,
        /// The key in its header, empty if it names none.
        id: String,
    },
    /// Too many keys would have to be tried.
    #[error(
        "{count} keys for {algorithm} would have to be tried, more than {max}: the token has to name one (`kid`), and keys have to have names",
        max = super::key_set::MOST_TRIED
    )]
    Ambiguous {
        /// The one in its header.
        algorithm: Algorithm,
        /// Keys that it might be signed with.
        count: usize,
    },
    /// It was not signed by who has the key, or was changed since.
    #[error("the token's signature is not that of the key")]
    Signature,
    /// The claims are not the JSON that they are to be.
    #[error("the token's claims cannot be read: {0}")]
    Claims(String),
    /// More patterns than a token may have.
    #[error("the token has {0} patterns, more than the {max} it may have", max = super::claims::MOST_PATTERNS)]
    Patterns(usize),
    /// One of its patterns cannot be read.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// What it says about the world cannot be used.
    #[error("the token's claim `geo`: {0}")]
    Rights(#[from] RightsError),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// From somebody else.
    #[error("the token's issuer `{0}` is not the one that is expected")]
    Issuer(String),
    /// For somebody else.
    #[error("the token is for another audience than this server (setting `jwt_audience`)")]
    Audience,
}

impl TokenError {
    /// What a client is told: a stable code, and a message that tells a stranger nothing about keys and settings. Only for
    /// a token that was signed by a key of this server, it says more than that it is not accepted.
    pub(crate) const fn said(&self) -> (&'static str, &'static str) {
        match self {
            Self::Several => ("token_ambiguous", "send one token, not several"),
            Self::Expired => ("token_expired", "the token has expired"),
            Self::NotYetValid => ("token_not_yet_valid", "the token is not valid yet"),
            _ => ("token_refused", "the token is not accepted"),
        }
    }

    /// The stable name under which it is counted.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Several => "ambiguous",
            Self::TooLong(_) | Self::Parts | Self::Base64 { .. } | Self::Header(_) | Self::Critical => {
                "malformed"
            }
            Self::Algorithm(_) | Self::OtherAlgorithm { .. } => "algorithm",
            Self::UnknownKey { .. } | Self::Ambiguous { .. } => "unknown_key",
            Self::Signature => "signature",
            Self::Claims(_) | Self::Patterns(_) | Self::Pattern(_) | Self::Rights(_) => "claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Issuer(_) => "issuer",
            Self::Audience => "audience",
        }
    }
}
