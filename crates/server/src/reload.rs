use std::{error::Error, fmt, sync::Arc};

use geocast_protocol::envelope::Timestamp;
use parking_lot::Mutex;

use crate::clock;

/// What is read again when an operator asks for it, by name: settings, certificates, keys, and whatever else is added. All of
/// it is taken up, or, if anything cannot be read, nothing. Clones share it.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use geocast_server::{Prepared, Reload};
///
/// let reload = Reload::default();
/// let greeting = Arc::new(Mutex::new("hello".to_owned()));
/// let current = Arc::clone(&greeting);
/// reload.add("greeting", move || {
///     let read = std::fs::read_to_string("greeting.txt")?;
///     let current = Arc::clone(&current);
///     Ok(Prepared::new(move || *current.lock().unwrap() = read))
/// });
/// assert_eq!(reload.run(), 1, "one thing cannot be read: there is no such file");
/// assert_eq!(*greeting.lock().unwrap(), "hello");
/// ```
#[derive(Clone, Default)]
pub struct Reload(Arc<Shared>);

#[derive(Default)]
struct Shared {
    actions: Mutex<Vec<Arc<Action>>>,
    /// What is done when something has been taken up.
    afterwards: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
    /// Held while actions run: what is read last also holds last.
    running: Mutex<()>,
    last: LastReload,
}

struct Action {
    name: String,
    prepare: Box<Prepare>,
}

type Prepare = dyn Fn() -> Result<Prepared, ReloadError> + Send + Sync;

/// What became of reading again, for those who are asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastReload(Arc<Mutex<Option<Reloaded>>>);

/// Something that has been read and is right, and is still to be taken up, which cannot fail.
pub struct Prepared(Box<dyn FnOnce() + Send>);

/// What became of reading again.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Reloaded {
    /// When that was.
    pub at: Timestamp,
    /// How much of it could not be read: if anything, all is as it was.
    pub failures: usize,
}

/// Why everything stays as it is.
pub type ReloadError = Box<dyn Error + Send + Sync>;

impl Prepared {
    /// To be taken up by this.
    pub fn new(take_up: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(take_up))
    }

    pub(crate) fn nothing() -> Self {
        Self::new(|| ())
    }

    /// Takes it up.
    pub(crate) fn take_up(self) {
        (self.0)();
    }
}

impl Reload {
    /// Adds something that can be read again. Reading it changes nothing: what does, is returned.
    pub fn add(
        &self,
        name: impl Into<String>,
        prepare: impl Fn() -> Result<Prepared, ReloadError> + Send + Sync + 'static,
    ) {
        let action = Action { name: name.into(), prepare: Box::new(prepare) };
        self.0.actions.lock().push(Arc::new(action));
    }

    /// Adds something to be done whenever all has been taken up.
    pub(crate) fn afterwards(&self, action: impl Fn() + Send + Sync + 'static) {
        self.0.afterwards.lock().push(Arc::new(action));
    }

    /// Reads everything, in the order in which it was added, and takes all of it up, unless something cannot be read. Logs
    /// what became of it, and returns how much could not be read. Files are read: not for a thread that must not wait.
    pub fn run(&self) -> usize {
        let _one_at_a_time = self.0.running.lock();
        let actions = self.0.actions.lock().clone();
        let (mut prepared, mut failures) = (Vec::with_capacity(actions.len()), 0);
        for action in &actions {
            match (action.prepare)() {
                Ok(ready) => prepared.push((&action.name, ready)),
                Err(error) => {
                    failures += 1;
                    tracing::error!(
                        event = "reload_unreadable",
                        "cannot be read again: {}: {}",
                        action.name,
                        with_sources(&*error)
                    );
                }
            }
        }
        if failures == 0 {
            for (name, ready) in prepared {
                ready.take_up();
                tracing::info!(event = "reload_read", "read again: {name}");
            }
            let afterwards = self.0.afterwards.lock().clone();
            afterwards.iter().for_each(|action| action());
        } else {
            tracing::error!(
                event = "reload_failed",
                failures,
                "nothing is changed: everything stays as it was"
            );
        }
        *self.0.last.0.lock() = Some(Reloaded { at: clock::timestamp(), failures });
        failures
    }

    /// What became of it when that was done last, if it ever was.
    pub fn last(&self) -> Option<Reloaded> {
        self.0.last.look()
    }

    /// The same for somebody who is to know nothing else.
    pub(crate) fn watched(&self) -> LastReload {
        self.0.last.clone()
    }
}

impl LastReload {
    pub(crate) fn look(&self) -> Option<Reloaded> {
        *self.0.lock()
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = self.0.actions.lock();
        formatter.debug_list().entries(actions.iter().map(|action| &action.name)).finish()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Prepared")
    }
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some errors tell their cause themselves.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn all_is_taken_up_or_nothing() {
        let reload = Reload::default();
        assert_eq!((reload.run(), reload.last().map(|last| last.failures)), (0, Some(0)));
        let (happened, broken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(true)));
        for name in ["a", "b", "c"] {
            let (happened, broken) = (Arc::clone(&happened), Arc::clone(&broken));
            reload.add(name, move || {
                if name == "b" && *broken.lock() {
                    return Err(io::Error::other("broken").into());
                }
                happened.lock().push(format!("{name} read"));
                let happened = Arc::clone(&happened);
                Ok(Prepared::new(move || happened.lock().push(format!("{name} taken up"))))
            });
        }
        let told = Arc::clone(&happened);
        reload.afterwards(move || told.lock().push("told".to_owned()));
        assert_eq!((reload.run(), reload.last().map(|last| last.failures)), (1, Some(1)));
        assert_eq!(std::mem::take(&mut *happened.lock()), ["a read", "c read"], "what is wrong is all named");
        *broken.lock() = false;
        assert_eq!((reload.run(), reload.last().map(|last| last.failures)), (0, Some(0)));
        let all = ["a read", "b read", "c read", "a taken up", "b taken up", "c taken up", "told"];
        assert_eq!(*happened.lock(), all);
    }
}
