use std::io::{self, IsTerminal, Read};

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::IgnoredAny};

use super::{bearer::bearer, dial::dial, envelope::ServerError};
use crate::{
    arguments::{PubArguments, Server},
    bad_option::{BadOption, secret_of},
    exit::Exit,
    progress::waiting,
    unreachable::Unreachable,
};

/// `geocast pub`: to a channel, and with a key to its state.
pub(crate) async fn publish(arguments: PubArguments) -> anyhow::Result<Exit> {
    let payload = payload(arguments.payload.as_deref())?;
    let request = request(&arguments, payload.clone())?;
    let sending = async {
        let response = send(&arguments.server, request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        anyhow::Ok((status, body.map(http_body_util::Collected::to_bytes).unwrap_or_default()))
    };
    let sending = tokio::time::timeout(arguments.timeout, sending);
    let Ok(answer) = waiting(&format!("waiting for {}", arguments.server.url), sending).await else {
        let reason = format!("no answer within {:?}", arguments.timeout);
        return Err(Unreachable::server(&arguments.server.url.to_string(), reason).into());
    };
    let (status, body) = answer?;
    if status.is_success() {
        if let Some(note) = note(&payload, &body) {
            eprintln!("geocast: published, but {note}");
        }
        return Ok(Exit::Success);
    }
    bail!("the server refuses: {} (HTTP {})", message(&body), status.as_u16())
}

/// What whoever publishes may not know of the payload: what the server has to say of it, or that it is no JSON. Any text may be
/// published.
fn note(payload: &[u8], answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        hint: Option<String>,
    }
    let hint = serde_json::from_slice(answer).ok().and_then(|Answer { hint }| hint);
    let printable = |hint: String| hint.chars().filter(|character| !character.is_control()).collect();
    hint.map(printable).or_else(|| {
        let error = serde_json::from_slice::<IgnoredAny>(payload).err()?;
        Some(format!("this is no JSON, and sent as text: {error}"))
    })
}

/// What the server says for people, or what it sent instead.
pub(super) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        error: ServerError,
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { error }) => error.message,
        Err(_) => String::from_utf8_lossy(body).chars().take(200).flat_map(char::escape_debug).collect(),
    }
}

/// What was typed, or standard input without the line break at its end.
fn payload(typed: Option<&str>) -> anyhow::Result<Bytes> {
    match typed {
        Some(payload) if payload != "-" => Ok(Bytes::copy_from_slice(payload.as_bytes())),
        _ => {
            let mut input = io::stdin();
            if input.is_terminal() {
                eprintln!("geocast: type what is to be published; Ctrl-D ends");
            }
            let mut payload = Vec::new();
            input.read_to_end(&mut payload).context("standard input cannot be read")?;
            if payload.last() == Some(&b'\n') {
                payload.pop();
            }
            Ok(payload.into())
        }
    }
}

fn request(arguments: &PubArguments, payload: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
    let channel = encode(arguments.channel.as_str());
    let (method, path) = match &arguments.key {
        Some(key) => (Method::PUT, format!("/api/state/{channel}/{}", encode(key.as_str()))),
        None => (Method::POST, format!("/api/publish/{channel}")),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path + arguments.server.url.query())
        .header(header::HOST, arguments.server.url.authority())
        .header(header::USER_AGENT, concat!("geocast/", env!("CARGO_PKG_VERSION")));
    let token = || arguments.server.token().map(|token| token.as_bytes().to_vec());
    if let Some(secret) = publish_key(arguments)?.or_else(token) {
        request = request.header(header::AUTHORIZATION, bearer(&secret)?);
    }
    Ok(request.body(Full::new(payload))?)
}

/// As it was given, or what the file holds without the line break that editors put at its end.
fn publish_key(arguments: &PubArguments) -> Result<Option<Vec<u8>>, BadOption> {
    let Some(path) = &arguments.publish_key_file else {
        let given = arguments.publish_key.as_ref().filter(|key| !key.is_empty());
        return Ok(given.map(|key| key.as_bytes().to_vec()));
    };
    secret_of("--publish-key-file", path).map(Some)
}

/// Sends a request, and returns when the header of its answer is there.
pub(super) async fn send(
    server: &Server,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response<Incoming>> {
    let stream = dial(server).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; what goes wrong on it is told to the sender.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// Percent-encodes everything that may mean something in a path (RFC 3986 §3.3).
fn encode(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

pub(super) const LONGEST_ANSWER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::{encode, message, note};

    #[test]
    fn names_become_one_segment_of_a_path() {
        assert_eq!(encode("vehicles/zürich:7?"), "vehicles%2Fz%C3%BCrich%3A7%3F");
        assert_eq!(encode("a-b_c.d~"), "a-b_c.d~");
    }

    #[test]
    fn what_is_published_may_be_any_text_and_what_it_is_not_is_noted() {
        assert_eq!(note(b"{\"a\":1}", b"{}"), None);
        assert_eq!(note(b"5", b"not json"), None);
        let cut_off = note(b"{\"type\":\"Feature\"", b"{\"published\":\"a\"}").unwrap();
        assert!(cut_off.starts_with("this is no JSON, and sent as text: EOF"), "{cut_off}");
        assert_eq!(note(b"x", b"{\"hint\":\"a\\u001b[1mb\"}").unwrap(), "a[1mb");
    }

    #[test]
    fn refusals_are_told_in_the_words_of_the_server() {
        assert_eq!(message(br#"{"error":{"code":"c","message":"m"}}"#), "m");
        assert_eq!(message(b"<h1>\x1b[31mno"), "<h1>\\u{1b}[31mno");
    }
}
