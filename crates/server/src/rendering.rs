//! From events to frames.

use std::borrow::Cow;

use bytes::Bytes;
use geocast_geo_filter::Kind;
use geocast_protocol::{Change, ChangeKind, Channel, LeaveReason, envelope::Content};

use crate::{
    Event, clock,
    connection::Frame,
    deflate::Deflate,
    dialect::{self, AnyDialect, Push, Told},
    event::TrackKey,
    interest::{Form, Sight, Withheld},
};

/// A published message, or a change of a key, as every subscriber of the same form gets it.
pub(crate) fn push(event: &Event, form: &Form) -> Result<Frame, Withheld> {
    // Whoever decided on a change has found the key before.
    let key = form.change().and_then(|_| event.tracked(None)).map(|tracked| tracked.key.json());
    let told = form.change().zip(key.as_deref());
    if let Some(((kind @ ChangeKind::Leave(_), format), key)) = told {
        let change = Some(Told { change: Change { kind, key, feature: Content::Null }, format });
        let push = Push {
            channel: event.channel(),
            content: Content::Null,
            published: event.received(),
            number: event.number(),
            change,
        };
        return Ok(framed(&push, AROUND, form.dialect(), form.deflate()).kept());
    }
    let bytes = shown(event, form)?;
    let content = content(event.kind(), &bytes);
    let change =
        told.map(|((kind, format), key)| Told { change: Change { kind, key, feature: content }, format });
    let push = Push {
        channel: event.channel(),
        content,
        published: event.received(),
        number: event.number(),
        change,
    };
    let frame = framed(&push, bytes.len() + AROUND, form.dialect(), form.deflate());
    Ok(if change.is_some() { frame.kept() } else { frame.of(event.key()) })
}

/// What one subscriber is told of a key that it is to have no more.
pub(crate) fn leave(channel: &Channel, key: &TrackKey, reason: LeaveReason, sight: &Sight) -> Frame {
    let form = sight.change(ChangeKind::Leave(reason));
    let key = key.json();
    let change = form
        .change()
        .map(|(kind, format)| Told { change: Change { kind, key: &key, feature: Content::Null }, format });
    let push = Push { channel, content: Content::Null, published: clock::timestamp(), number: 0, change };
    framed(&push, AROUND, form.dialect(), form.deflate()).kept()
}

fn framed(push: &Push<'_>, hint: usize, dialect: &AnyDialect, deflate: Option<Deflate>) -> Frame {
    let frame = Frame::made(hint, |buffer| dialect.push(push, buffer)).in_dialect(dialect);
    match deflate {
        Some(deflate) => frame.deflated(deflate),
        None => frame,
    }
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
