use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode,
    header::{self, HeaderValue},
};
use serde_json::Value;

use super::super::{
    bearer::bearer,
    publish::{message, send},
};
use crate::{
    arguments::{Server, TopArguments},
    bad_option::{BadOption, secret_of},
    unreachable::Unreachable,
};

/// The question to the server.
#[derive(Debug)]
pub(super) struct Asking {
    server: Server,
    authorization: HeaderValue,
}

impl Asking {
    pub(super) fn new(arguments: &TopArguments) -> anyhow::Result<Self> {
        let authorization = bearer(&token(arguments)?)?;
        Ok(Self { server: arguments.server(), authorization })
    }

    /// Which server is asked, for people.
    pub(super) fn server(&self) -> String {
        self.server.url.to_string()
    }

    /// What the server says.
    pub(super) async fn ask(&self) -> anyhow::Result<Value> {
        match tokio::time::timeout(PATIENCE, self.answer()).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                let reason = format!("no answer within {PATIENCE:?}");
                Err(Unreachable::server(&self.server(), reason).into())
            }
        }
    }

    async fn answer(&self) -> anyhow::Result<Value> {
        let request = Request::get(format!("/api/operator?limit={CONNECTIONS}"))
            .header(header::HOST, self.server.url.authority())
            .header(header::USER_AGENT, concat!("geocast/", env!("CARGO_PKG_VERSION")))
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Full::new(Bytes::new()))?;
        let response = send(&self.server, request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error)).context("the answer does not end well")?;
        let body = body.to_bytes();
        match status {
            StatusCode::OK => serde_json::from_slice(&body).context("the server answers what is no JSON"),
            StatusCode::NOT_FOUND => bail!(
                "the server shows operators nothing: it has to be started with --operator-token-file FILE"
            ),
            StatusCode::UNAUTHORIZED => bail!(
                "this is not the operator's token: the server takes the one in its --operator-token-file (HTTP 401)"
            ),
            status => bail!("the server answers: {} (HTTP {})", message(&body), status.as_u16()),
        }
    }
}

/// As it was given, or what the file holds without the line break that editors put at its end.
fn token(arguments: &TopArguments) -> Result<Vec<u8>, BadOption> {
    let Some(path) = &arguments.token_file else {
        let given = arguments.token.as_ref().filter(|token| !token.is_empty());
        let missing = BadOption::Missing { what: "the operator's token", option: "--token-file FILE" };
        return given.map(|token| token.as_bytes().to_vec()).ok_or(missing);
    };
    secret_of("--token-file", path)
}

/// More than a terminal shows.
const CONNECTIONS: usize = 200;

/// Some times what the largest answer has.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// How long an answer is waited for: longer than the server itself waits for what hangs.
const PATIENCE: Duration = Duration::from_secs(10);
