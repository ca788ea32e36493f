//! Viewports that are larger, nearer or further than a token allows.

use serde_json::{Value, json};

use super::{point, rpc, start, text};
use crate::{client::Client, server::Backend, stores::on_both_stores};

on_both_stores!(
    a_box_that_is_too_large_is_refused_and_the_old_one_stays,
    json_rpc_is_told_why,
    of_boxes_that_come_together_each_is_judged,
    a_zoom_level_has_to_be_said_and_to_fit,
    nothing_is_read_without_a_box,
);

async fn refused(client: &mut Client, command: &str) -> String {
    client.send(command).await;
    let error = client.next_error().await["content"]["error"].take();
    assert_eq!(error["code"], "access_denied", "{command}");
    error["message"].as_str().expect("a text").to_owned()
}

async fn a_box_that_is_too_large_is_refused_and_the_old_one_stays(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &json!({ "max_area": 20_000 })).await;
    client.send("SUB map").await;
    client.settled().await;
    for x in [1.0, 5.0] {
        server.publish("map", point("a", x)).await;
    }
    server.publish("map", "reload").await;
    client.expect_nothing(&server).await;
    client.send("BBOX 0.5 0.5 1.5 1.5").await;
    client.settled().await;
    for (command, area) in [
        ("BBOX 0 0 2 2", "49"),
        ("BBOX -180 -90 180 90", "510065621.7"),
        ("BBOX 170 0 -170 1", "246169"),
        ("BBOX 0 0 222639 222684 crs=epsg:3857", "49"),
        ("BBOX 2485000 1075000 2834000 1296000 crs=epsg:2056", ""),
        ("BBOX -4000000 -4000000 4000000 4000000 crs=epsg:3413", ""),
    ] {
        let message = refused(&mut client, command).await;
        assert!(message.contains(" km², more than the 20000 km² that the token allows"), "{message}");
        assert!(message.contains(&format!("has {area}")), "{command}: {message}");
        for x in [5.0, 1.0] {
            server.publish("map", point("a", x)).await;
        }
        assert_eq!(client.next_content().await["geometry"]["coordinates"][0], 1.0, "{command}");
        client.expect_nothing(&server).await;
    }
    client.send("BBOX 50000 50000 150000 150000 crs=epsg:3857").await;
    client.settled().await;
    server.publish("map", point("a", 1.25)).await;
    assert_eq!(client.next_content().await["geometry"]["coordinates"][0], 1.25);
    // A feature may be larger than the box, a collection may not be more than is in it.
    let features: Vec<Value> =
        [1.0, 5.0].iter().map(|x| serde_json::from_str(&point("a", *x)).expect("JSON")).collect();
    client.send("BBOX 0.5 0.5 1.5 1.5 members=whole").await;
    client.settled().await;
    server.publish("map", json!({ "type": "FeatureCollection", "features": features }).to_string()).await;
    assert_eq!(client.next_content().await["features"].as_array().map(Vec::len), Some(1));
    client.send("BBOX").await;
    client.settled().await;
    server.publish("map", point("a", 1.0)).await;
    client.expect_nothing(&server).await;
}

async fn json_rpc_is_told_why(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut caller = rpc(&server, &json!({ "max_area": 20_000, "zoom": [6, 18] })).await;
    let result = caller
        .call("viewport", json!({ "bbox": [0.5, 0.5, 1.5, 1.5], "zoom": 7.5, "members": "whole" }))
        .await;
    assert_eq!((&result["bbox"], &result["members"]), (&json!([0.5, 0.5, 1.5, 1.5]), &json!("inside")));
    for (params, said) in [
        (json!({ "bbox": [0, 0, 2, 2], "zoom": 7 }), "km², more than the 20000 km² that the token allows"),
        (json!({ "bbox": [0, 0, 1, 1], "zoom": 5.5 }), "zoom level 5.5 is not within 6 and 18"),
        (json!({ "bbox": [0, 0, 1, 1], "zoom": 18.5 }), "zoom level 18.5 is not within 6 and 18"),
        (json!({ "bbox": [0, 0, 1, 1] }), "the viewport has to name its own"),
    ] {
        let (_, data, message) = caller.refused("viewport", params).await;
        assert_eq!(data["reason"], "access_denied", "{message}");
        assert!(message.contains(said), "{message}");
        let session = caller.call("session", json!({})).await;
        assert_eq!(session["viewport"]["bbox"], json!([0.5, 0.5, 1.5, 1.5]), "{session}");
    }
}

