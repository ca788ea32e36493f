use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use super::TAIL;

/// Why a compressed message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It becomes longer than allowed.
    TooLarge,
    /// It is not compressed data.
    Corrupt,
}

/// What a compressed message says (RFC 7692 §7.2.2), if that is at most `limit` bytes.
pub(super) fn inflate(mut compressed: Vec<u8>, limit: usize) -> Result<Vec<u8>, Unreadable> {
    if compressed.is_empty() {
        // Some send nothing where there is nothing to compress, instead of the one byte of §7.2.3.6.
        return Ok(compressed);
    }
    compressed.extend_from_slice(&TAIL);
    compressed.extend_from_slice(&LAST_BLOCK);
    INFLATER.with_borrow_mut(|place| {
        let inflater = place.get_or_insert_with(|| Decompress::new(false));
        inflater.reset(false);
        let mut rest = &compressed[..];
        // A byte more than allowed shows that there are too many.
        let most = limit.saturating_add(1);
        let mut message = Vec::with_capacity(compressed.len().saturating_mul(TYPICAL_RATIO).min(most));
        loop {
            let (taken, length) = (inflater.total_in(), message.len());
            let status = inflater.decompress_vec(rest, &mut message, FlushDecompress::Sync);
            let taken = usize::try_from(inflater.total_in() - taken).unwrap_or(usize::MAX);
            rest = rest.get(taken..).ok_or(Unreadable::Corrupt)?;
            if message.len() > limit {
                return Err(Unreadable::TooLarge);
            }
            match status {
                Err(_) => return Err(Unreadable::Corrupt),
                Ok(Status::StreamEnd) if rest.is_empty() => return Ok(message),
                // A stream may end within a message, and another one begin (RFC 7692 §7.2.3.4).
                Ok(Status::StreamEnd) => inflater.reset(false),
                Ok(Status::Ok | Status::BufError) if message.len() == message.capacity() => {
                    message.reserve(message.len().min(most - message.len()).max(1));
                }
                // What is cut off takes the tail for something else, and waits for more.
                Ok(Status::Ok | Status::BufError) if taken == 0 && message.len() == length => {
                    return Err(Unreadable::Corrupt);
                }
                Ok(Status::Ok | Status::BufError) => {}
            }
        }
    })
}

thread_local! {
    /// Made when it is first needed: some 40 KiB.
    static INFLATER: RefCell<Option<Decompress>> = const { RefCell::new(None) };
}

/// An empty last block, which is read to its end only if everything before it was: no decoder says by itself whether it
/// stands between blocks.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// Commands become about so many times as long.
const TYPICAL_RATIO: usize = 4;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compress, Compression, FlushCompress, write::DeflateEncoder};

    use super::*;

    /// A message as a client compresses it.
    fn compressed(message: &[u8], level: u32) -> Vec<u8> {
        let mut compress = Compress::new(Compression::new(level), false);
        let mut buffer = Vec::with_capacity(message.len() * 2 + 64);
        compress.compress_vec(message, &mut buffer, FlushCompress::Sync).unwrap();
        assert!(buffer.ends_with(&TAIL), "{buffer:?}");
        buffer.truncate(buffer.len() - TAIL.len());
        buffer
    }

    #[test]
    fn messages_up_to_the_limit_are_read() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..4_000).map(|_| random.u8(..)).collect();
        for message in [&b""[..], b"a", b"SUB news", &[b'x'; 4_000], &noise] {
            for level in [0, 1, 6, 9] {
                let compressed = compressed(message, level);
                assert_eq!(inflate(compressed.clone(), message.len()).as_deref(), Ok(message));
                if !message.is_empty() {
                    assert_eq!(inflate(compressed, message.len() - 1), Err(Unreadable::TooLarge));
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_not_read_to_its_end() {
        let bomb = compressed(&vec![0; 50_000_000], 9);
        assert!(bomb.len() < 60_000, "{}", bomb.len());
        assert_eq!(inflate(bomb, 16 * 1024), Err(Unreadable::TooLarge));
    }

    /// The examples of RFC 7692 §7.2.3: one block, no compression, a final block, two blocks.
    #[test]
    fn the_examples_of_the_specification_are_read() {
        for compressed in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            assert_eq!(inflate(compressed.to_vec(), 5).as_deref(), Ok(&b"Hello"[..]), "{compressed:?}");
        }
        assert_eq!(inflate(vec![0x00], 5).as_deref(), Ok(&b""[..]), "an empty message");
    }

    #[test]
    fn what_is_no_compressed_data_is_told_apart() {
        for corrupt in [
            &[0xff; 8][..],
            b"not compressed",
            // It refers to what a message before it said.
            &[0xf2, 0x00, 0x11, 0x00, 0x00],
            // A stored block whose length contradicts itself.
            &[0x00, 0x05, 0x00, 0xfa, 0xfe],
        ] {
            assert_eq!(inflate(corrupt.to_vec(), 1_000), Err(Unreadable::Corrupt), "{corrupt:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_told_apart() {
        let command =
            b"SUB news and more of what a client says, some of it twice, some of it twice: 1 2 3 4 5 6 7";
        for level in [1, 6, 9] {
            let whole = compressed(command, level);
            for length in 1..whole.len() {
                let cut = inflate(whole[..length].to_vec(), 1_000);
                assert_eq!(cut, Err(Unreadable::Corrupt), "{length} of {} bytes, level {level}", whole.len());
            }
        }
    }

    #[test]
    fn nothing_at_all_is_an_empty_message() {
        assert_eq!(inflate(Vec::new(), 5).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn any_limit_can_be_set() {
        let message = compressed(b"SUB news", 6);
        assert_eq!(inflate(message.clone(), 0), Err(Unreadable::TooLarge));
        assert_eq!(inflate(message, usize::MAX).as_deref(), Ok(&b"SUB news"[..]));
        assert_eq!(inflate(vec![0x00], 0).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn streams_that_end_within_a_message_are_read_together() {
        let mut message = Vec::new();
        for part in ["SUB ", "news"] {
            let mut encoder = DeflateEncoder::new(message, Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            message = encoder.finish().unwrap();
        }
        message.push(0);
        assert_eq!(inflate(message, 8).as_deref(), Ok(&b"SUB news"[..]));
    }
}
