use crate::deflate::{Compression, Deflate, Inflow, negotiate};
use axum::http::{HeaderMap, HeaderValue, header};

/// Reads what a client with compression sends, in one piece and in many, and compresses it as if it were a message.
///
/// # Panics
/// When something does not hold; the message says what.
pub fn deflate(sent: &[u8]) {
    let whole = read(sent, sent.len().max(1));
    for piece in [1, 3, 64] {
        assert!(read(sent, piece) == whole, "pieces of {piece} bytes make a difference");
    }
    come_back(sent);
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
    inflow.receive(&[0xc2, 0xff]);
    inflow.receive(&(sent.len() as u64).to_be_bytes());
    inflow.receive(&[0; 4]);
    inflow.receive(&sent);
    let mut frame = vec![0; message.len() + LONGEST_HEADERS];
    let length = inflow.read(&mut frame);
    assert!(frame[..length].ends_with(message), "{message:?}");
    assert_eq!(length, message.len() + HEADER);
}

fn agreed() -> Deflate {
    let mut headers = HeaderMap::new();
    headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
    let agreed = negotiate(Compression::Deflate { threshold: 0 }, &headers);
    agreed.expect("the plainest offer is accepted").0
}

/// Bytes of a message.
const LIMIT: usize = 1_000;
/// Bytes before a message that was made plain.
const HEADER: usize = 14;
/// The same, with what may be put before it to show that it is out of place.
const LONGEST_HEADERS: usize = 2 * HEADER;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// The seeds of the fuzz target, on the stable toolchain.
    #[test]
    fn seeds_hold() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/deflate");
        let seeds: Vec<_> = fs::read_dir(&folder).expect("the seeds are in the tree").collect();
        assert!(seeds.len() >= 12, "{} has {} seeds", folder.display(), seeds.len());
        for seed in seeds {
            super::deflate(&fs::read(seed.expect("a readable folder").path()).expect("a readable seed"));
        }
    }

    #[test]
    fn a_long_message_comes_back() {
        super::deflate("a long message, ".repeat(5_000).as_bytes());
    }
}
