use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message of the server, as far as it matters here. What it carries stays as it came.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// The channel, with a key where one was asked for; or `websocket` for what concerns the connection.
    pub(super) source: Cow<'a, str>,
    /// JSON.
    pub(super) content: &'a str,
    pub(super) client_reference: Option<Cow<'a, str>>,
}

/// What a server says about a command it could not carry out.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct ServerError {
    /// Stable, for programs.
    pub(super) code: String,
    /// For people.
    pub(super) message: String,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow, default)]
    client_reference: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// The envelopes in a frame: one, or those that were collected in a buffer.
    pub(super) fn read(frame: &'a str) -> serde_json::Result<Vec<Self>> {
        let envelope = Self::one(frame)?;
        if envelope.source != "buffer" {
            return Ok(vec![envelope]);
        }
        let collected: Vec<&RawValue> = serde_json::from_str(envelope.content)?;
        collected.into_iter().map(|envelope| Self::one(envelope.get())).collect()
    }

    fn one(text: &'a str) -> serde_json::Result<Self> {
        let Members { source, content, client_reference } = serde_json::from_str(text)?;
        Ok(Self { text, source, content: content.get(), client_reference })
    }

    /// The channel of which messages were missed, if the server sends it to say that.
    pub(super) fn gap(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Content {
            gap: Gap,
        }
        #[derive(Deserialize)]
        struct Gap {
            channel: String,
        }
        (self.source == "websocket")
            .then(|| serde_json::from_str::<Content>(self.content).ok())?
            .map(|content| content.gap.channel)
    }

    /// The error it carries, if the server sends it to say that something could not be done.
    pub(super) fn error(&self) -> Option<ServerError> {
        #[derive(Deserialize)]
        struct Content {
            error: ServerError,
        }
        (self.source == "websocket")
            .then(|| serde_json::from_str::<Content>(self.content).ok())?
            .map(|c| c.error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, ServerError};

    fn check(frame: &str, expected: &[(&str, &str, Option<&str>)]) {
        let envelopes = Envelope::read(frame).unwrap();
        let found: Vec<_> =
            envelopes.iter().map(|e| (&*e.source, e.content, e.client_reference.as_deref())).collect();
        assert_eq!(found, expected, "{frame}");
    }

    #[test]
    fn contents_stay_as_they_came() {
        check(
            r#"{"source":"a","content":{"n":7.10, "id":12345678901234567890},"timestamp":1.0,"client_reference":"r"}"#,
            &[("a", r#"{"n":7.10, "id":12345678901234567890}"#, Some("r"))],
        );
        check(r#"{"source":"caf\u00e9","content":null,"client_reference":null}"#, &[("café", "null", None)]);
    }

    #[test]
    fn a_buffer_is_taken_apart() {
        check(
            r#"{"source":"buffer","content":[{"source":"a","content":1},{"source":"b","content":2}],"timestamp":1.0}"#,
            &[("a", "1", None), ("b", "2", None)],
        );
        check(r#"{"source":"buffer","content":[]}"#, &[]);
        assert!(Envelope::read("[]").is_err());
    }

    #[test]
    fn only_the_server_speaks_of_gaps() {
        let gap = |frame| Envelope::read(frame).unwrap()[0].gap();
        let told = r#"{"source":"websocket","content":{"gap":{"channel":"map"}},"timestamp":1.0}"#;
        assert_eq!(gap(told).as_deref(), Some("map"));
        assert_eq!(gap(r#"{"source":"websocket","content":{"status":"open"}}"#), None);
        assert_eq!(gap(r#"{"source":"map","content":{"gap":{"channel":"map"}}}"#), None);
    }

    #[test]
    fn only_the_server_speaks_of_errors() {
        let error = |frame| Envelope::read(frame).unwrap()[0].error();
        let expected = ServerError { code: "c".to_owned(), message: "m".to_owned() };
        assert_eq!(
            error(r#"{"source":"websocket","content":{"error":{"code":"c","message":"m"}}}"#),
            Some(expected)
        );
        assert_eq!(error(r#"{"source":"websocket","content":{"status":"open"}}"#), None);
        assert_eq!(error(r#"{"source":"news","content":{"error":{"code":"c","message":"m"}}}"#), None);
    }
}
