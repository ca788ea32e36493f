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
        } else if ["WRONGPASS", "AUTH", "authentication failed"].iter().any(|word| reason.contains(word)) {
            "check user and password: --redis redis://USER:PASSWORD@HOST, percent-encoded".to_owned()
        } else if reason.contains("NOPERM") {
            "the user needs more rights: see ACL SETUSER in Redis".to_owned()
        } else if reason.contains("UnknownIssuer") || reason.contains("BadSignature") {
            "--redis-ca FILE names a certificate to trust".to_owned()
        } else if reason.contains("NotValidForName") || reason.contains("not valid for name") {
            "use the name in the certificate, or have it made for this one".to_owned()
        } else if reason.contains("CertificateRequired") {
            "it wants a certificate: --redis-cert FILE --redis-key FILE".to_owned()
        } else if reason.contains("TLS") {
            "try redis:// instead of rediss://, or its TLS port".to_owned()
        } else if url.contains("+sentinel://") {
            "`redis-cli -p 26379 sentinel masters` says what a sentinel knows".to_owned()
        } else if url.contains("+cluster://") {
            "`redis-cli --cluster check HOST:PORT` says what a cluster lacks".to_owned()
        } else {
            format!("`redis-cli -u {url} ping` answers PONG when it can be")
        };
        Self { who: format!("redis at {url}"), reason, hint }
    }
}
