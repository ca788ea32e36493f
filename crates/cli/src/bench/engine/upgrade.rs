use thiserror::Error;

use crate::bench::target::Target;

/// A handshake that failed.
#[derive(Debug, PartialEq, Eq, Error)]
pub(in crate::bench) enum UpgradeError {
    #[error("the server refused a WebSocket with the HTTP status {0}")]
    Refused(u16),
    #[error("the server answered the WebSocket handshake with no HTTP: {0}")]
    Syntax(#[from] httparse::Error),
    #[error("the server's answer to the WebSocket handshake is longer than {LONGEST} bytes")]
    Long,
}

/// The request that opens a WebSocket (RFC 6455 §4.1), without any extension.
pub(in crate::bench) fn request(target: &Target) -> Vec<u8> {
    let (authority, path) = (target.authority(), target.path());
    // Every connection has the same key. It only guards against answers from a cache, and there is none on the way.
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: Z2VvY2FzdCBiZW5jaCEhIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// The length of the response, once it is complete.
pub(super) fn response(bytes: &[u8]) -> Result<Option<usize>, UpgradeError> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes)? {
        httparse::Status::Partial if bytes.len() > LONGEST => Err(UpgradeError::Long),
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(length) => match response.code {
            Some(101) => Ok(Some(length)),
            code => Err(UpgradeError::Refused(code.unwrap_or_default())),
        },
    }
}

const LONGEST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_switch_of_protocols_opens_a_connection() {
        let good = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        for cut in 0..good.len() {
            assert_eq!(response(&good[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(response(&[&good[..], b"\x81\x01a"].concat()), Ok(Some(good.len())));
        assert_eq!(response(b"HTTP/1.1 503 Full\r\n\r\n"), Err(UpgradeError::Refused(503)));
        assert!(matches!(response(b"SSH-2.0-OpenSSH\r\n"), Err(UpgradeError::Syntax(_))));
        assert_eq!(
            response(format!("HTTP/1.1 101 x\r\na: {}", "x".repeat(20_000)).as_bytes()),
            Err(UpgradeError::Long)
        );
    }
}
