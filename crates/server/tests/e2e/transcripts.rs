//! What docs/protocol.md shows is what happens.
//!
//! A block that begins with ```` ```transcript /path ```` is a conversation on a connection of its own:
//!
//! | Line | Means |
//! |---|---|
//! | `> text` | the client sends a text frame |
//! | `< text` | the server sends one; `…` stands for anything |
//! | `* PUBLISH channel payload` | somebody publishes |
//! | `* SET channel key payload` | somebody sets a key of the state, and so publishes |

use std::{path::Path, time::Duration};

use futures_util::FutureExt;
use geocast_server::Secret;

use crate::{
    client::{Client, QUIET},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(transcripts_are_true);

struct Transcript<'a> {
    path: &'a str,
    lines: Vec<&'a str>,
}

fn read(document: &str) -> Vec<Transcript<'_>> {
    let mut transcripts = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("```transcript ") {
            let lines = lines.by_ref().take_while(|line| *line != "```").collect();
            transcripts.push(Transcript { path, lines });
        }
    }
    transcripts
}

/// Whether a text is what a pattern says, in which `…` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut ends = !pattern.contains('…') && rest.is_empty();
    for part in parts {
        let Some(place) = (if part.is_empty() { Some(rest.len()) } else { rest.rfind(part) }) else {
            return false;
        };
        rest = &rest[place + part.len()..];
        ends = rest.is_empty();
    }
    ends
}

async fn replay(server: &TestServer, transcript: &Transcript<'_>) {
    let mut client = Client::connect_raw(server.address, transcript.path).await;
    let mut published = false;
    for line in &transcript.lines {
        if let Some(sent) = line.strip_prefix("> ") {
            published = false;
            client.send(sent).await;
        } else if let Some(expected) = line.strip_prefix("< ") {
            let text = client.next_text().await;
            assert!(matches(expected, &text), "{}:\n{expected}\n{text}", transcript.path);
        } else if let Some(event) = line.strip_prefix("* ") {
            if !published {
                // A client knows by a message of its own when a subscription is in force; a transcript waits.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            published = true;
            let words: Vec<&str> = event.splitn(4, ' ').collect();
            match words.as_slice() {
                ["PUBLISH", channel, payload @ ..] => server.publish(channel, payload.join(" ")).await,
                ["SET", channel, key, payload] => server.put(channel, key, (*payload).to_owned()).await,
                other => panic!("{other:?} is no event"),
            }
        } else {
            assert!(line.is_empty(), "{line:?} is no line of a transcript");
        }
    }
    tokio::time::sleep(QUIET).await;
    assert!(client.next_text().now_or_never().is_none(), "{}: nothing comes behind it", transcript.path);
}

async fn transcripts_are_true(backend: Backend) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let document = std::fs::read_to_string(&path).expect("the document is in the tree");
    let transcripts = read(&document);
    assert!(transcripts.len() >= 2, "{} has {} transcripts", path.display(), transcripts.len());
    for transcript in &transcripts {
        let server = TestServer::start_with(backend, |settings| {
            settings.channels = Some("vehicles,news*".parse().expect("patterns"));
            settings.publish_key = Some(Secret::new("key"));
        })
        .await;
        replay(&server, transcript).await;
    }
}

#[test]
fn a_pattern_leaves_out_what_it_says() {
    for (pattern, text, expected) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a…c", "abbc", true),
        ("a…c", "abbcd", false),
        ("a…", "abc", true),
        ("…c", "abc", true),
        ("a…b…c", "a1b2c", true),
        ("a…b…c", "a1c", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
