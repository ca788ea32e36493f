use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{AxisOrder, KnownCrs, Transform, TransformError};

/// The transformations in use, shared by all threads: each is made once, and the least recently used one goes
/// when there are too many. That there is none between two systems is remembered in the same way.
#[derive(Debug)]
pub struct Transforms {
    capacity: NonZeroUsize,
    /// Held for a look-up, never while PROJ works.
    table: Mutex<Table>,
    /// Signalled when an entry is no longer being created.
    created: Condvar,
}

/// What a transformation is found by.
type Key = (KnownCrs, KnownCrs, AxisOrder);

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Key, Entry>,
    /// Counts uses, to tell which entry has not been used for longest.
    uses: u64,
    /// Counts those that were made.
    made: u64,
}

#[derive(Debug)]
struct Entry {
    state: State,
    last_use: u64,
}

#[derive(Clone, Debug)]
enum State {
    Creating,
    Done(Result<Arc<Transform>, TransformError>),
}

impl Transforms {
    /// How many are kept by default; each was measured at 420 KiB.
    pub const CAPACITY: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not 0");

    /// An empty cache for so many transformations.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { capacity, table: Mutex::default(), created: Condvar::new() }
    }

    /// The transformation, if it has been made. It never makes one, nor waits for one: for threads that serve
    /// clients.
    #[must_use]
    pub fn get_if_present(&self, from: KnownCrs, to: KnownCrs, order: AxisOrder) -> Option<Arc<Transform>> {
        match self.table().state((from, to, order)) {
            Some(State::Done(Ok(transform))) => Some(transform),
            _ => None,
        }
    }

    /// The transformation, made if need be, which blocks for up to 60 ms. Of several callers that ask for the
    /// same one at once, one makes it and the others wait.
    ///
    /// # Errors
    /// When there is no transformation between the two systems.
    pub fn get_or_create(
        &self,
        from: KnownCrs,
        to: KnownCrs,
        order: AxisOrder,
    ) -> Result<Arc<Transform>, TransformError> {
        let key = (from, to, order);
        let mut table = self.table();
        loop {
            match table.state(key) {
                Some(State::Done(result)) => return result,
                Some(State::Creating) => {
                    table = self.created.wait(table).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        table.insert(key, State::Creating, self.capacity);
        drop(table);
        let result = Transform::new(from, to, order).map(Arc::new);
        let mut table = self.table();
        table.made += 1;
        table.insert(key, State::Done(result.clone()), self.capacity);
        drop(table);
        self.created.notify_all();
        result
    }

    /// How many entries there are, failures included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().entries.len()
    }

    /// How many have been made so far, failures included.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.table().made
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Transforms {
    fn default() -> Self {
        Self::new(Self::CAPACITY)
    }
}

impl Table {
    fn state(&mut self, key: Key) -> Option<State> {
        self.uses += 1;
        let entry = self.entries.get_mut(&key)?;
        entry.last_use = self.uses;
        Some(entry.state.clone())
    }

    fn insert(&mut self, key: Key, state: State, capacity: NonZeroUsize) {
        self.uses += 1;
        self.entries.insert(key, Entry { state, last_use: self.uses });
        while self.entries.len() > capacity.get() {
            // What is being created has somebody waiting for it: at most one entry per waiting thread.
            let oldest = self
                .entries
                .iter()
                .filter(|(other, entry)| **other != key && matches!(entry.state, State::Done(_)))
                .min_by_key(|(_, entry)| entry.last_use)
                .map(|(key, _)| *key);
            match oldest {
                Some(oldest) => self.entries.remove(&oldest),
                None => break,
            };
        }
    }
}
