use std::{fmt, str::FromStr};

use hyper::Uri;
use thiserror::Error;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    /// Host and port as they were written.
    authority: String,
    host: String,
    port: u16,
    /// Path and query of the WebSocket.
    path: String,
}

/// What is no URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ServerUrlError {
    #[error("{0:?} is no URL such as ws://127.0.0.1:8765/ws")]
    Syntax(String),
    #[error(
        "TLS is not supported by this client: use ws:// or http:// on the side of the proxy where the server is"
    )]
    Tls,
}

impl ServerUrl {
    /// The host, without brackets, and the port to connect to.
    pub(super) fn endpoint(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// What goes into the header `Host`.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let syntax = || ServerUrlError::Syntax(text.to_owned());
        let uri: Uri = text.parse().ok().ok_or_else(syntax)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(syntax());
        };
        let page = match scheme {
            "ws" => false,
            "http" => true,
            "wss" | "https" => return Err(ServerUrlError::Tls),
            _ => return Err(syntax()),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(syntax());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // Who gives the address of the page means the server.
        let path = if page && path == "/" { "/ws" } else { path };
        Ok(Self {
            authority: authority.to_string(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path: path.to_owned(),
        })
    }
}

/// The URL of the WebSocket.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::{ServerUrl, ServerUrlError};

    #[test]
    fn urls_of_pages_and_of_websockets_are_read() {
        for (text, endpoint, websocket) in [
            ("ws://127.0.0.1:8765/ws", ("127.0.0.1", 8765), "ws://127.0.0.1:8765/ws"),
            ("ws://h", ("h", 80), "ws://h/"),
            ("http://h:81", ("h", 81), "ws://h:81/ws"),
            ("http://h:81/tracker/?key=1", ("h", 81), "ws://h:81/tracker/?key=1"),
            ("ws://[::1]:9/ws", ("::1", 9), "ws://[::1]:9/ws"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!((url.endpoint(), url.to_string().as_str()), (endpoint, websocket), "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_a_reason() {
        assert_eq!("wss://h/ws".parse::<ServerUrl>(), Err(ServerUrlError::Tls));
        for text in ["", "localhost", "localhost:8765", "ftp://h/", "ws:///ws", "ws://u@h/", "ws://h h/"] {
            assert_eq!(text.parse::<ServerUrl>(), Err(ServerUrlError::Syntax(text.to_owned())), "{text}");
        }
    }
}
