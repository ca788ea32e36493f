use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, Uri, header};
use thiserror::Error;

use super::excerpt;

/// From which web pages a browser may connect or publish. Clients that send no `Origin` header are no browsers and
/// are not concerned.
#[derive(Debug, Clone)]
pub enum OriginPolicy {
    /// The page's own server and these.
    Listed(Vec<Origin>),
    /// Any page: for servers whose data is public and that nobody is logged in to.
    InsecureAny,
}

/// By which names a server can be meant where a page says that it comes from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnHosts {
    /// Any: a proxy in front of it may have given it one.
    Any,
    /// Those of this machine. A server that is open to this machine alone must not be open to pages that have had their
    /// own name resolved to its address.
    Loopback,
}

/// The origin of a web page: scheme, host and port, compared exactly (RFC 6454 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// How pages of the server itself reach it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OwnScheme {
    /// By `http` or `https`: a proxy in front of it may end TLS.
    #[default]
    Any,
    /// By `https` alone: it speaks nothing else itself. Whoever is between a client and a page without TLS could put anything
    /// into that page, which has the same name.
    Https,
}

/// The web page that a request comes from.
#[derive(Debug)]
pub(super) struct Page {
    /// None, if it is nothing that can be allowed.
    origin: Option<Origin>,
    /// Whether the request was made to where the page is from.
    is_own: bool,
}

/// What is no origin.
#[derive(Debug, Error)]
#[error("`{0}` is no origin such as https://maps.example.org")]
pub struct OriginError(String);

impl OriginPolicy {
    /// Whether a page may use the server.
    pub(super) fn admits(&self, page: &Page, hosts: OwnHosts) -> bool {
        let Self::Listed(listed) = self else { return true };
        let is_own = |origin: &Origin| page.is_own && hosts.contain(&origin.host);
        page.origin.as_ref().is_some_and(|origin| listed.contains(origin) || is_own(origin))
    }
}

impl Page {
    /// Where a request with these headers comes from; none, if it is from no page at all.
    pub(super) fn of(headers: &HeaderMap, own: OwnScheme) -> Option<Self> {
        let mut values = headers.get_all(header::ORIGIN).into_iter();
        let value = values.next()?;
        // A browser sends one. Of several, whoever stands between may have looked at another one.
        let origin = match values.next() {
            None => value.to_str().ok().and_then(|text| text.parse::<Origin>().ok()),
            Some(_another) => None,
        };
        let is_own = |origin: &Origin| own.admits(origin) && origin.is_of(headers);
        Some(Self { is_own: origin.as_ref().is_some_and(is_own), origin })
    }
}

impl OwnScheme {
    fn admits(self, origin: &Origin) -> bool {
        self == Self::Any || origin.scheme == "https"
    }
}

impl OwnHosts {
    /// Whether a request was made to one of them.
    pub(super) fn are_meant_by(self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).into_iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let host = host.to_str().ok().and_then(|host| format!("http://{host}").parse::<Origin>().ok());
        host.is_some_and(|origin| self.contain(&origin.host))
    }

    pub(super) fn contain(self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = || match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            // RFC 6761 §6.3
            Err(_name) => bare == "localhost" || bare.ends_with(".localhost"),
        };
        self == Self::Any || is_loopback()
    }
}

impl Default for OriginPolicy {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Origin {
    /// Whether the request was made to this origin. The scheme is the page's: behind a proxy that ends TLS, the
    /// server does not know its own.
    fn is_of(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).into_iter();
        // Of several, whoever stands between may have gone by another one (RFC 9112 §3.2).
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let host = host.to_str().ok();
        host.and_then(|host| format!("{}://{host}", self.scheme).parse::<Self>().ok()).as_ref() == Some(self)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError(excerpt(text.as_bytes()));
        // What an address may have and an origin has not; some of it would be passed over.
        if text.contains(['#', '?', '@', '\\']) {
            return Err(error());
        }
        let uri: Uri = text.parse().map_err(|_invalid: axum::http::uri::InvalidUri| error())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(error());
        };
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(error()),
        };
        let bare = uri.path() == "/" && !text.ends_with('/');
        if !bare || authority.host().is_empty() {
            return Err(error());
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => default_port,
            // A number that is no port must not pass for none, which is the usual one.
            Some(rest) => port(rest).ok_or_else(error)?,
            None => return Err(error()),
        };
        Ok(Self { scheme: scheme.to_owned(), host: authority.host().to_ascii_lowercase(), port })
    }
}

/// What stands behind a colon, if it is digits alone.
fn port(rest: &str) -> Option<u16> {
    rest.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Origin, OriginPolicy, OwnHosts, OwnScheme, Page};

    fn check(listed: &[&str], host: &str, origin: &'static [u8], admitted: bool) {
        let listed = listed.iter().map(|origin| origin.parse::<Origin>().expect("an origin")).collect();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_str(host).expect("a host"));
        headers.insert("origin", HeaderValue::from_bytes(origin).expect("a header"));
        let page = Page::of(&headers, OwnScheme::Any).expect("a page");
        let found = OriginPolicy::Listed(listed).admits(&page, OwnHosts::Any);
        assert_eq!(found, admitted, "{}", String::from_utf8_lossy(origin));
    }

    #[test]
    fn the_same_origin_and_listed_ones_are_admitted_and_look_alikes_are_not() {
        check(&[], "maps.example.org", b"https://maps.example.org", true);
        check(&[], "maps.example.org:8765", b"http://maps.example.org:8765", true);
        check(&[], "maps.example.org", b"https://MAPS.example.org:443", true);
        check(&[], "maps.example.org", b"https://maps.example.org:8443", false);
        check(&[], "maps.example.org", b"https://maps.example.org.evil.test", false);
        check(&[], "maps.example.org", b"https://evil.test/maps.example.org", false);
        check(&[], "maps.example.org", b"https://maps.example.org@evil.test", false);
        check(&[], "maps.example.org", b"null", false);
        check(&[], "maps.example.org", b"file://", false);
        check(&[], "maps.example.org", b"\xff\xfe", false);
        check(&["https://app.test"], "maps.example.org", b"https://app.test", true);
        for port in ["99999", "65979", "+443", "-1", "443x", "", "0x1bb", "443:443"] {
            let origin = format!("https://app.test:{port}").leak().as_bytes();
            check(&["https://app.test"], "maps.example.org", origin, false);
            check(&[], &format!("app.test:{port}"), b"https://app.test", false);
        }
        check(&["https://app.test"], "maps.example.org", b"http://app.test", false);
        check(&["https://app.test"], "maps.example.org", b"https://sub.app.test", false);
    }

    #[test]
    fn loopback_has_names_of_its_own() {
        for (host, is_own) in [
            ("localhost", true),
            ("maps.localhost", true),
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("[::1]", true),
            ("[::2]", false),
            ("192.0.2.1", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("notlocalhost", false),
        ] {
            assert_eq!(OwnHosts::Loopback.contain(host), is_own, "{host}");
            assert!(OwnHosts::Any.contain(host));
        }
    }

    #[test]
    fn no_origin_is_no_browser() {
        assert!(Page::of(&HeaderMap::new(), OwnScheme::Any).is_none());
    }
}
