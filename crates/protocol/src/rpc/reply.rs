//! What a call is answered.

use crate::json;

use super::{Error, Id};

/// The answer to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The id of the call.
    pub id: &'a Id,
    /// Bytes that are one JSON value in UTF-8, put in as they are, or why there is no result. The caller guarantees that
    /// they are JSON.
    pub outcome: Result<&'a [u8], &'a Error>,
}

impl Reply<'_> {
    /// Appends the answer to `out`, as compact JSON without a line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.len_hint());
        out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        out.extend_from_slice(self.id.as_json().as_bytes());
        match self.outcome {
            Ok(result) => {
                out.extend_from_slice(br#","result":"#);
                out.extend_from_slice(result);
            }
            Err(error) => write_error(out, error),
        }
        out.push(b'}');
    }

    /// The answer as bytes of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// About how many bytes [`Reply::write`] appends; exactly so many for a result.
    #[must_use]
    pub fn len_hint(&self) -> usize {
        let outcome = self.outcome.map_or(ERROR_BYTES, |result| r#","result":"#.len() + result.len());
        r#"{"jsonrpc":"2.0","id":}"#.len() + self.id.as_json().len() + outcome
    }
}

/// The answers to a batch as one array; nothing, if there are none, because then nothing is sent.
///
/// Their order is free (JSON-RPC 2.0 §6).
pub fn batch<R: AsRef<[u8]>>(replies: impl IntoIterator<Item = R>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for reply in replies {
        out.push(if out.is_empty() { b'[' } else { b',' });
        out.extend_from_slice(reply.as_ref());
    }
    if out.is_empty() {
        return None;
    }
    out.push(b']');
    Some(out)
}

pub(super) fn write_error(out: &mut Vec<u8>, error: &Error) {
    out.extend_from_slice(br#","error":{"code":"#);
    out.extend_from_slice(error.code().to_string().as_bytes());
    out.extend_from_slice(br#","message":"#);
    json::string(out, &error.to_string());
    let data = error.parameter().map(|parameter| ("parameter", parameter));
    let data = data.or_else(|| error.refusal().map(|refusal| ("reason", refusal.as_str())));
    if let Some((name, value)) = data {
        out.extend_from_slice(br#","data":{""#);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(br#"":"#);
        json::string(out, value);
        out.push(b'}');
    }
    out.push(b'}');
}

/// What most errors come to.
const ERROR_BYTES: usize = 160;
