use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, request::Parts},
};
use geocast_geo_filter::Document;
use geocast_protocol::{Channel, Crs, Offset, Word};
use serde_json::{Value, json};

use super::{
    answer::Refusal,
    body::{BodyError, body},
    hint::{excerpt, of_key, of_payload},
};
use crate::{
    ChannelRule, Count, Event, HistoryPosition, StoreError, access::PublishRefused, clock, deletion_notice,
    event::TrackKey, node::Node,
};

type Shared = State<Arc<Node>>;
type Named<T> = Result<Path<T>, PathRejection>;

/// `POST /api/publish/{channel}`: to the channel's subscribers. The answer has a `hint` where they may not get what is expected.
pub(crate) async fn publish(
    State(node): Shared,
    name: Named<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let outcome = async {
        let Path(name) = name.map_err(|error| bad_path(&error))?;
        let (parts, body) = request.into_parts();
        let channel = admit(&node, &name, &parts)?;
        let (payload, document) = payload(&node, Request::from_parts(parts, body)).await?;
        let hint = of_payload(&channel, &payload, &document, input_crs(&node, &channel));
        let position = node.store.publish(&channel, payload).await.map_err(|error| store_refusal(&error))?;
        Ok(hinted(placed(json!({ "published": channel }), position), [hint]))
    };
    account(&node, outcome.await)
}

/// `PUT /api/state/{channel}/{key}`: sets one key of the state and publishes the value. The answer has a `hint` where that may not
/// do what is expected.
pub(crate) async fn put(
    State(node): Shared,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let outcome = async {
        let (parts, body) = request.into_parts();
        let (channel, key) = entry(&node, names, &parts)?;
        let (payload, document) = payload(&node, Request::from_parts(parts, body)).await?;
        let property = track_property(&node, &channel);
        let known = Event::tracked_as(&payload, property);
        let hints = [
            of_payload(&channel, &payload, &document, input_crs(&node, &channel)),
            of_key(key.as_str(), &payload, known.as_ref(), property),
        ];
        let put = node.store.put(&channel, key.as_str(), payload).await;
        let position = put.map_err(|error| store_refusal(&error))?;
        Ok(hinted(placed(json!({ "published": channel, "key": key.as_str() }), position), hints))
    };
    account(&node, outcome.await)
}

/// `DELETE /api/state/{channel}/{key}`: removes one key of the state and sends subscribers a [`deletion_notice`], of the feature that
/// was there if that has a key of its own.
pub(crate) async fn delete(
    State(node): Shared,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let outcome = async {
        let (channel, key) = entry(&node, names, &request.into_parts().0)?;
        let value = node.store.value(&channel, key.as_str()).await.map_err(|error| store_refusal(&error))?;
        let property = track_property(&node, &channel);
        let limits = node.payload_limits();
        let value = value.filter(|value| Event::check(value, &limits).is_ok());
        let known = value.and_then(|value| Event::tracked_as(&value, property));
        let notice = deletion_notice(known.as_ref().map_or(key.as_str(), TrackKey::as_str));
        let removed = node.store.remove(&channel, key.as_str(), notice).await;
        if !removed.map_err(|error| store_refusal(&error))? {
            let message = format!("channel `{channel}` has no key `{key}`");
            return Err(Refusal::new(StatusCode::NOT_FOUND, "no_such_key", message));
        }
        Ok(json!({ "deleted": channel, "key": key.as_str() }))
    };
    account(&node, outcome.await)
}

/// An answer with where the message stands, if its channel has a history.
fn placed(mut answer: Value, position: Option<HistoryPosition>) -> Value {
    if let Some(HistoryPosition { offset, epoch }) = position {
        answer["offset"] = match offset {
            Offset::Number(number) => number.into(),
            Offset::Entry(..) => offset.to_string().into(),
        };
        answer["epoch"] = epoch.as_str().into();
    }
    answer
}

/// An answer with what may not be expected.
fn hinted(mut answer: Value, hints: impl IntoIterator<Item = Option<String>>) -> Value {
    let hints: Vec<String> = hints.into_iter().flatten().collect();
    if !hints.is_empty() {
        answer["hint"] = hints.join("; ").into();
    }
    answer
}

