use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::Duration,
};

use geocast_protocol::envelope::Timestamp;
use thiserror::Error;

use super::{
    Action, BuiltIn, Chain, Context, Filter, FilterError, Group, Member, Script, ScriptError,
    step::{Course, Step},
};
use crate::log_limit::LogLimit;

/// Filters in the order in which they are run.
#[derive(Debug, Clone, Default)]
pub struct Filters(Arc<[Entry]>);

/// A filter at its place.
#[derive(Debug)]
struct Entry {
    filter: Arc<dyn Filter>,
    /// Strangers can make a filter fail as often as they like.
    failures: LogLimit,
}

/// Why filters could not be put together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FiltersError {
    /// There is no such filter.
    #[error(
        "there is no filter `{name}`: there are {}, and scripts whose names end in .rhai",
        BuiltIn::names()
    )]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// A filter would run twice.
    #[error("the filter `{name}` is named twice")]
    Duplicate {
        /// Its name.
        name: String,
    },
    /// A script cannot be used.
    #[error("the script {path}: {source}")]
    Script {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: ScriptError,
    },
}

/// What filters want done, all together.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// In this order.
    pub actions: Vec<Action>,
    /// How many filters failed.
    pub failures: u64,
    /// For how long scripts have kept the thread busy.
    pub computed: Duration,
}

impl Filters {
    /// Filters of your own, and any others.
    ///
    /// # Errors
    /// [`FiltersError::Duplicate`].
    pub fn new(filters: impl IntoIterator<Item = Arc<dyn Filter>>) -> Result<Self, FiltersError> {
        let entries = filters.into_iter().map(|filter| Entry { filter, failures: LogLimit::default() });
        let entries: Arc<[Entry]> = entries.collect();
        let mut names = BTreeSet::new();
        match entries.iter().find(|entry| !names.insert(entry.filter.name())) {
            Some(entry) => Err(FiltersError::Duplicate { name: entry.filter.name().to_owned() }),
            None => Ok(Self(entries)),
        }
    }

    /// Filters by name: those of [`BuiltIn`], also with the dotted path of the Python package in front, and files whose
    /// names end in `.rhai`.
    ///
    /// # Errors
    /// [`FiltersError`]; a script that cannot be read or compiled is one.
    pub fn named<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<Self, FiltersError> {
        let filters = names.into_iter().map(|name| named(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Self::new(filters)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.filter.name())
    }

    /// Runs all of them, each with what those before it made of the message.
    pub fn run(&self, chain: Chain<'_>, member: &mut Member, now: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        let mut changed = None;
        for (place, entry) in self.0.iter().enumerate() {
            let filter = &entry.filter;
            let chain = match (&changed, chain) {
                (Some(body), Chain::Message(_)) => Chain::Message(body),
                (Some(body), Chain::Consumer(channel, _)) => Chain::Consumer(channel, body),
                _ => chain,
            };
            match step(&**filter, chain, Context::new(member, place, now)) {
                Ok(step) => {
                    member.follow(&step.actions, step.token);
                    outcome.actions.extend(step.actions);
                    match step.course {
                        Course::Pass => {}
                        Course::Change(body) => changed = Some(body),
                        Course::Stop => break,
                    }
                }
                Err(error) => {
                    outcome.failures += 1;
                    if let Some(unlogged) = entry.failures.admit() {
                        let (filter, chain) = (filter.name(), chain.name());
                        tracing::warn!(event = "filter_failed", filter, chain, %error, unlogged, "a filter failed");
                    }
                }
            }
        }
        outcome.computed = std::mem::take(&mut member.computed);
        outcome
    }

    /// Lets all of them look whether what they are made of has changed. May wait for files.
    pub fn refresh(&self) {
        self.0.iter().for_each(|entry| entry.filter.refresh());
    }
}

impl Member {
    /// Remembers what the actions will lead to.
    fn follow(&mut self, actions: &[Action], token: Option<Group>) {
        for action in actions {
            match action {
                Action::Join(group) => {
                    self.groups.insert(group.clone());
                }
                Action::Leave(group) => {
                    self.groups.remove(group);
                }
                _ => {}
            }
        }
        self.token = token.or_else(|| self.token.take());
    }
}

fn step(filter: &dyn Filter, chain: Chain<'_>, mut context: Context<'_>) -> Result<Step, FilterError> {
    // A filter of the user's own that panics has lost this message, not the worker with all its connections. What it
    // leaves half done is its own memory, which is its own affair.
    catch_unwind(AssertUnwindSafe(|| match chain {
        Chain::Data(bytes) => filter.data(&mut context, bytes),
        Chain::Message(message) => filter.message(&mut context, message),
        Chain::Disconnect => filter.disconnect(&mut context),
        Chain::Consumer(channel, item) => filter.consumer(&mut context, channel, item),
    }))
    .unwrap_or(Err(FilterError::Panicked))?;
    let step = context.into_step();
    match (chain, &step.course) {
        (Chain::Data(_) | Chain::Disconnect, Course::Change(_)) => {
            Err(FilterError::NothingToChange(chain.name()))
        }
        _ => Ok(step),
    }
}

fn named(name: &str) -> Result<Arc<dyn Filter>, FiltersError> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "rhai") {
        let script =
            Script::load(path).map_err(|source| FiltersError::Script { path: name.to_owned(), source })?;
        return Ok(Arc::new(script));
    }
    let bare = name.strip_prefix(REFERENCE).unwrap_or(name);
    let built_in = BuiltIn::ALL.into_iter().find(|filter| filter.name() == bare);
    let built_in = built_in.ok_or_else(|| FiltersError::Unknown { name: name.to_owned() })?;
    Ok(Arc::new(built_in))
}

/// What stands before the name of a filter where it is named as a Python module.
const REFERENCE: &str = "filtered_websocket.filters.";

#[cfg(test)]
mod tests;
