use std::fmt;

use slotmap::new_key_type;

/// Names a subscriber of one hub. An id is never reused for another subscriber.
///
/// Ids of one hub can be compared and hashed; another hub may give the same ones. What one is made of is nobody's business: there is no
/// way to make one but [`Hub::connect`](crate::Hub::connect).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(pub(crate) SubscriberKey);

/// Names a cohort, the subscribers of one channel who have the same interest. Another channel may have the same ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CohortId(pub(crate) CohortKey);

new_key_type! {
    /// Where a subscriber is kept.
    pub(crate) struct SubscriberKey;

    /// Where a cohort is kept.
    pub(crate) struct CohortKey;
}

impl fmt::Debug for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriberId({:?})", slotmap::Key::data(&self.0))
    }
}

impl fmt::Debug for CohortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CohortId({:?})", slotmap::Key::data(&self.0))
    }
}
