use geocast_protocol::Channel;

use super::{Publication, Refusal, Wire};
use crate::bench::target::Target;

/// POST, or PUT where a key is set, on a connection that is kept, the next request without waiting for the last answer
/// (RFC 9112 §9.3.2).
#[derive(Debug)]
pub(super) struct Http {
    /// The request for a message up to the length of its body.
    post: Vec<u8>,
    /// The request for a state up to its key.
    put: Vec<u8>,
    /// What stands between the path and the length of the body.
    headers: Vec<u8>,
}

impl Http {
    pub(super) fn new(target: &Target, channel: &Channel, key: Option<&str>) -> Self {
        let channel = percent_encoded(channel.as_str());
        let path = target.path().replace("{channel}", &channel);
        let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
        let headers = format!(" HTTP/1.1\r\nHost: {}\r\n{key}Content-Length: ", target.authority());
        let post = format!("POST {path}{headers}").into_bytes();
        Self { post, put: format!("PUT /api/state/{channel}/").into_bytes(), headers: headers.into_bytes() }
    }
}

impl Wire for Http {
    fn encode(&self, batch: &[Publication], out: &mut Vec<u8>) -> u64 {
        for Publication { key, payload } in batch {
            match key {
                Some(key) => {
                    out.extend_from_slice(&self.put);
                    out.extend_from_slice(key.to_string().as_bytes());
                    out.extend_from_slice(&self.headers);
                }
                None => out.extend_from_slice(&self.post),
            }
            out.extend_from_slice(format!("{}\r\n\r\n", payload.len()).as_bytes());
            out.extend_from_slice(payload);
        }
        batch.len() as u64
    }

    fn answers(&self, input: &[u8]) -> Result<(usize, u64), Refusal> {
        let (mut used, mut answered) = (0, 0);
        while let Some(length) = answer(&input[used..])? {
            used += length;
            answered += 1;
        }
        Ok((used, answered))
    }
}

/// The length of the first answer, once it is there.
fn answer(input: &[u8]) -> Result<Option<usize>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(input) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_not_http) => return Err(Refusal::Protocol("HTTP")),
    };
    let status = response.code.unwrap_or_default();
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length =
        length.map(|header| std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok()));
    let body: usize = match length {
        Some(Some(length)) => length,
        // RFC 9110 §15.3.5: it has none.
        None if status == 204 => 0,
        _ => return Err(Refusal::Protocol("HTTP with answers of a known length")),
    };
    let Some(end) = head.checked_add(body).filter(|&end| end <= input.len()) else { return Ok(None) };
    if (200..300).contains(&status) {
        Ok(Some(end))
    } else {
        let body = String::from_utf8_lossy(&input[head..end]).chars().take(200).collect();
        Err(Refusal::Http { status, body })
    }
}

/// What may be anything but a separator in a path (RFC 3986 §2.3).
fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_each_other_and_answers_are_counted() {
        let target = Target::at("127.0.0.1:1".parse().unwrap(), "/p/{channel}");
        let http = Http::new(&target, &"a/b".parse().unwrap(), Some("k"));
        let mut out = Vec::new();
        let state = Publication { key: Some(7), payload: b"[]".to_vec() };
        assert_eq!(http.encode(&[b"{}".to_vec().into(), b"".to_vec().into(), state], &mut out), 3);
        let head = " HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAuthorization: Bearer k\r\nContent-Length: ";
        let post = format!("POST /p/a%2Fb{head}");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("{post}2\r\n\r\n{{}}{post}0\r\n\r\nPUT /api/state/a%2Fb/7{head}2\r\n\r\n[]")
        );

        let one = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let two = b"HTTP/1.1 204 No Content\r\n\r\n";
        let both = [&one[..], two].concat();
        for cut in 0..both.len() {
            let whole = if cut < one.len() { (0, 0) } else { (one.len(), 1) };
            assert_eq!(http.answers(&both[..cut]), Ok(whole), "{cut}");
        }
        assert_eq!(http.answers(&both), Ok((both.len(), 2)));
        let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(http.answers(refused), Err(Refusal::Http { status: 403, body: "no".into() }));
        assert!(http.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(http.answers(b":1\r\n").is_err());
    }
}
