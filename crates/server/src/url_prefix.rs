use std::{fmt, str::FromStr};

use thiserror::Error;

/// What stands before the addresses of aiows, such as `/rooms` or nothing.
///
/// ```
/// use geocast_server::UrlPrefix;
///
/// let prefix: UrlPrefix = "api/v1/".parse()?;
/// assert_eq!(prefix.to_string(), "/api/v1");
/// assert_eq!("/".parse::<UrlPrefix>()?, UrlPrefix::default());
/// # Ok::<(), geocast_server::UrlPrefixError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlPrefix(String);

/// What cannot stand before an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no prefix such as /rooms: letters, digits and -._~ between single slashes")]
pub struct UrlPrefixError(String);

impl UrlPrefix {
    /// The prefix with a slash before each of its parts, and none at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UrlPrefix {
    type Err = UrlPrefixError;

    fn from_str(text: &str) -> Result<Self, UrlPrefixError> {
        if matches!(text, "" | "/") {
            return Ok(Self::default());
        }
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let is_plain = |part: &str| {
            let mut bytes = part.bytes();
            !part.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if inner.split('/').all(is_plain) {
            Ok(Self(format!("/{inner}")))
        } else {
            Err(UrlPrefixError(text.to_owned()))
        }
    }
}

impl fmt::Display for UrlPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::UrlPrefix;

    #[test]
    fn slashes_are_put_right_and_the_rest_is_plain() {
        let check = |text: &str, expected: Option<&str>| {
            let found = text.parse::<UrlPrefix>().ok();
            assert_eq!(found.as_ref().map(UrlPrefix::as_str), expected, "{text:?}");
        };
        check("", Some(""));
        check("/", Some(""));
        check("rooms", Some("/rooms"));
        check("/a/b-1.0/", Some("/a/b-1.0"));
        for text in ["//", "/a//b", "/a b", "/{a}", "/*", "/a?b", "/ä"] {
            check(text, None);
        }
    }
}
