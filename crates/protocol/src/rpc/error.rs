//! What is wrong with a call, and what could not be done.

use thiserror::Error;

use crate::Json;

/// Why a call has no result.
///
/// The message quotes at most 32 characters of what a client sent, escaped, at each place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The frame is no JSON.
    #[error("parse error: {reason}")]
    Parse {
        /// What is wrong, and at which line and column.
        reason: String,
    },
    /// The frame nests deeper than [`Json::MAX_DEPTH`], its own objects included.
    #[error("invalid request: nested deeper than {} levels", Json::MAX_DEPTH)]
    TooDeep,
    /// Something that is no object stands where a request should.
    #[error("invalid request: not an object")]
    NotAnObject,
    /// There is an array without calls.
    #[error("invalid request: the batch is empty")]
    EmptyBatch,
    /// There are more calls in an array than are read.
    #[error("invalid request: a batch of {calls} calls is longer than {most}")]
    BatchTooLong {
        /// How many there are.
        calls: usize,
        /// How many may be there.
        most: usize,
    },
    /// A member of the request is missing or of another type.
    #[error("invalid request: {member} must be {expected}")]
    BadMember {
        /// The member's name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// No method has this name.
    #[error("method not found: `{method}`")]
    UnknownMethod {
        /// The name, escaped and shortened.
        method: String,
    },
    /// The method needs a parameter that was not given.
    #[error("invalid params: {parameter} is missing")]
    MissingParameter {
        /// Its name.
        parameter: &'static str,
    },
    /// The method has no parameter of this name.
    #[error("invalid params: `{parameter}` is not a parameter of {method}")]
    UnknownParameter {
        /// The method.
        method: &'static str,
        /// The name, escaped and shortened.
        parameter: String,
    },
    /// More positions are given than the method has.
    #[error("invalid params: {method} takes at most {most}, not {found}")]
    SurplusParameters {
        /// The method.
        method: &'static str,
        /// How many it has.
        most: usize,
        /// How many were given.
        found: usize,
    },
    /// A parameter has a value that it cannot have.
    #[error("invalid params: {parameter} `{value}`: {reason}")]
    BadParameter {
        /// Its name.
        parameter: &'static str,
        /// The value, escaped and shortened.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The gateway failed in a way that it does not explain to clients.
    #[error("internal error")]
    Internal,
    /// The call is valid, and was refused.
    #[error("{message}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The same for people, naming what was refused.
        message: String,
    },
}

impl Error {
    /// The number on the wire (JSON-RPC 2.0 §5.1).
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Parse { .. } => -32_700,
            Self::TooDeep
            | Self::NotAnObject
            | Self::EmptyBatch
            | Self::BatchTooLong { .. }
            | Self::BadMember { .. } => -32_600,
            Self::UnknownMethod { .. } => -32_601,
            Self::MissingParameter { .. }
            | Self::UnknownParameter { .. }
            | Self::SurplusParameters { .. }
            | Self::BadParameter { .. } => -32_602,
            Self::Internal => -32_603,
            Self::Refused { refusal, .. } => refusal.code(),
        }
    }

    /// The parameter that is missing, unknown or bad; unknown names are escaped and shortened.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::MissingParameter { parameter } | Self::BadParameter { parameter, .. } => Some(parameter),
            Self::UnknownParameter { parameter, .. } => Some(parameter),
            _ => None,
        }
    }

    /// Why a valid call was refused.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        if let Self::Refused { refusal, .. } = self { Some(*refusal) } else { None }
    }
}

/// Why a valid call was refused: this protocol's part of the range that JSON-RPC 2.0 §5.1 leaves to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The client may not do this on this channel: -32000.
    AccessDenied,
    /// No such coordinate system is known: -32001.
    UnknownCrs,
    /// A bound of the server is reached, such as the number of subscriptions: -32002.
    LimitReached,
    /// The store cannot be reached or did not take it: -32003.
    StoreUnavailable,
    /// There is no way from the data's coordinate system to that one: -32004.
    ProjectionFailed,
    /// The server has too much to do: -32005. It may be tried again.
    Busy,
    /// What is asked for is not kept, or not any more: -32006.
    HistoryUnavailable,
    /// This server, or its store, cannot do this: -32007.
    Unsupported,
    /// Nobody is told who is on this channel: -32008.
    PresenceUnavailable,
}

impl Refusal {
    /// All of them, by descending code.
    pub const ALL: [Self; 9] = [
        Self::AccessDenied,
        Self::UnknownCrs,
        Self::LimitReached,
        Self::StoreUnavailable,
        Self::ProjectionFailed,
        Self::Busy,
        Self::HistoryUnavailable,
        Self::Unsupported,
        Self::PresenceUnavailable,
    ];

    /// The number on the wire, in -32099 to -32000.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::AccessDenied => -32_000,
            Self::UnknownCrs => -32_001,
            Self::LimitReached => -32_002,
            Self::StoreUnavailable => -32_003,
            Self::ProjectionFailed => -32_004,
            Self::Busy => -32_005,
            Self::HistoryUnavailable => -32_006,
            Self::Unsupported => -32_007,
            Self::PresenceUnavailable => -32_008,
        }
    }

    /// A word that programs may rely on; it stands beside the number as `data.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::UnknownCrs => "unknown_crs",
            Self::LimitReached => "limit_reached",
            Self::StoreUnavailable => "store_unavailable",
            Self::ProjectionFailed => "projection_failed",
            Self::Busy => "busy",
            Self::HistoryUnavailable => "history_unavailable",
            Self::Unsupported => "unsupported",
            Self::PresenceUnavailable => "presence_unavailable",
        }
    }
}