async fn of_boxes_that_come_together_each_is_judged(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &json!({ "max_area": 20_000 })).await;
    client
        .send_together(&["SUB map", "BBOX 0.5 0.5 1.5 1.5", "BBOX 0 0 90 90", "PING client_ref=settled"])
        .await;
    let mut answers = vec![client.next().await, client.next().await];
    answers.retain(|answer| answer["content"] != "PONG");
    assert_eq!(answers[0]["content"]["error"]["code"], "access_denied", "{answers:?}");
    // The one before stays, also if it came with it.
    for x in [5.0, 1.0] {
        server.publish("map", point("a", x)).await;
    }
    assert_eq!(client.next_content().await["geometry"]["coordinates"][0], 1.0);
    client.expect_nothing(&server).await;
    let mut caller = rpc(&server, &json!({ "max_area": 20_000 })).await;
    let call = |id: u32, bbox: [f64; 4]| json!({ "jsonrpc": "2.0", "id": id, "method": "viewport", "params": { "bbox": bbox } });
    let large = [0.0, 0.0, 90.0, 90.0];
    let boxes = [[0.5, 0.5, 1.5, 1.5], large, [2.5, 0.5, 3.5, 1.5], large, large];
    let calls: Vec<String> = (1..).zip(boxes).map(|(id, bbox)| call(id, bbox).to_string()).collect();
    caller.client.send_together(&calls.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for id in 1..=5 {
        let answer = caller.client.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        assert_eq!(answer.get("error").is_some(), [2, 4, 5].contains(&id), "{answer}");
    }
    caller.next = 10;
    let session = caller.call("session", json!({})).await;
    assert_eq!(session["viewport"]["bbox"], json!([2.5, 0.5, 3.5, 1.5]), "{session}");
}

async fn a_zoom_level_has_to_be_said_and_to_fit(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    let mut client = text(&server, &json!({ "zoom": [6, 18] })).await;
    client.send("SUB map").await;
    client.settled().await;
    server.publish("map", point("a", 1.0)).await;
    client.expect_nothing(&server).await;
    assert!(refused(&mut client, "BBOX 0 0 2 2 5").await.contains("zoom level 5 is not within 6 and 18"));
    assert!(refused(&mut client, "BBOX 0 0 2 2").await.contains("has to name its own"));
    server.publish("map", point("a", 1.0)).await;
    client.expect_nothing(&server).await;
    client.send("BBOX 0 0 2 2 6").await;
    client.settled().await;
    server.publish("map", point("a", 1.0)).await;
    assert_eq!(client.next_content().await["id"], "a");
}

async fn nothing_is_read_without_a_box(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    server.put("map", "a", point("a", 1.0)).await;
    server.put("map", "b", point("b", 5.0)).await;
    let mut client = text(&server, &json!({ "max_area": 20_000 })).await;
    for command in ["GET map", "GET map a", "PGET map projection=epsg:3857"] {
        client.send(command).await;
        assert_eq!(client.next_content().await, Value::Null, "{command}");
    }
    client.send("BBOX 0.5 0.5 1.5 1.5").await;
    for command in ["GET map", "GET map a"] {
        client.send(command).await;
        assert_eq!(client.next_content().await["id"], "a", "{command}");
    }
    client.send("GET map b").await;
    assert_eq!(client.next_content().await, Value::Null);
    client.expect_nothing(&server).await;
}
