use std::{
    future::Future,
    hash::Hash,
    mem,
    sync::Arc,
    task::{Context, Waker},
};

use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::oneshot, task::yield_now};

use crate::hashing::HashMap;

/// Work that is done once for all who asked for it before it began, and for each key one at a time. Who asks while it is under way
/// is served by the next turn, as this one may have seen what was before.
#[derive(Debug)]
pub(crate) struct Turns<K, T> {
    /// Whoever asks may end before what it asked for, and its thread too.
    runtime: Handle,
    queues: Mutex<Queues<K, oneshot::Sender<T>>>,
}

/// Who waits, by key: those of keys for which a turn is under way.
#[derive(Debug)]
struct Queues<K, A>(HashMap<K, Queue<A>>);

/// A client asks for one thing at a time, so there are as many here as connections; who has gone stays to the end of the turn.
#[derive(Debug)]
struct Queue<A> {
    /// For the turn that is under way.
    now: Vec<A>,
    /// While it was under way: theirs has to begin later.
    next: Vec<A>,
}

/// Turns that follow each other. If they end before their time, those who wait are told that there will be nothing.
#[derive(Debug)]
struct UnderWay<K: Eq + Hash, T> {
    turns: Arc<Turns<K, T>>,
    key: K,
    is_over: bool,
}

impl<K, T> Turns<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + 'static,
{
    pub(crate) fn new(runtime: Handle) -> Arc<Self> {
        Arc::new(Self { runtime, queues: Mutex::new(Queues(HashMap::default())) })
    }

    /// Asks for work, the same whoever asks for this key. It begins now, or when what is under way has ended. What comes of it; an
    /// error if it was given up, as it panicked or its runtime has ended.
    pub(crate) fn ask<F>(
        self: &Arc<Self>,
        key: &K,
        work: impl Fn() -> F + Send + 'static,
    ) -> oneshot::Receiver<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (asker, told) = oneshot::channel();
        let begins = self.queues.lock().ask(key, asker);
        if begins {
            let under_way = UnderWay { turns: Arc::clone(self), key: key.clone(), is_over: false };
            let mut turns = Box::pin(under_way.run(work));
            // What has to wait for nothing is done at once, on this thread: another one would take longer to wake. What waits belongs
            // to the other runtime from the beginning.
            let _within = self.runtime.enter();
            if turns.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.runtime.spawn(turns);
            }
        }
        told
    }
}

impl<K: Eq + Hash, T: Clone> UnderWay<K, T> {
    async fn run<F: Future<Output = T>>(mut self, work: impl Fn() -> F) {
        loop {
            let done = work().await;
            let (served, goes_on) = self.turns.queues.lock().end(&self.key);
            self.is_over = !goes_on;
            for asker in served {
                // Who has gone need not be told.
                let _gone: Result<(), T> = asker.send(done.clone());
            }
            if !goes_on {
                return;
            }
            drop(done);
            // Whoever asked first need not stay for those behind it.
            yield_now().await;
        }
    }
}

impl<K: Eq + Hash, T> Drop for UnderWay<K, T> {
    fn drop(&mut self) {
        if !self.is_over {
            let given_up = self.turns.queues.lock().0.remove(&self.key);
            drop(given_up);
        }
    }
}

impl<K: Clone + Eq + Hash, A> Queues<K, A> {
    /// Takes in somebody who asks. True if a turn begins now, as none is under way.
    fn ask(&mut self, key: &K, asker: A) -> bool {
        if let Some(queue) = self.0.get_mut(key) {
            queue.next.push(asker);
            return false;
        }
        self.0.insert(key.clone(), Queue { now: vec![asker], next: Vec::new() });
        true
    }
}

impl<K: Eq + Hash, A> Queues<K, A> {
    /// Ends a turn. Returns those for whom it was, and whether another one begins now.
    fn end(&mut self, key: &K) -> (Vec<A>, bool) {
        let Some(queue) = self.0.get_mut(key) else { return (Vec::new(), false) };
        let next = mem::take(&mut queue.next);
        let goes_on = !next.is_empty();
        let served = mem::replace(&mut queue.now, next);
        if !goes_on {
            self.0.remove(key);
        }
        (served, goes_on)
    }
}

#[cfg(test)]
mod tests;
