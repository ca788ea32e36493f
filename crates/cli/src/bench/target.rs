use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};

use anyhow::{Context, ensure};
use hyper::Uri;
use thiserror::Error;

/// Where something is that the bench speaks to: a WebSocket, a place to POST to, a Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bench) struct Url {
    pub(in crate::bench) scheme: Scheme,
    /// Host and port as they were written.
    authority: String,
    host: String,
    port: u16,
    /// Path and query; `{channel}` in it stands for the channel.
    path: String,
}

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Scheme {
    WebSocket,
    Http,
    Redis,
}

/// What is no such place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum UrlError {
    #[error(
        "{0:?} is no URL such as ws://127.0.0.1:8765/ws, http://127.0.0.1/publish/{{channel}} or redis://127.0.0.1"
    )]
    Syntax(String),
    #[error("{0:?} has no port, and there is no usual one for its scheme")]
    Scheme(String),
    #[error("the bench speaks neither TLS nor as a user with a password")]
    Unsupported,
}

/// An address that was looked up, with what is asked for there.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Target {
    url: Url,
    address: SocketAddr,
}

/// Whether other machines may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Reach {
    Loopback,
    Anywhere,
}

impl Url {
    /// Looks the host up.
    pub(in crate::bench) fn resolve(&self, reach: Reach) -> anyhow::Result<Target> {
        let (host, port) = (self.host.as_str(), self.port);
        let addresses = (host, port).to_socket_addrs().with_context(|| format!("`{host}` has no address"))?;
        // A name such as localhost has several; servers listen on the older kind more often than on both.
        let mut addresses: Vec<_> = addresses.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let address = *addresses.first().with_context(|| format!("`{host}` has no address"))?;
        ensure!(
            reach == Reach::Anywhere || address.ip().is_loopback(),
            "{address} is another machine; --allow-remote loads it with all this, if it is yours"
        );
        Ok(Target { url: self.clone(), address })
    }

    pub(in crate::bench) fn is_redis(&self) -> bool {
        self.scheme == Scheme::Redis
    }

    /// The same server's other door.
    pub(in crate::bench) fn sibling(&self, scheme: Scheme, path: &str) -> Self {
        Self { scheme, path: path.to_owned(), ..self.clone() }
    }
}

impl Target {
    /// A place of one's own making.
    pub(in crate::bench) fn at(address: SocketAddr, path: &str) -> Self {
        let url = Url {
            scheme: Scheme::WebSocket,
            authority: address.to_string(),
            host: address.ip().to_string(),
            port: address.port(),
            path: path.to_owned(),
        };
        Self { url, address }
    }

    pub(in crate::bench) fn url(&self) -> &Url {
        &self.url
    }

    pub(in crate::bench) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes into the header `Host`.
    pub(in crate::bench) fn authority(&self) -> &str {
        &self.url.authority
    }

    pub(in crate::bench) fn path(&self) -> &str {
        &self.url.path
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let syntax = || UrlError::Syntax(text.to_owned());
        let uri: Uri = text.parse().ok().ok_or_else(syntax)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(syntax());
        };
        let (scheme, usual) = match scheme {
            "ws" => (Scheme::WebSocket, 80),
            "http" => (Scheme::Http, 80),
            "redis" => (Scheme::Redis, 6379),
            "wss" | "https" | "rediss" => return Err(UrlError::Unsupported),
            _ => return Err(UrlError::Scheme(text.to_owned())),
        };
        if authority.as_str().contains('@') {
            return Err(UrlError::Unsupported);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(syntax());
        }
        Ok(Self {
            scheme,
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(usual),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::WebSocket => "ws",
            Scheme::Http => "http",
            Scheme::Redis => "redis",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_all_kinds_are_read() {
        for (text, port, path) in [
            ("ws://127.0.0.1:8765/ws", 8765, "/ws"),
            ("http://[::1]:9/api/publish/{channel}?a=b", 9, "/api/publish/{channel}?a=b"),
            ("redis://localhost/0", 6379, "/0"),
            ("ws://h/", 80, "/"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.port, url.path.as_str(), url.to_string().as_str()), (port, path, text));
        }
        for text in ["", "localhost:1", "ftp://h/", "wss://h/", "redis://:secret@h/", "ws://u@h/", "ws:///x"]
        {
            let error = text.parse::<Url>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn other_machines_are_left_alone_unless_allowed() {
        // An address that is reserved for documentation (RFC 5737).
        let url: Url = "ws://192.0.2.1:80/".parse().unwrap();
        assert!(url.resolve(Reach::Loopback).is_err());
        assert_eq!(url.resolve(Reach::Anywhere).unwrap().address().to_string(), "192.0.2.1:80");
        let url: Url = "ws://localhost:81/".parse().unwrap();
        assert!(url.resolve(Reach::Loopback).unwrap().address().ip().is_loopback());
    }
}
