//! From events to frames.

use bytes::Bytes;
use geocast_geo_filter::{Document, Kind, Writing};
use geocast_protocol::{Change, ChangeFormat, ChangeKind, Channel, LeaveReason, envelope::Content};

use crate::{
    Event, clock,
    connection::Frame,
    deflate::Deflate,
    dialect::{self, AnyDialect, Push, Told},
    event::{TrackKey, Tracked},
    interest::{Detail, Form, Sight, Withheld},
};

/// A published message, as every subscriber of the same form gets it.
pub(crate) fn push(event: &Event, form: &Form) -> Result<Frame, Withheld> {
    let bytes = shown(event, form)?;
    let content = content(event.kind(), &bytes);
    Ok(framed(event, content, None, form).of(event.key()))
}

/// A change of a key, as every subscriber of the same form is told it. `former` is the key as they know it.
pub(crate) fn change(
    event: &Event,
    former: Option<&TrackKey>,
    told: (ChangeKind, ChangeFormat),
    form: &Form,
) -> Result<Frame, Withheld> {
    // Whoever decided on a change has found the key before.
    let Some(Tracked { key, .. }) = event.tracked(None) else { return push(event, form) };
    let (kind, format) = told;
    let former = former.filter(|former| !former.is_written_like(key)).map(TrackKey::json);
    let (key, former) = (key.json(), former.as_deref());
    let told = |feature| {
        Some(Told {
            change: Change {
                kind,
                key: former.filter(|_| feature == Content::Null).unwrap_or(&key),
                former,
                feature,
            },
            format,
        })
    };
    if let ChangeKind::Leave(_) = kind {
        return Ok(framed(event, Content::Null, told(Content::Null), form).kept());
    }
    let bytes = shown(event, form)?;
    let feature = content(event.kind(), &bytes);
    Ok(framed(event, feature, told(feature), form).kept())
}

/// What one subscriber is told of a key that it is to have no more.
pub(crate) fn leave(channel: &Channel, key: &TrackKey, reason: LeaveReason, sight: &Sight) -> Frame {
    let (kind, key) = (ChangeKind::Leave(reason), key.json());
    let change = Change { kind, key: &key, former: None, feature: Content::Null };
    let change = sight.format().map(|format| Told { change, format });
    let push = Push {
        channel,
        content: Content::Null,
        published: clock::timestamp(),
        number: 0,
        offset: None,
        change,
    };
    written(&push, &sight.dialect, sight.deflate).kept()
}

fn framed(event: &Event, content: Content<'_>, change: Option<Told<'_>>, form: &Form) -> Frame {
    let (channel, published, number) = (event.channel(), event.received(), event.number());
    let offset = event.offset().filter(|_| form.is_numbered());
    written(&Push { channel, content, published, number, offset, change }, form.dialect(), form.deflate())
}

fn written(push: &Push<'_>, dialect: &AnyDialect, deflate: Option<Deflate>) -> Frame {
    let frame = Frame::made(push.content.len_hint() + AROUND, |buffer| dialect.push(push, buffer));
    let frame = frame.in_dialect(dialect);
    match deflate {
        Some(deflate) => frame.deflated(deflate),
        None => frame,
    }
}

/// A value of the state, as it is in this form.
pub(crate) fn value(event: &Event, form: &Form) -> Result<Bytes, Withheld> {
    shown(event, form)
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
fn shown(event: &Event, form: &Form) -> Result<Bytes, Withheld> {
    let document = event.document()?;
    let placed = placed(event, document, form)?;
    let reduced = form.fields().and_then(|fields| document.reduce(&placed, |name| fields.contain(name)));
    let shown = reduced.map_or(placed, Bytes::from);
    Ok(if form.alone() { Document::features_alone(&shown).into() } else { shown })
}

/// The features that are in sight, in the system and in the detail of this form.
fn placed(event: &Event, document: &Document, form: &Form) -> Result<Bytes, Withheld> {
    let (payload, members, detail) = (event.payload(), form.members(), form.detail());
    let output = form.output().filter(|_| event.kind() == Kind::Geographic);
    let native = output.and_then(|transform| event.native(transform.to()));
    let written = match (output, native) {
        (_, Some(native)) if detail == Detail::ALL => return Ok(native.shown(members)),
        (_, Some(native)) => native.written(members, &detail.of(Writing::as_they_came(), document.shape())),
        (Some(transform), None) => {
            let shape = event.projected(document, transform);
            let writing = Writing::at(&shape, transform.decimals());
            document.write(payload, members, &detail.of(writing, document.shape()))
        }
        (None, None) if detail != Detail::ALL => {
            document.write(payload, members, &detail.of(Writing::as_they_came(), document.shape()))
        }
        (None, None) => {
            let trimmed = members.map(|members| document.trim(payload, members).into());
            return Ok(trimmed.unwrap_or_else(|| payload.clone()));
        }
    };
    Ok(written.ok_or(Withheld::Unprojectable)?.into())
}

/// Bytes that a dialect puts around a payload, usually.
const AROUND: usize = 160;
