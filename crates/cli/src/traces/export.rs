use std::{env, sync::OnceLock, time::Duration};

use anyhow::{Context, ensure};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::collector::Collector;

/// Sends the spans of connections, and warnings that stand in them, to a collector: from a thread of its own, through the runtime of
/// the caller. Once.
pub(crate) fn layer<S>(endpoint: &str) -> anyhow::Result<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        let protocol = env::var(name).unwrap_or_default();
        ensure!(["", PROTOCOL].contains(&&*protocol), "{name}={protocol}: only {PROTOCOL} is spoken");
    }
    let collector = Collector::new(endpoint)?;
    let exporter = SpanExporter::builder().with_http().with_http_client(collector).build();
    let exporter = exporter.context("the collector is named in a way that cannot be used")?;
    let resource = Resource::builder();
    let is_named = env::var_os("OTEL_SERVICE_NAME").is_some()
        || env::var("OTEL_RESOURCE_ATTRIBUTES").is_ok_and(|attributes| attributes.contains("service.name="));
    let resource = if is_named { resource } else { resource.with_service_name("geocast") };
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("geocast"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    ensure!(PROVIDER.set(provider).is_ok(), "traces are being sent already");
    let shown = Targets::new()
        .with_target("geocast::connection", Level::DEBUG)
        .with_target("geocast_server", Level::WARN);
    Ok(layer.with_filter(shown))
}

/// Sends what is left, for a while.
pub(crate) async fn finish() {
    let Some(provider) = PROVIDER.get() else { return };
    let shut_down = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(LAST_WORDS));
    if let Ok(Err(error)) = shut_down.await {
        tracing::warn!(event = "traces_lost", %error, "the last traces could not be sent");
    }
}

/// There is one log, and so one of these.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The one that every collector speaks on this port.
const PROTOCOL: &str = "http/protobuf";

/// How long a server that stops waits for a collector.
const LAST_WORDS: Duration = Duration::from_secs(5);
