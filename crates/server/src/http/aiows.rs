//! Publishing packages: `POST {prefix}/channel/{name}/` and `POST {prefix}/broadcast/`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use geocast_geo_filter::Document;
use geocast_protocol::{
    Channel,
    aiows::{Broadcast, Package, PackageType, Reply},
};

use super::body::BodyError;
use crate::{
    Count, StoreError,
    access::{Identity, PublishRefused},
    clock,
    node::Node,
};

type Shared = State<Arc<Node>>;

/// `POST {prefix}/channel/{name}/`: one package, of the type that the header `Package-Type` names.
pub(crate) async fn publish(
    State(node): Shared,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let outcome = async {
        let Path(name) = name.map_err(|error| bad("path", &error.body_text()))?;
        let client = identify(&node, &request)?;
        let channel = node.settings.channel_names.channel(&name).map_err(|error| bad("channel", &error))?;
        admit(&node, &client, &channel)?;
        let kind = package_type(request.headers())?;
        let body = body(&node, request).await?;
        let package = Package::read(kind, body.to_vec()).map_err(|error| bad("package", &error))?;
        send(&node, vec![(channel, package)]).await
    };
    answer(&node, outcome.await)
}

/// `POST {prefix}/broadcast/`: many packages for many channels, all or nothing.
pub(crate) async fn broadcast(State(node): Shared, request: Request) -> Response {
    let outcome = async {
        let client = identify(&node, &request)?;
        // Whoever may publish nowhere is told before the body is read.
        let any = ANY.parse().expect("a channel's name");
        match node.access.publishes_by_settings(&client, &any, clock::timestamp()) {
            Ok(()) | Err(PublishRefused::Channel(_) | PublishRefused::Token(_)) => {}
            Err(refused) => return Err(not_authorized(&refused)),
        }
        let body = body(&node, request).await?;
        let names = node.settings.channel_names;
        let broadcast = Broadcast::read(&body, names).map_err(|error| bad("broadcast", &error))?;
        for (channel, _) in &broadcast.packages {
            admit(&node, &client, channel)?;
        }
        send(&node, broadcast.packages).await
    };
    answer(&node, outcome.await)
}

/// Why nothing was published.
enum Refused {
    Client(Reply),
    TooFast,
    TooLarge,
    Store(StoreError),
}

fn identify(node: &Node, request: &Request) -> Result<Identity, Refused> {
    node.access.admits_page(request.headers()).map_err(|origin| not_authorized(&origin))?;
    let identity = node.access.identify(
        super::peer(request.extensions()),
        request.uri(),
        request.headers(),
        clock::timestamp(),
    );
    let identity = identity.map_err(|error| not_authorized(&error))?;
    if node.keeps_token_rate(&identity) { Ok(identity) } else { Err(Refused::TooFast) }
}

fn admit(node: &Node, client: &Identity, channel: &Channel) -> Result<(), Refused> {
    let admitted = node.access.publishes(client, channel, clock::timestamp());
    admitted.map_err(|refused| not_authorized(&refused))
}

/// What the request says that its body is.
fn package_type(headers: &HeaderMap) -> Result<PackageType, Refused> {
    let Some(value) = headers.get("package-type") else { return Ok(PackageType::default()) };
    let text = value.to_str().map_err(|error| bad("package-type", &error))?;
    text.parse().map_err(|error| bad("package-type", &error))
}

async fn body(node: &Node, request: Request) -> Result<Bytes, Refused> {
    super::body::body(node, request).await.map_err(|error| match error {
        BodyError::TooLarge(limit) => {
            tracing::debug!(limit, "package refused: too large");
            Refused::TooLarge
        }
        BodyError::Unreadable(_) => bad("body", &error),
    })
}

/// Publishes all packages, if subscribers can be sent each of them. Returns their number.
async fn send(node: &Node, packages: Vec<(Channel, Package)>) -> Result<usize, Refused> {
    let limits = node.payload_limits();
    for (_, package) in &packages {
        if let Package::Json(json) = package {
            Document::read(json.as_bytes(), &limits).map_err(|error| bad("package", &error))?;
        }
    }
    let messages: Vec<(Channel, Bytes)> = packages
        .into_iter()
        .map(|(channel, package)| (channel, Bytes::from(package.to_wire().into_owned())))
        .collect();
    let number = messages.len();
    node.store.publish_all(messages).await.map_err(Refused::Store)?;
    Ok(number)
}

fn not_authorized(reason: &dyn std::fmt::Display) -> Refused {
    tracing::debug!(%reason, "package refused");
    Refused::Client(Reply::NotAuthorized)
}

fn bad(what: &str, reason: &dyn std::fmt::Display) -> Refused {
    tracing::debug!(what, %reason, "package refused");
    Refused::Client(Reply::BadRequest)
}

fn answer(node: &Node, outcome: Result<usize, Refused>) -> Response {
    match &outcome {
        Ok(packages) => node.counters.add_many(Count::Published, *packages as u64),
        Err(_) => node.count(Count::PublishRefused),
    }
    let reply = |reply: Reply| (reply.status(), reply.body());
    let (status, body) = match outcome {
        Ok(_) => reply(Reply::Published),
        Err(Refused::Client(refused)) => reply(refused),
        Err(Refused::TooFast) => (429, r#""Too many requests""#),
        Err(Refused::TooLarge) => (413, r#""Payload too large""#),
        Err(Refused::Store(error)) => {
            tracing::warn!(event = "publish_failed", %error, "packages could not be published");
            match error {
                StoreError::Unavailable(_) => (503, r#""Service unavailable""#),
                StoreError::Refused(_) => (502, r#""Bad gateway""#),
                StoreError::Full(_) => (507, r#""Insufficient storage""#),
            }
        }
    };
    let status = StatusCode::from_u16(status).expect("these are statuses");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The name of some channel.
const ANY: &str = "any";
