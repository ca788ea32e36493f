use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName, header};

use super::{AddressRange, AddressRangeError};
use crate::transport::Peer;

/// Who is believed about where a client is.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// The proxies. Nobody else's word counts.
    pub proxies: Vec<TrustedProxy>,
    /// Where they say it.
    pub header: ForwardedHeader,
}

/// A proxy that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Whoever connects from there.
    Range(AddressRange),
    /// Whoever connects through a unix socket; written `unix`.
    Unix,
}

/// The header in which a proxy says whom it speaks for. Only one is read: a proxy that writes one passes the other on as
/// anybody sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: CLIENT, PROXY, …`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=CLIENT, for=PROXY` (RFC 7239 §5.2)
    Forwarded,
}

impl TrustedProxies {
    /// From where a request comes: the last address that is no trusted proxy's. Where a proxy does not say, or says what is
    /// no address, it is the proxy's own.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> Peer {
        if !self.trust(peer) {
            return peer;
        }
        let mut client = peer;
        for hop in self.hops(headers).iter().rev() {
            let Some(address) = hop else { break };
            client = Peer::Network(SocketAddr::new(*address, 0));
            if !self.trust(client) {
                break;
            }
        }
        client
    }

    /// Whether this one is believed.
    pub(crate) fn trust(&self, peer: Peer) -> bool {
        self.proxies.iter().any(|proxy| match (proxy, peer) {
            (TrustedProxy::Range(range), Peer::Network(address)) => range.contains(address.ip()),
            (TrustedProxy::Unix, Peer::Local) => true,
            _ => false,
        })
    }

    /// The addresses on the way, from the farthest on.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let (name, read): (HeaderName, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, address),
            ForwardedHeader::Forwarded => (header::FORWARDED, element),
        };
        let lines = headers.get_all(name).into_iter();
        lines
            .flat_map(|line| match line.to_str() {
                Ok(line) => line.split(',').map(|hop| read(hop.trim())).collect(),
                Err(_not_text) => vec![None],
            })
            .collect()
    }
}

impl FromStr for TrustedProxy {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        if text == "unix" { Ok(Self::Unix) } else { text.parse().map(Self::Range) }
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())).or_else(bare)
}

/// The address in an element of `Forwarded`; `unknown` and names of a proxy's own are none.
fn element(text: &str) -> Option<IpAddr> {
    let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    address(quoted.unwrap_or(value))
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(header: ForwardedHeader, peer: &str, lines: &[&str], expected: &str) {
        let proxies = ["10.0.0.0/8", "2001:db8:ffff::/48", "unix"].map(|proxy| proxy.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        let name = if header == ForwardedHeader::XForwardedFor { X_FORWARDED_FOR } else { header::FORWARDED };
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let peer = peer.parse().map_or(Peer::Local, |ip| Peer::Network(SocketAddr::new(ip, 9)));
        let found = match (TrustedProxies { proxies, header }).client(peer, &headers) {
            Peer::Network(address) => address.ip().to_string(),
            Peer::Local => "unix".to_owned(),
        };
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn a_trusted_proxy_says_where_a_client_is() {
        let x = ForwardedHeader::XForwardedFor;
        check(x, "10.0.0.1", &["203.0.113.5"], "203.0.113.5");
        check(x, "10.0.0.1", &["203.0.113.5:4711"], "203.0.113.5");
        check(x, "10.0.0.1", &["[2001:db8::5]:4711"], "2001:db8::5");
        check(x, "10.0.0.1", &["203.0.113.5, 10.9.9.9"], "203.0.113.5");
        check(x, "10.0.0.1", &["203.0.113.5", "10.9.9.9"], "203.0.113.5");
        check(x, "unix", &["203.0.113.5"], "203.0.113.5");
        check(x, "::ffff:10.0.0.1", &["203.0.113.5"], "203.0.113.5");
        check(x, "10.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7");
    }

    #[test]
    fn nobody_else_does_and_what_stands_before_a_stranger_is_the_strangers_word() {
        let x = ForwardedHeader::XForwardedFor;
        check(x, "192.0.2.9", &["203.0.113.5"], "192.0.2.9");
        check(x, "10.0.0.1", &["198.51.100.1, 203.0.113.5"], "203.0.113.5");
        check(x, "10.0.0.1", &["10.0.0.5, 203.0.113.5"], "203.0.113.5");
        check(x, "10.0.0.1", &[], "10.0.0.1");
        for nonsense in ["", "unknown", "203.0.113.5, ", "203.0.113.5, x\u{e9}", "203.0.113.5, 1.2.3"] {
            check(x, "10.0.0.1", &[nonsense], "10.0.0.1");
        }
    }

    #[test]
    fn forwarded_is_read_where_it_is_the_one_that_counts() {
        let forwarded = ForwardedHeader::Forwarded;
        check(forwarded, "10.0.0.1", &["for=203.0.113.5;proto=https"], "203.0.113.5");
        check(forwarded, "10.0.0.1", &["proto=https; For=\"[2001:db8::5]:4711\""], "2001:db8::5");
        check(
            forwarded,
            "10.0.0.1",
            &["for=198.51.100.1, for=\"203.0.113.5:80\", for=10.1.1.1"],
            "203.0.113.5",
        );
        check(forwarded, "10.0.0.1", &["for=_hidden"], "10.0.0.1");
        check(forwarded, "10.0.0.1", &["for=unknown, for=10.1.1.1"], "10.1.1.1");
    }
}
