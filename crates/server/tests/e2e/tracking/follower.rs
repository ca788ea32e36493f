//! A client that keeps a map by what it is told, strictly.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{caller::Caller, server::TestServer, waiting::Fence};

pub(super) struct Follower {
    pub(super) caller: Caller,
    /// Features by key.
    pub(super) map: BTreeMap<String, Value>,
    fence: Fence,
}

impl Follower {
    /// A client that tracks `map` with this viewport, once the state of the beginning has been told.
    pub(super) async fn start(server: &TestServer, bbox: Option<[f64; 4]>) -> Self {
        let mut caller = Caller::connect(server).await;
        if let Some(bbox) = bbox {
            caller.call("viewport", json!({ "bbox": bbox })).await;
        }
        let subscribed = caller.call("subscribe", json!({ "channel": "map", "track": true })).await;
        assert_eq!(subscribed, json!({ "channel": "map", "tracked": true }));
        let mut follower = Self { caller, map: BTreeMap::new(), fence: server.fence() };
        follower.settle().await;
        follower
    }

    /// Takes up one push, and returns it in short: `enter 7`, `leave 7 moved`.
    pub(super) async fn told(&mut self) -> String {
        let push = self.caller.client.next().await;
        self.take(&push)
    }

    /// Takes up everything that was published before.
    pub(super) async fn settle(&mut self) -> Vec<String> {
        self.fence.pass().await;
        self.caller.next += 1;
        let id = self.caller.next;
        let ping = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
        self.caller.client.send(ping.to_string()).await;
        let mut told = Vec::new();
        loop {
            let message = self.caller.client.next().await;
            if message["id"] == id {
                return told;
            }
            told.push(self.take(&message));
        }
    }

    /// Changes something, and returns what it was told then.
    pub(super) async fn after(&mut self, method: &str, params: Value) -> Vec<String> {
        self.caller.call(method, params).await;
        let mut told = self.settle().await;
        told.sort();
        told
    }

    pub(super) fn keys(&self) -> Vec<&str> {
        self.map.keys().map(String::as_str).collect()
    }

    fn take(&mut self, push: &Value) -> String {
        let (method, params) = (push["method"].as_str().expect("a method"), &push["params"]);
        assert_eq!(params["source"], "map", "{push}");
        assert!(params["timestamp"].is_f64(), "{push}");
        let key = params["key"].to_string().trim_matches('"').to_owned();
        match method {
            "enter" => {
                let known = self.map.insert(key.clone(), params["content"].clone());
                assert!(known.is_none(), "it has {key} already: {push}");
                format!("enter {key}")
            }
            "update" => {
                let known = self.map.insert(key.clone(), params["content"].clone());
                assert!(known.is_some(), "it does not have {key}: {push}");
                format!("update {key}")
            }
            "leave" => {
                assert!(params.get("content").is_none(), "{push}");
                assert!(self.map.remove(&key).is_some(), "it does not have {key}: {push}");
                format!("leave {key} {}", params["reason"].as_str().expect("a reason"))
            }
            _ => panic!("no change: {push}"),
        }
    }
}

/// A point with a key.
pub(super) fn point(id: &str, x: f64, y: f64) -> String {
    feature(id, &json!({ "type": "Point", "coordinates": [x, y] }))
}

pub(super) fn feature(id: &str, geometry: &Value) -> String {
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": { "name": id } }).to_string()
}
