//! What a tracked subscriber is told of a key: that it enters its viewport, changes in it, or leaves it.

mod diff;

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{envelope::Content, excerpt::excerpt};

/// What has become of a key in a viewport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is inside and was not.
    Enter,
    /// It was inside and still is.
    Update,
    /// It is no longer inside.
    Leave(LeaveReason),
}

/// Why a key is no longer inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveReason {
    /// It went elsewhere.
    Moved,
    /// It does not exist any more.
    Deleted,
    /// Nothing was heard of it for as long as its channel allows.
    Expired,
    /// The client looks elsewhere.
    Viewport,
    /// The client may not see it.
    Access,
    /// It has other properties than the client asked for.
    Filtered,
}

/// How a tracked subscriber is told of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChangeFormat {
    /// Each as `enter`, `update` or `leave`.
    #[default]
    Changes,
    /// Each as a `GeoJSONSourceDiff`, which a map of MapLibre takes by `updateData`.
    Maplibre,
}

/// One change of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change<'a> {
    /// What has become of it.
    pub kind: ChangeKind,
    /// The key, as JSON: a string or a number.
    pub key: &'a str,
    /// How the subscriber knows the key, where it was written differently before: `7` and `"7"` are one key.
    pub former: Option<&'a str>,
    /// The feature; [`Content::Null`] where it leaves.
    pub feature: Content<'a>,
}

impl ChangeKind {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Update => "update",
            Self::Leave(_) => "leave",
        }
    }
}

impl LeaveReason {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Viewport => "viewport",
            Self::Access => "access",
            Self::Filtered => "filtered",
        }
    }
}

impl ChangeFormat {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Maplibre => "maplibre",
        }
    }
}

impl fmt::Display for ChangeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no [`ChangeFormat`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{value}` is no format of changes: there are `changes` and `maplibre`")]
pub struct ChangeFormatError {
    value: String,
}

impl FromStr for ChangeFormat {
    type Err = ChangeFormatError;

    fn from_str(text: &str) -> Result<Self, ChangeFormatError> {
        match text {
            "changes" => Ok(Self::Changes),
            "maplibre" => Ok(Self::Maplibre),
            _ => Err(ChangeFormatError { value: excerpt(text) }),
        }
    }
}

impl Change<'_> {
    /// Appends it as JSON, as the content of an envelope: an object with `change`, `key`, and `feature` or `reason`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"change":""#);
        out.extend_from_slice(self.kind.as_str().as_bytes());
        out.extend_from_slice(br#"","key":"#);
        out.extend_from_slice(self.key.as_bytes());
        self.write_rest("feature", out);
        out.push(b'}');
    }

    /// Appends what follows the key: the feature under this name, or the reason.
    pub(crate) fn write_rest(&self, name: &str, out: &mut Vec<u8>) {
        match self.kind {
            ChangeKind::Leave(reason) => {
                out.extend_from_slice(br#","reason":""#);
                out.extend_from_slice(reason.as_str().as_bytes());
                out.push(b'"');
            }
            ChangeKind::Enter | ChangeKind::Update => {
                out.extend_from_slice(br#",""#);
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(br#"":"#);
                self.feature.write(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_carry_the_feature_or_the_reason() {
        let feature = Content::Json(br#"{"type":"Feature","id":7}"#);
        let mut out = Vec::new();
        Change { kind: ChangeKind::Enter, key: "7", former: None, feature }.write(&mut out);
        assert_eq!(out, br#"{"change":"enter","key":7,"feature":{"type":"Feature","id":7}}"#);
        out.clear();
        let kind = ChangeKind::Leave(LeaveReason::Expired);
        Change { kind, key: r#""a\"b""#, former: None, feature: Content::Null }.write(&mut out);
        assert_eq!(out, br#"{"change":"leave","key":"a\"b","reason":"expired"}"#);
    }

    #[test]
    fn formats_are_read_as_they_are_written() {
        for format in [ChangeFormat::Changes, ChangeFormat::Maplibre] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "geojson".parse::<ChangeFormat>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`geojson` is no format of changes: there are `changes` and `maplibre`"
        );
    }
}
