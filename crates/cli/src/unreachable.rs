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
        Self::asking(
            url,
            error,
            "`geocast doctor` with this URL says which sentinels answer, and what they know".to_owned(),
        )
    }

    /// The same where sentinels have been asked, which may help to be asked more.
    pub(crate) fn asking(url: &str, error: &StoreError, asking_sentinels: String) -> Self {
        let reason = error.to_string();
        let hint = if reason.contains("this is a sentinel") {
            "give --redis that URL".to_owned()
        } else if reason.contains("NOAUTH") {
            "it wants a password: --redis redis://:PASSWORD@HOST".to_owned()
        } else if ["WRONGPASS", "AUTH", "authentication failed"].iter().any(|word| reason.contains(word)) {
            "check user and password: --redis redis://USER:PASSWORD@HOST, percent-encoded".to_owned()
        } else if reason.to_uppercase().contains("NOPERM") {
            match lacking_command(&reason) {
                Some(command) => format!("the user needs +{command}: ACL SETUSER USER +{command} in Redis"),
                None => "the user needs more rights: see ACL SETUSER in Redis".to_owned(),
            }
        } else if reason.contains("UnknownIssuer") || reason.contains("BadSignature") {
            "--redis-ca FILE names a certificate to trust".to_owned()
        } else if reason.contains("NotValidForName") || reason.contains("not valid for name") {
            "use the name in the certificate, or have it made for this one".to_owned()
        } else if reason.contains("CertificateRequired") {
            "it wants a certificate: --redis-cert FILE --redis-key FILE".to_owned()
        } else if reason.contains("TLS") {
            "try redis:// instead of rediss://, or its TLS port".to_owned()
        } else if url.contains("+sentinel://") {
            asking_sentinels
        } else if url.contains("+cluster://") {
            "`redis-cli --cluster check HOST:PORT` says what a cluster lacks".to_owned()
        } else {
            format!("`redis-cli -u {url} ping` answers PONG when it can be")
        };
        Self { who: format!("redis at {url}"), reason, hint }
    }
}

/// The command that Redis names where it refuses one.
fn lacking_command(reason: &str) -> Option<&str> {
    let (_, command) = reason.split_once("to run the '")?;
    command.split_once('\'').map(|(command, _)| command).filter(|command| !command.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, reason: &str, expected: &str) {
        let said = Unreachable::redis(url, &StoreError::Unavailable(reason.to_owned())).to_string();
        assert!(said.ends_with(&format!("; {expected}")), "{said}");
    }

    #[test]
    fn a_hint_is_about_what_was_named() {
        let sentinels = "redis+sentinel://me@10.0.0.1:26381,10.0.0.2:26379/map/0";
        check(
            sentinels,
            "no sentinel answers",
            "`geocast doctor` with this URL says which sentinels answer, and what they know",
        );
        check(
            sentinels,
            "NoPerm: this user has no permissions to run the 'role' command",
            "the user needs +role: ACL SETUSER USER +role in Redis",
        );
        check(
            sentinels,
            "NOPERM No permissions to access a key",
            "the user needs more rights: see ACL SETUSER in Redis",
        );
    }
}
