use thiserror::Error;

/// Reads what Redis sends on a subscriber connection: RESP2 arrays of two or three elements, simple strings, errors.
///
/// Written for this connection instead of a general decoder because of its bound: the length of a message is looked at
/// before its bytes are there, and a message above `max_message` is dropped as it arrives. The buffer never holds more
/// than `max_message` and one read; its capacity at most doubles that, and shrinks again once a long message is past.
///
/// The bytes that are handed out belong to the buffer. A payload is copied by whoever keeps it, at its exact size: a
/// slice that shares the buffer would save the copy of some hundred bytes, but hold all its neighbours in memory as long
/// as one slow client has it in its outbox, and make every bound on payload bytes a lie.
#[derive(Debug)]
pub(super) struct PushReader {
    buffer: Vec<u8>,
    /// Where the next push begins in the buffer.
    at: usize,
    /// Bytes yet to be dropped, of a message that is too long.
    skip: u64,
    max_message: usize,
}

/// One thing that Redis said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push<'a> {
    /// A message was published, to all nodes of a cluster or in a shard of it.
    Message { channel: &'a [u8], payload: &'a [u8] },
    /// A message was published that is too long, and is skipped.
    TooLong { channel: &'a [u8], bytes: u64 },
    /// A subscription is in force.
    Subscribed { channel: &'a [u8] },
    /// A subscription has ended.
    Unsubscribed { channel: &'a [u8] },
    /// A subscription to what is published in a shard is in force, one of so many.
    ShardSubscribed { channel: &'a [u8], held: u64 },
    /// A subscription to what is published in a shard has ended: it was asked for, or the slot has moved.
    ShardUnsubscribed { channel: &'a [u8] },
    /// A PING was answered.
    Pong,
    /// A command was carried out.
    Okay,
    /// A command was refused.
    Error(&'a [u8]),
}

impl PushReader {
    /// A reader for a new connection. Payloads above `max_message` bytes are skipped.
    pub(super) fn new(max_message: usize) -> Self {
        Self { buffer: Vec::with_capacity(READ), at: 0, skip: 0, max_message }
    }

    /// Where to append what was read. There is room for at least one read of 64 KiB.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.at);
        self.at = 0;
        // One long message must not cost its size for ever.
        if self.buffer.capacity() > 4 * READ && self.buffer.len() < READ {
            self.buffer.shrink_to(2 * READ);
        }
        self.buffer.reserve(READ);
        &mut self.buffer
    }

    /// The next push, or `None` until more was read. After an error the connection is of no more use.
    pub(super) fn next(&mut self) -> Result<Option<Push<'_>>, MalformedPush> {
        if self.skip > 0 {
            let dropped = self.skip.min((self.buffer.len() - self.at) as u64);
            self.skip -= dropped;
            self.at += dropped as usize;
            if self.skip > 0 {
                return Ok(None);
            }
        }
        let mut cursor = Cursor { input: &self.buffer, at: self.at };
        match cursor.push(self.max_message) {
            Ok(push) => {
                self.at = cursor.at;
                if let Push::TooLong { bytes, .. } = push {
                    self.skip = bytes + CRLF.len() as u64;
                }
                Ok(Some(push))
            }
            Err(Stop::Incomplete) => Ok(None),
            Err(Stop::Malformed(expected)) => Err(MalformedPush { expected }),
        }
    }
}

/// Redis, or whatever answers in its place, said something that is not the protocol of a subscriber connection.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("the answer is not that of a redis subscriber connection: expected {expected}")]
pub(super) struct MalformedPush {
    expected: &'static str,
}

/// Why a push cannot be read.
enum Stop {
    Incomplete,
    Malformed(&'static str),
}

/// A place in the bytes. Every method takes one thing and steps over it; after an error the place is meaningless.
struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn push(&mut self, max_message: usize) -> Result<Push<'a>, Stop> {
        let rest = &self.input[self.at..];
        for kind in [MESSAGE, SHARD_MESSAGE] {
            if rest.starts_with(kind) {
                self.at += kind.len();
                return self.message(max_message);
            }
        }
        match rest.first() {
            None => Err(Stop::Incomplete),
            Some(b'*') if MESSAGE.starts_with(rest) || SHARD_MESSAGE.starts_with(rest) => {
                Err(Stop::Incomplete)
            }
            Some(b'*') => self.array(),
            Some(b'+') => Ok(match self.line()? {
                b"PONG" => Push::Pong,
                _ => Push::Okay,
            }),
            Some(b'-') => Ok(Push::Error(self.line()?)),
            Some(_) => Err(Stop::Malformed("an array, a simple string or an error")),
        }
    }

    /// What follows the kind of a message: channel and payload.
    fn message(&mut self, max_message: usize) -> Result<Push<'a>, Stop> {
        let channel = self.bulk()?;
        let bytes = self.number(b'$')?;
        if bytes > max_message as u64 {
            return Ok(Push::TooLong { channel, bytes });
        }
        Ok(Push::Message { channel, payload: self.bytes(bytes as usize)? })
    }

    /// Anything but a message.
    fn array(&mut self) -> Result<Push<'a>, Stop> {
        let elements = self.number(b'*')?;
        let kind = self.bulk()?;
        match (elements, kind) {
            (2, b"pong") => self.bulk().map(|_| Push::Pong),
            (3, b"subscribe") => Ok(Push::Subscribed { channel: self.counted_channel()? }),
            (3, b"unsubscribe") => Ok(Push::Unsubscribed { channel: self.counted_channel()? }),
            (3, b"ssubscribe") => {
                let (channel, held) = (self.bulk()?, self.number(b':')?);
                Ok(Push::ShardSubscribed { channel, held })
            }
            (3, b"sunsubscribe") => Ok(Push::ShardUnsubscribed { channel: self.counted_channel()? }),
            _ => Err(Stop::Malformed("a message, a confirmation or a pong")),
        }
    }

    /// A channel and how many subscriptions the connection now has.
    fn counted_channel(&mut self) -> Result<&'a [u8], Stop> {
        let channel = self.bulk()?;
        self.number(b':')?;
        Ok(channel)
    }

    /// A bulk string that is short by its nature.
    fn bulk(&mut self) -> Result<&'a [u8], Stop> {
        match self.number(b'$')? {
            bytes @ ..=MAX_NAME => self.bytes(bytes as usize),
            _ => Err(Stop::Malformed("a short bulk string")),
        }
    }

    /// The bytes of a bulk string.
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.at + length;
        let bytes = self.input.get(self.at..end).ok_or(Stop::Incomplete)?;
        self.at = end;
        self.crlf()?;
        Ok(bytes)
    }

    /// A sign and a number that ends the line.
    fn number(&mut self, sign: u8) -> Result<u64, Stop> {
        if self.byte()? != sign {
            return Err(Stop::Malformed("another type of element"));
        }
        let mut number = 0;
        let begin = self.at;
        loop {
            match self.byte()? {
                digit @ b'0'..=b'9' if number <= MAX_NUMBER / 10 => {
                    number = number * 10 + u64::from(digit - b'0');
                }
                b'\r' if self.at > begin + 1 => break,
                _ => return Err(Stop::Malformed("a number")),
            }
        }
        match self.byte()? {
            b'\n' => Ok(number),
            _ => Err(Stop::Malformed("the end of a line")),
        }
    }

    /// A sign and the text up to the end of the line.
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.input[self.at + 1..];
        match rest.iter().take(MAX_LINE).position(|&byte| byte == b'\r') {
            Some(length) => {
                self.at += 1;
                self.bytes(length)
            }
            None if rest.len() < MAX_LINE => Err(Stop::Incomplete),
            None => Err(Stop::Malformed("a shorter line")),
        }
    }

    fn crlf(&mut self) -> Result<(), Stop> {
        match self.input.get(self.at..self.at + CRLF.len()) {
            Some(CRLF) => {
                self.at += CRLF.len();
                Ok(())
            }
            Some(_) => Err(Stop::Malformed("the end of a line")),
            None => Err(Stop::Incomplete),
        }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.input.get(self.at).ok_or(Stop::Incomplete)?;
        self.at += 1;
        Ok(byte)
    }
}

/// How every message begins. Redis writes it exactly so, which makes one comparison of three elements.
const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n";
/// The same for what was published in a shard.
const SHARD_MESSAGE: &[u8] = b"*3\r\n$8\r\nsmessage\r\n";
const CRLF: &[u8] = b"\r\n";
/// One read of the socket.
const READ: usize = 64 * 1024;
/// Channel names have at most 255 bytes, kinds and the payload of a PING fewer.
const MAX_NAME: u64 = 512;
/// Redis's errors are a sentence.
const MAX_LINE: usize = 4096;
/// Larger than any string Redis holds (512 MiB unless it is configured otherwise); a length above it is nonsense that
/// would be skipped for hours.
const MAX_NUMBER: u64 = 1 << 40;

#[cfg(test)]
mod tests;
