use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::{clock, transport::Peer};

/// Who a client is, for those who look after the server.
#[derive(Debug)]
pub(crate) struct Card {
    /// It rises from connection to connection of a process, whatever worker has them.
    pub(crate) number: u64,
    /// Whose client it is: behind a trusted proxy, not the proxy's address.
    pub(crate) address: Peer,
    /// In which it speaks.
    pub(crate) dialect: &'static str,
    pub(crate) since: Instant,
}

impl Card {
    /// That of a client that has just connected.
    pub(crate) fn new(address: Peer, dialect: &'static str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), address, dialect, since: clock::now() }
    }
}
