//! Which dialect is spoken where.

use std::{borrow::Cow, sync::Arc};

use geocast_protocol::{Channel, ChannelError, aiows::ChannelNames};
use percent_encoding::percent_decode_str;
use thiserror::Error;

use crate::{
    Patterns, Settings, UrlPrefix,
    dialect::{Aiows, AnyDialect, Commands, Mixed, Rohrpost, Rpc, Text},
    handler::Handlers,
    pipeline::Pipeline,
};

/// Where a WebSocket leads.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) dialect: AnyDialect,
    /// The channel that is delivered without being asked for.
    pub(crate) channel: Option<Channel>,
}

/// Why there is no WebSocket somewhere.
#[derive(Debug, Error)]
pub(crate) enum NoEndpoint {
    #[error("no WebSocket is spoken at this path; try /ws (a server's --text-paths names others)")]
    Elsewhere,
    #[error("{0}")]
    Channel(#[from] ChannelError),
}

/// All places where a WebSocket may be opened.
#[derive(Debug)]
pub(crate) struct Endpoints {
    added: Vec<(Patterns, AnyDialect)>,
    text_paths: Patterns,
    prefix: UrlPrefix,
    names: ChannelNames,
    mixed: AnyDialect,
    rpc: AnyDialect,
    rohrpost: AnyDialect,
    aiows: AnyDialect,
    handlers: Arc<Handlers>,
    /// Where there are filters.
    pipeline: Option<AnyDialect>,
}

impl Endpoints {
    /// The endpoints of the settings, and those that a program adds.
    pub(crate) fn new(
        settings: &Settings,
        added: Vec<(Patterns, AnyDialect)>,
        commands: Commands,
        handlers: Handlers,
    ) -> Self {
        let text = AnyDialect::new(Text::new(settings.absent_client_reference).with(commands));
        let rpc = AnyDialect::new(Rpc);
        let handlers = Arc::new(handlers);
        let filters = &settings.filters;
        let pipeline = (!filters.is_empty()).then(|| AnyDialect::new(Pipeline::new(filters.clone())));
        Self {
            added,
            text_paths: settings.text_paths.clone(),
            prefix: settings.url_prefix.clone(),
            names: settings.channel_names,
            mixed: AnyDialect::new(Mixed::new(text, rpc.clone())),
            rpc,
            rohrpost: AnyDialect::new(Rohrpost::new(Arc::clone(&handlers))),
            aiows: AnyDialect::new(Aiows::new(settings.json_encoding)),
            handlers,
            pipeline,
        }
    }

    /// The endpoint of a path, for a client that offers these sub-protocols: the first that is spoken there is taken.
    pub(crate) fn find<'a>(
        &self,
        path: &str,
        mut offered: impl Iterator<Item = &'a str>,
    ) -> Result<Endpoint, NoEndpoint> {
        if let Some(name) = self.channel_name(path) {
            let channel = self.names.channel(&name)?;
            return Ok(Endpoint { dialect: self.aiows.clone(), channel: Some(channel) });
        }
        let spoken = self.spoken(path).ok_or(NoEndpoint::Elsewhere)?;
        let chosen = offered.find_map(|name| spoken.iter().find(|dialect| dialect.name() == name));
        let dialect = (*chosen.unwrap_or(&spoken[0])).clone();
        Ok(Endpoint { dialect, channel: None })
    }

    /// The names of all dialects that can be spoken.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = [&self.mixed, &self.rpc, &self.rohrpost, &self.aiows];
        let added = self.added.iter().map(|(_, dialect)| dialect);
        own.into_iter().chain(&self.pipeline).chain(added).map(|dialect| dialect.name())
    }

    /// Who answers requests that the server does not know.
    pub(crate) fn handlers(&self) -> &Arc<Handlers> {
        &self.handlers
    }

    /// Whether only a WebSocket may be opened there.
    pub(crate) fn contains(&self, path: &str) -> bool {
        // Packages are published to the addresses of aiows.
        self.channel_name(path).is_none() && self.spoken(path).is_some()
    }

    /// The name in an address of aiows. What is no UTF-8 there is that of no channel.
    fn channel_name<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        if self.added.iter().any(|(paths, _)| paths.matches(path)) {
            return None;
        }
        let name = path.strip_prefix(self.prefix.as_str())?.strip_prefix("/channel/")?;
        let name = name.strip_suffix('/').unwrap_or(name);
        (!name.is_empty() && !name.contains('/')).then(|| percent_decode_str(name).decode_utf8_lossy())
    }

    /// The dialects of a path; the first is spoken with clients that do not choose.
    fn spoken(&self, path: &str) -> Option<Vec<&AnyDialect>> {
        if let Some((_, dialect)) = self.added.iter().find(|(paths, _)| paths.matches(path)) {
            return Some(vec![dialect]);
        }
        match path {
            "/" | "/pipeline" | "/pipeline/" if self.pipeline.is_some() => {
                Some(self.pipeline.iter().collect())
            }
            "/rpc" | "/rpc/" => Some(vec![&self.rpc]),
            "/rohrpost" | "/rohrpost/" | "/ws/rohrpost" | "/ws/rohrpost/" => Some(vec![&self.rohrpost]),
            path if self.text_paths.matches(path) => Some(vec![&self.mixed, &self.rpc, &self.rohrpost]),
            _ => None,
        }
    }
}
