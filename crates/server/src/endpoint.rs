//! Which dialect is spoken where.

use geocast_protocol::Channel;

use crate::{
    Patterns, Settings,
    dialect::{AnyDialect, Commands, Mixed, Rpc, Text},
};

/// Where a WebSocket leads.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) dialect: AnyDialect,
    /// The channel that is delivered without being asked for.
    pub(crate) channel: Option<Channel>,
}

/// All places where a WebSocket may be opened.
#[derive(Debug)]
pub(crate) struct Endpoints {
    added: Vec<(Patterns, AnyDialect)>,
    text_paths: Patterns,
    mixed: AnyDialect,
    rpc: AnyDialect,
}

impl Endpoints {
    /// The endpoints of the settings, and those that a program adds.
    pub(crate) fn new(settings: &Settings, added: Vec<(Patterns, AnyDialect)>, commands: Commands) -> Self {
        let text = AnyDialect::new(Text::new(settings.absent_client_reference).with(commands));
        let rpc = AnyDialect::new(Rpc);
        let mixed = AnyDialect::new(Mixed::new(text, rpc.clone()));
        Self { added, text_paths: settings.text_paths.clone(), mixed, rpc }
    }

    /// The endpoint of a path, for a client that offers these sub-protocols: the first that is spoken there is taken.
    pub(crate) fn find<'a>(
        &self,
        path: &str,
        mut offered: impl Iterator<Item = &'a str>,
    ) -> Option<Endpoint> {
        let spoken = self.spoken(path)?;
        let chosen = offered.find_map(|name| spoken.iter().find(|dialect| dialect.name() == name));
        let dialect = (*chosen.unwrap_or(&spoken[0])).clone();
        Some(Endpoint { dialect, channel: None })
    }

    /// Whether a WebSocket may be opened there.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.spoken(path).is_some()
    }

    /// The dialects of a path; the first is spoken with clients that do not choose.
    fn spoken(&self, path: &str) -> Option<Vec<&AnyDialect>> {
        if let Some((_, dialect)) = self.added.iter().find(|(paths, _)| paths.matches(path)) {
            return Some(vec![dialect]);
        }
        match path {
            "/rpc" | "/rpc/" => Some(vec![&self.rpc]),
            path if self.text_paths.matches(path) => Some(vec![&self.mixed, &self.rpc]),
            _ => None,
        }
    }
}
