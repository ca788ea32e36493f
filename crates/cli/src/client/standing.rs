//! Which channels a server delivers: the text dialect is silent about those that it refuses, JSON-RPC is not.

use std::collections::BTreeSet;

use geocast_protocol::Channel;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::explanation::{EXPLANATION, Explanation};

/// Something that a server says in JSON-RPC, in between.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The channels that it delivers.
    Delivers(BTreeSet<String>),
    /// Why it does not let a channel be read.
    Refuses(String),
    /// What has become of events.
    Explains(Explanation),
    /// Nothing that was asked for.
    Nothing,
}

#[derive(Deserialize)]
struct Reply<'a> {
    id: Option<String>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Reason>,
}

#[derive(Deserialize)]
struct Session {
    #[serde(default)]
    channels: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
}

/// Asks which channels are delivered. The answer comes behind that of all that was asked before.
pub(super) fn question() -> String {
    json!({ "jsonrpc": "2.0", "id": STANDING, "method": "session" }).to_string()
}

/// Asks for a channel that may not be read, to hear why. Of the state, nothing is read if it may after all.
pub(super) fn reason(channel: &Channel) -> String {
    let params = json!({ "channel": channel.as_str(), "key": REASON });
    json!({ "jsonrpc": "2.0", "id": REASON, "method": "get", "params": params }).to_string()
}

/// What a frame says, if it is none of the text dialect.
pub(super) fn read(frame: &str) -> Option<Said> {
    if !frame.starts_with(r#"{"jsonrpc""#) {
        return None;
    }
    let said = || {
        let Reply { id, result, error } = serde_json::from_str(frame).ok()?;
        match (id.as_deref()?, result, error) {
            (STANDING, Some(session), _) => serde_json::from_str::<Session>(session.get())
                .ok()
                .map(|session| Said::Delivers(session.channels)),
            (EXPLANATION, Some(session), _) => serde_json::from_str(session.get()).ok().map(Said::Explains),
            (REASON, _, Some(reason)) => Some(Said::Refuses(reason.message)),
            _ => None,
        }
    };
    Some(said().unwrap_or(Said::Nothing))
}

/// What a reader of a channel that the server refuses is told, and what lets it be read.
pub(super) fn refusal(reason: &str) -> String {
    format!(
        "the server refuses: {reason} (its operator allows channels with --channels, or by a token: --token TOKEN)"
    )
}

const STANDING: &str = "geocast-standing";
const REASON: &str = "geocast-reason";

#[cfg(test)]
mod tests {
    use super::{Said, read};

    #[test]
    fn only_answers_to_our_questions_say_something() {
        let channels = ["a", "b"].map(str::to_owned).into();
        for (frame, expected) in [
            (
                r#"{"jsonrpc":"2.0","id":"geocast-standing","result":{"channels":["a","b"],"crs":"EPSG:4326"}}"#,
                Some(Said::Delivers(channels)),
            ),
            (
                r#"{"jsonrpc":"2.0","id":"geocast-reason","error":{"code":-32001,"message":"no"}}"#,
                Some(Said::Refuses("no".to_owned())),
            ),
            (
                r#"{"jsonrpc":"2.0","id":"geocast-standing","error":{"code":1,"message":"no"}}"#,
                Some(Said::Nothing),
            ),
            (r#"{"jsonrpc":"2.0","id":7,"result":1}"#, Some(Said::Nothing)),
            (r#"{"source":"a","content":1}"#, None),
        ] {
            assert_eq!(read(frame), expected, "{frame}");
        }
    }
}
