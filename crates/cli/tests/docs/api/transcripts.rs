//! What pages show of conversations is as described. That it happens so in all detail hold tests of the server.

use std::{collections::BTreeMap, fs, time::Duration};

use tokio_tungstenite::tungstenite::Message;

use super::{
    frames::{Client, Frames, named, text},
    requests::carry_out,
};
use crate::{
    geocast::Running,
    pages::root,
    transcript::{Line, Transcript, matches},
};

#[test]
fn what_pages_show_is_as_described() {
    let pages = ["protocol", "filters", "tracking", "guarantees"].map(|name| {
        fs::read_to_string(root().join(format!("docs/{name}.md"))).expect("the page is in the tree")
    });
    let transcripts: Vec<_> = pages.iter().flat_map(|page| Transcript::all(page)).collect();
    assert!(transcripts.len() > 12, "{} transcripts", transcripts.len());
    let servers: Vec<Running> = transcripts.iter().map(server).collect();
    let frames = Frames::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let replays =
        transcripts.iter().zip(&servers).map(|(transcript, server)| replay(transcript, server, &frames));
    runtime.block_on(futures_util::future::join_all(replays));
    let named = named(&frames.take());
    assert!(named.as_ref().is_ok_and(|named| named.len() > 30), "{named:?}");
}

/// The one that a transcript is of.
fn server(transcript: &Transcript<'_>) -> Running {
    let served = ["serve", "--port", "0", "--channels", "vehicles,news*,global", "--publish-key", "key"];
    let mut arguments = served.map(str::to_owned).to_vec();
    let scripts = root().join("crates/server/scripts");
    let mut list = "";
    for word in &transcript.options {
        match (list, *word) {
            (_, option) if option.starts_with('-') => {
                list = option;
                if option == "--presence" {
                    arguments.extend(["--presence-grace", "0s"].map(str::to_owned));
                }
                arguments.push(option.to_owned());
            }
            ("--history", channel) => arguments.push(format!("{channel}=100")),
            (_, word) => arguments.push(word.replace("./", &format!("{}/", scripts.display()))),
        }
    }
    Running::server(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn replay(transcript: &Transcript<'_>, server: &Running, frames: &Frames) {
    let dialect = match transcript.path {
        _ if transcript.options.contains(&"-f") => "pipeline",
        "/rpc" => "rpc",
        "/rohrpost/" => "rohrpost",
        path if path.starts_with("/channel/") => "aiows",
        _ => "text",
    };
    let mut clients = BTreeMap::new();
    for name in transcript.clients() {
        clients.insert(name, Client::connect(server.address(), transcript.path, dialect, frames).await);
    }
    let mut speaker = None;
    for line in &transcript.lines {
        let next = match line {
            Line::Sent { client, .. } => Some(Some(*client)),
            Line::Received { .. } => speaker,
            Line::Other(_) => Some(None),
        };
        if speaker != next {
            speaker = next;
            settle(&mut clients).await;
        }
        match line {
            Line::Sent { client, text } => {
                let client = clients.get_mut(client).expect("all are connected");
                if WRONG.contains(&(dialect, *text)) {
                    client.mutter(Message::text(*text)).await;
                } else {
                    client.say(Message::text(*text)).await;
                }
            }
            Line::Received { client, pattern } => {
                let message = clients.get_mut(client).expect("all are connected").next(pattern).await;
                assert!(matches(pattern, &text(&message)), "{}:\n{pattern}\n{message}", transcript.path);
            }
            Line::Other(line) => publish(server, line),
        }
    }
}

/// What somebody has said is in force for others: commands are collected for a moment.
async fn settle(clients: &mut BTreeMap<char, Client>) {
    tokio::time::sleep(Duration::from_millis(250)).await;
    for client in clients.values_mut() {
        client.settle().await;
    }
}

fn publish(server: &Running, event: &str) {
    let words: Vec<&str> = event.splitn(5, ' ').collect();
    match words.as_slice() {
        ["*", "PUBLISH", channel, payload @ ..] => {
            carry_out(server, "POST", &format!("/api/publish/{channel}"), "Accept: */*", &payload.join(" "));
        }
        ["*", "SET", channel, key, payload] => {
            carry_out(server, "PUT", &format!("/api/state/{channel}/{key}"), "Accept: */*", payload);
        }
        ["*", "DELETE", channel, key] => {
            carry_out(server, "DELETE", &format!("/api/state/{channel}/{key}"), "Accept: */*", "");
        }
        other => panic!("{other:?} is no event"),
    }
}

/// What clients say there that is not as described, for the answer to be shown.
const WRONG: [(&str, &str); 3] =
    [("rpc", "nonsense"), ("rohrpost", r#"{"id":5}"#), ("aiows", "SUB vehicles")];
