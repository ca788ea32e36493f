use std::{fmt, net::SocketAddr};

use axum::http::{HeaderMap, Uri};
use serde_json::Value;

use super::{Identity, identity::PresentedKey};
use crate::transport::Peer;

/// Who wants something, as far as a server knows: for an [`AccessPolicy`](super::AccessPolicy).
///
/// Of a WebSocket, the request is the one that opened it. It is kept for policies only, and never logged.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    identity: &'a Identity,
}

/// The request that somebody came with.
#[derive(Clone)]
pub(super) struct Arrived {
    pub(super) peer: Peer,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(identity: &'a Identity) -> Self {
        Self { identity }
    }

    /// The address that the connection comes from, which may be that of a proxy. None through a unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.arrived()?.peer {
            Peer::Network(address) => Some(address),
            Peer::Local => None,
        }
    }

    /// The path of the request, as it was sent.
    pub fn path(&self) -> &'a str {
        self.arrived().map_or("", |arrived| arrived.uri.path())
    }

    /// What stands behind the question mark of the request's address, as it was sent.
    pub fn query(&self) -> Option<&'a str> {
        self.arrived()?.uri.query()
    }

    /// A field of the request's header; the first, if there are several. The case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.arrived()?.headers.get(name)?.to_str().ok()
    }

    /// A claim of the token that was presented, whose signature and time have been checked. Where a request of rohrpost brings
    /// a token of its own, that one.
    pub fn claim(&self, name: &str) -> Option<&'a Value> {
        self.identity.grant.as_ref()?.claims().get(name)
    }

    /// Whether a token was presented and accepted.
    pub fn has_token(&self) -> bool {
        self.identity.grant.is_some()
    }

    /// Whether the server's publish key was presented.
    pub fn has_publish_key(&self) -> bool {
        matches!(self.identity.key, PresentedKey::Right(_))
    }

    fn arrived(&self) -> Option<&'a Arrived> {
        self.identity.arrived.as_deref()
    }
}

/// What was presented may be secret.
impl fmt::Debug for Visitor<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Visitor").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Arrived {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Arrived").field("peer", &self.peer).finish_non_exhaustive()
    }
}
