//! Ways on which what is sent is made of something else: collected pushes, hashes that are watched, messages of filters.

use geocast_server::pipeline::Filters;
use serde_json::json;

use super::{OUTSIDE, outside, point, start, text, token, within};
use crate::{client::Client, server::Backend, stores::on_both_stores, waiting::AGAIN};

on_both_stores!(what_is_collected_is_within);

async fn what_is_collected_is_within(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &within()).await;
    client.send("BUFFER 60000 2").await;
    client.send("SUB map").await;
    client.settled().await;
    for payload in outside().into_iter().chain([point("in", 3.5), point("also", 1.5)]) {
        server.publish("map", payload).await;
    }
    let mut collected = client.next().await;
    assert_eq!(collected["source"], "buffer", "{collected}");
    let ids: Vec<_> = collected["content"]
        .as_array()
        .expect("envelopes")
        .iter()
        .map(|envelope| &envelope["content"]["id"])
        .collect();
    assert_eq!(ids, ["in", "also"]);
    assert!(!collected.take().to_string().contains(OUTSIDE));
}

#[tokio::test]
async fn a_watched_hash_tells_what_has_no_digit_alone() {
    let (server, _keys) = start(Backend::Embedded, |settings| {
        settings.watch = Some("cars,collection*".parse().expect("patterns"))
    })
    .await;
    let mut limited =
        Client::connect_raw(server.address, &format!("/rohrpost/?token={}", token(&within()))).await;
    let mut free = server.rohrpost().await;
    for client in [&mut limited, &mut free] {
        for (kind, id) in [("cars", "x"), ("collection", "x")] {
            let request = json!({ "id": 1, "type": "subscribe", "data": { "type": kind, "id": id } });
            assert!(client.ask(&request.to_string()).await.contains("group"));
        }
    }
    for place in [20.125, 3.5] {
        server.put("cars", "x", point("x", place)).await;
        server.put("collection:x", "place", json!([place, 1]).to_string()).await;
        for _ in 0..2 {
            assert!(free.next_text().await.contains(&place.to_string()));
        }
    }
    server.put("cars", "x", r#"{"state":"parked"}"#).await;
    assert!(limited.next_text().await.contains("parked"), "nothing came before it");
    server.heard().await;
    assert_eq!(limited.ask(r#"{"id":2,"type":"ping"}"#).await, r#"{"id":2,"type":"pong"}"#);
}

#[tokio::test]
async fn what_clients_send_each_other_is_within() {
    let filters = Filters::named(["broadcast_messages"]).expect("a filter");
    let (server, _keys) = start(Backend::Embedded, |settings| settings.filters = filters).await;
    let mut limited =
        Client::connect_raw(server.address, &format!("/pipeline?token={}", token(&within()))).await;
    let mut free = Client::connect_raw(server.address, "/pipeline").await;
    let mut sender = Client::connect_raw(server.address, "/pipeline").await;
    while limited.next_text_within(AGAIN).await.is_none() {
        sender.send("are you there?").await;
    }
    sender.send("that is all").await;
    for client in [&mut limited, &mut free] {
        while client.next_text().await != "that is all" {}
    }
    for place in [20.125, 3.5] {
        sender.send(point("x", place)).await;
        sender.send(format!("at {place}")).await;
        for _ in 0..2 {
            assert!(free.next_text().await.contains(&place.to_string()));
        }
    }
    sender.send("that is all").await;
    let mut came = limited.next_text().await;
    if came == point("x", 3.5) {
        came = limited.next_text().await;
    }
    assert_eq!(came, "that is all");
}
