use std::str::FromStr;

use deadpool_redis::redis::{Cmd, FromRedisValue, Value, cmd};
use geocast_protocol::Channel;

use super::{commands::Commands, remedy::Effect, streams::Entries};
use crate::{
    StoreError,
    presence::{Answer, Call, Line, MOST_NODES, News, NodeId},
};

/// What nodes on one Redis tell each other about their clients: a sorted set of the nodes by when they were last alive, a hash of
/// what each has said, and a stream of what was said.
///
/// Times are those of Redis, so the clocks of the nodes do not matter. All keys have one hash tag, so that a script may use them in
/// a cluster.
#[derive(Debug)]
pub(crate) struct PresenceLog {
    commands: Commands,
    /// It has the slot of all keys.
    place: Channel,
}

impl PresenceLog {
    pub(super) fn new(commands: Commands) -> Self {
        Self { commands, place: TAG.parse().expect("a plain name") }
    }

    /// Makes a call for a node.
    pub(crate) async fn say(&self, node: NodeId, call: &Call) -> Result<Answer, StoreError> {
        match call {
            Call::Begin { writes, lines } => {
                let mut script = script(BEGIN, node);
                script.arg(*writes);
                with(&mut script, lines);
                self.run(script).await.map(|_: Value| Answer::Begun)
            }
            Call::Read => self.read().await,
            Call::Lines(node, place) => self.lines(*node, *place).await,
            Call::Follow { cursor, writes, lines, is_alive } => {
                let mut script = script(FOLLOW, node);
                script.arg(&**cursor).arg(*writes).arg(u8::from(*is_alive)).arg(SILENCE).arg(NEWS_AT_ONCE);
                with(&mut script, lines);
                let (word, entries): (String, Entries) = self.run(script).await?;
                Ok(match word.as_str() {
                    "forgotten" => Answer::Forgotten,
                    "lost" => Answer::Lost,
                    _ => news(entries),
                })
            }
        }
    }

    /// A node ends.
    pub(crate) async fn end(&self, node: NodeId) -> Result<(), StoreError> {
        self.run(script(END, node)).await.map(|_: Value| ())
    }

    async fn read(&self) -> Result<Answer, StoreError> {
        let mut script = cmd("EVAL");
        script.arg(READ).arg(2).arg(NODES).arg(LOG).arg(MOST_NODES);
        let (cursor, names): (String, Vec<String>) = self.run(script).await?;
        if cursor.is_empty() {
            return Ok(Answer::Forgotten);
        }
        let nodes = names.iter().filter_map(|name| NodeId::from_str(name).ok()).collect();
        Ok(Answer::Nodes { cursor: cursor.into(), nodes })
    }

    /// A part of what a node has said. What it says meanwhile is in the log as well.
    async fn lines(&self, node: NodeId, place: u64) -> Result<Answer, StoreError> {
        let mut scan = cmd("HSCAN");
        scan.arg(key(node)).arg(place).arg("COUNT").arg(FIELDS_AT_ONCE);
        let (next, fields): (u64, Vec<Vec<u8>>) = self.run(scan).await?;
        let line = |pair: &[Vec<u8>]| text(&pair[0]).zip(text(&pair[1]));
        Ok(Answer::Lines { lines: fields.chunks_exact(2).filter_map(line).collect(), next })
    }

    async fn run<T: FromRedisValue + Send + 'static>(&self, command: Cmd) -> Result<T, StoreError> {
        self.commands.single(&self.place, Effect::Changes, command).await
    }
}

fn script(text: &'static str, node: NodeId) -> Cmd {
    let mut script = cmd("EVAL");
    script.arg(text).arg(3).arg(NODES).arg(LOG).arg(key(node)).arg(node.to_string()).arg(KEPT);
    script
}

fn with(script: &mut Cmd, lines: &[(Line, u32)]) {
    for (line, count) in lines {
        script.arg(line.to_string()).arg(*count);
    }
}

