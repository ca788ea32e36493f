use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use async_trait::async_trait;
use bytes::Bytes;
use geocast_server::ClientTls;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri, client::conn::http1, header, http::uri::Scheme};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Handle,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// Who takes traces, over HTTP. The exporter has a thread of its own that knows no runtime: requests are made in the server's.
#[derive(Debug)]
pub(super) struct Collector {
    runtime: Handle,
    /// Where the endpoint says so.
    tls: Option<Arc<ClientConfig>>,
    is_failing: AtomicBool,
}

impl Collector {
    /// Must be called within a runtime.
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let scheme = endpoint.parse::<Uri>().ok().and_then(|endpoint| endpoint.scheme().cloned());
        let tls = match scheme {
            Some(scheme) if scheme == Scheme::HTTPS => Some(whom_to_trust()?),
            Some(scheme) if scheme == Scheme::HTTP => None,
            _ => bail!("the endpoint `{}` begins with neither http:// nor https://", without_user(endpoint)),
        };
        Ok(Self { runtime: Handle::try_current()?, tls, is_failing: AtomicBool::new(false) })
    }

    /// Says when it begins to fail, and when that is over.
    fn note(&self, failure: Option<String>) {
        let failed = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(reason) if !failed => {
                tracing::warn!(event = "traces_unsent", reason, "traces cannot be sent; trying on");
            }
            None if failed => tracing::info!(event = "traces_sent", "traces are sent again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let posting = post(request, self.tls.clone());
        // A timeout can only be made there, too.
        let sent = self.runtime.spawn(async move { timeout(PATIENCE, posting).await }).await;
        let outcome: Result<Response<Bytes>, HttpError> = match sent {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_elapsed)) => Err(format!("no answer within {PATIENCE:?}").into()),
            Err(error) => Err(error.into()),
        };
        self.note(match &outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answers {}", response.status())),
            Err(error) => Some(error.to_string()),
        });
        outcome
    }
}

/// One connection per request: there is one every few seconds at most.
async fn post(request: Request<Bytes>, tls: Option<Arc<ClientConfig>>) -> Result<Response<Bytes>, HttpError> {
    let host = request.uri().host().ok_or("the endpoint has no host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let usual = if tls.is_some() { 443 } else { 80 };
    let port = request.uri().port_u16().unwrap_or(usual);
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    match tls {
        None => exchange(stream, request).await,
        Some(config) => {
            let stream = TlsConnector::from(config).connect(ServerName::try_from(host)?, stream).await;
            exchange(stream.map_err(|error| format!("TLS: {error} ({TRUST})"))?, request).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("the endpoint has no host")?.as_str();
    head.headers.insert(header::HOST, without_user(authority).parse()?);
    head.headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = target.parse::<Uri>()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answered = async {
        let response = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await?.to_bytes();
        Ok::<_, HttpError>(Response::from_parts(head, body))
    };
    // The connection does the work of the exchange, and is dropped with it.
    tokio::pin!(connection);
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        ended = &mut connection => {
            ended?;
            answered.await
        }
    }
}

/// A name and a password that stand before a host are nobody's business.
fn without_user(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or(text)
}

fn whom_to_trust() -> anyhow::Result<Arc<ClientConfig>> {
    let named = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
    let file = named.into_iter().find_map(|name| env::var(name).ok().filter(|file| !file.is_empty()));
    let known = match file {
        Some(file) => {
            ClientTls::from_file(Path::new(&file)).with_context(|| format!("{file} cannot be read"))?
        }
        None => ClientTls::system().context(TRUST)?,
    };
    Ok(known.config())
}

/// What helps where nobody is trusted, or somebody else.
const TRUST: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE names whom to trust";

/// How long a collector may take for what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read: it says little.
const LARGEST_ANSWER: usize = 64 * 1024;
