use serde_json::{Value, json};

use super::map::View;
use crate::redis::{TRACKED, any_key, feature, message};

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    Ping,
    Subscribe(&'static str),
    Unsubscribe(&'static str),
    Track(&'static str),
    Untrack(&'static str),
    Look(View),
    Get(&'static str),
    Publish(&'static str, u64),
}

impl Call {
    /// As JSON-RPC has it.
    pub(super) fn write(self, id: u64) -> String {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let (method, params) = match self {
            Self::Ping => ("ping", json!({})),
            Self::Subscribe(channel) => ("subscribe", json!({ "channel": channel })),
            Self::Unsubscribe(channel) | Self::Untrack(channel) => {
                ("unsubscribe", json!({ "channel": channel }))
            }
            Self::Track(channel) => ("subscribe", json!({ "channel": channel, "track": true })),
            Self::Look(view) => ("viewport", view.map_or_else(|| json!({}), |bbox| json!({ "bbox": bbox }))),
            Self::Get(channel) => ("get", json!({ "channel": channel })),
            Self::Publish(channel, number) if TRACKED.contains(&channel) => {
                let key = any_key();
                let data = parsed(&feature(&key, number));
                ("publish", json!({ "channel": channel, "key": key, "data": data }))
            }
            Self::Publish(channel, number) => {
                ("publish", json!({ "channel": channel, "data": parsed(&message(number)) }))
            }
        };
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
    }
}

/// What is looked at.
pub(super) const VIEWS: [View; 5] = [
    None,
    Some([0.0, 0.0, 50.0, 30.0]),
    Some([25.0, 10.0, 75.0, 50.0]),
    Some([50.0, 30.0, 99.0, 59.0]),
    Some([120.0, 0.0, 130.0, 10.0]),
];
