//! A JSON-RPC client that expects.

use serde_json::{Value, json};
use tokio_tungstenite::{connect_async_with_config, tungstenite::client::IntoClientRequest};

use crate::{client::Client, server::TestServer};

pub(crate) struct Caller {
    pub(crate) client: Client,
    /// The last id.
    pub(crate) next: u64,
}

impl Caller {
    pub(crate) async fn connect(server: &TestServer) -> Self {
        Self { client: Client::connect_raw(server.address, "/rpc").await, next: 0 }
    }

    /// Connects as somebody who may publish, on a server with that key.
    pub(crate) async fn publisher(server: &TestServer, key: &str) -> Self {
        let mut request = format!("ws://{}/rpc", server.address).into_client_request().expect("a request");
        let bearer = format!("Bearer {key}").parse().expect("a value");
        request.headers_mut().insert("authorization", bearer);
        let connected = connect_async_with_config(request, None, true).await;
        let (socket, _) = connected.expect("the server takes connections");
        Self { client: Client::from(socket), next: 0 }
    }

    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.begin(method, params).await;
        let reply = self.client.next().await;
        self.expect_reply(reply)
    }

    async fn begin(&mut self, method: &str, params: Value) {
        self.next += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params });
        self.client.send(request.to_string()).await;
    }

    fn expect_reply(&self, reply: Value) -> Value {
        assert_eq!((&reply["jsonrpc"], &reply["id"]), (&json!("2.0"), &json!(self.next)), "{reply}");
        reply
    }

    /// The result of a subscription behind an outage: whoever is about to be subscribed may be told of that gap before.
    pub(crate) async fn subscribe_behind_gaps(&mut self, params: Value) -> Value {
        self.begin("subscribe", params).await;
        let mut reply = self.client.next().await;
        while reply["method"] == "gap" {
            reply = self.client.next().await;
        }
        result(self.expect_reply(reply))
    }

    /// The result of a call.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        result(self.ask(method, params).await)
    }

    /// The code, reason and message of a call that fails.
    pub(crate) async fn refused(&mut self, method: &str, params: Value) -> (i64, Value, String) {
        let mut reply = self.ask(method, params).await;
        assert!(reply.get("result").is_none(), "{reply}");
        let error = &mut reply["error"];
        let code = error["code"].as_i64().expect("a number");
        (code, error["data"].take(), error["message"].as_str().expect("a text").to_owned())
    }

    /// The next push.
    pub(crate) async fn pushed(&mut self) -> Value {
        let mut push = self.client.next().await;
        assert_eq!((&push["jsonrpc"], &push["method"]), (&json!("2.0"), &json!("message")), "{push}");
        assert!(push.get("id").is_none(), "{push}");
        push["params"].take()
    }

    /// The next push that says who comes to a channel and goes.
    pub(crate) async fn moved(&mut self) -> Value {
        loop {
            let mut push = self.client.next().await;
            if push["method"] == "presence" {
                return push["params"].take();
            }
            assert_eq!(push["method"], "gap", "{push}");
        }
    }
}

fn result(mut reply: Value) -> Value {
    assert!(reply.get("error").is_none(), "{reply}");
    reply["result"].take()
}
