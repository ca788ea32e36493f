//! What an envelope looks like, whatever it carries.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use geocast_protocol::{
    Channel,
    envelope::{
        self, BUFFER_SEPARATOR, ClientReference, Content, Envelope, Source, Timestamp, buffer_prefix,
        buffer_suffix,
    },
};
use proptest::{collection::vec, prelude::*};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// An envelope as a strict reader sees it: serde refuses unknown and doubled keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    source: String,
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    client_reference: Option<String>,
}

const NOW: Duration = Duration::from_millis(1_700_000_000_123);

fn channel() -> Channel {
    r#"a"b/é"#.parse().expect("is a channel")
}

fn check(source: Source<'_>, content: Content<'_>, client_reference: ClientReference<'_>, expected: &str) {
    let envelope = Envelope { source, content, timestamp: Timestamp::since_epoch(NOW), client_reference };
    let written = String::from_utf8(envelope.to_vec()).expect("is UTF-8");
    assert_eq!(written, expected);
    assert!(serde_json::from_str::<Value>(&written).is_ok(), "{written}");
}

#[test]
fn envelopes_are_compact_and_in_order() {
    let (channel, null) = (channel(), ClientReference::Null);
    check(
        Source::Websocket,
        Content::Open,
        null,
        r#"{"source":"websocket","content":{"status":"open"},"timestamp":1700000000123.0,"client_reference":null}"#,
    );
    check(
        Source::Websocket,
        Content::Pong,
        ClientReference::Empty,
        r#"{"source":"websocket","content":"PONG","timestamp":1700000000123.0,"client_reference":""}"#,
    );
    check(
        Source::Channel(&channel),
        Content::Null,
        ClientReference::Given("q\"1"),
        r#"{"source":"a\"b/é","content":null,"timestamp":1700000000123.0,"client_reference":"q\"1"}"#,
    );
    check(
        Source::Key(&channel, "k\\"),
        Content::Json(b"[ 1,\n 7.10 ]"),
        null,
        "{\"source\":\"a\\\"b/é k\\\\\",\"content\":[ 1,\n 7.10 ],\"timestamp\":1700000000123.0,\"client_reference\":null}",
    );
    check(
        Source::Key(&channel, ""),
        Content::Text("not \"json\"\n"),
        null,
        r#"{"source":"a\"b/é ","content":"not \"json\"\n","timestamp":1700000000123.0,"client_reference":null}"#,
    );
    check(
        Source::Channel(&channel),
        Content::Binary(b"\xff\x00\xfe\x01"),
        null,
        r#"{"source":"a\"b/é","content":{"base64":"/wD+AQ=="},"timestamp":1700000000123.0,"client_reference":null}"#,
    );
}

#[test]
fn errors_are_envelopes_of_the_gateway() {
    let envelope =
        envelope::error("bad_crs", "`\"` is no CRS", Timestamp::since_epoch(NOW), ClientReference::Null);
    check(
        envelope.source,
        envelope.content,
        envelope.client_reference,
        r#"{"source":"websocket","content":{"error":{"code":"bad_crs","message":"`\"` is no CRS"}},"timestamp":1700000000123.0,"client_reference":null}"#,
    );
}

fn content() -> impl Strategy<Value = Owned> {
    let spelling = prop_oneof![
        Just("7.10"),
        Just("12345678901234567890123"),
        Just("1E+2"),
        Just("-0.0"),
        Just("{\"b\":1,\"a\": 2}"),
        Just(" [\n\t\"\\u00e9\" ] "),
        Just("{\"a\":1,\"a\":2}"),
        Just("true"),
        Just("null"),
    ];
    let document = vec(spelling, 0..6).prop_map(|members| format!("[{}]", members.join(",")));
    prop_oneof![
        document.prop_map(Owned::Json),
        any::<String>().prop_map(Owned::Text),
        vec(any::<u8>(), 0..100).prop_map(Owned::Binary),
        any::<(String, String)>().prop_map(|(code, message)| Owned::Error(code, message)),
    ]
}

/// A content that owns what it carries.
#[derive(Clone, Debug)]
enum Owned {
    Json(String),
    Text(String),
    Binary(Vec<u8>),
    Error(String, String),
}

