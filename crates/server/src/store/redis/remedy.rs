use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};

use super::{address::Address, url};
use crate::store::StoreError;

/// What can be done about a command that failed, once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing.
    Nothing,
    /// It was not carried out, because the one who was asked is not the one to ask: look where the masters are now.
    LookAgain,
    /// It was not carried out, because this node has the slot now.
    Move(Address),
    /// It was not carried out, because the slot is on its way to this node, which has to be asked this once.
    Ask(Address),
    /// It is not known whether it was carried out. What only reads can be sent again.
    RepeatIfRead,
}

/// Whether sending a command twice does what sending it once does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It only reads.
    Reads,
    /// It publishes, or writes.
    Changes,
}

impl Remedy {
    /// For a command that was sent to `asked`.
    pub(super) fn of(error: &RedisError, asked: &Address) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Ask) => node(error, asked).map_or(Self::Nothing, Self::Ask),
            ErrorKind::Server(ServerErrorKind::Moved) => {
                node(error, asked).map_or(Self::LookAgain, Self::Move)
            }
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Self::LookAgain,
            // Who waited for the answer in vain would wait as long again.
            _ if error.is_timeout() => Self::Nothing,
            _ if error.is_io_error() || error.is_connection_dropped() => Self::RepeatIfRead,
            _ => Self::Nothing,
        }
    }
}

/// The node that an error names.
fn node(error: &RedisError, asked: &Address) -> Option<Address> {
    redirected(error.redirect_node()?.0, asked)
}

/// The node that a redirection names. One without a host is where the other was asked.
pub(super) fn redirected(node: &str, asked: &Address) -> Option<Address> {
    match (node.strip_prefix(':'), asked) {
        (Some(port), Address::Tcp { host, .. }) => {
            Some(Address::Tcp { host: host.clone(), port: port.parse().ok()? })
        }
        // An IPv6 address stands without brackets here.
        _ => match node.rsplit_once(':')? {
            (host, port) if host.contains(':') => {
                Some(Address::Tcp { host: host.to_owned(), port: port.parse().ok()? })
            }
            _ => url::tcp(node, 0).ok(),
        },
    }
}

/// What an error of Redis means for one who asked the store.
pub(super) fn store_error(error: &RedisError) -> StoreError {
    // That a transaction was given up says less than why its first command was refused.
    let cause = error.clone().into_server_errors().and_then(|errors| Some(errors.first()?.1.clone().into()));
    let error: &RedisError = cause.as_ref().unwrap_or(error);
    let unavailable = error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || is_locked_out(error)
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::Moved
                    | ServerErrorKind::Ask
                    | ServerErrorKind::ReadOnly
                    | ServerErrorKind::TryAgain
            )
        );
    match error.code() {
        _ if unavailable => StoreError::Unavailable(error.to_string()),
        Some("OOM") => StoreError::Full(error.to_string()),
        _ => StoreError::Refused(error.to_string()),
    }
}

/// Whether Redis lets nobody in who comes as we do, whatever is asked.
fn is_locked_out(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

#[cfg(test)]
mod tests {
    use deadpool_redis::redis::parse_redis_value;

    use super::*;

    fn check(node: &str, expected: Option<(&str, u16)>) {
        let asked = Address::Tcp { host: "asked".to_owned(), port: 1 };
        let expected = expected.map(|(host, port)| Address::Tcp { host: host.to_owned(), port });
        assert_eq!(redirected(node, &asked), expected, "{node}");
    }

    #[test]
    fn redirections_are_read() {
        check("10.0.0.2:7001", Some(("10.0.0.2", 7001)));
        check("db-2.example:7001", Some(("db-2.example", 7001)));
        check(":7001", Some(("asked", 7001)));
        check("2001:db8::2:7001", Some(("2001:db8::2", 7001)));
        check(":x", None);
        check("nonsense:x", None);
    }

    #[test]
    fn who_is_not_let_in_may_come_again_and_who_may_not_is_refused() {
        for (told, expected) in [
            ("-NOAUTH Authentication required.", "store_unavailable"),
            ("-WRONGPASS invalid username-password pair or user is disabled.", "store_unavailable"),
            ("-READONLY You can't write against a read only replica.", "store_unavailable"),
            ("-NOPERM User x has no permissions to run the 'hset' command", "store_refused"),
            ("-WRONGTYPE Operation against a key holding the wrong kind of value", "store_refused"),
            ("-OOM command not allowed when used memory > 'maxmemory'.", "store_full"),
        ] {
            let answer = parse_redis_value(format!("{told}\r\n").as_bytes()).expect("an answer");
            let error = answer.extract_error().expect_err("an error");
            assert_eq!(store_error(&error).code(), expected, "{told}");
        }
        let unwanted = RedisError::from((ErrorKind::AuthenticationFailed, "no"));
        assert_eq!(store_error(&unwanted).code(), "store_unavailable");
    }

    #[test]
    fn what_may_have_been_carried_out_is_repeated_only_if_it_reads() {
        let asked = Address::Tcp { host: "asked".to_owned(), port: 1 };
        let broken = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(Remedy::of(&broken, &asked), Remedy::RepeatIfRead);
        let late = RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        assert_eq!(Remedy::of(&late, &asked), Remedy::Nothing);
    }
}
