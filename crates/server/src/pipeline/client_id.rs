use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// A connection, told from all others of all nodes. It says nothing about the client and means nothing after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId {
    node: u64,
    number: u64,
}

impl ClientId {
    /// An id that was never given before.
    pub(crate) fn next() -> Self {
        // Uniqueness is all that counts, so the numbers need no order with anything else.
        Self { node: *NODE, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.node.to_be_bytes());
        bytes[8..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let number = u128::from_be_bytes(bytes);
        // The casts split the number into its halves.
        Self { node: (number >> 64) as u64, number: number as u64 }
    }

    pub(super) const BYTES: usize = 16;
}

/// Hexadecimal digits of the node, a hyphen, the number of the connection.
impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.node, self.number)
    }
}

/// Drawn once, so that two nodes of one Redis do not give the same ids.
static NODE: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
static NUMBERS: AtomicU64 = AtomicU64::new(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_survive_the_wire() {
        let (first, second) = (ClientId::next(), ClientId::next());
        assert_ne!(first, second);
        assert_eq!(ClientId::from_bytes(first.to_bytes()), first);
        assert_ne!(first.to_string(), second.to_string());
    }
}