impl Owned {
    fn borrowed(&self) -> Content<'_> {
        match self {
            Self::Json(text) => Content::Json(text.as_bytes()),
            Self::Text(text) => Content::Text(text),
            Self::Binary(bytes) => Content::Binary(bytes),
            Self::Error(code, message) => Content::Error { code, message },
        }
    }

    fn check(&self, read: &RawValue) {
        let value = || serde_json::from_str::<Value>(read.get()).expect("was read once");
        match self {
            Self::Json(text) => assert_eq!(read.get(), text),
            Self::Text(text) => assert_eq!(value(), json!(text)),
            Self::Binary(bytes) => assert_eq!(value(), json!({ "base64": STANDARD.encode(bytes) })),
            Self::Error(code, message) => {
                assert_eq!(value(), json!({ "error": { "code": code, "message": message } }))
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(
        content in content(),
        key in any::<Option<String>>(),
        reference in any::<Option<String>>(),
        micros in 0..10_000_000_000_000_000_u64,
    ) {
        let channel = channel();
        let timestamp = Timestamp::since_epoch(Duration::from_micros(micros));
        let envelope = Envelope {
            source: key.as_deref().map_or(Source::Channel(&channel), |key| Source::Key(&channel, key)),
            content: content.borrowed(),
            timestamp,
            client_reference: reference.as_deref().map_or(ClientReference::Null, ClientReference::Given),
        };
        let written = String::from_utf8(envelope.to_vec())?;

        let read: Read<'_> = serde_json::from_str(&written)?;
        let source = key.map_or_else(|| channel.to_string(), |key| format!("{channel} {key}"));
        prop_assert_eq!(&read.source, &source);
        content.check(read.content);
        prop_assert_eq!(read.timestamp.get().parse::<f64>()?, timestamp.millis());
        prop_assert!(read.timestamp.get().contains(['.', 'e']));
        prop_assert_eq!(&read.client_reference, &reference);

        // The order of the keys, byte for byte.
        let expected = format!(
            r#"{{"source":{},"content":{},"timestamp":{},"client_reference":{}}}"#,
            json!(source), read.content.get(), read.timestamp.get(), json!(reference),
        );
        prop_assert_eq!(&written, &expected);
    }

    #[test]
    fn the_hint_suffices_where_nothing_is_escaped(
        text in "[a-zé ]{0,40}",
        binary in vec(any::<u8>(), 0..40),
        micros in 0..10_000_000_000_000_000_u64,
    ) {
        let channel = "vehicles".parse::<Channel>()?;
        let timestamp = Timestamp::since_epoch(Duration::from_micros(micros));
        for content in [Content::Text(&text), Content::Binary(&binary), Content::Json(b"[1]"), Content::Null,
            Content::Pong, Content::Open, Content::Error { code: &text, message: &text }] {
            for source in [Source::Websocket, Source::Channel(&channel), Source::Key(&channel, &text)] {
                for client_reference in [ClientReference::Null, ClientReference::Empty, ClientReference::Given(&text)] {
                    let envelope = Envelope { source, content, timestamp, client_reference };
                    let (hint, len) = (envelope.len_hint(), envelope.to_vec().len());
                    prop_assert!(len <= hint && hint <= len + 24, "{} {} {:?}", hint, len, envelope);
                }
            }
        }
    }

    #[test]
    fn a_buffer_is_an_envelope_of_envelopes(texts in vec(any::<String>(), 1..8)) {
        let channel = channel();
        let timestamp = Timestamp::since_epoch(NOW);
        let inner = texts.iter().map(|text| Envelope {
            source: Source::Channel(&channel),
            content: Content::Text(text),
            timestamp,
            client_reference: ClientReference::Null,
        });
        let inner: Vec<Vec<u8>> = inner.map(|envelope| envelope.to_vec()).collect();
        let suffix = buffer_suffix(timestamp, ClientReference::Empty);
        let written = [buffer_prefix(), &inner.join(BUFFER_SEPARATOR), &suffix].concat();

        let read: Read<'_> = serde_json::from_slice(&written)?;
        prop_assert_eq!(read.source, "buffer");
        prop_assert_eq!(read.client_reference.as_deref(), Some(""));
        prop_assert_eq!(read.timestamp.get(), "1700000000123.0");
        let members: Vec<Read<'_>> = serde_json::from_str(read.content.get())?;
        let read: Vec<String> = members.iter().map(|member| serde_json::from_str(member.content.get()).unwrap()).collect();
        prop_assert_eq!(read, texts);
    }
}
