//! From events and replies to frames.

use std::borrow::Cow;

use geocast_geo_filter::Kind;
use geocast_protocol::envelope::{ClientReference, Content, Envelope, Source, Timestamp};

use crate::{
    AbsentClientReference, Event, clock,
    connection::Frame,
    interest::{Form, Withheld},
    session::{Fetch, Reply},
};

/// A published message, as every subscriber of the same form gets it.
pub(crate) fn push(event: &Event, form: &Form) -> Result<Frame, Withheld> {
    let source = Source::Channel(event.channel());
    let frame = with_content(event, form, |content| {
        envelope(source, content, event.received(), form.absent().into())
    })?;
    Ok(frame.of(event.key()))
}

/// A value of the state, as the answer to a GET.
pub(crate) fn value(
    event: &Event,
    form: &Form,
    fetch: &Fetch,
    absent: AbsentClientReference,
) -> Result<Frame, Withheld> {
    with_content(event, form, |content| answer(fetch, content, absent))
}

/// The answer to a GET that found nothing to show.
pub(crate) fn nothing(fetch: &Fetch, absent: AbsentClientReference) -> Frame {
    answer(fetch, Content::Null, absent)
}

/// A reply of the session.
pub(crate) fn reply(reply: &Reply, absent: AbsentClientReference) -> Frame {
    let now = clock::timestamp();
    match reply {
        Reply::Open => envelope(Source::Websocket, Content::Open, now, absent.into()),
        Reply::Pong { client_reference } => {
            envelope(Source::Websocket, Content::Pong, now, reference(client_reference.as_ref(), absent))
        }
        Reply::Error { code, message } => error(code, message, absent.into()),
        Reply::Nothing(fetch) => nothing(fetch, absent),
    }
}

/// The answer to a command that could not be carried out.
pub(crate) fn error(code: &str, message: &str, client_reference: ClientReference<'_>) -> Frame {
    let content = Content::Error { code, message };
    envelope(Source::Websocket, content, clock::timestamp(), client_reference)
}

fn answer(fetch: &Fetch, content: Content<'_>, absent: AbsentClientReference) -> Frame {
    let source = match &fetch.key {
        Some(key) => Source::Key(&fetch.channel, key.as_str()),
        None => Source::Channel(&fetch.channel),
    };
    let client_reference = reference(fetch.client_reference.as_ref(), absent);
    envelope(source, content, clock::timestamp(), client_reference)
}

pub(crate) fn reference(
    given: Option<&geocast_protocol::Word>,
    absent: AbsentClientReference,
) -> ClientReference<'_> {
    given.map_or_else(|| absent.into(), |word| ClientReference::Given(word.as_str()))
}

fn envelope(
    source: Source<'_>,
    content: Content<'_>,
    timestamp: Timestamp,
    client_reference: ClientReference<'_>,
) -> Frame {
    let envelope = Envelope { source, content, timestamp, client_reference };
    Frame::text(envelope.len_hint(), |buffer| envelope.write(buffer))
}

/// Calls `frame` with what the payload is in this form.
fn with_content(
    event: &Event,
    form: &Form,
    frame: impl FnOnce(Content<'_>) -> Frame,
) -> Result<Frame, Withheld> {
    let document = event.document()?;
    let payload: &[u8] = event.payload();
    let bytes = match (form.output(), form.members()) {
        (Some(transform), members) if document.kind() == Kind::Geographic => {
            let shape = event.projected(document, transform);
            let rewritten = document.rewrite(payload, &shape, members, transform.decimals());
            Cow::Owned(rewritten.ok_or(Withheld::Unprojectable)?)
        }
        (_, Some(members)) => Cow::Owned(document.trim(payload, members)),
        _ => Cow::Borrowed(payload),
    };
    Ok(frame(match document.kind() {
        Kind::Geographic | Kind::Json => Content::Json(&bytes),
        Kind::Text => Content::Text(std::str::from_utf8(&bytes).unwrap_or_default()),
        Kind::Binary => Content::Binary(&bytes),
    }))
}

impl From<AbsentClientReference> for ClientReference<'_> {
    fn from(absent: AbsentClientReference) -> Self {
        match absent {
            AbsentClientReference::Null => Self::Null,
            AbsentClientReference::Empty => Self::Empty,
        }
    }
}
