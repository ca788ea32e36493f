//! Log lines, to standard error.

use std::io::{self, IsTerminal};

use geocast_server::Troubles;
use tracing_subscriber::{EnvFilter, filter::ParseError, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    arguments::LogFormat,
    one_line::{Colours, OneLine},
    trouble_layer::TroubleLayer,
};

/// What to log and how.
#[derive(Debug)]
pub(crate) struct LogSettings {
    filter: String,
    format: LogFormat,
}

impl LogSettings {
    /// The filter is one that [`filter`] let pass.
    pub(crate) fn new(filter: Option<String>, format: LogFormat) -> Self {
        Self { filter: filter.unwrap_or_else(|| FILTER.to_owned()), format }
    }

    /// Whether people read along.
    pub(crate) fn format(&self) -> LogFormat {
        self.format
    }

    /// Begins to log. What warns or tells of an error is noted in what is returned as well.
    pub(crate) fn start(&self) -> Troubles {
        let troubles = Troubles::default();
        let noting = TroubleLayer::new(troubles.clone());
        let mut filter = EnvFilter::new(&self.filter);
        for directive in TALKATIVE {
            filter = filter.add_directive(directive.parse().expect("it is a directive"));
        }
        let is_terminal = io::stderr().is_terminal();
        let colours =
            if is_terminal && self.format == LogFormat::Text { Colours::Some } else { Colours::None };
        let writer = move || OneLine::new(io::stderr(), colours);
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
        match self.format {
            LogFormat::Text => {
                log.with_ansi(is_terminal).with_target(false).finish().with(noting).init();
            }
            LogFormat::Json => log.json().flatten_event(true).finish().with(noting).init(),
        }
        troubles
    }
}

/// A filter that can be read.
pub(crate) fn filter(text: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}

const FILTER: &str = "info";

/// Libraries that log all that they read and write, tokens among it, whatever filter is asked for.
const TALKATIVE: [&str; 2] = ["tungstenite=info", "tokio_tungstenite=info"];
