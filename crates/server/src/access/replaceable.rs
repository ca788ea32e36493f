use super::sync::{Arc, AtomicU64, Ordering, RwLock};

/// Something that is replaced as a whole, with a number by which others see without a lock that it was.
#[derive(Debug)]
pub(super) struct Replaceable<T> {
    /// Held only to take or to replace the reference.
    value: RwLock<Arc<T>>,
    number: AtomicU64,
}

impl<T> Replaceable<T> {
    pub(super) fn new(first: T, number: u64) -> Self {
        Self { value: RwLock::new(Arc::new(first)), number: AtomicU64::new(number) }
    }

    /// Has another one hold from now on.
    pub(super) fn replace(&self, value: T, number: u64) {
        *self.value.write() = Arc::new(value);
        // Behind the value: whoever sees this number finds that value, or a newer one.
        self.number.store(number, Ordering::Release);
    }

    /// The one that holds.
    pub(super) fn value(&self) -> Arc<T> {
        Arc::clone(&self.value.read())
    }

    /// Its number, or that of the one before it, for as long as it is being replaced.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }
}
