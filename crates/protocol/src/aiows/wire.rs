//! Packages on their way through a store.

use std::borrow::Cow;

use crate::Json;

use super::{Package, PackageType};

impl Package {
    /// What is published: the payload itself, or the payload behind a mark where it would be read back as another type.
    #[must_use]
    pub fn to_wire(&self) -> Cow<'_, [u8]> {
        let mark = match self {
            Self::Text(text) if text.parse::<Json>().is_ok() => TEXT_MARK,
            Self::Bytes(bytes) if std::str::from_utf8(bytes).is_ok() || unmark(bytes).0.is_some() => {
                BYTES_MARK
            }
            _ => return Cow::Borrowed(self.payload()),
        };
        Cow::Owned([mark, self.payload()].concat())
    }

    /// What was published, by anybody: every sequence of bytes is a package. It is the inverse of [`Package::to_wire`].
    #[must_use]
    pub fn from_wire(published: &[u8]) -> Self {
        match unmark(published) {
            (Some(PackageType::Text), text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            (Some(_), bytes) => Self::Bytes(bytes.to_vec()),
            (None, bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.parse().map_or_else(|_no_json| Self::Text(text.to_owned()), Self::Json),
                Err(_) => Self::Bytes(bytes.to_vec()),
            },
        }
    }
}

/// Takes off the mark that tells a type. Without a mark, the bytes themselves tell what they are. What is marked as text is
/// UTF-8: a mark for text with something else behind it is no mark, as anybody may publish anything.
///
/// ```
/// use geocast_protocol::aiows::{Package, PackageType, unmark};
///
/// let package = Package::Text("[1]".into());
/// assert_eq!(unmark(&package.to_wire()), (Some(PackageType::Text), &b"[1]"[..]));
/// assert_eq!(unmark(b"[1]"), (None, &b"[1]"[..]));
/// assert_eq!(unmark(b"\xfftext\n\xfe"), (None, &b"\xfftext\n\xfe"[..]));
/// ```
#[must_use]
pub fn unmark(published: &[u8]) -> (Option<PackageType>, &[u8]) {
    let text = published.strip_prefix(TEXT_MARK).filter(|text| std::str::from_utf8(text).is_ok());
    if let Some(text) = text {
        (Some(PackageType::Text), text)
    } else if let Some(bytes) = published.strip_prefix(BYTES_MARK) {
        (Some(PackageType::Bytes), bytes)
    } else {
        (None, published)
    }
}

/// What stands before text that happens to be JSON.
pub const TEXT_MARK: &[u8] = b"\xfftext\n";

/// What stands before bytes that happen to be UTF-8.
pub const BYTES_MARK: &[u8] = b"\xffbytes\n";

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn check(package: &Package, wire: &[u8]) {
        assert_eq!(&*package.to_wire(), wire);
        assert_eq!(&Package::from_wire(wire), package);
    }

    #[test]
    fn marks_only_what_would_be_mistaken() {
        let json = |text: &str| Package::Json(text.parse().unwrap());
        check(&json("{\"a\":7.10}"), b"{\"a\":7.10}");
        check(&json("\"text\""), b"\"text\"");
        check(&Package::Text("Hello world".into()), b"Hello world");
        check(&Package::Text(String::new()), b"");
        check(&Package::Text("7".into()), b"\xfftext\n7");
        check(&Package::Text(" {} ".into()), b"\xfftext\n {} ");
        check(
            &Package::Text("[".repeat(40) + &"]".repeat(40)),
            &["[".repeat(40), "]".repeat(40)].concat().into_bytes(),
        );
        check(&Package::Bytes(b"\xff\xd8\xff\xe0".to_vec()), b"\xff\xd8\xff\xe0");
        check(&Package::Bytes(b"plain".to_vec()), b"\xffbytes\nplain");
        check(&Package::Bytes(Vec::new()), b"\xffbytes\n");
        check(&Package::Bytes(b"\xffbytes\n".to_vec()), b"\xffbytes\n\xffbytes\n");
        check(&Package::Bytes(b"\xfftext\n7".to_vec()), b"\xffbytes\n\xfftext\n7");
        check(&Package::Bytes(b"\xfftext\n\xfe".to_vec()), b"\xfftext\n\xfe");
    }

    #[test]
    fn what_others_publish_is_a_package() {
        let check = |published: &[u8], expected| assert_eq!(Package::from_wire(published), expected);
        check(b"\xfftext\nno JSON", Package::Text("no JSON".into()));
        check(b"\xfftext\n\xff", Package::Bytes(b"\xfftext\n\xff".to_vec()));
        check(b"\xffbytes\n\xff", Package::Bytes(b"\xff".to_vec()));
        check(b"\xffbytes", Package::Bytes(b"\xffbytes".to_vec()));
        check(b" [1] ", Package::Json("[1]".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn a_package_keeps_its_type(
            text in prop_oneof![".*", "[0-9\\[\\]{}\", ]{0,6}"],
            bytes in vec(prop_oneof![any::<u8>(), Just(b'7')], 0..9),
            mark in prop_oneof![Just(&b""[..]), Just(TEXT_MARK), Just(BYTES_MARK)],
        ) {
            let bytes = [mark, &bytes].concat();
            for package in [Package::Text(text), Package::Bytes(bytes.clone()), Package::from_wire(&bytes)] {
                prop_assert_eq!(Package::from_wire(&package.to_wire()), package);
            }
        }
    }
}
