use std::borrow::Cow;

use axum::http::{HeaderMap, Uri, header};

/// What a request presents, wherever it may stand in it. Nothing of this is ever logged.
pub(super) struct Credentials<'a> {
    /// `Authorization: Bearer …` (RFC 6750 §2.1): a publish key or a token.
    pub(super) bearer: Option<&'a [u8]>,
    /// `?pwd=…`: a publish key.
    pub(super) password: Option<Cow<'a, str>>,
    /// `?token=…` and `?access_token=…` (RFC 6750 §2.3), for browsers, whose WebSockets can set no header, and the
    /// sub-protocol `bearer.…`, by which they keep a token out of addresses.
    pub(super) tokens: Vec<Cow<'a, str>>,
}

impl<'a> Credentials<'a> {
    pub(super) fn of(uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let mut found = Self { bearer: bearer(headers), password: None, tokens: Vec::new() };
        for list in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
            let offered = list.to_str().unwrap_or_default().split(',').map(str::trim);
            found.tokens.extend(offered.filter_map(|name| name.strip_prefix("bearer.")).map(Cow::Borrowed));
        }
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "pwd" => found.password = Some(value),
                // Some clients always send the parameter, and have nothing to put there.
                "token" | "access_token" if !value.is_empty() => found.tokens.push(value),
                _ => {}
            }
        }
        found
    }
}

/// What stands behind `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, headers: &[(&'static str, &str)], expected: (Option<&str>, Option<&str>, &[&str])) {
        let uri: Uri = uri.parse().expect("an address");
        let headers = headers.iter().map(|(name, value)| {
            let name = axum::http::HeaderName::from_static(name);
            (name, value.parse().expect("a field"))
        });
        let headers: HeaderMap = headers.collect();
        let found = Credentials::of(&uri, &headers);
        let bearer = found.bearer.map(|bearer| std::str::from_utf8(bearer).expect("text"));
        assert_eq!(
            (bearer, found.password.as_deref(), &*found.tokens),
            (
                expected.0,
                expected.1,
                &*expected.2.iter().map(|token| Cow::Borrowed(*token)).collect::<Vec<_>>()
            ),
            "{uri}"
        );
    }

    #[test]
    fn credentials_are_found_wherever_they_may_stand() {
        check("/ws", &[], (None, None, &[]));
        check("/ws?key=a&tokens=b&TOKEN=c&token=", &[], (None, None, &[]));
        check("/ws?token=a.b.c&x", &[], (None, None, &["a.b.c"]));
        check("/ws?access_token=a&token=b", &[], (None, None, &["a", "b"]));
        check("/ws?pwd=a%26b+c%C3%A9", &[], (None, Some("a&b cé"), &[]));
        check("/ws?pwd=a&pwd=", &[], (None, Some(""), &[]));
        check("/ws", &[("authorization", "bEARER a b")], (Some("a b"), None, &[]));
        check("/ws", &[("authorization", "Basic YQ==")], (None, None, &[]));
        let offered = ("sec-websocket-protocol", "geocast.rpc, bearer.a.b.c,bearer");
        check("/ws", &[offered], (None, None, &["a.b.c"]));
    }
}
