//! permessage-deflate (RFC 7692): compressed messages, each by itself.

mod client_frame;
mod compressor;
mod inflater;
mod inflow;
mod negotiation;
mod offer;

pub(crate) use client_frame::{CONTINUATION, CONTROL, ClientFrame, ClientHeader, TEXT};
pub(crate) use inflow::Inflow;
pub(crate) use negotiation::negotiate;

/// Whether messages may be compressed on their way to clients that offer to take them so (RFC 7692).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// No client's offer is accepted.
    #[default]
    Off,
    /// Offers are accepted. What is pushed is compressed once for all subscribers who are sent the same.
    Deflate {
        /// Bytes of a message from which on it is compressed; shorter ones are sent as they are.
        threshold: usize,
    },
}

/// How messages to one client are compressed: each without regard to those before it, so that all can share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deflate {
    /// The logarithm of how far back a compressed message refers, in bytes.
    window: u8,
    /// Bytes of a message from which on it is compressed.
    threshold: usize,
}

impl Compression {
    /// The bytes of [`Deflate`](Self::Deflate)'s threshold where nothing else is said: much less than that becomes hardly
    /// smaller.
    pub const THRESHOLD: usize = 256;
}

impl Deflate {
    /// Appends to `buffer` what a compressed message carries, and says whether that is worth it: where it is not, the buffer
    /// is as before.
    pub(crate) fn compress(self, message: &[u8], buffer: &mut Vec<u8>) -> bool {
        message.len() >= self.threshold && compressor::compress(self.window, message, buffer)
    }

    #[cfg(test)]
    pub(crate) fn with_threshold(threshold: usize) -> Self {
        Self { window: LARGEST_WINDOW, threshold }
    }
}

/// What ends each flushed part of a stream, and is not sent (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The largest window there is, and the one of whoever says nothing else (RFC 7692 §7.1.2).
const LARGEST_WINDOW: u8 = 15;
/// The smallest window that zlib compresses with; RFC 7692 has one smaller, with which clients get nothing compressed.
const SMALLEST_WINDOW: u8 = 9;
