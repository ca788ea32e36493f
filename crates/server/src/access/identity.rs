use std::sync::Arc;

use geocast_protocol::{envelope::Timestamp, text::Members};

use super::{Held, Refusal, origin::Page, tokens::Grant, visitor::Arrived};

/// Who a client is, as far as it matters for what it may do.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(super) key: PresentedKey,
    pub(super) grant: Option<Arc<Grant>>,
    /// The web page it is on, if it is on one.
    pub(super) page: Option<Arc<Page>>,
    /// The request, where a policy wants to know it.
    pub(super) arrived: Option<Arc<Arrived>>,
    /// The number of the [terms](super::Access::terms) by which all of this was judged last.
    pub(super) terms: u64,
}

/// What has become of the publish key that a client presented. The later counts if there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PresentedKey {
    None,
    Wrong,
    /// It was the key of this number.
    Right(u64),
}

/// Why a client that was let in may not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unaccepted {
    /// Its token would not be accepted any more.
    Token,
    /// Its web page may not use the server any more.
    Page,
}

impl Identity {
    /// Somebody who has presented nothing.
    pub(crate) const ANYBODY: Self =
        Self { key: PresentedKey::None, grant: None, page: None, arrived: None, terms: 0 };

    /// From when on the client may do nothing any more, if its token says so.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.grant.as_ref().and_then(|grant| grant.expires())
    }

    /// Which token it has presented, if it has.
    pub(crate) fn token(&self) -> Option<u64> {
        self.grant.as_ref().map(|grant| grant.token())
    }

    /// Whom its token names, if it names somebody.
    pub(crate) fn user(&self) -> Option<&str> {
        self.grant.as_ref().and_then(|grant| grant.user())
    }

    /// To what of the world its token limits the client, if it does.
    pub(crate) fn rights(&self) -> Held {
        self.grant.as_ref().and_then(|grant| grant.rights().clone())
    }

    /// What of a collection the client may be sent with a viewport at this zoom level, where it asks for this.
    pub(crate) fn limit(&self, zoom: Option<f64>, members: Members) -> Result<Members, Refusal> {
        let Some(rights) = self.rights() else { return Ok(members) };
        rights.check_zoom(zoom)?;
        // Or one that reaches into the viewport would bring along the rest of the world.
        Ok(Members::Inside)
    }

    /// By which terms it was judged last.
    pub(crate) fn terms(&self) -> u64 {
        self.terms
    }

    /// Whether the time of its token is over.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|expires| now >= expires)
    }
}
