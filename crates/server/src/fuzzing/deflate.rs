use crate::deflate::{Compression, Deflate, Inflow, negotiate};
use axum::http::{HeaderMap, HeaderValue, header};

/// Reads what a client with compression sends, in one piece and in many, as a compressed message in one fragment and in
/// two, and as an offer of a handshake; and compresses it as if it were a message.
///
/// # Panics
/// When something does not hold; the message says what.
pub fn deflate(sent: &[u8]) {
    let whole = read(sent, sent.len().max(1));
    for piece in [1, 3, 64] {
        assert!(read(sent, piece) == whole, "pieces of {piece} bytes make a difference");
    }
    inflated(sent);
    offered(sent);
    come_back(sent);
}

/// What a compressed message with these bytes becomes, which is the same wherever it is cut into fragments: one message within
/// the limit, or something that the reader refuses.
fn inflated(compressed: &[u8]) {
    if compressed.len() > LIMIT {
        return;
    }
    let whole = read(&frame(FINAL | COMPRESSED_TEXT, compressed), usize::MAX);
    let (one, two) = compressed.split_at(compressed.len() / 3);
    let fragments = [frame(COMPRESSED_TEXT, one), frame(FINAL, two)].concat();
    assert!(read(&fragments, usize::MAX) == whole, "fragments make a difference");
    assert_eq!(whole[0], FINAL | TEXT, "{whole:?}");
}

/// What is agreed upon with whoever sends this is what it may be (RFC 7692 §7.1.2.1).
fn offered(field: &[u8]) {
    let Ok(field) = HeaderValue::from_bytes(field) else { return };
    if let Some((_, agreed)) = negotiated(field) {
        let agreed = agreed.to_str().expect("it is text");
        let window = agreed.rsplit_once("server_max_window_bits=").map_or(Ok(15), |(_, bits)| bits.parse());
        assert!(window.is_ok_and(|bits| (9..=15).contains(&bits)), "{agreed}");
    }
}

/// What is made of it when it comes in pieces.
fn read(sent: &[u8], piece: usize) -> Vec<u8> {
    let mut inflow = Inflow::new(LIMIT);
    let (mut all, mut buffer) = (Vec::new(), [0; 512]);
    for bytes in sent.chunks(piece) {
        inflow.receive(bytes);
        loop {
            let read = inflow.read(&mut buffer);
            if read == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..read]);
        }
    }
    // The shortest frame that becomes a message has seven bytes.
    let messages = sent.len() / 7 + 1;
    assert!(all.len() <= sent.len() + messages * (LIMIT + LONGEST_HEADERS), "{} bytes", all.len());
    all
}

/// A message that is compressed reads as before.
fn come_back(message: &[u8]) {
    let mut sent = Vec::new();
    if !agreed().compress(message, &mut sent) {
        assert!(sent.is_empty());
        return;
    }
    assert!(sent.len() < message.len());
    let mut inflow = Inflow::new(message.len());
    inflow.receive(&frame(FINAL | COMPRESSED_TEXT, &sent));
    let mut plain = vec![0; message.len() + LONGEST_HEADERS];
    let length = inflow.read(&mut plain);
    assert!(plain[..length].ends_with(message), "{message:?}");
    assert_eq!(length, message.len() + HEADER);
}

fn agreed() -> Deflate {
    negotiated(HeaderValue::from_static("permessage-deflate")).expect("the plainest offer is accepted").0
}

fn negotiated(offers: HeaderValue) -> Option<(Deflate, HeaderValue)> {
    let mut headers = HeaderMap::new();
    headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, offers);
    negotiate(Compression::Deflate { threshold: 0 }, &headers)
}

/// A client's frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_be_bytes();
    [&[first, 0xff], &length[..], &[0; 4], payload].concat()
}

const FINAL: u8 = 0x80;
const TEXT: u8 = 0x01;
const COMPRESSED_TEXT: u8 = 0x40 | TEXT;
/// Bytes of a message.
const LIMIT: usize = 1_000;
/// Bytes before a message that was made plain.
const HEADER: usize = 14;
/// The same, with what may be put before it to show that it is out of place.
const LONGEST_HEADERS: usize = 2 * HEADER;

#[cfg(test)]
mod tests {
    use crate::smoke::smoke;

    #[test]
    fn the_law_holds_near_the_seeds() {
        smoke("deflate", super::deflate);
    }

    #[test]
    fn a_long_message_comes_back() {
        super::deflate("a long message, ".repeat(5_000).as_bytes());
    }
}
