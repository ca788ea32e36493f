use std::io;

use thiserror::Error;

use crate::deflate::{CONTINUATION, CONTROL, ClientFrame, ClientHeader, TEXT};

/// Sees that a text cannot become UTF-8 any more before all of its frame has come.
///
/// tungstenite judges a frame when it has all of it, so whoever declares a long text could have us wait for the rest of one
/// that is none already. RFC 6455 §8.1 wants such a connection failed, and leaves open when; the test suites of the field
/// want it at once. What comes whole in one read is left to tungstenite alone, and so is every other fault.
#[derive(Debug, Default)]
pub(super) struct TextGuard {
    /// Only while something has begun: most connections are quiet most of the time, and pay for no more than this.
    reading: Option<Box<Reading>>,
}

/// Where in the frames of a client reading has come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    header: ClientHeader,
    /// What is still missing of the frame that has begun.
    frame: Option<Payload>,
    /// Whether a text has begun in a frame that was not its last.
    is_in_text: bool,
    /// The beginning of a character whose rest has not come, and its length.
    begun: ([u8; 3], usize),
    is_broken: bool,
}

/// The part of a payload that has not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Payload {
    left: u64,
    /// That of the next byte first.
    mask: [u8; 4],
    is_text: bool,
}

/// A text message cannot become UTF-8 any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a text message is not UTF-8")]
pub(super) struct NotText;

impl NotText {
    /// Whether this is what an error of reading says.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|source| source.is::<Self>())
    }
}

impl TextGuard {
    /// Takes what comes next of a client's frames.
    pub(super) fn watch(&mut self, bytes: &[u8]) {
        let mut reading = self.reading.take().map_or_else(Reading::default, |reading| *reading);
        reading.watch(bytes);
        self.reading = (reading != Reading::default()).then(|| Box::new(reading));
    }

    /// Says so once a text cannot become one any more.
    pub(super) fn check(&self) -> io::Result<()> {
        match &self.reading {
            Some(reading) if reading.is_broken => Err(io::Error::new(io::ErrorKind::InvalidData, NotText)),
            _ => Ok(()),
        }
    }
}

impl Reading {
    fn watch(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_broken {
            bytes = match self.frame {
                None => {
                    let (rest, frame) = self.header.take(bytes);
                    if let Some(frame) = frame {
                        self.header = ClientHeader::default();
                        self.begin(frame, rest.len());
                    }
                    rest
                }
                Some(payload) => {
                    let length = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
                    let (part, rest) = bytes.split_at(length);
                    if payload.is_text {
                        self.read(part, payload.mask);
                    }
                    self.go_on(payload, length);
                    rest
                }
            };
        }
    }

    /// Decides whether a frame is to be looked into; `there` is how many bytes behind its header have come.
    fn begin(&mut self, frame: ClientFrame, there: usize) {
        let ClientFrame { is_last, opcode, payload, mask, .. } = frame;
        let is_text = match opcode {
            TEXT => true,
            CONTINUATION => self.is_in_text,
            _ => false,
        };
        if opcode < CONTROL && opcode != CONTINUATION {
            self.begun = Default::default();
        }
        let is_whole = opcode == TEXT && is_last && payload <= there as u64;
        if opcode < CONTROL {
            self.is_in_text = is_text && !is_last;
        }
        let payload = Payload {
            left: payload,
            // Without one, the frame is refused whatever it says.
            mask: mask.unwrap_or_default(),
            is_text: is_text && !is_whole && mask.is_some(),
        };
        self.frame = (payload.left > 0).then_some(payload);
    }

    fn go_on(&mut self, payload: Payload, length: usize) {
        let Payload { left, mut mask, is_text } = payload;
        let left = left - length as u64;
        let turns = length % mask.len();
        mask.rotate_left(turns);
        self.frame = (left > 0).then_some(Payload { left, mask, is_text });
    }

    /// Reads a part of a text, behind the beginning of a character that was left of the part before.
    fn read(&mut self, part: &[u8], mask: [u8; 4]) {
        let mut block = [0; BLOCK];
        let mut masks = mask.iter().cycle();
        for piece in part.chunks(BLOCK - self.begun.0.len()) {
            let (begun, length) = self.begun;
            block[..length].copy_from_slice(&begun[..length]);
            let end = length + piece.len();
            for (plain, (byte, mask)) in block[length..end].iter_mut().zip(piece.iter().zip(&mut masks)) {
                *plain = byte ^ mask;
            }
            let Err(error) = std::str::from_utf8(&block[..end]) else {
                self.begun = Default::default();
                continue;
            };
            let unfinished = &block[error.valid_up_to()..end];
            if error.error_len().is_some() || unfinished.len() > begun.len() {
                self.is_broken = true;
                return;
            }
            self.begun.0[..unfinished.len()].copy_from_slice(unfinished);
            self.begun.1 = unfinished.len();
        }
    }
}

