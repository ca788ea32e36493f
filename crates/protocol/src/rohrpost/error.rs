//! What is wrong with a request.

use thiserror::Error;

use crate::{Json, json::text_of};

use super::{Id, Reply};

/// Why a frame is no request that can be carried out.
///
/// The message is what goes out as `error`. Clients of the reference know its sentences, so these keep their case and
/// their full stops.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing, or a binary frame.
    #[error("Received empty message.")]
    Empty,
    /// It is no JSON, or nests too deep.
    #[error("Could not decode JSON message. Error: {reason}")]
    Undecodable {
        /// What is wrong with it.
        reason: String,
    },
    /// It is JSON of another kind.
    #[error("Expected a JSON object as message.")]
    NotAnObject,
    /// A member that every request has is not there.
    #[error("Missing required field '{field}'.")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// Nobody handles this type.
    #[error("Unknown message type '{}'.", shown(kind))]
    UnknownType {
        /// The request's id.
        id: Id,
        /// The request's type, which need not be a string.
        kind: Json,
    },
    /// The type is known, and another member is not what it must be.
    #[error("{reason}")]
    Bad {
        /// The request's id.
        id: Id,
        /// The request's type.
        kind: Json,
        /// What is wrong, naming the member.
        reason: String,
    },
}

impl Error {
    /// The reply, as compact JSON without a line end.
    #[must_use]
    pub fn to_reply(&self) -> Vec<u8> {
        let message = self.to_string();
        match self {
            Self::UnknownType { id, kind } | Self::Bad { id, kind, .. } => {
                Reply::failed_as(Some(id), Some(kind.as_str()), &message).to_vec()
            }
            _ => Reply::failed_as(None, None, &message).to_vec(),
        }
    }
}

/// The text of a string, other values as they were written.
fn shown(kind: &Json) -> String {
    let raw = serde_json::from_str(kind.as_str()).ok();
    raw.and_then(text_of).map_or_else(|| kind.to_string(), std::borrow::Cow::into_owned)
}
