use axum::http::{HeaderMap, header, uri::Authority};
use geocast_protocol::{Channel, envelope::Timestamp};

use super::{
    identity::Identity,
    policy::Access,
    terms::{Channels, Terms},
};

impl Access {
    /// The channels that somebody may be told of, in order. Those are the ones that settings or the token
    /// name in full: a name that only matches a pattern may be known to those alone who were told it. On a server that is open
    /// to this machine alone, those of `kept` as well.
    pub(crate) fn listed(
        &self,
        identity: &Identity,
        headers: &HeaderMap,
        now: Timestamp,
        kept: impl FnOnce() -> Vec<Channel>,
    ) -> Vec<Channel> {
        let terms = self.terms();
        let mut channels: Vec<Channel> = terms.names(identity).filter_map(|name| name.parse().ok()).collect();
        if matches!(terms.channels, Channels::All) && is_meant(&terms, headers) {
            channels.extend(kept());
        }
        channels.retain(|channel| self.reads(identity, channel, now).is_ok());
        channels.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        channels.dedup();
        channels
    }
}

impl Terms {
    /// What is written where channels are named, as far as it is no pattern.
    fn names<'a>(&'a self, identity: &'a Identity) -> impl Iterator<Item = &'a str> {
        let listed = match &self.channels {
            Channels::Listed(patterns) => Some(patterns),
            Channels::All | Channels::None => None,
        };
        let granted = identity.grant.as_ref().map(|grant| grant.readable());
        let written = listed.into_iter().chain(granted).flat_map(|patterns| patterns.iter());
        written.filter(|name| !name.contains(['*', '?', '[', ']', '{', '}', '\\']))
    }
}

/// Whether the request was made to this machine by a name of its own: a page that has had its name resolved to its
/// address says no origin when it reads.
fn is_meant(terms: &Terms, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    named.is_some_and(|named| terms.own_hosts.contain(&named.host().to_ascii_lowercase()))
}
