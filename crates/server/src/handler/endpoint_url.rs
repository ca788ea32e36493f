use std::{fmt, str::FromStr};

use axum::http::Uri;
use thiserror::Error;

/// Where a handler is to be asked: `http://host[:port][/path][?query]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EndpointUrl {
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands in the `Host` header (RFC 9110 §7.2).
    pub(super) authority: String,
    /// What stands in the request line.
    pub(super) target: String,
}

/// What is no URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointUrlError {
    /// TLS is asked for.
    #[error("`{0}` asks for TLS, which is not spoken to endpoints: put a local proxy in between")]
    Tls(String),
    /// It is nothing of the kind, or names a user.
    #[error("`{0}` is no url such as http://localhost:8000/path")]
    Malformed(String),
}

impl FromStr for EndpointUrl {
    type Err = EndpointUrlError;

    fn from_str(text: &str) -> Result<Self, EndpointUrlError> {
        let malformed = || EndpointUrlError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_invalid: axum::http::uri::InvalidUri| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(EndpointUrlError::Tls(text.to_owned())),
            _ => return Err(malformed()),
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.filter(|authority| !authority.host().is_empty()).ok_or_else(malformed)?;
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.as_str().to_owned(),
            target: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_an_endpoint() {
        let check = |text: &str, expected: Result<(&str, u16, &str), &str>| {
            let found = text.parse::<EndpointUrl>();
            let found = found.as_ref().map(|url| (&*url.host, url.port, &*url.target));
            assert_eq!(found.map_err(ToString::to_string), expected.map_err(str::to_owned), "{text}");
        };
        check("http://localhost:8000/a/b?c=d", Ok(("localhost", 8000, "/a/b?c=d")));
        check("http://example.org", Ok(("example.org", 80, "/")));
        check("http://[::1]:81/", Ok(("::1", 81, "/")));
        let tls = "`https://a/` asks for TLS, which is not spoken to endpoints: put a local proxy in between";
        check("https://a/", Err(tls));
        for text in ["", "localhost:8000", "/path", "ftp://a/", "http://user@a/", "http://a b/", "http://"] {
            check(text, Err(&format!("`{text}` is no url such as http://localhost:8000/path")));
        }
    }
}
