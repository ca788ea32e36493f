//! What ties a reply to its request.

use crate::{Json, json::is_falsy};

/// The id of a request: any JSON value, repeated as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(Option<Json>);

/// Takes the member as it stands.
impl From<Json> for Id {
    fn from(id: Json) -> Self {
        Self(Some(id).filter(|id| !is_falsy(id.as_str())))
    }
}

impl Id {
    /// The id as JSON; nothing for one that Python counts as false, which no reply repeats.
    #[must_use]
    pub fn as_json(&self) -> Option<&str> {
        self.0.as_ref().map(Json::as_str)
    }
}
