//! The part of `tokio::sync::watch` that is used here, but for one thing: those who wait are woken in the order in which they came.
//! Tokio wakes them in an order of chance that cannot be seeded.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{RwLock, RwLockReadGuard};
use tokio::sync::Notify;

/// Sets the value.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// Sees the value, and when it changes.
#[derive(Clone)]
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

/// There is no sender any more.
#[derive(Debug)]
pub(crate) struct Closed;

struct Shared<T> {
    value: RwLock<T>,
    version: AtomicU64,
    is_closed: AtomicBool,
    changed: Notify,
}

/// A sender, and one who has seen the first value.
pub(crate) fn channel<T>(first: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(first);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Sender<T> {
    pub(crate) fn new(first: T) -> Self {
        Self(Arc::new(Shared {
            value: RwLock::new(first),
            version: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            changed: Notify::new(),
        }))
    }

    pub(crate) fn subscribe(&self) -> Receiver<T> {
        let seen = self.0.version.load(Ordering::Acquire);
        Receiver { shared: Arc::clone(&self.0), seen }
    }

    pub(crate) fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.0.value.read()
    }

    pub(crate) fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        modify(&mut self.0.value.write());
        self.0.version.fetch_add(1, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    pub(crate) fn send_replace(&self, value: T) -> T {
        let mut value = value;
        self.send_modify(|old| std::mem::swap(old, &mut value));
        value
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }
}

impl<T> Receiver<T> {
    pub(crate) fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.shared.value.read()
    }

    pub(crate) fn borrow_and_update(&mut self) -> RwLockReadGuard<'_, T> {
        self.seen = self.shared.version.load(Ordering::Acquire);
        self.shared.value.read()
    }

    pub(crate) async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            let mut notified = pin!(self.shared.changed.notified());
            notified.as_mut().enable();
            let version = self.shared.version.load(Ordering::Acquire);
            if std::mem::replace(&mut self.seen, version) != version {
                return Ok(());
            }
            if self.shared.is_closed.load(Ordering::Acquire) {
                return Err(Closed);
            }
            notified.await;
        }
    }

    pub(crate) async fn wait_for(
        &mut self,
        mut is_it: impl FnMut(&T) -> bool,
    ) -> Result<RwLockReadGuard<'_, T>, Closed> {
        while !is_it(&self.borrow_and_update()) {
            self.changed().await?;
        }
        Ok(self.shared.value.read())
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sender").field(&*self.borrow()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Receiver").field(&*self.borrow()).finish()
    }
}
