//! Log lines, to standard error.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, Mutex, PoisonError},
};

use geocast_server::{Prepared, Troubles};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, ParseError},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::{
    arguments::LogFormat,
    exit::{Exit, told},
    human_fields::HumanFields,
    one_line::{Colours, OneLine},
    traces,
    trouble_layer::TroubleLayer,
};

/// What to log and how.
#[derive(Debug)]
pub(crate) struct LogSettings {
    filter: String,
    format: LogFormat,
}

/// What is logged at this moment. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct LogFilter {
    /// As it was given.
    text: Arc<Mutex<String>>,
    handle: reload::Handle<EnvFilter, Registry>,
}

/// Who reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    People,
    Programs,
}

impl LogSettings {
    /// The filter is one that [`filter`] let pass.
    pub(crate) fn new(filter: Option<String>, format: LogFormat) -> Self {
        Self { filter: filter.unwrap_or_else(|| FILTER.to_owned()), format }
    }

    /// Whom lines are for: on a terminal people, unless it was said.
    pub(crate) fn audience(&self) -> Audience {
        match self.format {
            LogFormat::Auto if io::stderr().is_terminal() => Audience::People,
            LogFormat::Human => Audience::People,
            LogFormat::Auto | LogFormat::Json => Audience::Programs,
        }
    }

    /// Begins to log. What warns or tells of an error is noted in what is returned as well; what is logged can be changed there.
    pub(crate) fn start(&self) -> (Troubles, LogFilter) {
        let troubles = Troubles::default();
        let noting = TroubleLayer::new(troubles.clone());
        let (filter, handle) = reload::Layer::new(quietened(&self.filter));
        let audience = self.audience();
        let is_coloured = crate::colour::is_wanted(&io::stderr()) && audience == Audience::People;
        let colours = if is_coloured { Colours::Some } else { Colours::None };
        let writer = move || OneLine::new(io::stderr(), colours);
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = match audience {
            Audience::People => {
                lines.fmt_fields(HumanFields).with_ansi(is_coloured).with_target(false).boxed()
            }
            Audience::Programs => lines.json().flatten_event(true).with_span_list(false).boxed(),
        };
        let log = tracing_subscriber::registry().with(lines.and_then(noting).with_filter(filter));
        match traces::endpoint().as_deref().map(traces::layer).transpose() {
            Ok(traces) => log.with(traces).init(),
            Err(error) => {
                log.init();
                tracing::warn!(event = "traces_off", error = format!("{error:#}"), "no traces are sent");
            }
        }
        (troubles, LogFilter { text: Arc::new(Mutex::new(self.filter.clone())), handle })
    }

    /// Waits for the end of a server. Where all lines are for programs, an error that ends it is one of them.
    pub(crate) async fn to_its_end(
        &self,
        filter: &LogFilter,
        server: impl Future<Output = anyhow::Result<Exit>>,
    ) -> anyhow::Result<Exit> {
        server.await.or_else(|error| {
            if filter.is_off() || self.audience() == Audience::People {
                return Err(error);
            }
            tracing::error!(event = "failed", error = told(&error), "the server cannot start, or go on");
            Ok(Exit::of(&error))
        })
    }
}

impl LogFilter {
    /// What these settings say is to be logged. They have been read by [`filter`].
    pub(crate) fn prepare(&self, wanted: LogSettings) -> Prepared {
        let current = self.clone();
        Prepared::new(move || {
            let mut text = current.text.lock().unwrap_or_else(PoisonError::into_inner);
            if *text != wanted.filter {
                // It is there for as long as anything is logged.
                let _gone: Result<(), reload::Error> = current.handle.reload(quietened(&wanted.filter));
                *text = wanted.filter;
            }
        })
    }

    /// Whether nothing is logged at all.
    fn is_off(&self) -> bool {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        EnvFilter::new(&*text).max_level_hint() == Some(LevelFilter::OFF)
    }
}

/// A filter that keeps back what is never to be logged.
fn quietened(filter: &str) -> EnvFilter {
    let directives = TALKATIVE.map(|directive| directive.parse().expect("it is a directive"));
    directives.into_iter().fold(EnvFilter::new(filter), EnvFilter::add_directive)
}

/// A filter that can be read.
pub(crate) fn filter(text: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}

const FILTER: &str = "info";

/// Libraries that log all that they read and write, tokens among it, whatever filter is asked for.
const TALKATIVE: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];
