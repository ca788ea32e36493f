//! What Redis holds, and what its commands do with it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde_json::Value;
use tokio::sync::Notify;

use super::resp::Reply;
use crate::world::{Feature, Shared};

/// A Redis; its data outlives the host, or not, as a fault will have it.
pub(crate) struct Data {
    world: Shared,
    hashes: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    listeners: BTreeMap<u64, Listener>,
    next_listener: u64,
    /// Bytes that may wait for a subscriber before it is cut off.
    pub(crate) output_limit: usize,
    /// Whether subscribers are told late.
    lags: bool,
    /// What it does wrong, to show that it would be seen.
    pub(crate) planted: Option<Planted>,
}

/// A fault of Redis that no geocast can know of: the checks have to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// Every twentieth message reaches nobody, and nothing else is wrong.
    Swallows,
    /// Every twentieth message comes twice.
    Repeats,
    /// Every twentieth message comes behind the next one of its channel.
    Swaps,
    /// What is published is not what is in the hash.
    Forgets,
}

/// A connection that may be subscribed.
struct Listener {
    channels: BTreeSet<String>,
    outgoing: Rc<Outgoing>,
    /// Whether it is not told of what is published any more, although it is connected.
    is_deaf: bool,
    /// Planted: what is held back.
    late: Option<(String, Vec<u8>)>,
}

/// What is on its way to a connection.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: RefCell<Vec<u8>>,
    pub(crate) changed: Notify,
    pub(crate) is_cut: Cell<bool>,
    /// Whether what is written leaves late.
    pub(crate) lags: Cell<bool>,
}

impl Outgoing {
    pub(crate) fn push(&self, reply: &Reply) {
        reply.write(&mut self.bytes.borrow_mut());
        self.changed.notify_one();
    }

    pub(crate) fn cut(&self) {
        self.is_cut.set(true);
        self.changed.notify_one();
    }
}

impl Data {
    pub(crate) fn new(world: Shared) -> Self {
        Self {
            world,
            hashes: BTreeMap::new(),
            listeners: BTreeMap::new(),
            next_listener: 0,
            output_limit: 64 * 1024,
            lags: false,
            planted: None,
        }
    }

    /// A new connection.
    pub(crate) fn connect(&mut self, outgoing: &Rc<Outgoing>) -> u64 {
        self.next_listener += 1;
        let listener =
            Listener { channels: BTreeSet::new(), outgoing: Rc::clone(outgoing), is_deaf: false, late: None };
        self.listeners.insert(self.next_listener, listener);
        self.next_listener
    }

    pub(crate) fn disconnect(&mut self, connection: u64) {
        self.listeners.remove(&connection);
    }

    /// The process has ended: nobody is connected any more.
    pub(crate) fn end(&mut self) {
        self.listeners.clear();
    }

    /// Everything is gone.
    pub(crate) fn lose(&mut self) {
        self.hashes.clear();
        self.world.borrow_mut().state.clear();
    }

    /// CLIENT KILL TYPE pubsub.
    pub(crate) fn kill_subscribers(&mut self) {
        self.subscribers().for_each(|listener| listener.outgoing.cut());
    }

    /// Those who are subscribed now are not told of anything any more.
    pub(crate) fn deafen(&mut self) {
        self.subscribers().for_each(|listener| listener.is_deaf = true);
    }

    /// Those who are subscribed are told late, and those who will be, or none any more.
    pub(crate) fn lag(&mut self, begins: bool) {
        self.lags = begins;
        self.subscribers().for_each(|listener| listener.outgoing.lags.set(begins));
    }

    fn subscribers(&mut self) -> impl Iterator<Item = &mut Listener> {
        self.listeners.values_mut().filter(|listener| !listener.channels.is_empty())
    }

