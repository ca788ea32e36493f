use std::{
    collections::hash_map::Entry,
    fmt,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use geocast_protocol::Channel;
use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

use super::{DataSettings, database::Database};
use crate::StoreError;

/// Changes of state on their way to disk, written by a thread of their own.
///
/// Whatever waits is written in one transaction, so what is on disk is always the state of one moment. Of several changes of
/// a key, the last is written.
#[derive(Debug)]
pub(super) struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What waits to be written, by channel and key.
pub(super) type Changes = FxHashMap<(Channel, Box<str>), Change>;

/// What has become of a key.
#[derive(Debug)]
pub(super) struct Change {
    /// Its value; none if it has been removed.
    pub(super) value: Option<Bytes>,
    _room: OwnedSemaphorePermit,
}

/// Room for a change that is about to be made.
#[derive(Debug)]
pub(super) struct Room(OwnedSemaphorePermit);

/// The place of a change among all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(u64);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something new for the thread to know.
    wake: Condvar,
    room: Arc<Semaphore>,
    capacity: u32,
    progress: watch::Sender<Progress>,
    interval: Duration,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: Changes,
    /// Changes so far.
    made: u64,
    /// Whether to write now.
    is_urgent: bool,
    /// Whether to write and end.
    is_over: bool,
}

#[derive(Debug, Clone, Default)]
struct Progress {
    /// The changes up to this one are on disk.
    written: u64,
    /// It was tried to write up to this one, and why it failed.
    failed: Option<(u64, Arc<str>)>,
}

impl Journal {
    /// Begins to write to a database.
    pub(super) fn start(database: Database, settings: &DataSettings) -> std::io::Result<Self> {
        let capacity = settings.queue.min(Semaphore::MAX_PERMITS);
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            room: Arc::new(Semaphore::new(capacity as usize)),
            capacity,
            progress: watch::Sender::default(),
            interval: settings.flush_interval,
        });
        let writing = Arc::clone(&shared);
        let thread = thread::Builder::new().name("data".to_owned()).spawn(move || writing.run(database))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Waits until there is room for a change.
    ///
    /// # Errors
    /// The disk has not kept up for too long.
    pub(super) async fn room(&self, key: &str, value: usize) -> Result<Room, StoreError> {
        let Shared { room, capacity, .. } = &*self.shared;
        let bytes = u32::try_from(key.len() + value + OVERHEAD).unwrap_or(u32::MAX).min(*capacity);
        if let Ok(permit) = Arc::clone(room).try_acquire_many_owned(bytes) {
            return Ok(Room(permit));
        }
        self.shared.urge();
        match timeout(PATIENCE, Arc::clone(room).acquire_many_owned(bytes)).await {
            Ok(Ok(permit)) => Ok(Room(permit)),
            _ => Err(StoreError::Unavailable(match &self.shared.progress.borrow().failed {
                Some((_, reason)) => format!("state cannot be written: {reason}"),
                None => format!("more than {capacity} bytes of state wait to be written"),
            })),
        }
    }

    /// Takes a change. Changes are to be handed over in the order in which they are made.
    pub(super) fn record(&self, channel: &Channel, key: &str, value: Option<Bytes>, room: Room) -> Place {
        let mut waiting = self.shared.waiting.lock();
        waiting.made += 1;
        waiting.changes.insert((channel.clone(), key.into()), Change { value, _room: room.0 });
        waiting.is_urgent |= self.shared.room.available_permits() < self.shared.capacity as usize / 2;
        self.shared.wake.notify_one();
        Place(waiting.made)
    }

    /// Ends when a change is on disk, if publishers are to wait for that.
    ///
    /// # Errors
    /// It could not be written; that is tried again.
    pub(super) async fn written(&self, place: Place) -> Result<(), StoreError> {
        if self.shared.interval.is_zero() { self.shared.reach(place.0).await } else { Ok(()) }
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// It could not be written; that is tried again.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.shared.urge();
        let made = self.shared.waiting.lock().made;
        self.shared.reach(made).await
    }

    /// Why the last attempt to write failed, if it did.
    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.shared.progress.borrow().failed.as_ref().map(|(_, reason)| Arc::clone(reason))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.waiting.lock().is_over = true;
        self.shared.wake.notify_one();
        // A thread that panicked has written what it could.
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

impl Shared {
    fn urge(&self) {
        self.waiting.lock().is_urgent = true;
        self.wake.notify_one();
    }

    async fn reach(&self, place: u64) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        let decided = |progress: &Progress| {
            progress.written >= place || progress.failed.as_ref().is_some_and(|(failed, _)| *failed >= place)
        };
        // The sender lives as long as this.
        let Ok(progress) = progress.wait_for(decided).await else { return Ok(()) };
        match &progress.failed {
            Some((_, reason)) if progress.written < place => {
                Err(StoreError::Unavailable(format!("state cannot be written: {reason}")))
            }
            _ => Ok(()),
        }
    }

    fn run(&self, mut database: Database) {
        loop {
            let (changes, made, is_over) = self.take();
            if changes.is_empty() {
                return;
            }
            match database.write(&changes) {
                Ok(()) => self.progress.send_modify(|progress| {
                    *progress = Progress { written: made, failed: None };
                }),
                Err(error) => {
                    self.fail(made, &error);
                    if is_over {
                        let changes = changes.len();
                        return tracing::error!(event = "state_lost", changes, %error, "changes of state are lost");
                    }
                    self.put_back(changes);
                }
            }
        }
    }

    /// Waits until there is something to write, and it is time for it. Nothing at the end.
    fn take(&self) -> (Changes, u64, bool) {
        let mut waiting = self.waiting.lock();
        while waiting.changes.is_empty() && !waiting.is_over {
            waiting.is_urgent = false;
            self.wake.wait(&mut waiting);
        }
        let until = Instant::now() + self.interval;
        while !waiting.is_urgent && !waiting.is_over && Instant::now() < until {
            self.wake.wait_until(&mut waiting, until);
        }
        waiting.is_urgent = false;
        (std::mem::take(&mut waiting.changes), waiting.made, waiting.is_over)
    }

    fn fail(&self, made: u64, error: &dyn fmt::Display) {
        let is_new = self.progress.borrow().failed.is_none();
        if is_new {
            tracing::error!(event = "state_write_failed", %error, "state cannot be written; it is tried again");
        }
        let reason = error.to_string().into();
        self.progress.send_modify(|progress| progress.failed = Some((made, reason)));
    }

    /// Keeps what could not be written for the next attempt, unless it is outdated, and waits a moment.
    fn put_back(&self, changes: Changes) {
        let mut waiting = self.waiting.lock();
        for (place, change) in changes {
            if let Entry::Vacant(entry) = waiting.changes.entry(place) {
                entry.insert(change);
            }
        }
        let until = Instant::now() + RETRY;
        while !waiting.is_over && !self.wake.wait_until(&mut waiting, until).timed_out() {}
    }
}

/// Bytes that a change takes besides its key and value, roughly.
const OVERHEAD: usize = 128;

/// How long a publisher waits for a disk that does not keep up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two attempts to write to a disk that refuses.
const RETRY: Duration = Duration::from_millis(500);
