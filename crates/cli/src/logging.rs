//! Log lines, to standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::arguments::LogFormat;

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

    /// Begins to log.
    pub(crate) fn start(&self) {
        let filter = EnvFilter::new(&self.filter);
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
        match self.format {
            LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).with_target(false).init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
    }
}

/// A filter that can be read.
pub(crate) fn filter(text: &str) -> Result<String, ParseError> {
    EnvFilter::try_new(text).map(|_| text.to_owned())
}

const FILTER: &str = "info";
