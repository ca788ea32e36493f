use std::io::{self, Read, Write};

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::{
    Message, WebSocket,
    error::{CapacityError, Error},
    protocol::{Role, WebSocketConfig},
};

use super::*;
use crate::deflate::TAIL;

/// What tungstenite makes of what a client sends, in pieces of at most `piece` bytes: the messages, and the code with which
/// it would be closed.
fn received(sent: &[u8], piece: usize) -> (Vec<Message>, Option<u16>) {
    let pieces = sent.chunks(piece).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter();
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let stream = Stream { inflow: Inflow::new(LIMIT), pieces };
    let mut websocket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
    let mut messages = Vec::new();
    loop {
        match websocket.read() {
            Ok(message) => messages.push(message),
            // Random bytes may close, in either of two ways of saying so.
            Err(Error::Io(_) | Error::ConnectionClosed) => return (messages, None),
            Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => return (messages, Some(1009)),
            Err(Error::Utf8(_)) => return (messages, Some(1007)),
            Err(Error::Protocol(_)) => return (messages, Some(1002)),
            Err(error) => panic!("{error}"),
        }
    }
}

struct Stream {
    inflow: Inflow,
    pieces: std::vec::IntoIter<Vec<u8>>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inflow.read(buffer);
            if read > 0 {
                return Ok(read);
            }
            let piece = self.pieces.next().ok_or(io::ErrorKind::WouldBlock)?;
            self.inflow.receive(&piece);
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn deflated(message: impl AsRef<[u8]>) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(message.as_ref().len() * 2 + 64);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(message.as_ref(), &mut compressed, FlushCompress::Sync).unwrap();
    assert!(compressed.ends_with(&TAIL));
    compressed.truncate(compressed.len() - TAIL.len());
    compressed
}

/// A client's frame with a mask that changes every byte.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
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
    let mask = [0x11, 0xa5, 0x5a, 0xee];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn check(name: &str, frames: &[Vec<u8>], messages: &[Message], code: Option<u16>) {
    let sent = frames.concat();
    for piece in [1, 2, 3, 7, 512, sent.len()] {
        assert_eq!(received(&sent, piece), (messages.to_vec(), code), "{name}, {piece} bytes at a time");
    }
}

#[test]
fn compressed_messages_read_like_others() {
    let (sub, long) = (deflated("SUB news"), "x".repeat(LIMIT));
    let news = Message::text("SUB news");
    let pong = Message::Ping("are you there?".into());
    check("one frame", &[frame(0xc1, &sub)], std::slice::from_ref(&news), None);
    check("binary", &[frame(0xc2, deflated([0, 1, 0xff]))], &[Message::binary(vec![0, 1, 0xff])], None);
    check("empty", &[frame(0xc1, deflated(""))], &[Message::text("")], None);
    check("as long as allowed", &[frame(0xc1, deflated(&long))], &[Message::text(long.as_str())], None);
    check(
        "plain between",
        &[frame(0xc1, &sub), frame(0x81, "PING"), frame(0x01, "PI"), frame(0x80, "NG"), frame(0xc1, &sub)],
        &[news.clone(), Message::text("PING"), Message::text("PING"), news.clone()],
        None,
    );
    check(
        "fragments",
        &[
            frame(0x41, &sub[..1]),
            frame(0x00, ""),
            frame(0x89, "are you there?"),
            frame(0x00, &sub[1..]),
            frame(0x80, ""),
            frame(0x81, "PING"),
        ],
        &[pong, news.clone(), Message::text("PING")],
        None,
    );
    check(
        "nothing in it",
        &[frame(0xc1, ""), frame(0x81, "PING")],
        &[Message::text(""), Message::text("PING")],
        None,
    );
    let most =
        [vec![frame(0x41, &sub)], vec![frame(0x00, ""); MOST_FRAGMENTS - 2], vec![frame(0x80, "")]].concat();
    check("as many fragments as allowed", &most, &[news], None);
    let control =
        [vec![frame(0x41, &sub)], vec![frame(0x89, "x"); MOST_FRAGMENTS + 1], vec![frame(0x80, "")]].concat();
    let (messages, code) = received(&control.concat(), 512);
    assert_eq!((messages.len(), code), (MOST_FRAGMENTS + 2, None), "control frames are no fragments");
}

