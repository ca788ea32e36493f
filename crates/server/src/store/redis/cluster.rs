use std::fmt::Write;

use deadpool_redis::redis::{FromRedisValue, RedisError, Value, cmd};
use tokio::time::timeout;

use super::{
    address::Address,
    dialer::Dialer,
    opener::{Identity, Opener, Role, told},
    topology::Topology,
};

/// Knows some nodes of a cluster, and asks them who has which slots.
#[derive(Debug)]
pub(super) struct Cluster {
    seeds: Vec<Address>,
    identity: Identity,
    dialer: Dialer,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Address>, identity: Identity, dialer: Dialer) -> Self {
        Self { seeds, identity, dialer }
    }

    /// Who has what, as the first node says that answers; or why none does. Those that are `known` are asked before those that
    /// were named at the start, in an order that differs from time to time: one node may be cut off from the others.
    pub(super) async fn topology(&self, known: &[Address]) -> Result<Topology, String> {
        let mut nodes: Vec<&Address> = known.iter().collect();
        fastrand::shuffle(&mut nodes);
        nodes.extend(self.seeds.iter().filter(|seed| !known.contains(seed)));
        let mut reasons = "no node of the cluster says who has which slots: ".to_owned();
        for (number, node) in nodes.into_iter().take(MOST_ASKED).enumerate() {
            let patience = self.dialer.patience();
            let reason = match timeout(patience, self.ask(node)).await {
                Ok(Ok(claims)) => match Topology::cluster(claims) {
                    Some(topology) => return Ok(topology),
                    None => format!("{node} knows of no slots"),
                },
                Ok(Err(error)) => told(node, &error),
                Err(_elapsed) => format!("{node} did not answer within {patience:?}"),
            };
            let comma = if number == 0 { "" } else { ", " };
            write!(reasons, "{comma}{reason}").expect("writing to a string cannot fail");
        }
        Err(reasons)
    }

    async fn ask(&self, node: &Address) -> Result<Vec<(u16, u16, Address)>, RedisError> {
        let opener = Opener::new(
            self.dialer.clone(),
            node.clone(),
            self.identity.clone(),
            Role::Any,
            self.dialer.patience(),
        );
        let answer: Vec<Vec<Value>> = opener.open().await?.query(cmd("CLUSTER").arg("SLOTS")).await?;
        Ok(answer.iter().filter_map(|range| claim(range, node)).collect())
    }
}

/// Reads one range: its first and last slot, and the master, as `node` calls it. A node that does not know its own name
/// leaves it empty.
fn claim(range: &[Value], node: &Address) -> Option<(u16, u16, Address)> {
    let [first, last, Value::Array(master), ..] = range else { return None };
    let [host, port, ..] = master.as_slice() else { return None };
    let named: Option<String> = FromRedisValue::from_redis_value_ref(host).ok()?;
    let host = match (named, node) {
        (Some(named), _) if !named.is_empty() && named != "?" => named,
        (_, Address::Tcp { host, .. }) => host.clone(),
        (_, Address::Unix(_)) => return None,
    };
    let number = |value| u16::from_redis_value_ref(value).ok();
    Some((number(first)?, number(last)?, Address::Tcp { host, port: number(port)? }))
}

/// Enough to find one that answers, and an end to looking for it.
const MOST_ASKED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_without_names_are_where_they_were_asked() {
        let asked = Address::Tcp { host: "seed".to_owned(), port: 1 };
        for (host, expected) in [
            (Value::BulkString(b"10.0.0.1".to_vec()), "10.0.0.1"),
            (Value::BulkString(Vec::new()), "seed"),
            (Value::BulkString(b"?".to_vec()), "seed"),
            (Value::Nil, "seed"),
        ] {
            let master = Value::Array(vec![host, Value::Int(7000), Value::BulkString(b"id".to_vec())]);
            let range = [Value::Int(0), Value::Int(5460), master];
            let address = Address::Tcp { host: expected.to_owned(), port: 7000 };
            assert_eq!(claim(&range, &asked), Some((0, 5460, address)), "{expected}");
        }
        assert_eq!(claim(&[Value::Int(0)], &asked), None);
        assert_eq!(claim(&[Value::Int(0), Value::Int(70_000), Value::Array(vec![])], &asked), None);
    }
}
