//! What the pages of docs show is what happens. How a transcript is written says `transcript.rs`; these know two lines more:
//!
//! | Line | Means |
//! |---|---|
//! | `* PUBLISH channel payload` | somebody publishes |
//! | `* SET channel key payload` | somebody sets a key of the state, and so publishes |
//! | `* DELETE channel key` | somebody deletes one, and so publishes |
//!
//! Behind the path, `-f` and `--redis-channels` begin lists of filters and of channels that pass them, `--history` one of channels
//! that have a history, `--presence` patterns of those that have presence.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use geocast_server::{ChannelRule, HistoryBound, Secret, Settings, deletion_notice, pipeline::Filters};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
    transcript::{Line, Transcript, matches},
    waiting::must,
};

on_both_stores!(transcripts_are_true);

async fn replay(server: &TestServer, transcript: &Transcript<'_>) {
    let mut clients = BTreeMap::new();
    for client in transcript.clients() {
        let client_of_its_own = Client::connect_raw(server.address, transcript.path).await;
        clients.insert(client, Player { client: client_of_its_own, early: VecDeque::new() });
    }
    // Who spoke last; at first clients have only connected, and others are not sure to reach them.
    let mut speaker = if clients.len() > 1 { Speaker::Several } else { Speaker::Client(' ') };
    for line in &transcript.lines {
        match line {
            Line::Sent { client, text } => {
                turn(&mut speaker, Speaker::Client(*client), server, &mut clients).await;
                clients.get_mut(client).expect("all are connected").client.send(*text).await;
            }
            Line::Received { client, pattern } => {
                let text = clients.get_mut(client).expect("all are connected").next().await;
                assert!(matches(pattern, &text), "{}:\n{pattern}\n{text}", transcript.path);
            }
            Line::Other(line) => {
                let event = line.strip_prefix("* ").unwrap_or_else(|| panic!("{line:?} is no line"));
                turn(&mut speaker, Speaker::Publisher, server, &mut clients).await;
                publish(server, event).await;
            }
        }
    }
    in_force(server, &mut clients).await;
    for (name, player) in clients {
        assert!(
            player.early.is_empty(),
            "{} {name}: nothing was to come behind it: {player:?}",
            transcript.path
        );
    }
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Client(char),
    Publisher,
    Several,
}

/// A client and what it was sent while others had their turn.
#[derive(Debug)]
struct Player {
    client: Client,
    early: VecDeque<String>,
}

impl Player {
    async fn next(&mut self) -> String {
        match self.early.pop_front() {
            Some(text) => text,
            None => self.client.next_text().await,
        }
    }

    /// Takes what has come, up to the answer to a ping.
    async fn pinged(&mut self) {
        self.client.socket_send(Message::Ping(Bytes::from_static(b"turn"))).await;
        loop {
            match must("the answer to a ping", self.client.socket.next()).await {
                Some(Ok(Message::Text(text))) => self.early.push_back(text.as_str().to_owned()),
                Some(Ok(Message::Pong(_))) => return,
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("the answer to a ping was to come, not {other:?}"),
            }
        }
    }
}

/// A client knows by a message of its own when what it asked for is in force for others; a transcript waits.
async fn turn(last: &mut Speaker, next: Speaker, server: &TestServer, clients: &mut BTreeMap<char, Player>) {
    if std::mem::replace(last, next) != next {
        // Commands are collected for a moment, and some wait for the store.
        tokio::time::sleep(Duration::from_millis(250)).await;
        in_force(server, clients).await;
    }
}

/// Ends when the server has read what clients have sent, and has sent them what they are to be told.
async fn in_force(server: &TestServer, clients: &mut BTreeMap<char, Player>) {
    for _ in 0..2 {
        server.heard().await;
        for player in clients.values_mut() {
            player.pinged().await;
        }
    }
}

async fn publish(server: &TestServer, event: &str) {
    let words: Vec<&str> = event.splitn(4, ' ').collect();
    match words.as_slice() {
        ["PUBLISH", channel, payload @ ..] => server.publish(channel, payload.join(" ")).await,
        ["SET", channel, key, payload] => server.put(channel, key, (*payload).to_owned()).await,
        ["DELETE", channel, key] => {
            let (channel, notice) = (channel.parse().expect("a channel"), deletion_notice(key));
            assert!(server.store.remove(&channel, key, notice).await.expect("the store answers"));
        }
        other => panic!("{other:?} is no event"),
    }
}

fn apply(settings: &mut Settings, options: &[&str]) {
    let (mut filters, mut list) = (Vec::new(), "");
    for word in options {
        match (list, *word) {
            (_, option @ ("-f" | "--redis-channels" | "--history" | "--presence")) => list = option,
            ("-f", name) => filters.push(name.replace("./", SCRIPTS)),
            ("--history", name) => {
                let bound = HistoryBound { messages: Some(100), age: None };
                let rule = ChannelRule::parse(&format!("{name}=x"), |_| Ok::<_, String>(bound));
                settings.history.push(rule.expect("a pattern"));
            }
            ("--presence", patterns) => {
                settings.presence = Some(patterns.parse().expect("patterns"));
                settings.timeouts.presence_grace = Duration::ZERO;
            }
            ("--redis-channels", name) => {
                settings.pipeline_channels.push(name.parse().expect("a channel"));
            }
            (_, word) => panic!("{word:?} is no option of a transcript"),
        }
    }
    settings.filters = Filters::named(filters).expect("there are such filters");
}

async fn transcripts_are_true(backend: Backend) {
    for (name, at_least) in [("protocol.md", 4), ("filters.md", 4), ("tracking.md", 3), ("guarantees.md", 2)]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        let page = std::fs::read_to_string(&path).expect("the page is in the tree");
        let transcripts = Transcript::all(&page);
        assert!(transcripts.len() >= at_least, "{name} has {} transcripts", transcripts.len());
        for transcript in &transcripts {
            let server = TestServer::start_with(backend, |settings| {
                settings.channels = Some("vehicles,news*".parse().expect("patterns"));
                settings.publish_key = Some(Secret::new("key"));
                apply(settings, &transcript.options);
            })
            .await;
            replay(&server, transcript).await;
        }
    }
}

/// The scripts of docs/filters.md.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/");
