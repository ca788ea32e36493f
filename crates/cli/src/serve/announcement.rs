use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use geocast_server::{
    KeyFile, ListenAddress, OriginPolicy, Secret, Server, Settings, StoreSettings, TokenSettings,
};

use crate::logging::Audience;

/// What an operator is told at the start.
#[derive(Debug)]
pub(crate) struct Announcement {
    /// The path for WebSockets, or the pattern of it.
    path: String,
    /// Patterns of channels, if any were given.
    channels: Option<String>,
    /// Whether there is a publish key.
    keyed: bool,
    /// Whether that can be guessed.
    short_key: bool,
    /// Which tokens are accepted, if any are.
    tokens: Option<String>,
    /// Whether operators are shown what goes on.
    operated: bool,
    /// Which filters run, in their order, if any do.
    filters: Option<String>,
    insecure: Vec<&'static str>,
    embedded: bool,
    /// What there is to say of the certificate.
    certificate: Option<String>,
}

impl Announcement {
    /// What the settings say, before the server takes them.
    pub(crate) fn before(settings: &Settings, certificate: Option<String>) -> Self {
        let paths = || settings.text_paths.iter();
        let plain = |path: &&str| !path.contains(['*', '?', '[', '{']);
        let usual = settings.text_paths.matches("/ws").then_some("/ws");
        let path = usual.or_else(|| paths().find(plain)).or_else(|| paths().next());
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
            keyed: settings.publish_key.is_some(),
            short_key: settings.publish_key.as_ref().is_some_and(Secret::is_short),
            tokens: settings.tokens.as_ref().map(accepted),
            operated: settings.operator_token.is_some(),
            filters: (!settings.filters.is_empty()).then(|| {
                let names = settings.filters.names().collect::<Vec<_>>().join(", ");
                format!("{names} (for messages on / and /pipeline)")
            }),
            insecure,
            embedded: !matches!(settings.store, StoreSettings::Redis(_)),
            certificate,
        }
    }

    /// Says it, on standard error: in a few lines for people, or as log events for programs.
    pub(crate) fn show(&self, server: &Server, audience: Audience) {
        let addresses: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
        let address = addresses.join(" and ");
        let (page, websocket) = self.entrances(server);
        let store = server.store().description();
        let open = self.embedded && server.addresses().iter().all(ListenAddress::is_local);
        let channels = match (&self.channels, &self.tokens) {
            (Some(patterns), _) if !patterns.is_empty() => patterns.as_str(),
            (None, _) if open => "all",
            (_, Some(_)) => "none without a token",
            (_, None) => "none",
        };
        let publishing = match (self.keyed, &self.tokens) {
            (true, None) => "with the publish key",
            (true, Some(_)) => "with the publish key, or a token that allows it",
            (false, _) if open => "open to this machine",
            (false, Some(_)) => "with a token that allows it",
            (false, None) => "off (--publish-key-file FILE or --jwks-file FILE turns it on)",
        };
        let metrics =
            server.metrics_address().map(|address| format!("http://{}/metrics", reachable(address)));
        let operator = self.operated.then(|| operator_page(server)).flatten();
        match audience {
            Audience::People => {
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
                for (name, value) in [
                    ("tokens", &self.tokens),
                    ("filters", &self.filters),
                    ("tls", &self.certificate),
                    ("metrics", &metrics),
                    ("operator", &operator),
                ] {
                    if let Some(value) = value {
                        eprintln!("  {name:<11}{value}");
                    }
                }
            }
            Audience::Programs => tracing::info!(
                event = "listening",
                version = env!("CARGO_PKG_VERSION"),
                address,
                tls = self.certificate,
                page,
                websocket,
                store,
                channels,
                publishing,
                tokens = self.tokens,
                filters = self.filters,
                metrics,
                operator,
                "listening"
            ),
        }
        if let Some(advice) = server.advice() {
            tracing::warn!(event = "configuration_advice", "{advice}");
        }
        let guessable =
            "publish_key: it has fewer than 16 bytes, and others can try; `openssl rand -hex 16` makes one";
        for setting in (self.short_key && !open).then_some(&guessable).into_iter().chain(&self.insecure) {
            tracing::warn!(event = "insecure_setting", "{setting}");
        }
    }

    /// What to open with a browser or curl, and with a WebSocket client: on a port if there is one.
    fn entrances(&self, server: &Server) -> (String, String) {
        let addresses = server.addresses();
        let port = addresses.iter().find(|address| address.socket_address().is_some());
        match port.or_else(|| addresses.first()) {
            Some(ListenAddress::Unix(path)) => {
                let path = path.display();
                (
                    format!("curl --unix-socket {path} http://localhost/"),
                    match self.path.as_str() {
                        "/ws" => format!("unix:{path}"),
                        other => format!("unix:{path}:{other}"),
                    },
                )
            }
            Some(ListenAddress::Tls(address)) => {
                let host = reachable(*address);
                (format!("https://{host}/"), format!("wss://{host}{}", self.path))
            }
            Some(ListenAddress::Tcp(address)) => {
                let host = reachable(*address);
                (format!("http://{host}/"), format!("ws://{host}{}", self.path))
            }
            None => (String::new(), String::new()),
        }
    }
}

/// Where a browser on this machine finds what operators are shown: at a port, if there is one.
pub(crate) fn operator_page(server: &Server) -> Option<String> {
    server.addresses().iter().find_map(|address| match address {
        ListenAddress::Tcp(address) => Some(format!("http://{}/operator", reachable(*address))),
        ListenAddress::Tls(address) => Some(format!("https://{}/operator", reachable(*address))),
        ListenAddress::Unix(_) => None,
    })
}

/// Which tokens are accepted; of keys, only the files.
fn accepted(settings: &TokenSettings) -> String {
    let files = settings.keys.iter().map(|file| match file {
        KeyFile::Secret(path) => format!("the secret in {}", path.display()),
        KeyFile::Jwks(path) => format!("the keys in {}", path.display()),
    });
    let mut accepted = format!("signed with {}", files.collect::<Vec<_>>().join(" or "));
    if let Some(issuer) = &settings.issuer {
        accepted += &format!(", issued by {issuer:?}");
    }
    if let Some(audience) = &settings.audience {
        accepted += &format!(", for {audience:?}");
    }
    if let Some(channels) = &settings.channels {
        accepted += &format!(", for channels {}", channels.iter().collect::<Vec<_>>().join(","));
    }
    accepted
}

/// An address that a program on this machine can connect to.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
