//! What an envelope carries.

use base64::{Engine as _, encoded_len, engine::general_purpose::STANDARD};

use crate::json;

/// What an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Bytes that are one JSON value in UTF-8, put in as they are; white space around it and in it does no harm. The
    /// caller guarantees that they are JSON: nothing here looks at them.
    Json(&'a [u8]),
    /// Text that is no JSON, written as a JSON string.
    Text(&'a str),
    /// Bytes that are no text, written as `{"base64":"…"}` (RFC 4648 §4, with padding).
    Binary(&'a [u8]),
    /// Nothing: `null`.
    Null,
    /// The answer to PING: `"PONG"`.
    Pong,
    /// The first message of a connection: `{"status":"open"}`.
    Open,
    /// The answer to what could not be done: `{"error":{"code":…,"message":…}}`.
    Error {
        /// A word that programs may rely on.
        code: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
}

impl Content<'_> {
    /// Appends it as one JSON value.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Json(bytes) => out.extend_from_slice(bytes),
            Self::Text(text) => json::string(out, text),
            Self::Binary(bytes) => {
                out.extend_from_slice(br#"{"base64":""#);
                let start = out.len();
                out.resize(start + base64_len(bytes.len()), 0);
                let written =
                    STANDARD.encode_slice(bytes, &mut out[start..]).expect("the slice was made to fit");
                out.truncate(start + written);
                out.extend_from_slice(br#""}"#);
            }
            Self::Null => out.extend_from_slice(b"null"),
            Self::Pong => out.extend_from_slice(br#""PONG""#),
            Self::Open => out.extend_from_slice(br#"{"status":"open"}"#),
            Self::Error { code, message } => {
                out.extend_from_slice(br#"{"error":{"code":"#);
                json::string(out, code);
                out.extend_from_slice(br#","message":"#);
                json::string(out, message);
                out.extend_from_slice(b"}}");
            }
        }
    }

    /// About how many bytes [`Content::write`] appends: exactly so many, if nothing needs an escape.
    #[must_use]
    pub fn len_hint(self) -> usize {
        match self {
            Self::Json(bytes) => bytes.len(),
            Self::Text(text) => text.len() + 2,
            Self::Binary(bytes) => base64_len(bytes.len()) + r#"{"base64":""}"#.len(),
            Self::Null => "null".len(),
            Self::Pong => r#""PONG""#.len(),
            Self::Open => r#"{"status":"open"}"#.len(),
            Self::Error { code, message } => {
                code.len() + message.len() + r#"{"error":{"code":"","message":""}}"#.len()
            }
        }
    }
}

fn base64_len(bytes: usize) -> usize {
    encoded_len(bytes, true).expect("a slice is shorter than three quarters of the address space")
}
