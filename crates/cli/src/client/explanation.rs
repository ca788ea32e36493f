//! What a server says has become of the events of our channels.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::json;

/// What the server says of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Explanation {
    accounts: BTreeMap<String, Account>,
    connection: Sent,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Account {
    tracked: bool,
    events: u64,
    granted: u64,
    withheld: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Sent {
    granted: u64,
    delivered: u64,
    waiting: u64,
    replaced: u64,
    slow: u64,
}

/// Asks for it.
pub(super) fn question() -> String {
    json!({ "jsonrpc": "2.0", "id": EXPLANATION, "method": "session" }).to_string()
}

/// One line for each channel, and one for what has become of all that was granted.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (channel, Account { tracked, events, granted, withheld }) in &self.accounts {
            let tracked = if *tracked { " (tracked)" } else { "" };
            let number: u64 = withheld.values().sum();
            write!(f, "{channel}{tracked}: {events} events came, {granted} granted, {number} withheld")?;
            for (position, (reason, number)) in withheld.iter().enumerate() {
                let separator = if position == 0 { ": " } else { ", " };
                // A name that a server makes up must not reach the terminal as it is.
                write!(f, "{separator}{number} {}", reason.escape_debug())?;
            }
            writeln!(f)?;
        }
        let Sent { granted, delivered, waiting, replaced, slow } = self.connection;
        write!(
            f,
            "of {granted} granted on this connection: {delivered} delivered, {waiting} waiting, {replaced} replaced by \
             newer states, {slow} dropped because they were read too slowly"
        )
    }
}

/// By which the answer is known.
pub(super) const EXPLANATION: &str = "geocast-explanation";

#[cfg(test)]
mod tests {
    use super::Explanation;

    #[test]
    fn each_channel_has_a_line() {
        let explanation: Explanation = serde_json::from_str(
            r#"{"channels":["news","vehicles"],"accounts":{
                "vehicles":{"tracked":true,"events":9,"granted":4,"withheld":{"outside":3,"replaced":2}},
                "news":{"tracked":false,"events":1,"granted":1,"withheld":{}}},
                "connection":{"granted":5,"delivered":4,"waiting":1,"replaced":0,"slow":0}}"#,
        )
        .unwrap();
        let expected = "\
news: 1 events came, 1 granted, 0 withheld
vehicles (tracked): 9 events came, 4 granted, 5 withheld: 3 outside, 2 replaced
of 5 granted on this connection: 4 delivered, 1 waiting, 0 replaced by newer states, 0 dropped because they were read too slowly";
        assert_eq!(explanation.to_string(), expected);
    }
}
