//! Tokens whose claim cannot be used.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{start, token};
use crate::{
    client::Client,
    http_client::{refused_upgrade, request},
    server::{Backend, TestServer},
};

/// Every way in that takes a token with the request.
async fn check(server: &TestServer, token: &str) {
    let bearer = format!("Authorization: Bearer {token}");
    for path in ["/ws", "/rpc", "/rohrpost/", "/channel/map/"] {
        let response = refused_upgrade(server.address, path, &[&bearer]).await;
        assert_eq!(
            (response.status, response.json()["error"]["code"].clone()),
            (401, json!("token_refused")),
            "{path}"
        );
    }
    let response = request(server.address, "POST", "/api/publish/map", &[&bearer], "1").await;
    assert_eq!(response.status, 401);
    let mut client = server.rohrpost().await;
    let ask = json!({ "id": 1, "type": "subscribe", "auth_jwt": token, "data": { "type": "map", "id": 1 } });
    let reply = client.ask(&ask.to_string()).await;
    assert_eq!(reply, r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_with_a_claim_that_cannot_be_used_is_refused() {
    let (server, _keys) = start(Backend::Embedded, |_| ()).await;
    let polygon = |coordinates: Value| json!({ "within": { "type": "Polygon", "coordinates": coordinates } });
    for geo in [
        json!({}),
        Value::Null,
        json!({ "whithin": 1 }),
        polygon(json!([])),
        polygon(json!([[]])),
        polygon(json!([[[0, 0], [1, 0], [0, 0]]])),
        polygon(json!([[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]])),
        polygon(json!([[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]])),
        polygon(json!([[[0, 0], [null, 0], [1, 1], [0, 0]]])),
        polygon(json!([[[0, 0], ["NaN", 0], [1, 1], [0, 0]]])),
        polygon(json!([[[0, 0], [1e300, 0], [1, 1], [0, 0]]])),
        json!({ "max_area": -1 }),
        json!({ "zoom": [9, 1] }),
    ] {
        check(&server, &token(&geo)).await;
    }
    // The server is well, and takes others.
    let path = format!("/ws?token={}", token(&json!({ "max_area": 1 })));
    assert_eq!(Client::connect_raw(server.address, &path).await.next().await["content"]["status"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polygon_of_a_million_positions_is_refused_whole() {
    let (server, _keys) = start(Backend::Embedded, |_| ()).await;
    let ring: Vec<[f64; 2]> = (0..=1_000_000)
        .map(|at| f64::from(at % 1_000_000) / 1e6 * std::f64::consts::TAU)
        .map(|angle| [angle.cos(), angle.sin()])
        .collect();
    let token = token(&json!({ "within": { "type": "Polygon", "coordinates": [ring] } }));
    let mut client = server.rohrpost().await;
    let ask = json!({ "id": 1, "type": "subscribe", "auth_jwt": token, "data": { "type": "map", "id": 1 } })
        .to_string();
    // As it is, it is longer than a message may be; cut to what fits, it is longer than a token may be.
    let cut = format!(
        r#"{{"id":1,"type":"subscribe","auth_jwt":"{}","data":{{"type":"map","id":1}}}}"#,
        &token[..10_000]
    );
    assert_eq!(client.ask(&cut).await, r#"{"id":1,"type":"subscribe","error":"ACCESS_DENIED"}"#);
    // The server may be gone before all of it is sent.
    let _cut_off = client.socket.send(Message::text(ask)).await;
    let answer = client.socket.next().await;
    assert!(!matches!(answer, Some(Ok(Message::Text(_)))), "{answer:?}");
    // As large as a token can be, it is read, a hundred times.
    let ring: Vec<[f64; 2]> = (0..=300)
        .map(|at| f64::from(at % 300) / 300.0 * std::f64::consts::TAU)
        .map(|angle| [angle.cos(), angle.sin()].map(|number| (number * 1e5).round() / 1e5))
        .collect();
    for number in 0..100 {
        let geo = json!({ "within": { "type": "Polygon", "coordinates": [ring] }, "max_area": 1 + number });
        let path = format!("/ws?token={}", super::token(&geo));
        Client::connect_raw(server.address, &path).await;
    }
}
