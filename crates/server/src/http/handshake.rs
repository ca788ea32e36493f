//! The way of almost every connection: its first bytes are a complete WebSocket handshake (RFC 6455 §4.2.1), and are
//! answered without a general HTTP server. Everything else, also a handshake that is to be refused, is that one's.

use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, Version, header};

/// The handshake at the beginning of what a client sent, and its length in bytes.
pub(super) fn parse(head: &[u8]) -> Option<(Request<()>, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(length) = parsed.parse(head).ok()? else { return None };
    if parsed.method != Some("GET") || parsed.version != Some(1) {
        return None;
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::GET;
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = parsed.path?.parse::<Uri>().ok()?;
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING {
            // What follows is a body, not frames.
            return None;
        }
        request.headers_mut().append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    super::upgrade::is_asked_for(&request).then_some((request, length))
}

/// As many header fields as the general way takes.
const MOST_FIELDS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Option<(&str, usize)>) {
        let found = parse(head.as_bytes());
        let found = found.as_ref().map(|(request, length)| (request.uri().path(), head.len() - length));
        assert_eq!(found, expected, "{head:?}");
    }

    #[test]
    fn only_a_complete_handshake_is_one() {
        let fields = "Host: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n";
        check(&format!("GET /ws?key=1 HTTP/1.1\r\n{fields}\r\n"), Some(("/ws", 0)));
        check(&format!("GET /ws HTTP/1.1\r\n{fields}\r\nearly"), Some(("/ws", 5)));
        check(&format!("GET /ws HTTP/1.1\r\n{fields}"), None);
        check(&format!("POST /ws HTTP/1.1\r\n{fields}\r\n"), None);
        check(&format!("GET /ws HTTP/1.0\r\n{fields}\r\n"), None);
        check(&format!("GET /ws HTTP/1.1\r\n{fields}Content-Length: 3\r\n\r\nabc"), None);
        check(&format!("GET /ws HTTP/1.1\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"), None);
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None);
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None);
        check("", None);
        check("\u{16}\u{3}\u{1}", None);
    }

    #[test]
    fn many_fields_are_left_to_the_general_way() {
        let many = "X: y\r\n".repeat(MOST_FIELDS + 1);
        check(&format!("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n{many}\r\n"), None);
    }
}
