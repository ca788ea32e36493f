//! Log lines, to standard error.

use std::io::{self, IsTerminal};

use geocast_server::Troubles;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, ParseError},
    layer::SubscriberExt,
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

    /// Begins to log. What warns or tells of an error is noted in what is returned as well.
    pub(crate) fn start(&self) -> Troubles {
        let troubles = Troubles::default();
        let noting = TroubleLayer::new(troubles.clone());
        let mut filter = EnvFilter::new(&self.filter);
        for directive in TALKATIVE {
            filter = filter.add_directive(directive.parse().expect("it is a directive"));
        }
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
        troubles
    }

    /// Waits for the end of a server. Where all lines are for programs, an error that ends it is one of them.
    pub(crate) async fn to_its_end(
        &self,
        server: impl Future<Output = anyhow::Result<Exit>>,
    ) -> anyhow::Result<Exit> {
        server.await.or_else(|error| {
            let is_off = EnvFilter::new(&self.filter).max_level_hint() == Some(LevelFilter::OFF);
            if is_off || self.audience() == Audience::People {
                return Err(error);
            }
            tracing::error!(event = "failed", error = told(&error), "the server cannot start, or go on");
            Ok(Exit::of(&error))
        })
    }
}

/// A filter that can be read.
pub(crate) fn filter(text: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}

const FILTER: &str = "info";

/// Libraries that log all that they read and write, tokens among it, whatever filter is asked for.
const TALKATIVE: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];
