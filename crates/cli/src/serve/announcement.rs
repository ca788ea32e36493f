use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use geocast_server::{OriginPolicy, Server, Settings, StoreSettings};

use crate::arguments::LogFormat;

/// What an operator is told at the start.
#[derive(Debug)]
pub(crate) struct Announcement {
    /// The path for WebSockets, or the pattern of it.
    path: String,
    /// Patterns of channels, if any were given.
    channels: Option<String>,
    publishing: Option<&'static str>,
    insecure: Vec<&'static str>,
    embedded: bool,
}

impl Announcement {
    /// What the settings say, before the server takes them.
    pub(crate) fn before(settings: &Settings) -> Self {
        let paths = || settings.text_paths.iter();
        let plain = |path: &&str| !path.contains(['*', '?', '[', '{']);
        let path =
            paths().find(|path| *path == "/ws").or_else(|| paths().find(plain)).or_else(|| paths().next());
        let mut insecure = Vec::new();
        if matches!(settings.origins, OriginPolicy::InsecureAny) {
            insecure.push("insecure_any_origin: every web page may connect");
        }
        Self {
            path: path.unwrap_or("/ws").to_owned(),
            channels: settings
                .channels
                .as_ref()
                .map(|patterns| patterns.iter().collect::<Vec<_>>().join(",")),
            publishing: settings.publish_key.as_ref().map(|_| "over HTTP with the publish key"),
            insecure,
            embedded: matches!(settings.store, StoreSettings::Embedded),
        }
    }

    /// Says it, on standard error: in a few lines for people, or as log events for programs.
    pub(crate) fn show(&self, server: &Server, format: LogFormat) {
        let address = server.address();
        let host = reachable(address);
        let (page, websocket) = (format!("http://{host}/"), format!("ws://{host}{}", self.path));
        let store = server.store().description();
        let channels = match (&self.channels, server.advice()) {
            (Some(patterns), _) => patterns.as_str(),
            (None, None) => "all",
            (None, Some(_)) => "none",
        };
        let open = self.embedded && address.ip().is_loopback();
        let publishing = self.publishing.unwrap_or(if open {
            "over HTTP, open to this machine"
        } else {
            "not over HTTP (--publish-key-file FILE turns it on)"
        });
        match format {
            LogFormat::Text => {
                eprintln!("geocast {} listens on {address}", env!("CARGO_PKG_VERSION"));
                for (name, value) in [
                    ("page", page.as_str()),
                    ("websocket", &websocket),
                    ("store", &store),
                    ("channels", channels),
                    ("publishing", publishing),
                ] {
                    eprintln!("  {name:<11}{value}");
                }
            }
            LogFormat::Json => tracing::info!(
                version = env!("CARGO_PKG_VERSION"), %address, page, websocket, store, channels, publishing, "listening"
            ),
        }
        if let Some(advice) = server.advice() {
            tracing::warn!("{advice}");
        }
        for setting in &self.insecure {
            tracing::warn!("{setting}");
        }
    }
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
