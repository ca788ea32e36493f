use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use hyper::Uri;
use thiserror::Error;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    place: Place,
    /// Path and query of the WebSocket.
    path: String,
}

/// What leads to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A port, by host without brackets and number.
    Port { tls: bool, authority: String, host: String, port: u16 },
    /// A unix socket.
    Socket(PathBuf),
}

/// What is no URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no URL such as ws://127.0.0.1:8765/ws, wss://host/ws or unix:/run/geocast.sock")]
pub(crate) struct ServerUrlError(String);

impl ServerUrl {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What goes into the header `Host`.
    pub(super) fn authority(&self) -> &str {
        match &self.place {
            Place::Port { authority, .. } => authority,
            Place::Socket(_) => "localhost",
        }
    }

    /// What follows the path, from the question mark on.
    pub(super) fn query(&self) -> &str {
        self.path.find('?').map_or("", |start| &self.path[start..])
    }

    /// What a handshake asks for, whatever carries it.
    pub(super) fn websocket(&self) -> String {
        format!("ws://{}{}", self.authority(), self.path)
    }

    /// `unix:` and a path, then a colon and the path of the WebSocket, if it is another than `/ws`.
    fn socket(text: &str) -> Option<Self> {
        let (file, path) = match text.rsplit_once(":/") {
            Some((file, path)) => (file, format!("/{path}")),
            None => (text, USUAL_PATH.to_owned()),
        };
        let sound = Path::new(file).file_name().is_some() && path.parse::<Uri>().is_ok();
        sound.then(|| Self { place: Place::Socket(file.into()), path })
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let syntax = || ServerUrlError(text.to_owned());
        if let Some(socket) = text.strip_prefix("unix:").or_else(|| text.strip_prefix("ws+unix:")) {
            return Self::socket(socket).ok_or_else(syntax);
        }
        let uri: Uri = text.parse().ok().ok_or_else(syntax)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(syntax());
        };
        let (page, tls) = match scheme {
            "ws" => (false, false),
            "http" => (true, false),
            "wss" => (false, true),
            "https" => (true, true),
            _ => return Err(syntax()),
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(syntax());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // Who gives the address of the page means the server.
        let path = if page && path == "/" { USUAL_PATH } else { path };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let place = Place::Port { tls, authority: authority.to_string(), host: host.to_owned(), port };
        Ok(Self { place, path: path.to_owned() })
    }
}

/// As it may be typed, but for the query: it may hold a token or a password.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.strip_suffix(self.query()).unwrap_or(&self.path);
        let query = if self.query().is_empty() { "" } else { "?…" };
        match &self.place {
            Place::Port { tls: false, authority, .. } => write!(f, "ws://{authority}{path}{query}"),
            Place::Port { tls: true, authority, .. } => write!(f, "wss://{authority}{path}{query}"),
            Place::Socket(file) if self.path == USUAL_PATH => write!(f, "unix:{}", file.display()),
            Place::Socket(file) => write!(f, "unix:{}:{path}{query}", file.display()),
        }
    }
}

/// Where a server speaks the text dialect unless it is told otherwise.
const USUAL_PATH: &str = "/ws";

#[cfg(test)]
mod tests {
    use super::{Place, ServerUrl, ServerUrlError};

    #[test]
    fn urls_of_pages_and_of_websockets_are_read() {
        for (text, tls, host, port, shown) in [
            ("ws://127.0.0.1:8765/ws", false, "127.0.0.1", 8765, "ws://127.0.0.1:8765/ws"),
            ("ws://h", false, "h", 80, "ws://h/"),
            ("http://h:81", false, "h", 81, "ws://h:81/ws"),
            ("http://h:81/tracker/?key=1", false, "h", 81, "ws://h:81/tracker/?…"),
            ("ws://[::1]:9/ws", false, "::1", 9, "ws://[::1]:9/ws"),
            ("wss://h/ws", true, "h", 443, "wss://h/ws"),
            ("https://h:8443", true, "h", 8443, "wss://h:8443/ws"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            let authority = shown.split('/').nth(2).unwrap().to_owned();
            let place = Place::Port { tls, authority, host: host.to_owned(), port };
            assert_eq!((url.place(), url.to_string().as_str()), (&place, shown), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_password_is_sent_and_not_shown() {
        let url: ServerUrl = "ws://h/ws?token=secret".parse().unwrap();
        assert_eq!((url.query(), url.websocket().as_str()), ("?token=secret", "ws://h/ws?token=secret"));
        assert_eq!(url.to_string(), "ws://h/ws?…");
    }

    #[test]
    fn unix_sockets_are_named_by_their_path() {
        for (text, file, websocket, shown) in [
            ("unix:/run/g.sock", "/run/g.sock", "ws://localhost/ws", "unix:/run/g.sock"),
            ("unix:g.sock:/ws", "g.sock", "ws://localhost/ws", "unix:g.sock"),
            // As clients in JavaScript have it.
            ("ws+unix:/run/g.sock:/ws", "/run/g.sock", "ws://localhost/ws", "unix:/run/g.sock"),
            ("unix:/a:b:/x/?key=1", "/a:b", "ws://localhost/x/?key=1", "unix:/a:b:/x/?…"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url.place(), &Place::Socket(file.into()), "{text}");
            assert_eq!((url.websocket().as_str(), url.to_string().as_str()), (websocket, shown));
        }
    }

    #[test]
    fn others_are_refused_with_a_reason() {
        for text in [
            "",
            "localhost",
            "localhost:8765",
            "ftp://h/",
            "ws:///ws",
            "ws://u@h/",
            "ws://h h/",
            "unix:",
            "unix:/",
            "unix::/ws",
            "unix:/a:/b c",
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(ServerUrlError(text.to_owned())), "{text}");
        }
    }
}
