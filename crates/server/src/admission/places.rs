use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

/// As many places as there may be at this moment. When there are fewer than are taken, nobody has to leave: those who come wait until
/// enough have.
#[derive(Debug)]
pub(super) struct Places {
    most: AtomicUsize,
    taken: AtomicUsize,
    /// There may be room.
    room: Notify,
}

/// One that is taken; free again when dropped.
#[derive(Debug)]
pub(crate) struct TakenPlace(Arc<Places>);

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most: AtomicUsize::new(most), taken: AtomicUsize::new(0), room: Notify::new() }
    }

    /// Has there be so many from now on.
    pub(super) fn allow(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
        self.room.notify_waiters();
    }

    /// Waits for a place.
    pub(super) fn take(self: &Arc<Self>) -> impl Future<Output = TakenPlace> + use<> {
        let places = Arc::clone(self);
        async move {
            loop {
                // Begun before it is looked, so that nobody leaves unnoticed in between.
                let room = places.room.notified();
                if places.try_take() {
                    break;
                }
                room.await;
            }
            TakenPlace(places)
        }
    }

    fn try_take(&self) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let one_more = |taken: usize| (taken < most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    /// How many are taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for TakenPlace {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
        self.0.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    fn try_take(places: &Arc<Places>) -> Option<TakenPlace> {
        places.take().now_or_never()
    }

    #[tokio::test]
    async fn who_comes_too_late_waits_for_whoever_leaves() {
        let places = Arc::new(Places::new(1));
        let first = try_take(&places).unwrap();
        let (mut second, mut third) = (pin!(places.take()), pin!(places.take()));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        let second = second.await;
        assert!(third.as_mut().now_or_never().is_none(), "there is one place, and it is taken");
        drop(second);
        drop(third.await);
        assert_eq!(places.taken(), 0);
    }

    #[tokio::test]
    async fn more_places_are_for_those_who_wait_and_fewer_end_nobody() {
        let places = Arc::new(Places::new(1));
        let mut inside = vec![try_take(&places).unwrap()];
        let (mut second, mut third) = (pin!(places.take()), pin!(places.take()));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        places.allow(3);
        inside.extend([second.await, third.await]);
        places.allow(1);
        assert_eq!(places.taken(), 3);
        let mut last = pin!(places.take());
        for _ in 0..2 {
            assert!(last.as_mut().now_or_never().is_none());
            inside.pop();
        }
        assert!(last.as_mut().now_or_never().is_none(), "one is there, and one may be");
        inside.pop();
        last.await;
    }

    #[tokio::test]
    async fn who_waits_no_more_keeps_nobody_from_a_place() {
        let places = Arc::new(Places::new(1));
        let first = try_take(&places).unwrap();
        let mut waiting = pin!(places.take());
        assert!(waiting.as_mut().now_or_never().is_none());
        {
            let mut given_up = pin!(places.take());
            assert!(given_up.as_mut().now_or_never().is_none());
        }
        drop(first);
        waiting.await;
    }
}
