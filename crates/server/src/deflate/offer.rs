use std::iter;

/// One element of `Sec-WebSocket-Extensions` (RFC 6455 §9.1): an extension, and how a client would use it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer<'a> {
    pub(super) extension: &'a str,
    pub(super) parameters: Vec<Parameter<'a>>,
}

/// A name, and a value where there is one.
pub(super) type Parameter<'a> = (&'a str, Option<&'a str>);

/// The offers of a header field, each by itself: one that cannot be read is `None`.
pub(super) fn offers(field: &str) -> impl Iterator<Item = Option<Offer<'_>>> {
    let mut rest = Some(field);
    iter::from_fn(move || {
        let (offer, behind) = split(rest?, ',');
        rest = behind;
        Some(offer)
    })
    .filter(|offer| !offer.trim_matches(WHITE).is_empty())
    .map(offer)
}

fn offer(text: &str) -> Option<Offer<'_>> {
    let (extension, mut rest) = split(text, ';');
    let extension = token(extension)?;
    let mut parameters = Vec::new();
    while let Some(text) = rest {
        let (text, behind) = split(text, ';');
        rest = behind;
        let parameter = match text.split_once('=') {
            Some((name, value)) => (token(name)?, Some(value_of(value)?)),
            None => (token(text)?, None),
        };
        parameters.push(parameter);
    }
    Some(Offer { extension, parameters })
}

/// What is before and, if there is one, behind the first separator that is not in quotes.
fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    end.map_or((text, None), |end| (&text[..end], Some(&text[end + 1..])))
}

/// A value, which may stand in quotes and is a token nonetheless.
fn value_of(text: &str) -> Option<&str> {
    let text = text.trim_matches(WHITE);
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let value = unquoted.unwrap_or(text);
    (token(value)? == value).then_some(value)
}

/// RFC 9110 §5.6.2.
fn token(text: &str) -> Option<&str> {
    let text = text.trim_matches(WHITE);
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!text.is_empty() && text.bytes().all(of_token)).then_some(text)
}

const WHITE: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, expected: &[Option<(&str, &[Parameter<'_>])>]) {
        let found: Vec<_> = offers(field).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|offer| {
                offer.map(|(extension, parameters)| Offer { extension, parameters: parameters.to_vec() })
            })
            .collect();
        assert_eq!(found, expected, "{field:?}");
    }

    #[test]
    fn fields_are_read() {
        check("", &[]);
        check(" , ,", &[]);
        check("foo", &[Some(("foo", &[]))]);
        check(" foo ;a; b = 1,bar", &[Some(("foo", &[("a", None), ("b", Some("1"))])), Some(("bar", &[]))]);
        check(r#"foo;a="10""#, &[Some(("foo", &[("a", Some("10"))]))]);
    }

    #[test]
    fn what_cannot_be_read_spoils_its_own_offer_alone() {
        for wrong in ["foo;", "foo;=1", "foo;a=", "f oo", "foo;a b", r#"foo;a="1"#, r#"foo;a="1,2""#, "(foo)"]
        {
            check(wrong, &[None]);
        }
        check("foo;a=,bar", &[None, Some(("bar", &[]))]);
        check(r#"foo;a=" 1",bar"#, &[None, Some(("bar", &[]))]);
    }
}
