//! A WebSocket client that expects.

use std::{fmt, net::SocketAddr, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::{
    server::TestServer,
    waiting::{PATIENCE, must},
};

/// A connected client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: Last,
}

/// What a client has said and heard last, so that a test which fails tells where.
#[derive(Debug, Default)]
struct Last {
    said: String,
    heard: String,
}

/// Why there is no message.
#[derive(Debug)]
struct Nothing<'a> {
    reason: String,
    last: &'a Last,
}

impl From<WebSocketStream<MaybeTlsStream<TcpStream>>> for Client {
    fn from(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, last: Last::default() }
    }
}

impl Client {
    /// Connects and takes the first envelope, which says that the connection is open.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::connect_raw(address, "/ws").await;
        let open = client.next().await;
        assert_eq!(open["source"], "websocket");
        assert_eq!(open["content"]["status"], "open");
        client
    }

    /// Connects to a path and takes nothing.
    pub(crate) async fn connect_raw(address: SocketAddr, path: &str) -> Self {
        let url = format!("ws://{address}{path}");
        // Without waiting for acknowledgements: tests send small frames one by one.
        match must(&url, connect_async_with_config(&url, None, true)).await {
            Ok((socket, _)) => Self::from(socket),
            Err(error) => panic!("{url} takes no connection: {error}"),
        }
    }

    pub(crate) async fn send(&mut self, command: impl Into<String>) {
        self.socket_send(Message::text(command.into())).await;
    }

    pub(crate) async fn socket_send(&mut self, message: Message) {
        self.last.said = shortened(&message);
        if let Err(error) = self.socket.send(message).await {
            panic!("the connection is not open any more: {error}; {:?}", self.last);
        }
    }

    /// Sends commands so that they arrive together.
    pub(crate) async fn send_together(&mut self, commands: &[&str]) {
        self.last.said = commands.join(" | ");
        for command in commands {
            self.socket.feed(Message::text(*command)).await.expect("the connection is open");
        }
        self.socket.flush().await.expect("the connection is open");
    }

    /// The next message, whatever it is, but for pings and pongs.
    pub(crate) async fn next_message(&mut self) -> Message {
        match self.read().await {
            Ok(message) => message,
            Err(nothing) => panic!("a message was to come, but {nothing}"),
        }
    }

    /// The next text frame, byte for byte.
    pub(crate) async fn next_text(&mut self) -> String {
        match self.read().await {
            Ok(Message::Text(text)) => text.as_str().to_owned(),
            Ok(other) => panic!("a text frame was to come, not {other:?}; {:?}", self.last),
            Err(nothing) => panic!("a text frame was to come, but {nothing}"),
        }
    }

    /// The next text frame, if one comes in that time.
    pub(crate) async fn next_text_within(&mut self, patience: Duration) -> Option<String> {
        timeout(patience, self.next_text()).await.ok()
    }

    /// The next binary frame.
    pub(crate) async fn next_binary(&mut self) -> Vec<u8> {
        match self.read().await {
            Ok(Message::Binary(bytes)) => bytes.to_vec(),
            Ok(other) => panic!("a binary frame was to come, not {other:?}; {:?}", self.last),
            Err(nothing) => panic!("a binary frame was to come, but {nothing}"),
        }
    }

    /// The next envelope.
    pub(crate) async fn next(&mut self) -> Value {
        let text = self.next_text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next envelope, if one comes in that time.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        timeout(patience, self.next()).await.ok()
    }

    /// The content of the next envelope.
    pub(crate) async fn next_content(&mut self) -> Value {
        self.next().await["content"].take()
    }

    /// The error with which a command is answered: its code and its message, which say something.
    pub(crate) async fn next_error(&mut self) -> Value {
        let answer = self.next().await;
        assert_eq!(answer["source"], "websocket", "{answer}");
        let error = &answer["content"]["error"];
        assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{answer}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
        answer
    }

    /// Takes envelopes up to the first one with this content, and returns those before it.
    pub(crate) async fn until(&mut self, content: &str) -> Vec<Value> {
        let mut before: Vec<Value> = Vec::new();
        loop {
            let text = match self.read().await {
                Ok(Message::Text(text)) => text,
                Ok(other) => panic!("{content:?} was to come, not {other:?}; before that {before:?}"),
                Err(nothing) => panic!("{content:?} was to come, but {nothing}; before that {before:?}"),
            };
            let envelope: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            if envelope["content"] == content {
                return before;
            }
            before.push(envelope);
        }
    }

    /// Waits until all commands so far have been carried out: answers come in order.
    pub(crate) async fn settled(&mut self) {
        self.send("PING client_ref=settled").await;
        let pong = self.next().await;
        let (content, reference) = (&pong["content"], &pong["client_reference"]);
        assert!(content == "PONG" && reference == "settled", "nothing was to come before the answer: {pong}");
    }

    /// Fails if anything but the answer to one more command comes: commands and publications before it brought nothing.
    pub(crate) async fn expect_nothing(&mut self, server: &TestServer) {
        // Whatever commands before it bring about in the store.
        self.settled().await;
        server.heard().await;
        self.settled().await;
        let more = self.socket.next().now_or_never();
        assert!(more.is_none(), "nothing was to come behind the answer: {more:?}");
    }

    /// The frame with which the server closes.
    pub(crate) async fn next_close(&mut self) -> CloseFrame {
        loop {
            match self.read().await {
                Ok(Message::Close(Some(frame))) => return frame,
                Ok(Message::Close(None)) => panic!("the closing frame says nothing; {:?}", self.last),
                Ok(_) => {}
                Err(nothing) => panic!("a closing frame was to come, but {nothing}"),
            }
        }
    }

    async fn read(&mut self) -> Result<Message, Nothing<'_>> {
        let reason = loop {
            match timeout(PATIENCE, self.socket.next()).await {
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(message))) => {
                    self.last.heard = shortened(&message);
                    return Ok(message);
                }
                Ok(Some(Err(error))) => break format!("the connection broke: {error}"),
                Ok(None) => break "the connection ended".to_owned(),
                Err(_elapsed) => break format!("nothing came for {PATIENCE:?}"),
            }
        };
        Err(Nothing { reason, last: &self.last })
    }
}

impl fmt::Display for Nothing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {:?}", self.reason, self.last)
    }
}

/// Enough of a message to know it again.
fn shortened(message: &Message) -> String {
    let text = match message {
        Message::Text(text) => text.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    text.chars().take(200).collect()
}