    pub(crate) fn execute(&mut self, connection: u64, command: &[Vec<u8>]) -> Vec<Reply> {
        let texts: Vec<String> =
            command.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        let words: Vec<&str> = texts.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["CLIENT", "SETNAME", _] => vec![Reply::Simple("OK")],
            ["HELLO"] => {
                let said = ["mode", "standalone", "role", "master"].map(Reply::text);
                vec![Reply::Array(said.into())]
            }
            ["PING"] if self.is_subscribed(connection) => {
                vec![Reply::Array(vec![Reply::text("pong"), Reply::text("")])]
            }
            ["PING"] => vec![Reply::Simple("PONG")],
            ["PING", text] => vec![Reply::text(text)],
            ["SUBSCRIBE", channels @ ..] => {
                channels.iter().map(|channel| self.subscribe(connection, channel, true)).collect()
            }
            ["UNSUBSCRIBE", channels @ ..] => {
                channels.iter().map(|channel| self.subscribe(connection, channel, false)).collect()
            }
            ["PUBLISH", channel, _] => vec![Reply::Number(self.publish(channel, &command[2]))],
            ["HSTRLEN", hash, key] => {
                vec![Reply::Number(self.value(hash, key).map_or(0, |value| value.len() as i64))]
            }
            ["HGET", hash, key] => {
                vec![self.value(hash, key).map_or(Reply::Nil, Reply::text)]
            }
            ["HSCAN", hash, cursor, "COUNT", count] => vec![self.scan(hash, cursor, count)],
            ["EVAL", script, "1", channel, key, _, "PUBLISH"] if script.starts_with("redis.call('HSET'") => {
                self.put(channel, key, &command[5]);
                vec![Reply::Nil]
            }
            other => {
                let reason = format!("redis does not know {other:?}");
                self.world.borrow_mut().violate("redis", &reason);
                vec![Reply::Error("ERR unknown command".to_owned())]
            }
        }
    }

    /// HSET and PUBLISH, at once.
    pub(crate) fn put(&mut self, channel: &str, key: &str, value: &[u8]) {
        if self.planted != Some(Planted::Forgets) {
            self.hashes.entry(channel.to_owned()).or_default().insert(key.to_owned(), value.to_vec());
        }
        let place = |value: &Value, axis: usize| value["geometry"]["coordinates"][axis].as_f64();
        let parsed: Value = serde_json::from_slice(value).expect("what is put is a feature");
        let feature = Feature {
            number: parsed["properties"]["n"].as_u64().expect("a number"),
            place: [place(&parsed, 0).expect("a place"), place(&parsed, 1).expect("a place")],
        };
        let mut world = self.world.borrow_mut();
        world.state.entry(channel.to_owned()).or_default().insert(key.to_owned(), feature);
        drop(world);
        self.publish(channel, value);
    }

    /// HDEL and PUBLISH, at once.
    pub(crate) fn remove(&mut self, channel: &str, key: &str) {
        let Some(hash) = self.hashes.get_mut(channel) else { return };
        if hash.remove(key).is_some() {
            self.world.borrow_mut().state.entry(channel.to_owned()).or_default().remove(key);
            let notice = geocast_server::deletion_notice(key);
            self.publish(channel, &notice);
        }
    }

    /// How many were told.
    pub(crate) fn publish(&mut self, channel: &str, payload: &[u8]) -> i64 {
        let number = number(payload);
        if let Some(number) = number {
            let mut world = self.world.borrow_mut();
            world.publish(channel, number);
            world.note("redis", &format!("PUBLISH {channel} {number}"));
        }
        let planted = self.planted.filter(|_| number.is_some_and(|number| number % 20 == 0));
        let mut told = 0;
        for listener in self.listeners.values_mut() {
            if !listener.channels.contains(channel) || listener.is_deaf {
                continue;
            }
            told += 1;
            match planted {
                Some(Planted::Swallows) => {}
                Some(Planted::Swaps) if listener.late.is_none() => {
                    listener.late = Some((channel.to_owned(), payload.to_vec()));
                }
                Some(Planted::Repeats) => (0..2).for_each(|_| listener.tell(channel, payload)),
                _ => listener.tell(channel, payload),
            }
            if let Some((name, late)) =
                listener.late.take_if(|(name, late)| name == channel && late != payload)
            {
                listener.tell(&name, &late);
            }
            if listener.outgoing.bytes.borrow().len() > self.output_limit {
                self.world.borrow_mut().note("redis", "cuts a subscriber off");
                listener.outgoing.cut();
            }
        }
        told
    }

    fn is_subscribed(&self, connection: u64) -> bool {
        self.listeners.get(&connection).is_some_and(|listener| !listener.channels.is_empty())
    }

    fn subscribe(&mut self, connection: u64, channel: &str, wanted: bool) -> Reply {
        let Some(listener) = self.listeners.get_mut(&connection) else { return Reply::Nil };
        let verb = if wanted {
            listener.channels.insert(channel.to_owned());
            listener.outgoing.lags.set(self.lags);
            "subscribe"
        } else {
            listener.channels.remove(channel);
            "unsubscribe"
        };
        let count = listener.channels.len() as i64;
        self.world.borrow_mut().note("redis", &format!("{verb} {channel}, connection {connection}"));
        Reply::Array(vec![Reply::text(verb), Reply::text(channel), Reply::Number(count)])
    }

    fn value(&self, hash: &str, key: &str) -> Option<&Vec<u8>> {
        self.hashes.get(hash)?.get(key)
    }

    /// A few fields at a time, as if the hash were large.
    fn scan(&self, hash: &str, cursor: &str, count: &str) -> Reply {
        let count: usize = count.parse::<usize>().expect("a count").min(4);
        let first: usize = cursor.parse().expect("a cursor");
        // A cursor is a place in the order of keys, which others do not shift: all keys are named beforehand.
        let empty = BTreeMap::new();
        let fields = self.hashes.get(hash).unwrap_or(&empty);
        let mut batch = Vec::new();
        // The keys that change most are read last: of these, the next changes are on their way when all has been read.
        for slot in (first..super::KEYS.min(first + count)).map(|slot| super::KEYS - 1 - slot) {
            if let Some(value) = fields.get(&super::key(slot)) {
                batch.extend([Reply::text(super::key(slot)), Reply::text(value)]);
            }
        }
        let next = if first + count >= super::KEYS { 0 } else { first + count };
        Reply::Array(vec![Reply::text(next.to_string()), Reply::Array(batch)])
    }
}

impl Listener {
    fn tell(&self, channel: &str, payload: &[u8]) {
        self.outgoing.push(&Reply::Array(vec![
            Reply::text("message"),
            Reply::text(channel),
            Reply::text(payload),
        ]));
    }
}

/// The number of a message, if it has one.
fn number(payload: &[u8]) -> Option<u64> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    value["n"].as_u64().or_else(|| value["properties"]["n"].as_u64())
}
