//! A WebSocket client that expects.

use std::{net::SocketAddr, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::CloseFrame},
};

/// A connected client.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
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
        // Without waiting for acknowledgements: tests send small frames one by one.
        let url = format!("ws://{address}{path}");
        let (socket, _) =
            connect_async_with_config(url, None, true).await.expect("the server takes connections");
        Self { socket }
    }

    pub(crate) async fn send(&mut self, command: impl Into<String>) {
        self.socket.send(Message::text(command.into())).await.expect("the connection is open");
    }

    pub(crate) async fn socket_send(&mut self, message: Message) {
        self.socket.send(message).await.expect("the connection is open");
    }

    /// Sends commands so that they arrive together.
    pub(crate) async fn send_together(&mut self, commands: &[&str]) {
        for command in commands {
            self.socket.feed(Message::text(*command)).await.expect("the connection is open");
        }
        self.socket.flush().await.expect("the connection is open");
    }

    /// The next text frame, byte for byte.
    pub(crate) async fn next_text(&mut self) -> String {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a message comes in time");
            match message.expect("the connection is open").expect("frames are valid") {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text frame: {other:?}"),
            }
        }
    }

    /// The next text frame, if one comes in that time.
    pub(crate) async fn next_text_within(&mut self, patience: Duration) -> Option<String> {
        timeout(patience, self.next_text()).await.ok()
    }

    /// The next binary frame.
    pub(crate) async fn next_binary(&mut self) -> Vec<u8> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a message comes in time");
            match message.expect("the connection is open").expect("frames are valid") {
                Message::Binary(bytes) => return bytes.to_vec(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a binary frame: {other:?}"),
            }
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
        let mut before = Vec::new();
        loop {
            let envelope = self.next().await;
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
        assert_eq!(
            (&pong["content"], &pong["client_reference"]),
            (&"PONG".into(), &"settled".into()),
            "{pong}"
        );
    }

    /// Fails if anything but the answer to one more command comes: commands and publications before it brought nothing.
    pub(crate) async fn expect_nothing(&mut self) {
        tokio::time::sleep(QUIET).await;
        self.settled().await;
        assert!(self.socket.next().now_or_never().is_none(), "nothing comes behind the answer");
    }

    /// The frame with which the server closes.
    pub(crate) async fn next_close(&mut self) -> CloseFrame {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a message comes in time");
            match message {
                Some(Ok(Message::Close(Some(frame)))) => return frame,
                Some(Ok(_)) => {}
                other => panic!("ended without a closing frame: {other:?}"),
            }
        }
    }
}

/// The longest a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing has to come for a test to believe that nothing will.
pub(crate) const QUIET: Duration = Duration::from_millis(60);
