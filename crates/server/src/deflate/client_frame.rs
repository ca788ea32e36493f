/// The header of a client's frame (RFC 6455 §5.2), while it comes in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHeader {
    bytes: [u8; LONGEST],
    length: usize,
}

/// What a complete header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientFrame {
    pub(crate) is_last: bool,
    /// RSV1, RSV2 and RSV3.
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    /// Bytes that follow.
    pub(crate) payload: u64,
    pub(crate) mask: Option<[u8; 4]>,
}

impl ClientHeader {
    /// Takes of the bytes what belongs to the header, and returns the rest. With the last of them it is complete.
    pub(crate) fn take<'a>(&mut self, mut bytes: &'a [u8]) -> (&'a [u8], Option<ClientFrame>) {
        while let Some((first, rest)) = bytes.split_first() {
            self.bytes[self.length] = *first;
            self.length += 1;
            bytes = rest;
            if self.length >= 2 && self.length == self.expected() {
                return (bytes, Some(self.read()));
            }
        }
        (bytes, None)
    }

    /// The header as it came, which makes room for the next one.
    pub(crate) fn finish(&mut self) -> ([u8; LONGEST], usize) {
        let Self { bytes, length } = std::mem::take(self);
        (bytes, length)
    }

    /// The whole length, as the first two bytes tell it.
    fn expected(&self) -> usize {
        2 + self.length_bytes() + if self.is_masked() { 4 } else { 0 }
    }

    fn length_bytes(&self) -> usize {
        match self.bytes[1] & !MASKED {
            LENGTH_16 => 2,
            LENGTH_64 => 8,
            _ => 0,
        }
    }

    fn is_masked(&self) -> bool {
        self.bytes[1] & MASKED != 0
    }

    fn read(&self) -> ClientFrame {
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let end = 2 + self.length_bytes();
        let payload = match self.bytes[1] & !MASKED {
            LENGTH_16 | LENGTH_64 => big_endian(&self.bytes[2..end]),
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.bytes[end..end + 4]);
        ClientFrame {
            is_last: self.bytes[0] & FINAL != 0,
            reserved: self.bytes[0] & RESERVED,
            opcode: self.bytes[0] & OPCODE,
            payload,
            mask: self.is_masked().then_some(mask),
        }
    }
}

/// Appends a client's frame that is masked with zeros, and so reads as it is.
pub(super) fn write(first: u8, payload: &[u8], buffer: &mut Vec<u8>) {
    write_header(first, payload.len() as u64, buffer);
    buffer.extend_from_slice(payload);
}

/// Appends the header of such a frame.
pub(super) fn write_header(first: u8, length: u64, buffer: &mut Vec<u8>) {
    buffer.push(first);
    buffer.push(MASKED | LENGTH_64);
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(&[0; 4]);
}

/// The last or only frame of a message.
pub(super) const FINAL: u8 = 0x80;
/// Set on the first frame of a compressed message (RFC 7692 §6).
pub(super) const COMPRESSED: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
/// The first of the control frames.
pub(crate) const CONTROL: u8 = 0x8;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
const LONGEST: usize = 14;
