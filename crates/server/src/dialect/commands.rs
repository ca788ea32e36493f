use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use crate::session::Conversation;

/// A command that a program adds to the text dialect.
///
/// A closure from what stands behind the command's name to the content of the answer is one.
pub trait CommandHandler: Send + Sync + 'static {
    /// Carries the command out. What it returns is sent as the content of an envelope with source `websocket`; without it
    /// nothing is sent but what the conversation was told to [say](Conversation::say).
    fn run(&self, arguments: &str, conversation: &mut Conversation<'_>) -> Option<serde_json::Value>;
}

impl<F> CommandHandler for F
where
    F: Fn(&str) -> Option<serde_json::Value> + Send + Sync + 'static,
{
    fn run(&self, arguments: &str, _: &mut Conversation<'_>) -> Option<serde_json::Value> {
        self(arguments)
    }
}

/// The commands that were added, by name.
#[derive(Clone, Default)]
pub(crate) struct Commands(BTreeMap<Box<str>, Arc<dyn CommandHandler>>);

impl Commands {
    pub(crate) fn insert(&mut self, name: &str, handler: impl CommandHandler) {
        self.0.insert(name.into(), Arc::new(handler));
    }

    /// The handler of a frame, and what stands behind the command's name.
    pub(super) fn find<'a>(&self, frame: &'a str) -> Option<(&dyn CommandHandler, &'a str)> {
        let frame = frame.trim_ascii();
        let (name, arguments) =
            frame.split_once(|character: char| character.is_ascii_whitespace()).unwrap_or((frame, ""));
        self.0.get(name).map(|handler| (&**handler, arguments.trim_ascii()))
    }
}

impl Debug for Commands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
