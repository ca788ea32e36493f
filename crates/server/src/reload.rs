use std::{error::Error, fmt, sync::Arc};

use parking_lot::Mutex;

/// What is read again when an operator asks for it, by name: certificates, and whatever else is added. Clones share it.
///
/// ```
/// let reload = geocast_server::Reload::default();
/// reload.add("greeting", || std::fs::read_to_string("greeting.txt").map(drop).map_err(Into::into));
/// assert_eq!(reload.run(), 1, "one action failed: there is no such file");
/// ```
#[derive(Clone, Default)]
pub struct Reload(Arc<Shared>);

#[derive(Default)]
struct Shared {
    actions: Mutex<Vec<Arc<Action>>>,
    /// Held while actions run: what is read last also holds last.
    running: Mutex<()>,
}

struct Action {
    name: String,
    run: Box<Run>,
}

type Run = dyn Fn() -> Result<(), ReloadError> + Send + Sync;

/// Why something stays as it is.
pub type ReloadError = Box<dyn Error + Send + Sync>;

impl Reload {
    /// Adds something that can be read again. An action that fails must leave everything as it was.
    pub fn add(
        &self,
        name: impl Into<String>,
        action: impl Fn() -> Result<(), ReloadError> + Send + Sync + 'static,
    ) {
        let action = Action { name: name.into(), run: Box::new(action) };
        self.0.actions.lock().push(Arc::new(action));
    }

    /// Runs all actions in the order in which they were added, logs what became of each, and returns how many failed.
    /// One that fails keeps none of the others from running. They read files: not for a thread that must not wait.
    pub fn run(&self) -> usize {
        let _one_at_a_time = self.0.running.lock();
        let actions = self.0.actions.lock().clone();
        if actions.is_empty() {
            tracing::info!("nothing to read again");
        }
        let mut failures = 0;
        for action in actions {
            match (action.run)() {
                Ok(()) => tracing::info!("read again: {}", action.name),
                Err(error) => {
                    failures += 1;
                    tracing::error!("kept as before: {}: {}", action.name, with_sources(&*error));
                }
            }
        }
        failures
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = self.0.actions.lock();
        formatter.debug_list().entries(actions.iter().map(|action| &action.name)).finish()
    }
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn one_failure_keeps_nothing_else_from_running() {
        let reload = Reload::default();
        assert_eq!(reload.run(), 0);
        let ran = Arc::new(Mutex::new(Vec::new()));
        for (name, fails) in [("a", false), ("b", true), ("c", false)] {
            let ran = Arc::clone(&ran);
            reload.add(name, move || {
                ran.lock().push(name);
                if fails { Err(io::Error::other("broken").into()) } else { Ok(()) }
            });
        }
        assert_eq!(reload.run(), 1);
        assert_eq!(*ran.lock(), ["a", "b", "c"]);
    }
}