/// The coordinate system that payloads of a channel come in.
fn input_crs(node: &Node, channel: &Channel) -> Crs {
    ChannelRule::find(&node.settings.channel_crs, channel).copied().unwrap_or(Crs::WGS84)
}

/// The property that is the key of features without an id.
fn track_property<'a>(node: &'a Node, channel: &Channel) -> Option<&'a str> {
    ChannelRule::find(&node.settings.track_keys, channel).map(|property| &**property)
}

fn account(node: &Node, outcome: Result<Value, Refusal>) -> Result<Json<Value>, Refusal> {
    node.count(if outcome.is_ok() { Count::Published } else { Count::PublishRefused });
    outcome.map(Json)
}

fn entry(node: &Node, names: Named<(String, String)>, request: &Parts) -> Result<(Channel, Word), Refusal> {
    let Path((name, key)) = names.map_err(|error| bad_path(&error))?;
    let channel = admit(node, &name, request)?;
    let key = key.parse().map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_key", format!("key {:?}: {error}", excerpt(&key)))
    })?;
    Ok((channel, key))
}

/// Whether this request may publish to the channel of that name.
fn admit(node: &Node, name: &str, request: &Parts) -> Result<Channel, Refusal> {
    node.access.admits_page(&request.headers).map_err(|origin| Refusal::origin(&origin))?;
    let channel = name.parse::<Channel>();
    let channel =
        channel.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "bad_channel", error.to_string()))?;
    let now = clock::timestamp();
    let identity =
        node.access.identify(super::peer(&request.extensions), &request.uri, &request.headers, now)?;
    if !node.keeps_token_rate(&identity) {
        let message = "requests and commands with this token come faster than its rate allows";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "token_rate", message));
    }
    node.access.publishes(&identity, &channel, now).map_err(|error| {
        let (status, code) = match error {
            PublishRefused::KeyMissing => (StatusCode::UNAUTHORIZED, "key_missing"),
            PublishRefused::TokenMissing => (StatusCode::UNAUTHORIZED, "token_missing"),
            PublishRefused::Expired => (StatusCode::UNAUTHORIZED, "token_expired"),
            PublishRefused::Unaccepted => (StatusCode::UNAUTHORIZED, "token_refused"),
            PublishRefused::KeyWrong => (StatusCode::FORBIDDEN, "key_wrong"),
            PublishRefused::Closed => (StatusCode::FORBIDDEN, "publishing_off"),
            PublishRefused::Channel(_) | PublishRefused::Token(_) | PublishRefused::Policy(..) => {
                (StatusCode::FORBIDDEN, "channel_refused")
            }
        };
        Refusal::new(status, code, error.to_string())
    })?;
    Ok(channel)
}

/// The body and what it is, if subscribers can be sent it. It is read only once the request is known to be allowed, and kept apart from the
/// buffer of the connection it came by, which it would keep alive for as long as it is stored.
async fn payload(node: &Node, request: Request) -> Result<(Bytes, Document), Refusal> {
    let body = body(node, request).await.map_err(|error| {
        let (status, code) = match &error {
            BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            BodyError::Unreadable(_) => (StatusCode::BAD_REQUEST, "bad_body"),
        };
        Refusal::new(status, code, error.to_string())
    })?;
    if body.is_empty() {
        let message = "there is nothing to publish: the request has no body";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "empty_body", message));
    }
    match Event::looked_into(&body, &node.payload_limits()) {
        Ok(document) => Ok((Bytes::copy_from_slice(&body), document)),
        Err(error) => {
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "payload_refused", error.to_string()))
        }
    }
}

fn bad_path(error: &PathRejection) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "bad_path", error.body_text())
}

fn store_refusal(error: &StoreError) -> Refusal {
    let status = match error {
        StoreError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::Refused(_) => StatusCode::BAD_GATEWAY,
        StoreError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
    };
    Refusal::new(status, error.code(), error.to_string())
}
