use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress};

use super::{LARGEST_WINDOW, SMALLEST_WINDOW, TAIL};

/// Appends the message to `buffer` in its compressed form without [`TAIL`] (RFC 7692 §7.2.1). False if that is no shorter:
/// then nothing was appended.
pub(super) fn compress(window: u8, message: &[u8], buffer: &mut Vec<u8>) -> bool {
    COMPRESSORS.with_borrow_mut(|compressors| {
        let place = &mut compressors[usize::from(window - SMALLEST_WINDOW)];
        let compressor = place.get_or_insert_with(|| Compress::new_with_window_bits(LEVEL, false, window));
        let start = buffer.len();
        // Whatever does not fit into this is not shorter.
        buffer.reserve_exact(message.len() + TAIL.len());
        compressor.reset();
        let compressed = compressor.compress_vec(message, buffer, FlushCompress::Sync);
        let took_all = compressed.is_ok() && compressor.total_in() == message.len() as u64;
        let is_shorter = buffer.len() - start < message.len() + TAIL.len();
        if took_all && is_shorter && buffer[start..].ends_with(&TAIL) {
            buffer.truncate(buffer.len() - TAIL.len());
            return true;
        }
        buffer.truncate(start);
        false
    })
}

thread_local! {
    /// One for each window, made when it is first needed: some 300 KiB each.
    static COMPRESSORS: RefCell<[Option<Compress>; WINDOWS]> = const { RefCell::new([const { None }; WINDOWS]) };
}

const WINDOWS: usize = (LARGEST_WINDOW - SMALLEST_WINDOW + 1) as usize;

/// Of the levels 1 to 9, the first that fits its codes to the message: a feature of 450 bytes becomes 0.62 times as long in
/// 10 µs. With 1 that is 0.76 in 4.5 µs, with 9 0.61 in 11 µs; above 3, long messages take several times as long.
const LEVEL: Compression = Compression::new(2);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deflate::inflater::inflate;

    /// What came out, if anything.
    fn compressed(window: u8, message: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = b"before".to_vec();
        let is_shorter = compress(window, message, &mut buffer);
        let compressed = buffer.split_off(b"before".len());
        assert_eq!(buffer, b"before");
        assert_eq!(is_shorter, !compressed.is_empty());
        is_shorter.then_some(compressed)
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..length).map(|_| random.u8(..)).collect()
    }

    #[test]
    fn a_feature_becomes_shorter_and_always_the_same() {
        let feature = br#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[8.54,47.38]},"properties":{"type":"tram"}}"#;
        let first = compressed(15, feature).expect("it is shorter");
        assert!(first.len() < feature.len() * 9 / 10, "{}", first.len());
        assert_eq!(compressed(15, feature), Some(first), "what was compressed before makes no difference");
    }

    #[test]
    fn what_does_not_become_shorter_stays_as_it_is() {
        let noise = noise(5_000);
        for message in [&b""[..], b"a", b"PONG", &noise] {
            assert_eq!(compressed(15, message), None);
        }
    }

    /// The inflater reads references beyond its window, so what shows is the length: noise that was there before is short
    /// if it is in reach, and as long as before if it is not.
    #[test]
    fn a_small_window_is_kept_to() {
        let noise = noise(200);
        for window in SMALLEST_WINDOW..LARGEST_WINDOW {
            let between = "a text ".repeat((1 << window) / 7 + 1);
            let message = [&noise, between.as_bytes(), &noise].concat();
            let (small, large) = (compressed(window, &message), compressed(LARGEST_WINDOW, &message));
            let (small, large) = (small.expect("it is shorter"), large.expect("it is shorter"));
            assert!(
                small.len() >= large.len() + 180,
                "{window} bits: {} and {} bytes",
                small.len(),
                large.len()
            );
            assert_eq!(inflate(small, message.len()), Ok(message), "{window} bits");
        }
    }

    proptest! {
        #[test]
        fn what_was_compressed_reads_as_before(
            words in prop::collection::vec("[a-z]{1,8}", 0..400),
            window in SMALLEST_WINDOW..=LARGEST_WINDOW,
        ) {
            let message = words.join(" ").repeat(2).into_bytes();
            if let Some(compressed) = compressed(window, &message) {
                prop_assert!(compressed.len() < message.len());
                prop_assert_eq!(inflate(compressed, message.len()), Ok(message));
            }
        }
    }
}
