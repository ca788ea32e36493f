//! Traces of connections, for those who collect them with OpenTelemetry: in programs that were built with the feature `otel`.
//!
//! What is to be done stands in the variables that OpenTelemetry has for it, as with any other program.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod export;

#[cfg(not(feature = "otel"))]
pub(crate) use absent::{finish, layer};
#[cfg(feature = "otel")]
pub(crate) use export::{finish, layer};

use std::env;

/// Where the environment wants traces to be sent, if it does.
pub(crate) fn endpoint() -> Option<String> {
    let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let is_off = said("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || said("OTEL_TRACES_EXPORTER").is_some_and(|value| value != "otlp");
    let endpoint = said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| said("OTEL_EXPORTER_OTLP_ENDPOINT"));
    endpoint.filter(|_| !is_off)
}
