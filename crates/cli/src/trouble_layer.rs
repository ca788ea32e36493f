use std::fmt::{Debug, Write};

use geocast_server::{TroubleLevel, Troubles};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Notes what is logged as a warning or an error, for operators.
#[derive(Debug)]
pub(crate) struct TroubleLayer(Troubles);

/// What is logged, as people read it.
#[derive(Debug, Default)]
struct Text {
    message: String,
    fields: String,
}

impl TroubleLayer {
    pub(crate) fn new(troubles: Troubles) -> Self {
        Self(troubles)
    }
}

impl<S: Subscriber> Layer<S> for TroubleLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => TroubleLevel::Error,
            Level::WARN => TroubleLevel::Warn,
            _ => return,
        };
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, fields } = text;
        self.0.note(level, format!("{message}{fields}").trim_start());
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Nothing that is written to a text fails.
        let _written = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            // The name of the event is for programs.
            "event" => Ok(()),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn warnings_and_errors_are_noted_as_they_are_logged() {
        let troubles = Troubles::default();
        let subscriber = tracing_subscriber::registry().with(TroubleLayer::new(troubles.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("all is well");
            tracing::warn!(peer = %"1.2.3.4:5", name = "a\nb", unlogged = 3, "connection refused");
            tracing::error!(event = "store_away", error = %std::io::Error::other("gone"), "the store is away");
        });
        assert_eq!(troubles.total(), 2);
        let noted = format!("{troubles:?}");
        for expected in
            [r#"connection refused peer=1.2.3.4:5 name=\"a\\nb\" unlogged=3"#, "the store is away error=gone"]
        {
            assert!(noted.contains(expected), "{expected} is not in {noted}");
        }
    }
}
