use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    rc::Rc,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::described;
use crate::{geocast::PATIENCE, schemas::holding};

/// Frames, each with the operation of the description that it is of.
pub(super) type Frames = Rc<RefCell<Vec<(String, Message)>>>;

/// A client that keeps what it says and what it is told.
pub(super) struct Client {
    dialect: &'static str,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What has come before it was asked for.
    early: VecDeque<Message>,
    frames: Frames,
}

impl Client {
    pub(super) async fn connect(
        address: SocketAddr,
        path: &str,
        dialect: &'static str,
        frames: &Frames,
    ) -> Self {
        let (socket, _) = connect_async(format!("ws://{address}{path}")).await.expect("it takes connections");
        Self { dialect, socket, early: VecDeque::new(), frames: Rc::clone(frames) }
    }

    /// Says something that is as described.
    pub(super) async fn say(&mut self, message: impl Into<Message>) {
        let message = message.into();
        self.frames.borrow_mut().push((format!("{}.receive", self.dialect), message.clone()));
        self.mutter(message).await;
    }

    /// Says something that is not.
    pub(super) async fn mutter(&mut self, message: impl Into<Message>) {
        self.socket.send(message.into()).await.expect("the connection is open");
    }

    /// What it is told next.
    pub(super) async fn next(&mut self, what: &str) -> Message {
        let message = match self.early.pop_front() {
            Some(message) => message,
            None => loop {
                match self.frame(what).await {
                    Message::Ping(_) | Message::Pong(_) => {}
                    message => break message,
                }
            },
        };
        self.frames.borrow_mut().push((format!("{}.send", self.dialect), message.clone()));
        message
    }

    /// Listens until each of these has been part of something.
    pub(super) async fn hear(&mut self, parts: &[&str]) {
        let mut missing = parts.to_vec();
        while !missing.is_empty() {
            let heard = text(&self.next(missing[0]).await);
            missing.retain(|part| !heard.contains(part));
        }
    }

    /// Returns when what it has said before is known to the server.
    pub(super) async fn settle(&mut self) {
        self.mutter(Message::Ping("turn".into())).await;
        loop {
            match self.frame("the answer to a ping").await {
                Message::Pong(_) => return,
                Message::Ping(_) => {}
                message => self.early.push_back(message),
            }
        }
    }

    async fn frame(&mut self, what: &str) -> Message {
        let frame = timeout(PATIENCE, self.socket.next()).await;
        let frame = frame.unwrap_or_else(|_| panic!("{}: {what} does not come", self.dialect));
        match frame {
            Some(Ok(message)) if !message.is_close() => message,
            other => panic!("{}: {other:?} and not {what}", self.dialect),
        }
    }
}

/// The messages of the description that frames were, each with its operation. Fails at a frame that is none of those that its operation
/// has, or may be several.
pub(super) fn named(frames: &[(String, Message)]) -> Result<BTreeSet<(String, String)>, String> {
    let asyncapi = described("asyncapi");
    let messages = asyncapi["components"]["messages"].as_object().expect("a table");
    let places: BTreeMap<String, String> =
        messages.keys().map(|name| (name.clone(), format!("#/components/messages/{name}/payload"))).collect();
    let operations = all(&asyncapi);
    let values: Vec<(Vec<&str>, Value)> = frames
        .iter()
        .map(|(operation, frame)| {
            let text = text(frame);
            let names = operations.iter().filter(|(of, _)| of == operation).map(|(_, name)| name.as_str());
            let of_type = |kind: &str| -> Vec<&str> {
                names.clone().filter(|name| messages[*name]["contentType"] == kind).collect()
            };
            match (frame, serde_json::from_str::<Value>(&text)) {
                (Message::Binary(_), _) => (of_type("application/octet-stream"), text.into()),
                (_, Ok(json)) if !of_type("application/json").is_empty() => {
                    (of_type("application/json"), json)
                }
                _ => (of_type("text/plain"), text.into()),
            }
        })
        .collect();
    let held = holding(&asyncapi, &places, &values);
    let named = frames.iter().zip(&values).zip(held).map(|(((operation, frame), (_, value)), names)| {
        let result = value["id"].as_str().map(|method| format!("rpc.result.{method}"));
        let result = result.filter(|result| value.get("result").is_some() && messages.contains_key(result));
        let name = match (result, names.as_slice()) {
            (Some(result), names) if names.contains(&result) => result,
            (None, [name]) => name.clone(),
            // By its form alone, a result may be that of several methods, and an envelope that is more closely described is also any.
            (None, [name, ..]) if names.iter().all(|name| name.starts_with("rpc.result.")) => name.clone(),
            (None, [one, other] | [other, one]) if one == ANY => other.clone(),
            _ => return Err(format!("{operation}: {names:?} holds of {frame}")),
        };
        Ok((operation.clone(), name))
    });
    named.collect()
}

/// All messages that are described, each with its operation.
pub(super) fn all(asyncapi: &Value) -> BTreeSet<(String, String)> {
    let operations = asyncapi["operations"].as_object().expect("a table").iter();
    let messages = |operation: &Value| operation["messages"].as_array().expect("a list").clone();
    operations
        .flat_map(|(name, operation)| messages(operation).into_iter().map(move |message| (name, message)))
        .map(|(operation, message)| {
            let name = message["$ref"].as_str().and_then(|place| place.rsplit('/').next());
            (operation.clone(), name.expect("a name").to_owned())
        })
        .collect()
}

/// As far as it is text.
pub(super) fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.clone().into_data()).into_owned()
}

/// What holds of envelopes that are more closely described as well.
const ANY: &str = "text.envelope";
