use std::{fmt, net::SocketAddr, path::PathBuf};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// Plain TCP.
    Tcp(SocketAddr),
    /// TLS over TCP.
    Tls(SocketAddr),
    /// A unix socket, by its path.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Whether nobody but this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) | Self::Tls(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    /// Address and port, of those that have them.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) | Self::Tls(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) | Self::Tls(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ListenAddress;

    #[test]
    fn loopback_and_unix_sockets_are_for_this_machine_only() {
        let tcp = |address: &str| ListenAddress::Tcp(address.parse().unwrap());
        for (address, is_local, shown) in [
            (tcp("127.0.0.1:1"), true, "127.0.0.1:1"),
            (tcp("[::1]:1"), true, "[::1]:1"),
            (tcp("0.0.0.0:1"), false, "0.0.0.0:1"),
            (ListenAddress::Tls("192.0.2.1:443".parse().unwrap()), false, "192.0.2.1:443"),
            (ListenAddress::Unix("/run/a.sock".into()), true, "unix:/run/a.sock"),
        ] {
            assert_eq!((address.is_local(), address.to_string().as_str()), (is_local, shown));
        }
    }
}
