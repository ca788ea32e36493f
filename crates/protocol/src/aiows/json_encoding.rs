//! How JSON goes out.

use std::borrow::Cow;

use crate::json;

/// How a package of JSON is written into its frame.
///
/// ```
/// use geocast_protocol::aiows::JsonEncoding;
///
/// assert_eq!(&*JsonEncoding::Once.encode(br#"{"a":"b"}"#), br#"{"a":"b"}"#);
/// assert_eq!(&*JsonEncoding::Twice.encode(br#"{"a":"b"}"#), br#""{\"a\":\"b\"}""#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum JsonEncoding {
    /// As it was published.
    #[default]
    Once,
    /// As a JSON string that holds the JSON, which is what the reference does. Its clients decode it twice.
    Twice,
}

impl JsonEncoding {
    /// What the frame of a package holds. The caller guarantees that the bytes are one JSON value in UTF-8.
    #[must_use]
    pub fn encode(self, document: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Once => Cow::Borrowed(document),
            Self::Twice => {
                let mut out = Vec::with_capacity(document.len() + QUOTES);
                json::string(&mut out, &String::from_utf8_lossy(document));
                Cow::Owned(out)
            }
        }
    }
}

const QUOTES: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_twice_is_had_by_decoding_twice(text in ".*") {
            let document = serde_json::to_vec(&text).unwrap();
            let frame = JsonEncoding::Twice.encode(&document);
            let once: String = serde_json::from_slice(&frame).unwrap();
            prop_assert_eq!(once.as_bytes(), &*document);
            let twice: String = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(twice, text);
        }
    }
}