#[test]
fn what_breaks_the_rules_is_refused_with_its_code() {
    let sub = deflated("SUB news");
    let after = frame(0x81, "PING");
    let too_long = deflated("x".repeat(LIMIT + 1));
    let bomb = deflated(vec![0; 1_000_000]);
    let cases: [(&str, Vec<Vec<u8>>, u16); 20] = [
        ("one byte too long", vec![frame(0xc1, too_long)], 1009),
        ("a bomb", vec![frame(0xc2, &bomb)], 1009),
        ("a bomb in fragments", vec![frame(0x41, &bomb[..100]), frame(0x80, &bomb[100..])], 1009),
        ("a long frame", vec![frame(0xc1, [0xa5; 2 * LIMIT])], 1009),
        (
            "a long frame that is only announced",
            vec![[&[0xc1, 0xff][..], &[0x7f; 8], &[0; 4]].concat()],
            1009,
        ),
        (
            "fragments without end",
            [vec![frame(0x41, "")], vec![frame(0x00, ""); MOST_FRAGMENTS]].concat(),
            1009,
        ),
        ("long fragments", vec![frame(0x41, [0; LIMIT]), frame(0x00, [0; LIMIT])], 1009),
        ("a message that is cut off", vec![frame(0xc1, &sub[..sub.len() - 2])], 1007),
        ("no compressed data", vec![frame(0xc1, "not compressed")], 1007),
        ("no compressed binary data", vec![frame(0xc2, [0xff; 9])], 1007),
        ("compressed text that is not UTF-8", vec![frame(0xc1, deflated(b"SUB \xff\xfe"))], 1007),
        ("a compressed continuation", vec![frame(0x41, &sub[..1]), frame(0xc0, &sub[1..])], 1002),
        ("a compressed continuation of plain text", vec![frame(0x01, "PI"), frame(0xc0, "NG")], 1002),
        ("a compressed ping", vec![frame(0xc9, deflated("x"))], 1002),
        ("another reserved bit", vec![frame(0xa1, &sub)], 1002),
        ("all reserved bits", vec![frame(0xf1, &sub)], 1002),
        ("no mask", vec![[&[0xc1, 9][..], &[0; 9]].concat()], 1002),
        ("a plain message within", vec![frame(0x41, &sub[..1]), frame(0x81, "PING")], 1002),
        ("a compressed message within", vec![frame(0x41, &sub[..1]), frame(0xc1, &sub)], 1002),
        ("a compressed message within a plain one", vec![frame(0x01, "PI"), frame(0xc1, &sub)], 1002),
    ];
    for (name, frames, code) in cases {
        check(name, &[frames, vec![after.clone()]].concat(), &[], Some(code));
    }
    check(
        "a continuation of nothing",
        &[frame(0xc1, &sub), frame(0x80, "x")],
        &[Message::text("SUB news")],
        Some(1002),
    );
    check("a ping in fragments", &[frame(0x41, &sub[..1]), frame(0x09, "x")], &[], Some(1002));
    check("a ping that is too long", &[frame(0x41, &sub[..1]), frame(0x89, [0; 126])], &[], Some(1002));
    check("an unknown opcode", &[frame(0x41, &sub[..1]), frame(0x83, "x")], &[], Some(1002));
}

#[test]
fn nothing_is_kept_when_nothing_is_on_its_way() {
    let mut inflow = Inflow::new(LIMIT);
    let mut buffer = [0; 16];
    for frame in [frame(0xc1, deflated("x".repeat(300))), frame(0x81, "PING")] {
        inflow.receive(&frame);
        while inflow.read(&mut buffer) > 0 {}
        let Inflow { message, received, ready, .. } = &inflow;
        assert!(message.is_none() && received.capacity() == 0 && ready.capacity() == 0, "{inflow:?}");
    }
}

proptest! {
    #[test]
    fn what_a_client_compresses_arrives(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..LIMIT), any::<bool>(), 1..50_usize), 1..5),
        piece in 1..600_usize,
    ) {
        let mut sent = Vec::new();
        for (message, is_compressed, fragment) in &messages {
            let (bytes, bit) = if *is_compressed { (deflated(message), COMPRESSED) } else { (message.clone(), 0) };
            let fragments: Vec<_> = bytes.chunks(bytes.len().div_ceil(*fragment).max(1)).collect();
            sent.extend(frame(BINARY | bit, []));
            for fragment in fragments {
                sent.extend(frame(CONTINUATION, fragment));
                sent.extend(frame(FINAL | 0x9, "x"));
            }
            sent.extend(frame(FINAL, []));
        }
        let (arrived, code) = received(&sent, piece);
        let arrived: Vec<Vec<u8>> = arrived.into_iter().filter(|message| !message.is_ping())
            .map(|message| message.into_data().to_vec()).collect();
        let expected: Vec<Vec<u8>> = messages.into_iter().map(|(message, ..)| message).collect();
        prop_assert_eq!((arrived, code), (expected, None));
    }

    #[test]
    fn pieces_make_no_difference(sent in prop::collection::vec(any::<u8>(), 0..600), piece in 1..100_usize) {
        prop_assert_eq!(received(&sent, piece), received(&sent, 600));
    }
}

const LIMIT: usize = 1_000;
