//! From events to frames.

use std::borrow::Cow;

use bytes::Bytes;
use geocast_geo_filter::Kind;
use geocast_protocol::envelope::Content;

use crate::{
    Event,
    connection::Frame,
    dialect::{self, Push},
    interest::{Form, Withheld},
};

/// A published message, as every subscriber of the same form gets it.
pub(crate) fn push(event: &Event, form: &Form) -> Result<Frame, Withheld> {
    let bytes = shown(event, form)?;
    let push = Push {
        channel: event.channel(),
        content: content(event.kind(), &bytes),
        published: event.received(),
        number: event.number(),
    };
    let dialect = form.dialect();
    let frame = Frame::made(bytes.len() + AROUND, |buffer| dialect.push(&push, buffer));
    let frame = frame.of(event.key()).in_dialect(dialect);
    Ok(match form.deflate() {
        Some(deflate) => frame.deflated(deflate),
        None => frame,
    })
}

/// A value of the state, as it is in this form.
pub(crate) fn value(event: &Event, form: &Form) -> Result<Bytes, Withheld> {
    Ok(match shown(event, form)? {
        Cow::Owned(bytes) => bytes.into(),
        Cow::Borrowed(_) => event.payload().clone(),
    })
}

/// A payload as what it is.
pub(crate) fn content(kind: Kind, bytes: &[u8]) -> Content<'_> {
    match kind {
        Kind::Geographic | Kind::Json => Content::Json(bytes),
        Kind::Text => std::str::from_utf8(bytes).map_or(Content::Binary(bytes), Content::Text),
        Kind::Binary => Content::Binary(bytes),
    }
}

/// The kind of frame that carries a payload as it is.
pub(crate) fn frame_kind(kind: Kind) -> dialect::Kind {
    match kind {
        Kind::Geographic | Kind::Json | Kind::Text => dialect::Kind::Text,
        Kind::Binary => dialect::Kind::Binary,
    }
}

/// What the payload is in this form.
fn shown<'a>(event: &'a Event, form: &Form) -> Result<Cow<'a, [u8]>, Withheld> {
    let document = event.document()?;
    let payload: &[u8] = event.payload();
    Ok(match (form.output(), form.members()) {
        (Some(transform), members) if event.kind() == Kind::Geographic => {
            let shape = event.projected(document, transform);
            let rewritten = document.rewrite(payload, &shape, members, transform.decimals());
            Cow::Owned(rewritten.ok_or(Withheld::Unprojectable)?)
        }
        (_, Some(members)) => Cow::Owned(document.trim(payload, members)),
        _ => Cow::Borrowed(payload),
    })
}

/// Bytes that a dialect puts around a payload, usually.
const AROUND: usize = 160;
