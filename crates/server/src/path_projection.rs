use std::str::FromStr;

use geocast_protocol::{Crs, CrsError};
use thiserror::Error;

use crate::{PatternError, Patterns};

/// The coordinate system in which sessions on some paths begin: that of boxes, and of what is sent.
///
/// Written as `PATTERN=epsg:n`, such as `/tracker-ws/*=epsg:3857`.
#[derive(Debug, Clone)]
pub struct PathProjection {
    paths: Patterns,
    crs: Crs,
}

/// What is no path with a coordinate system.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PathProjectionError {
    /// There is no `=`.
    #[error("`{0}` has no coordinate system: write PATTERN=epsg:n, such as /tracker-ws/*=epsg:3857")]
    NoCrs(String),
    /// The pattern cannot be read.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The coordinate system cannot be read.
    #[error(transparent)]
    Crs(#[from] CrsError),
}

impl PathProjection {
    /// Whether it is about this request path.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.paths.matches(path)
    }

    /// The coordinate system.
    pub fn crs(&self) -> Crs {
        self.crs
    }
}

impl FromStr for PathProjection {
    type Err = PathProjectionError;

    fn from_str(text: &str) -> Result<Self, PathProjectionError> {
        let (pattern, crs) =
            text.rsplit_once('=').ok_or_else(|| PathProjectionError::NoCrs(text.to_owned()))?;
        Ok(Self { paths: Patterns::new([pattern])?, crs: crs.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::PathProjection;

    #[test]
    fn a_pattern_and_a_system_are_read() {
        let projection: PathProjection = "/tracker-ws/*=EPSG:3857".parse().unwrap();
        assert_eq!(projection.crs().code(), 3857);
        assert!(projection.matches("/tracker-ws/v1/"));
        assert!(!projection.matches("/ws"));
        for (text, message) in [
            ("/ws", "`/ws` has no coordinate system"),
            ("/ws=3857", "3857"),
            ("/[z=epsg:3857", "invalid pattern `/[z`"),
        ] {
            let error = text.parse::<PathProjection>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
