//! What a request is answered.

/// The answer to a request over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// All was published.
    Published,
    /// The password is wrong, or the client may not publish there.
    NotAuthorized,
    /// The body is not what the request says, or its package type is unknown.
    BadRequest,
}

impl Reply {
    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Published => 201,
            Self::NotAuthorized => 403,
            Self::BadRequest => 400,
        }
    }

    /// The body of the response: a JSON string.
    #[must_use]
    pub const fn body(self) -> &'static str {
        match self {
            Self::Published => r#""OK""#,
            Self::NotAuthorized => r#""Not authorized""#,
            Self::BadRequest => r#""Bad request""#,
        }
    }
}
