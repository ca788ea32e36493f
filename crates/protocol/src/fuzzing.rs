//! What must hold for any frame and any body, for fuzzers.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{
    Crs, Offset, aiows,
    envelope::{ClientReference, Content, Envelope, Source, Timestamp},
    rohrpost,
    rpc::{Frame, Id, Reply, Request, batch},
    text::{Command, MAX_COMMAND_BYTES},
};

/// Reads a frame of the text dialect.
///
/// # Panics
///
/// When something does not hold.
pub fn text_command(frame: &str) {
    if let Err(error) = frame.parse::<Command>() {
        assert!(frame.is_char_boundary(error.offset), "{error:?}");
        assert!(error.to_string().len() < 1024 && !error.to_string().contains(char::is_control));
    }
}

/// Reads a frame of the text dialect, and what its command is printed as.
///
/// # Panics
///
/// When something does not hold.
pub fn text_round_trip(frame: &str) {
    let Ok(command) = frame.parse::<Command>() else { return };
    let printed = command.to_string();
    assert!(printed.parse() == Ok(command) || printed.len() > MAX_COMMAND_BYTES, "{printed:?}");
}

/// Writes what strangers have published into the envelope of the text dialect.
///
/// # Panics
///
/// When something does not hold.
pub fn envelope(published: &[u8]) {
    let channel = "a".parse().expect("a channel's name");
    let write = |content, key: &str, reference| {
        let envelope = Envelope {
            source: Source::Key(&channel, key),
            content,
            timestamp: Timestamp::since_epoch(Duration::from_millis(1)),
            client_reference: ClientReference::Given(reference),
        };
        let mut bytes = Vec::new();
        envelope.write_at(Offset::Number(7), &mut bytes);
        let value: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        assert_eq!(value["source"], format!("a {key}"));
        assert_eq!((&value["client_reference"], &value["offset"]), (&reference.into(), &7.into()));
        value["content"].clone()
    };
    let binary = write(Content::Binary(published), "", "");
    let encoded = binary["base64"].as_str().expect("a text");
    assert_eq!(STANDARD.decode(encoded).as_deref(), Ok(published));
    let Ok(text) = std::str::from_utf8(published) else { return };
    assert_eq!(write(Content::Text(text), text, text), text);
    assert_eq!(write(Content::Error { code: text, message: text }, "b", text)["error"]["message"], text);
    // Deeper than serde_json reads is none of the envelope's business.
    if text.matches(['[', '{']).count() < 100
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        assert_eq!(write(Content::Json(published), "b", ""), value);
    }
}

/// Reads the name of a coordinate system.
///
/// # Panics
///
/// When something does not hold.
pub fn crs(text: &str) {
    if let Ok(crs) = text.parse::<Crs>() {
        assert!(text.eq_ignore_ascii_case(&crs.to_string()));
    }
}

/// Reads a frame, answers it, and sends its calls again.
///
/// # Panics
///
/// When something does not hold.
pub fn rpc(frame: &str) {
    let requests = match Frame::read(frame, Frame::MAX_CALLS) {
        Frame::Single(request) => vec![*request],
        Frame::Batch(requests) => requests,
    };
    assert!((1..=Frame::MAX_CALLS).contains(&requests.len()));
    let replies: Vec<_> = requests.iter().filter_map(|request| answered(frame, request)).collect();
    let batch = batch(&replies);
    assert_eq!(batch.is_none(), replies.is_empty());
    assert!(batch.is_none_or(|batch| is_json(&batch)));
}

