use std::sync::Arc;

use bytes::Bytes;

use super::CloseCode;
use crate::{
    deflate::Deflate,
    dialect::{AnyDialect, Kind, Payload},
    event::Key,
};

/// One or more complete frames of a server, unmasked and unfragmented (RFC 6455 §5.2), ready to be shared.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    bytes: Bytes,
    key: Option<Arc<Key>>,
    /// In which dialect it is a push, or [`NO_DIALECT`].
    dialect: usize,
    /// Whether its subscriber could not do without it.
    is_kept: bool,
}

/// What a frame carries.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Opcode {
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
}

impl Frame {
    /// A frame whose payload `write` appends to the buffer it is given; `hint` is the size to expect.
    pub(crate) fn made(hint: usize, write: impl FnOnce(&mut Vec<u8>) -> Kind) -> Self {
        let mut buffer = Vec::with_capacity(LONGEST_HEADER + hint);
        buffer.resize(LONGEST_HEADER, 0);
        let kind = write(&mut buffer);
        let header = Header::new(kind.into(), buffer.len() - LONGEST_HEADER);
        Self { bytes: headed(buffer, &header), key: None, dialect: NO_DIALECT, is_kept: false }
    }

    /// The same message, compressed if that makes it shorter (RFC 7692 §6.1). Compressed messages cannot be sent as parts of
    /// another one, as what is a push in some dialect can be, so it is one in none.
    pub(crate) fn deflated(self, deflate: Deflate) -> Self {
        let Some((opcode, message)) = walk(&self.bytes).next() else { return self };
        let mut buffer = vec![0; LONGEST_HEADER];
        if !deflate.compress(message, &mut buffer) {
            return self;
        }
        // Outboxes are bounded by what a frame is long, so it must not keep the room that the message would have taken.
        buffer.shrink_to_fit();
        let mut header = Header::of(opcode, buffer.len() - LONGEST_HEADER);
        header.bytes[0] |= COMPRESSED;
        Self { bytes: headed(buffer, &header), dialect: NO_DIALECT, ..self }
    }

    /// The same, as a state of something.
    pub(crate) fn of(self, key: Option<&Key>) -> Self {
        // One for each worker that renders, so that workers do not count references in the same place.
        Self { key: key.map(|key| Arc::new(key.clone())), ..self }
    }

    /// The same, as a push in this dialect.
    pub(crate) fn in_dialect(self, dialect: &AnyDialect) -> Self {
        Self { dialect: dialect.identity(), ..self }
    }

    /// The same, as one that is not discarded for others.
    pub(crate) fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// Whether it is not discarded for others.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether it is a push in this dialect.
    pub(crate) fn is_in(&self, dialect: &AnyDialect) -> bool {
        self.dialect == dialect.identity()
    }

    /// Frames laid end to end, which are no longer the state of one thing.
    pub(crate) fn join(frames: &[Self]) -> Self {
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.bytes.len()).sum());
        frames.iter().for_each(|frame| bytes.extend_from_slice(&frame.bytes));
        let first = frames.first().map_or(NO_DIALECT, |frame| frame.dialect);
        let dialect = if frames.iter().all(|frame| frame.dialect == first) { first } else { NO_DIALECT };
        let is_kept = frames.iter().any(|frame| frame.is_kept);
        Self { bytes: Bytes::from(bytes), key: None, dialect, is_kept }
    }

    /// All of it, with the headers.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it is the state of.
    pub(crate) fn key(&self) -> Option<&Arc<Key>> {
        self.key.as_ref()
    }

    /// What each frame carries, sharing its memory.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = Bytes> {
        walk(&self.bytes).map(|(_, payload)| self.bytes.slice_ref(payload))
    }
}

impl From<&Payload> for Frame {
    fn from(payload: &Payload) -> Self {
        Self::made(payload.bytes.len(), |buffer| {
            buffer.extend_from_slice(&payload.bytes);
            payload.kind
        })
    }
}

impl From<Kind> for Opcode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Binary => Self::Binary,
        }
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    bytes: [u8; LONGEST_HEADER],
    length: usize,
}

impl Header {
    pub(crate) fn new(opcode: Opcode, payload: usize) -> Self {
        Self::of(opcode as u8, payload)
    }

