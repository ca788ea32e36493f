use geocast_server::StoreError;
use thiserror::Error;

/// Somebody we need is not there, or does not want us.
#[derive(Debug, Error)]
#[error("{who} cannot be reached: {reason}; {hint}")]
pub(crate) struct Unreachable {
    who: String,
    reason: String,
    hint: String,
}

impl Unreachable {
    /// A running geocast.
    pub(crate) fn server(url: &str, reason: impl Into<String>) -> Self {
        let hint = "is `geocast serve` or `geocast demo` running there? --url names another place";
        Self::with_hint(url, reason, hint)
    }

    /// A running geocast, where the usual advice would be wrong.
    pub(crate) fn with_hint(url: &str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { who: format!("the server at {url}"), reason: reason.into(), hint: hint.into() }
    }

    /// The Redis of a configuration, whose URL is given without a password.
    pub(crate) fn redis(url: &str, error: &StoreError) -> Self {
        let reason = error.to_string();
        let hint = if reason.contains("NOAUTH") {
            "it wants a password: --redis redis://:PASSWORD@HOST".to_owned()
        } else if reason.contains("WRONGPASS") || reason.contains("AUTH") {
            "check user and password: --redis redis://USER:PASSWORD@HOST, percent-encoded".to_owned()
        } else if reason.contains("NOPERM") {
            "the user needs more rights: see ACL SETUSER in Redis".to_owned()
        } else {
            format!("`redis-cli -u {url} ping` answers PONG when it can be")
        };
        Self { who: format!("redis at {url}"), reason, hint }
    }
}