fn answered(frame: &str, request: &Request) -> Option<Vec<u8>> {
    let id = request.id.as_ref();
    assert!(id.is_none_or(|id| *id == Id::null() || frame.contains(id.as_json())));
    match &request.call {
        Ok(call) => {
            let sent = String::from_utf8(call.to_request(id)).expect("is made of texts");
            let Frame::Single(again) = Frame::read(&sent, 1) else { panic!("{sent} is a batch") };
            assert_eq!((&again.id, again.call.as_ref()), (&request.id, Ok(call)), "{sent}");
        }
        Err(error) => check_message(&error.to_string()),
    }
    let outcome = request.call.as_ref().map(|_call| &b"null"[..]);
    let reply = Reply { id: id?, outcome }.to_vec();
    assert!(is_json(&reply));
    Some(reply)
}

/// Reads a frame and answers it.
///
/// # Panics
///
/// When something does not hold.
pub fn rohrpost(frame: &str) {
    let reply = match rohrpost::Request::read(frame) {
        Ok(request) => {
            check_secrecy(frame, &request);
            rohrpost::Reply::handled(&request.id, request.kind(), None).to_vec()
        }
        Err(error) => error.to_reply(),
    };
    assert!(is_json(&reply) && reply.starts_with(b"{"), "{}", reply.escape_ascii());
}

/// Nothing that is shown of a request depends on its token. One that another member repeats is shown there.
fn check_secrecy(frame: &str, request: &rohrpost::Request) {
    let Some(token) = request.token.as_ref().map(rohrpost::Token::reveal) else { return };
    if token.is_empty() || frame.matches(token).count() != 1 {
        return;
    }
    let another = "x".repeat(token.len());
    let Ok(other) = rohrpost::Request::read(&frame.replace(token, &another)) else { return };
    if other.token.as_ref().is_some_and(|token| token.reveal() == another) {
        assert_eq!(format!("{request:?}"), format!("{other:?}"));
    }
}

/// Reads a body, and takes its packages, and the body itself as one, through a store.
///
/// # Panics
///
/// When something does not hold.
pub fn aiows_broadcast(body: &[u8]) {
    let mut packages = vec![aiows::Package::from_wire(body), aiows::Package::Bytes(body.to_vec())];
    if let Ok(text) = std::str::from_utf8(body) {
        packages.push(aiows::Package::Text(text.to_owned()));
    }
    match aiows::Broadcast::read(body, aiows::ChannelNames::Folded) {
        Ok(broadcast) => {
            assert!(is_json(body));
            for (channel, _) in &broadcast.packages {
                // Not "without capitals": some, such as U+212D, have no small letter.
                let name = channel.as_str();
                assert!(name == "__all__" || (name == name.to_lowercase() && !name.contains('_')), "{name}");
            }
            packages.extend(broadcast.packages.into_iter().map(|(_, package)| package));
        }
        Err(error) => check_message(&error.to_string()),
    }
    for package in packages {
        assert_eq!(aiows::Package::from_wire(&package.to_wire()), package);
    }
}

fn check_message(message: &str) {
    assert!(message.len() < 2048 && !message.contains(char::is_control), "{message:?}");
}

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::smoke::smoke;

    /// Calls a law of texts with text that is near any bytes.
    fn smoke_text(target: &str, law: fn(&str)) {
        smoke(target, |bytes| law(&String::from_utf8_lossy(bytes)));
    }

    #[test]
    fn the_laws_hold_near_the_seeds() {
        smoke("aiows_broadcast", aiows_broadcast);
        smoke_text("crs", crs);
        smoke("envelope", envelope);
        smoke_text("rohrpost", rohrpost);
        smoke_text("rpc", rpc);
        smoke_text("text_command", text_command);
        smoke_text("text_round_trip", text_round_trip);
    }

    proptest! {
        #[test]
        fn the_laws_hold_for_anything(text in "[\\[\\]{}\":,a-e0-9.\\\\ -]*|.*", bytes: Vec<u8>) {
            rpc(&text);
            rohrpost(&text);
            crs(&text);
            text_command(&text);
            text_round_trip(&text);
            aiows_broadcast(text.as_bytes());
            aiows_broadcast(&bytes);
            envelope(text.as_bytes());
            envelope(&bytes);
        }
    }
}
