//! Coordinates beyond what a number can hold.

use crate::{
    hostile_publishers::{kinds, texts_until},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(numbers_that_are_not_finite_never_come_out);

async fn numbers_that_are_not_finite_never_come_out(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = kinds(&server).await;
    for payload in [
        r#"{"type":"Point","coordinates":[1e999,5]}"#,
        r#"{"type":"LineString","coordinates":[[5,5],[5,1e999]]}"#,
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[-1e999,1e999]},"properties":{}}"#,
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1e999,5]},"properties":{}}]}"#,
    ] {
        server.publish("wild", payload).await;
    }
    server.publish("wild", "\"end\"").await;
    for (kind, client) in clients.iter_mut().enumerate().skip(1) {
        for text in texts_until(client, r#""content":"end""#).await {
            let outside =
                !text.contains("1e999") && !text.to_lowercase().contains("inf") && !text.contains("[null");
            assert!(outside, "client {kind}: {text}");
        }
    }
    // Who asks for neither box nor projection gets what was published, which is JSON, byte for byte.
    let texts = texts_until(&mut clients[0], r#""content":"end""#).await;
    assert_eq!(texts.iter().filter(|text| text.contains("1e999")).count(), 4, "{texts:?}");
}
