use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use thiserror::Error;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message, Utf8Bytes,
        client::IntoClientRequest,
        http::{StatusCode, header},
        protocol::CloseFrame,
    },
};

use super::{
    bearer::bearer,
    dial::{self, PATIENCE, dial},
};
use crate::{arguments::Server, unreachable::Unreachable};

/// A WebSocket to a server.
pub(super) struct Connection(WebSocketStream<dial::Stream>);

/// What comes over it.
#[derive(Debug)]
pub(super) enum Incoming {
    Frame(Utf8Bytes),
    /// Something that keeps the connection alive and has no meaning here.
    Sign,
    /// The end: nothing comes any more.
    End {
        again: Again,
        reason: String,
    },
}

/// Whether, and when, it makes sense to connect again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// Whenever it suits.
    Soon,
    /// After this time, as the server wishes.
    After(Duration),
}

/// A server that is there, and does not want us.
#[derive(Debug, Error)]
#[error("the server at {location} refuses: {message} (HTTP {})", .status.as_u16())]
pub(super) struct Refused {
    location: String,
    message: String,
    status: StatusCode,
}

impl Refused {
    /// Whether asking again will not help: what is wrong is the question, such as a token whose time is over.
    pub(super) fn is_final(&self) -> bool {
        self.status.is_client_error()
            && !matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
    }
}

impl Connection {
    /// Connects and says what is wanted.
    pub(super) async fn open(server: &Server, commands: &[String]) -> anyhow::Result<Self> {
        let location = server.url.to_string();
        let mut request = server.url.websocket().into_client_request()?;
        if let Some(token) = server.token() {
            request.headers_mut().insert(header::AUTHORIZATION, bearer(token.as_bytes())?);
        }
        let stream = dial(server).await?;
        let connecting = client_async_with_config(request, stream, None);
        let websocket = match tokio::time::timeout(PATIENCE, connecting).await {
            Ok(Ok((websocket, _))) => websocket,
            Ok(Err(Error::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                let message = super::publish::message(body);
                return Err(Refused { location, message, status: response.status() }.into());
            }
            Ok(Err(error)) => return Err(Unreachable::server(&location, error.to_string()).into()),
            Err(_) => {
                return Err(Unreachable::server(&location, format!("no answer within {PATIENCE:?}")).into());
            }
        };
        let mut connection = Self(websocket);
        for command in commands {
            connection.0.feed(Message::text(command)).await?;
        }
        connection.0.flush().await?;
        Ok(connection)
    }

    /// Says something more.
    pub(super) async fn say(&mut self, command: String) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(command)).await?)
    }

    /// What comes next. A server that says nothing at all, even when it is asked for a sign of life, is gone.
    pub(super) async fn next(&mut self) -> Incoming {
        let silent = match tokio::time::timeout(QUIET, self.0.next()).await {
            Ok(message) => return Incoming::from(message),
            Err(_) => "the server is silent".to_owned(),
        };
        if self.0.send(Message::Ping(Vec::new().into())).await.is_err() {
            return Incoming::End { again: Again::Soon, reason: silent };
        }
        let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
        message.map_or(Incoming::End { again: Again::Soon, reason: silent }, Incoming::from)
    }

    /// What is there already, if anything.
    pub(super) fn ready(&mut self) -> Option<Incoming> {
        self.0.next().now_or_never().map(Incoming::from)
    }

    /// Says goodbye, without waiting long for an answer.
    pub(super) async fn close(mut self) {
        let _gone = tokio::time::timeout(GOODBYE, self.0.close(None)).await;
    }
}

impl From<Option<Result<Message, Error>>> for Incoming {
    fn from(message: Option<Result<Message, Error>>) -> Self {
        match message {
            Some(Ok(Message::Text(text))) => Self::Frame(text),
            Some(Ok(Message::Close(frame))) => ended(frame),
            Some(Ok(_)) => Self::Sign,
            Some(Err(error)) => Self::End { again: Again::Soon, reason: error.to_string() },
            None => Self::End { again: Again::Soon, reason: "the connection was closed".to_owned() },
        }
    }
}

/// Codes of 3500 to 3999 and 4500 to 4999 mean that connecting again is of no use.
fn ended(frame: Option<CloseFrame>) -> Incoming {
    let Some(frame) = frame else {
        return Incoming::End { again: Again::Soon, reason: "closed without a reason".to_owned() };
    };
    let code = u16::from(frame.code);
    let again = match code {
        3500..=3999 | 4500..=4999 => Again::Never,
        _ => wish(&frame.reason).map_or(Again::Soon, Again::After),
    };
    Incoming::End { again, reason: format!("closed with code {code}: {}", frame.reason.escape_debug()) }
}

/// When a server that stops wants its clients back, `retry in 1234 ms`: each at another time. What is far off is no such wish.
fn wish(reason: &str) -> Option<Duration> {
    let (_, wait) = reason.rsplit_once("retry in ")?;
    let milliseconds = wait.strip_suffix(" ms")?.parse().ok()?;
    Some(Duration::from_millis(milliseconds)).filter(|wait| *wait <= LONGEST_WISH)
}

/// Longer than the pause between two pings of a server with default settings.
const QUIET: Duration = Duration::from_secs(40);
const GOODBYE: Duration = Duration::from_millis(200);
const LONGEST_WISH: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::wish;

    #[test]
    fn a_server_says_when_to_come_back() {
        for (reason, expected) in [
            ("the server restarts; retry in 1234 ms", Some(1234)),
            ("retry in 0 ms", Some(0)),
            ("retry in 600000 ms", None),
            ("retry in -1 ms", None),
            ("retry in 5 s", None),
            ("going away", None),
        ] {
            assert_eq!(wish(reason), expected.map(Duration::from_millis), "{reason}");
        }
    }
}