fn key(node: NodeId) -> String {
    format!("{SAID}{node}")
}

fn news(entries: Entries) -> Answer {
    let (cursor, is_all) = (entries.last().map(|(id, _)| id.as_str().into()), entries.len() < NEWS_AT_ONCE);
    Answer::News {
        cursor,
        news: entries.into_iter().filter_map(|(_, fields)| one(&fields)).collect(),
        is_all,
    }
}

/// A piece of news, if it is one: anybody may add to the log.
fn one(fields: &[Vec<u8>]) -> Option<News> {
    let field = |name: &str| {
        fields.chunks_exact(2).find(|pair| pair[0] == name.as_bytes()).map(|pair| pair[1].as_slice())
    };
    let node = text(field("node")?)?;
    match field("is") {
        Some(b"begun") => Some(News::Begins(node)),
        Some(b"gone") => Some(News::Gone(node)),
        _ => Some(News::Has(node, text(field("line")?)?, text(field("count")?)?)),
    }
}

fn text<T: FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Says lines: in the hash of the node, and in the log.
macro_rules! saying {
    ($first:literal) => {
        concat!(
            "for at = ",
            $first,
            ", #ARGV, 2 do \
               if ARGV[at + 1] == '0' then redis.call('HDEL', KEYS[3], ARGV[at]) \
               else redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1]) end \
               redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', \
                 'node', ARGV[1], 'line', ARGV[at], 'count', ARGV[at + 1]) \
             end "
        )
    };
}

/// Says that a node lives, by the clock of Redis. What no node cares for is deleted by Redis.
macro_rules! living {
    () => {
        "redis.call('ZADD', KEYS[1], now, ARGV[1]) \
         for at = 1, 3 do redis.call('PEXPIRE', KEYS[at], ARGV[2]) end "
    };
}

macro_rules! now {
    () => {
        "local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000) "
    };
}

/// The field without a name says how often the node has said something.
const BEGIN: &str = concat!(
    now!(),
    "redis.call('DEL', KEYS[3]) redis.call('HSET', KEYS[3], '', ARGV[3]) \
     redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'node', ARGV[1], 'is', 'begun') ",
    saying!("4"),
    living!(),
    "return 1"
);

/// What was said to another Redis, or got lost with one, is not in this one: then the node begins again.
const FOLLOW: &str = concat!(
    now!(),
    "if not redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('HGET', KEYS[3], '') ~= ARGV[4] then \
       return {'forgotten', {}} end \
     if #ARGV > 7 then redis.call('HINCRBY', KEYS[3], '', 1) end ",
    saying!("8"),
    "if ARGV[5] == '1' then ",
    living!(),
    "end \
     for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[6])) do \
       redis.call('ZREM', KEYS[1], gone) \
       redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'node', gone, 'is', 'gone') \
     end \
     if #redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3]) == 0 then return {'lost', {}} end \
     return {'news', redis.call('XRANGE', KEYS[2], '(' .. ARGV[3], '+', 'COUNT', ARGV[7])}"
);

const READ: &str = "local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1) \
    if #last == 0 then return {'', {}} end \
    return {last[1][1], redis.call('ZRANGE', KEYS[1], -ARGV[1], -1)}";

const END: &str = "redis.call('DEL', KEYS[3]) \
    if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then \
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'node', ARGV[1], 'is', 'gone') end \
    return 1";

const TAG: &str = "geocast:presence";
const NODES: &str = "{geocast:presence}:nodes";
const LOG: &str = "{geocast:presence}:log";
/// Then comes the node.
const SAID: &str = "{geocast:presence}:node:";

/// After so many milliseconds without a sign of life, a node is taken for dead: three that should have come.
const SILENCE: u32 = 15_000;

/// For so many milliseconds Redis keeps what nobody cares for.
const KEPT: u32 = 120_000;

/// News in one answer, each of about a kilobyte at most.
const NEWS_AT_ONCE: usize = 1000;

const FIELDS_AT_ONCE: usize = 1000;