/// Bytes that are unmasked at once, on the stack: what is read at once, and the beginning of a character.
const BLOCK: usize = 512 + 3;

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// A client's frame with a mask that changes every byte.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | u8::try_from(length).unwrap()),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// How many bytes have been taken when a text is found to be none, if they come in pieces of this length.
    fn broken_at(sent: &[u8], piece: usize) -> Option<usize> {
        let mut guard = TextGuard::default();
        let mut taken = 0;
        for piece in sent.chunks(piece) {
            guard.watch(piece);
            taken += piece.len();
            if let Err(error) = guard.check() {
                assert!(NotText::is(&error));
                return Some(taken);
            }
        }
        None
    }

    /// Sent byte by byte, a text that cannot go on is found out with the first byte that says so.
    fn check(text: &[u8], offset: Option<usize>) {
        let header = frame(0x81, text).len() - text.len();
        let expected = offset.map(|offset| header + offset + 1);
        assert_eq!(broken_at(&frame(0x81, text), 1), expected, "{text:x?} in one frame");
        assert_eq!(broken_at(&frame(0x82, text), 1), None, "{text:x?} as binary");
        for split in 0..=text.len() {
            let (one, two) = text.split_at(split);
            let sent = [frame(0x01, one), frame(0x89, b"\xff"), frame(0x80, two)].concat();
            // A header of the second frame and the ping between them.
            let more = |offset: usize| if offset < split { 0 } else { frame(0x89, b"\xff").len() + 6 };
            let expected = offset.map(|offset| 6 + offset + 1 + more(offset));
            assert_eq!(broken_at(&sent, 1), expected, "{text:x?} in two frames, split at {split}");
        }
    }

    #[test]
    fn what_cannot_go_on_is_found_out_at_once() {
        check(b"", None);
        check("κόσμε 𐍈 a".as_bytes(), None);
        check(b"a\xff", Some(1));
        check(b"a\xc0\x80", Some(1));
        check(b"\xce\xba\xf4\x90\x80\x80edited", Some(3));
        check(b"\xed\xa0\x80", Some(1));
        check(b"\xe0\x80\x80", Some(1));
        check(b"abc\xf0\x9f\x98", None);
        check(b"abc\xf0\x9f\x98x", Some(6));
        check(b"\xce\xce", Some(1));
        check(b"\x80", Some(0));
    }

    #[test]
    fn a_text_begins_anew() {
        let half = frame(0x81, b"a\xce");
        // It is refused where it is read; here it must not be taken for a part of the next one.
        assert_eq!(broken_at(&[half, frame(0x81, b"abc")].concat(), 1), None);
    }

    #[test]
    fn what_comes_whole_is_left_to_the_reader() {
        let sent = frame(0x81, b"a\xff");
        assert_eq!(broken_at(&sent, sent.len()), None);
        assert_eq!(broken_at(&sent, sent.len() - 1), Some(sent.len()));
    }

    #[test]
    fn nothing_is_kept_when_nothing_is_on_its_way() {
        let mut guard = TextGuard::default();
        let sent = [frame(0x01, "aκ".as_bytes()), frame(0x80, "όb".as_bytes()), frame(0x89, b"")].concat();
        for (at, byte) in sent.iter().enumerate() {
            guard.watch(&[*byte]);
            let is_over = [sent.len() - 6, sent.len()].contains(&(at + 1));
            assert_eq!(guard.reading.is_none(), is_over, "{at}");
        }
    }

    #[test]
    fn a_long_text_is_read_in_blocks() {
        let text = "κόσμε 𐍈 ".repeat(5_000);
        for piece in [1, 2, 3, 511, 512, 513, 4_096, 100_000] {
            assert_eq!(broken_at(&frame(0x81, text.as_bytes()), piece), None, "{piece}");
        }
        let mut broken = text.into_bytes();
        broken[70_000] = 0xff;
        let at = broken_at(&frame(0x81, &broken), 512).unwrap();
        assert!((70_000..70_000 + 14 + 512).contains(&at), "{at}");
    }

    proptest! {
        /// What comes of a message is found to be no text exactly when it is none, however it is cut.
        #[test]
        fn the_verdict_is_that_of_the_whole(
            text in vec(prop_oneof![Just(0x61), Just(0xce), Just(0xba), Just(0xf0), Just(0x9f), any::<u8>()], 0..40),
            cuts in vec(0..40_usize, 0..4),
            piece in 1..60_usize,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut sent = Vec::new();
            let mut start = 0;
            for cut in cuts {
                sent.extend(frame(if start == 0 && sent.is_empty() { 0x01 } else { 0x00 }, &text[start..cut]));
                start = cut;
            }
            // Its last frame is declared longer than what comes, so that nothing is whole.
            let first = if sent.is_empty() { 0x01 } else { 0x00 };
            sent.extend(frame(first, &[&text[start..], b"z"].concat()));
            sent.pop();
            let is_text = std::str::from_utf8(&text).map_or_else(|error| error.error_len().is_none(), |_| true);
            prop_assert_eq!(broken_at(&sent, piece).is_none(), is_text);
        }

        #[test]
        fn nothing_makes_it_panic(sent in vec(any::<u8>(), 0..200), piece in 1..50_usize) {
            broken_at(&sent, piece);
        }
    }

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
}
