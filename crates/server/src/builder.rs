use std::{net::TcpListener, sync::Arc};

use crate::{
    AccessPolicy, Broker, CommandHandler, Dialect, Listeners, Patterns, RequestHandler, Server, Settings,
    Site, StartError, Store, Troubles,
    dialect::{AnyDialect, Commands},
};

/// A gateway with parts of the caller's own.
///
/// ```no_run
/// use geocast_server::{Server, Settings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder(Settings::default())
///     .command("HELLO", |name: &str| Some(format!("hello, {name}").into()))
///     .start(std::net::TcpListener::bind("127.0.0.1:0")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Builder {
    pub(crate) settings: Settings,
    pub(crate) parts: Parts,
}

/// What a program adds to a gateway.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) store: Option<StoreMaker>,
    /// The first whose paths match is spoken.
    pub(crate) dialects: Vec<(Patterns, AnyDialect)>,
    pub(crate) commands: Commands,
    pub(crate) policy: Option<Arc<dyn AccessPolicy>>,
    pub(crate) site: Site,
    pub(crate) metrics: Option<TcpListener>,
    pub(crate) troubles: Troubles,
}

/// Makes a store that delivers to a broker.
pub(crate) struct StoreMaker(pub(crate) Box<dyn FnOnce(Arc<Broker>) -> Arc<dyn Store> + Send>);

impl std::fmt::Debug for StoreMaker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreMaker")
    }
}

impl Builder {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, parts: Parts::default() }
    }

    /// Uses a store of the caller's own instead of the one that the settings name. It gets the broker to which it
    /// delivers messages.
    #[must_use]
    pub fn store(mut self, make: impl FnOnce(Arc<Broker>) -> Arc<dyn Store> + Send + 'static) -> Self {
        self.parts.store = Some(StoreMaker(Box::new(make)));
        self
    }

    /// Speaks a dialect of the caller's own on these paths, before any other that is spoken there.
    #[must_use]
    pub fn dialect(mut self, paths: Patterns, dialect: impl Dialect) -> Self {
        self.parts.dialects.push((paths, AnyDialect::new(dialect)));
        self
    }

    /// Adds a command to the text dialect, or replaces the one of that name. Commands of the dialect itself cannot be
    /// replaced.
    #[must_use]
    pub fn command(mut self, name: &str, handler: impl CommandHandler) -> Self {
        self.parts.commands.insert(name, handler);
        self
    }

    /// Answers one type of rohrpost's requests, as [`Settings::request_handlers`] do.
    #[must_use]
    pub fn request_handler(mut self, handler: impl RequestHandler) -> Self {
        self.settings.request_handlers.push(Arc::new(handler));
        self
    }

    /// Asks this policy, too, before anybody may read a channel or publish on it. There is one: the last that is given.
    #[must_use]
    pub fn access_policy(mut self, policy: impl AccessPolicy) -> Self {
        self.parts.policy = Some(Arc::new(policy));
        self
    }

    /// Shows this at `/` to browsers, instead of a list of what the server answers to, which stays at `/api`.
    #[must_use]
    pub fn site(mut self, site: Site) -> Self {
        self.parts.site = site;
        self
    }

    /// Has [metrics](Server::metrics) be read on a port of their own, at `/metrics`, with `/live` and `/ready` beside it: whoever
    /// reaches it may read them, unless [a token](Settings::metrics_token) is asked for. They are not to be had where clients
    /// connect then.
    #[must_use]
    pub fn metrics(mut self, listener: TcpListener) -> Self {
        self.parts.metrics = Some(listener);
        self
    }

    /// Shows [operators](Settings::operator_token) what is noted here.
    #[must_use]
    pub fn troubles(mut self, troubles: Troubles) -> Self {
        self.parts.troubles = troubles;
        self
    }

    /// As [`Server::start`].
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(self, listeners: impl Into<Listeners>) -> Result<Server, StartError> {
        Server::start_with(listeners.into(), self.settings, self.parts)
    }
}
