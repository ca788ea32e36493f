use std::io::Write;

use bytes::Bytes;
use clap::ValueEnum;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, header};

use super::publish::{LONGEST_ANSWER, message, send};
use crate::{arguments::ProbeArguments, exit::Exit, progress::waiting, unreachable::Unreachable};

/// What can be asked of a server's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Probed {
    /// The process runs
    Live,
    /// Clients can be served: the store answers, and the server is not about to stop
    Ready,
}

/// `geocast probe`: for whoever starts servers anew, where there is no program that speaks HTTP.
pub(crate) async fn probe(arguments: ProbeArguments) -> anyhow::Result<Exit> {
    let ProbeArguments { what, timeout, server } = arguments;
    let path = match what {
        Probed::Live => "/live",
        Probed::Ready => "/ready",
    };
    let request = Request::get(path)
        .header(header::HOST, server.url.authority())
        .header(header::USER_AGENT, concat!("geocast/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::new()))?;
    let asking = async {
        let response = send(&server, request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        anyhow::Ok((status, body.map(http_body_util::Collected::to_bytes).unwrap_or_default()))
    };
    let asking = tokio::time::timeout(timeout, asking);
    let Ok(answer) = waiting(&format!("waiting for {}", server.url), asking).await else {
        let reason = format!("no answer within {timeout:?}");
        return Err(Unreachable::server(&server.url.to_string(), reason).into());
    };
    let (status, body) = answer?;
    if status.is_success() {
        writeln!(std::io::stdout(), "{}", String::from_utf8_lossy(&body))?;
        return Ok(Exit::Success);
    }
    eprintln!("geocast: the server answers: {} (HTTP {})", message(&body), status.as_u16());
    Ok(Exit::Failure)
}