    fn of(opcode: u8, payload: usize) -> Self {
        let mut bytes = [0; LONGEST_HEADER];
        bytes[0] = FINAL | opcode;
        let length = if let Ok(short) = u8::try_from(payload)
            && short < LENGTH_16
        {
            bytes[1] = short;
            2
        } else if let Ok(medium) = u16::try_from(payload) {
            bytes[1] = LENGTH_16;
            bytes[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        } else {
            bytes[1] = LENGTH_64;
            bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
            10
        };
        Self { bytes, length }
    }
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A ping without payload, the same for everybody.
pub(crate) const PING: Bytes = Bytes::from_static(&[FINAL | Opcode::Ping as u8, 0]);

/// A closing frame with its code and reason (RFC 6455 §5.5.1), which has at most 123 bytes.
pub(crate) fn close(code: CloseCode, reason: &str) -> Bytes {
    let mut frame = Header::new(Opcode::Close, 2 + reason.len()).as_ref().to_vec();
    frame.extend_from_slice(&code.code().to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    Bytes::from(frame)
}

/// Whether a sequence of whole, unmasked frames holds a close frame.
pub(crate) fn holds_close(frames: &[u8]) -> bool {
    walk(frames).any(|(opcode, _)| opcode == Opcode::Close as u8)
}

/// A payload behind room for the longest header, as a frame.
fn headed(mut buffer: Vec<u8>, header: &Header) -> Bytes {
    let start = LONGEST_HEADER - header.as_ref().len();
    buffer[start..LONGEST_HEADER].copy_from_slice(header.as_ref());
    Bytes::from(buffer).split_off(start)
}

/// The opcodes and payloads of whole, unmasked frames.
fn walk(mut frames: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let [first, second, rest @ ..] = frames else { return None };
        let (length, rest) = match *second {
            LENGTH_16 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            LENGTH_64 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
            }
            short => (usize::from(short), rest),
        };
        let (payload, rest) = rest.split_at_checked(length)?;
        frames = rest;
        Some((first & 0x0f, payload))
    })
}

const LONGEST_HEADER: usize = 10;
const FINAL: u8 = 0x80;
/// RSV1 (RFC 7692 §6).
const COMPRESSED: u8 = 0x40;
/// No dialect is at this address.
const NO_DIALECT: usize = 0;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame as Reference, Utf8Bytes,
        coding::{Data, OpCode},
    };

    use super::{AnyDialect, Deflate, Frame, Kind, PING, Payload, holds_close};
    use crate::dialect::Rpc;

    fn text(bytes: impl AsRef<[u8]>) -> Frame {
        Frame::made(0, |buffer| {
            buffer.extend_from_slice(bytes.as_ref());
            Kind::Text
        })
    }

    #[test]
    fn frames_are_what_the_library_would_write() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 70_000] {
            let text = "a".repeat(length);
            let frame = Frame::from(&Payload::text(text.as_bytes()));
            let mut expected = Vec::new();
            Reference::message(Utf8Bytes::from(text.clone()), OpCode::Data(Data::Text), true)
                .format(&mut expected)
                .expect("a vector takes everything");
            assert_eq!(frame.bytes(), &expected, "{length} bytes");
            assert_eq!(frame.payloads().collect::<Vec<_>>(), [text.as_bytes()]);
        }
    }

    #[test]
    fn joined_frames_are_the_same_frames() {
        let texts = ["a".repeat(3), String::new(), "b".repeat(300), "c".repeat(70_000)];
        let frames: Vec<Frame> = texts.iter().map(text).collect();
        let joined = Frame::join(&frames);
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
        assert_eq!(joined.bytes(), &bytes);
        assert!(joined.payloads().eq(texts.iter().map(|text| text.as_bytes())));
    }

    #[test]
    fn a_compressed_message_is_marked_and_keeps_its_kind() {
        let deflate = Deflate::with_threshold(100);
        for (kind, first) in [(Kind::Text, 0xc1), (Kind::Binary, 0xc2)] {
            let payload = Payload { kind, bytes: vec![b'x'; 70_000] };
            let frame = Frame::from(&payload).deflated(deflate);
            assert_eq!(frame.bytes()[0], first);
            assert!(frame.bytes().len() < 126, "{}", frame.bytes().len());
            assert!(frame.payloads().eq([frame.bytes().slice(2..)]), "one frame with a short header");
        }
    }

    #[test]
    fn a_compressed_message_keeps_no_more_memory_than_it_is_long() {
        let plain = text("x".repeat(100_000));
        let Frame { bytes, .. } = plain.deflated(Deflate::with_threshold(100));
        let length = bytes.len();
        let kept = bytes.try_into_mut().expect("nobody else has it").capacity();
        assert!(kept <= length + 64, "{kept} bytes for {length}");
    }

    #[test]
    fn what_is_short_or_becomes_no_shorter_stays_as_it_is() {
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = (0..300).map(|_| random.u8(..)).collect();
        for bytes in [vec![b'x'; 99], noise] {
            let frame = Frame::from(&Payload { kind: Kind::Binary, bytes });
            assert_eq!(frame.clone().deflated(Deflate::with_threshold(100)).bytes(), frame.bytes());
        }
    }

    #[test]
    fn what_is_compressed_is_no_part_of_a_batch() {
        let dialect = AnyDialect::new(Rpc);
        let plain = text("x".repeat(300)).in_dialect(&dialect);
        let compressed = plain.clone().deflated(Deflate::with_threshold(100));
        assert!(plain.is_in(&dialect) && Frame::join(&[plain.clone(), plain.clone()]).is_in(&dialect));
        assert!(!compressed.is_in(&dialect));
        assert!(!Frame::join(&[plain, compressed]).is_in(&dialect));
    }

    #[test]
    fn a_close_frame_is_found_behind_others() {
        let mut frames = Vec::new();
        for length in [3, 300, 70_000] {
            frames.extend_from_slice(text(vec![0x88; length]).bytes());
        }
        frames.extend_from_slice(&PING);
        assert!(!holds_close(&frames));
        frames.extend_from_slice(&[0x88, 0]);
        assert!(holds_close(&frames));
        for end in 0..20 {
            holds_close(&frames[..end]);
        }
    }
}
