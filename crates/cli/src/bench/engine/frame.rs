//! As much of RFC 6455 as a client needs that reads a great deal and says little.

use thiserror::Error;

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// A whole frame, of so many bytes with its header.
    Frame { opcode: u8, payload: &'a [u8], length: usize },
    /// Not yet a whole frame; it takes at least so many bytes.
    Part { needed: usize },
}

/// What no server may send, or this client does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::bench) enum FrameError {
    #[error("the server sent a frame with reserved bits, as if an extension had been agreed on: {0:#04x}")]
    Reserved(u8),
    #[error("the server masked a frame, which only clients do")]
    Masked,
    #[error("the server sent a frame of {0} bytes, more than {LONGEST}")]
    Long(u64),
}

/// Reads the first frame of `bytes` (RFC 6455 §5.2).
pub(super) fn first_frame(bytes: &[u8]) -> Result<Start<'_>, FrameError> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(Start::Part { needed: 2 }) };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved(first));
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (header, length) = match (second, rest) {
        (126, &[a, b, ..]) => (4, u64::from(u16::from_be_bytes([a, b]))),
        (127, &[a, b, c, d, e, f, g, h, ..]) => (10, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        (126, _) => return Ok(Start::Part { needed: 4 }),
        (127, _) => return Ok(Start::Part { needed: 10 }),
        (length, _) => (2, u64::from(length)),
    };
    let payload = usize::try_from(length).ok().filter(|&length| length <= LONGEST);
    let Some(payload) = payload else { return Err(FrameError::Long(length)) };
    let length = header + payload;
    match bytes.get(header..length) {
        Some(payload) => Ok(Start::Frame { opcode: first & 0x0f, payload, length }),
        None => Ok(Start::Part { needed: length }),
    }
}

/// Appends a frame as a client sends it: whole and masked (RFC 6455 §5.3).
pub(in crate::bench) fn write_masked(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    // The mask protects proxies from hostile scripts (RFC 6455 §10.3); nobody writes scripts for a load generator.
    let mask = fastrand::u32(..).to_be_bytes();
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

pub(in crate::bench) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// More than any envelope that is worth timing, and a bound on what a server can make this client keep.
const LONGEST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => frame.push(length as u8),
            length @ 126..0x1_0000 => {
                frame.push(126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn a_frame_is_whole_only_with_its_last_byte() {
        for size in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; size];
            let mut bytes = frame(TEXT, &payload);
            let length = bytes.len();
            bytes.extend(b"\x81\x03abc");
            assert_eq!(
                first_frame(&bytes),
                Ok(Start::Frame { opcode: TEXT, payload: &payload, length }),
                "{size} bytes"
            );
            for cut in (0..length).filter(|cut| *cut < 20 || length - cut < 20) {
                let Ok(Start::Part { needed }) = first_frame(&bytes[..cut]) else {
                    panic!("{size} at {cut}")
                };
                assert!(cut < needed && needed <= length, "{size} cut at {cut}: {needed} needed of {length}");
            }
        }
    }

    #[test]
    fn what_servers_may_not_send_is_refused() {
        assert_eq!(first_frame(b"\xc1\x01a"), Err(FrameError::Reserved(0xc1)));
        assert_eq!(first_frame(b"\x81\x81aaaaa"), Err(FrameError::Masked));
        assert_eq!(first_frame(b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), Err(FrameError::Long(u64::MAX)));
    }

    #[test]
    fn what_a_client_sends_is_masked_and_whole() {
        for size in [0, 5, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let mut out = Vec::new();
            write_masked(TEXT, &payload, &mut out);
            // Without its mask it is what a server would send.
            let header = out.len() - size - 4;
            let mask: Vec<u8> = out.drain(header..header + 4).collect();
            out[1] &= 0x7f;
            for (at, byte) in out[header..].iter_mut().enumerate() {
                *byte ^= mask[at % 4];
            }
            assert_eq!(out, frame(TEXT, &payload), "{size} bytes");
        }
    }
}
