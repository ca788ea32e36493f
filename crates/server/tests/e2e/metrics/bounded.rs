//! Nothing that clients make up becomes a label.

use std::{collections::BTreeSet, fs};

use futures_util::future::join_all;
use geocast_server::{KeyFile, TokenSettings};
use serde_json::json;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use super::*;
use crate::signing::Signer;

on_both_stores!(what_clients_make_up_brings_no_samples);

/// How many of each kind.
const MADE_UP: usize = 100;

/// Names with their labels, without values.
type Series = BTreeSet<(String, Vec<(String, String)>)>;

fn series(exposition: &Exposition) -> Series {
    let samples = exposition.0.values().flat_map(|family| &family.samples);
    samples.map(|sample| (sample.name.clone(), sample.labels.clone().into_iter().collect())).collect()
}

async fn what_clients_make_up_brings_no_samples(backend: Backend) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let (listener, metrics) = port();
    let redis = (backend == Backend::Redis).then(|| RedisServer::start(&[]));
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let adjust = |settings: &mut Settings| {
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
    };
    let server = TestServer::start_built(clients, redis, adjust, |builder| builder.metrics(listener)).await;
    let before = series(&read(metrics, &[]).await.1);

    let mut client = server.client().await;
    for number in 0..MADE_UP {
        let name = format!("madeup{number}");
        client.send(format!("SUB {name}")).await;
        client.send(format!("GET {name} {name}")).await;
        client.send(format!("{} {name}", name.to_uppercase())).await;
        client.send(format!("PROJECTION epsg:{}", 900_000 + number)).await;
        server.publish(&name, "1").await;
    }
    client.send("GET madeup0 done").await;
    while client.next().await["source"] != "madeup0 done" {}
    join_all((0..MADE_UP).map(|number| stranger(&server, number))).await;
    server.heard().await;

    let refused = |reason| ("geocast_connections_refused_total", [("reason", reason)]);
    let (not_found, origin, token) =
        (refused("not_found"), refused("origin_refused"), refused("token_refused"));
    let many = MADE_UP as f64;
    let after = shows(
        metrics,
        &[
            (not_found.0, &not_found.1, many),
            (origin.0, &origin.1, many),
            (token.0, &token.1, 2.0 * many),
            ("geocast_channels", &[], many),
            ("geocast_commands_rejected_total", &[("reason", "unknown")], many),
        ],
    )
    .await;
    let more: Vec<_> = series(&after).symmetric_difference(&before).cloned().collect();
    assert!(more.is_empty(), "there are others than before: {more:#?}");
    let text = request(metrics, "GET", "/metrics", &[], "").await.body;
    assert!(!text.to_lowercase().contains("madeup"), "{text}");
}

/// Somebody who comes by a path, from a page, with a token, of a key and in a dialect that nobody knows.
async fn stranger(server: &TestServer, number: usize) {
    let name = format!("madeup{number}");
    let address = server.address;
    assert_eq!(refused_upgrade(address, &format!("/{name}"), &[]).await.status, 404);
    let origin = format!("Origin: https://{name}.example");
    assert_eq!(refused_upgrade(address, "/ws", &[&origin]).await.status, 403);
    let claims = json!({ "sub": name, "channels": { "sub": ["*"] } });
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": name });
    for token in [name.clone(), Signer::Es256.token_under(&header, &claims)] {
        let bearer = format!("Authorization: Bearer {token}");
        assert_eq!(refused_upgrade(address, "/ws", &[&bearer]).await.status, 401, "{token}");
    }
    let mut request = format!("ws://{address}/ws").into_client_request().expect("a request");
    let protocol = name.parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    // Whether it is refused is for `greeting.rs` to say.
    let _answered = connect_async(request).await;
}
