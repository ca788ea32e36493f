//! Boxes that go across the antimeridian, and boxes that are in another unit.

use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_box_may_go_across_the_antimeridian,
    so_may_a_box_in_metres,
    state_is_read_across_the_antimeridian,
    what_is_in_force_is_said_as_it_was_given,
    a_box_in_another_unit_is_answered_and_changes_nothing,
    a_box_with_its_axes_swapped_is_answered_and_changes_nothing,
    a_refused_box_brings_no_channels_along,
    what_bends_between_systems_is_found,
);

fn point(x: f64, y: f64) -> String {
    json!({"type": "Point", "coordinates": [x, y]}).to_string()
}

/// Which of the longitudes come to the client, published as points.
async fn seen(server: &TestServer, client: &mut Client, longitudes: &[f64]) -> Vec<f64> {
    let brought = server.brings(client, "cars", longitudes.iter().map(|&x| point(x, -17.0))).await;
    brought.iter().map(|point| point["coordinates"][0].as_f64().expect("a number")).collect()
}

const ROUND: &[f64] = &[-180.0, -179.0, -171.0, -169.0, 0.0, 169.0, 171.0, 179.0, 180.0];
const ACROSS: &[f64] = &[-180.0, -179.0, -171.0, 171.0, 179.0, 180.0];

async fn a_box_may_go_across_the_antimeridian(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for (command, expected) in [
        ("BBOX 170 -20 -170 -10", ACROSS),
        ("BBOX 170 -20 190 -10", ACROSS),
        ("BBOX -190 -20 -170 -10", ACROSS),
        ("BBOX 530 -20 550 -10", ACROSS),
        ("BBOX 170 -20 180 -10", &[-180.0, 171.0, 179.0, 180.0]),
        ("BBOX -180 -20 -170 -10", &[-180.0, -179.0, -171.0, 180.0]),
        ("BBOX -180 -90 180 90", ROUND),
        ("BBOX 0 -120 360 120", ROUND),
        ("BBOX -900 -90 900 90", ROUND),
        ("BBOX 170 -16 -170 -10", &[]),
    ] {
        client.send(command).await;
        client.settled().await;
        assert_eq!(seen(&server, &mut client, ROUND).await, expected, "{command}");
    }
    // Nothing is sent twice where both halves of a box have some of it.
    client.send("BBOX 170 -20 190 -10").await;
    client.settled().await;
    let both = json!({"type": "MultiPoint", "coordinates": [[175, -17], [-175, -17]]}).to_string();
    assert_eq!(server.brings(&mut client, "cars", [both]).await.len(), 1);
}

async fn so_may_a_box_in_metres(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for (command, expected) in [
        // 170 degrees are 18 924 313 metres, a whole turn 40 075 017.
        ("BBOX 18924313 -2e6 -18924313 -1e6 crs=epsg:3857", ACROSS),
        ("BBOX 18924313 -2e6 21150704 -1e6 crs=epsg:3857", ACROSS),
        ("BBOX -21150704 -2e6 -18924313 -1e6 crs=epsg:3857", ACROSS),
        ("BBOX -20037508 -20037508 20037508 20037508 crs=epsg:3857", ROUND),
        ("BBOX -60000000 -2e7 60000000 2e7 crs=epsg:3857", ROUND),
        ("BBOX 18924313 -2e6 20037508 -1e6 crs=epsg:3857", &[-180.0, 171.0, 179.0, 180.0]),
    ] {
        client.send(command).await;
        client.settled().await;
        assert_eq!(seen(&server, &mut client, ROUND).await, expected, "{command}");
    }
}

async fn state_is_read_across_the_antimeridian(backend: Backend) {
    let server = TestServer::start(backend).await;
    for longitude in ROUND {
        server.put("cars", &longitude.to_string(), point(*longitude, -17.0)).await;
    }
    let mut client = server.subscriber("news", &["BBOX 170 -20 -170 -10"]).await;
    client.send("GET cars").await;
    let mut found = Vec::new();
    for _ in ACROSS {
        found.push(client.next_content().await["coordinates"][0].as_f64().expect("a number"));
    }
    found.sort_by(f64::total_cmp);
    assert_eq!(found, ACROSS);
    client.send("GET cars 0").await;
    assert_eq!(client.next_content().await, Value::Null);
}

async fn what_is_in_force_is_said_as_it_was_given(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    for bbox in [json!([170, -20, -170, -10]), json!([530.5, -20, 560, -10]), json!([-400, -100, 400, 100])] {
        let viewport = caller.call("viewport", json!({ "bbox": bbox })).await;
        assert_eq!(viewport["bbox"], bbox);
        let session = caller.call("session", json!({})).await;
        assert_eq!(session["viewport"]["bbox"], bbox);
    }
}

async fn a_box_in_another_unit_is_answered_and_changes_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["BBOX 0 -20 10 -10"]).await;
    let mut caller = Caller::connect(&server).await;
    for (bbox, crs, message) in [
        ("829000 5930000 840000 5940000", 4326, "box edge 829000 can be no angle"),
        ("-8 100 8 140", 4326, "latitudes from 100 to 140, all of them beyond the pole at 90"),
        ("5.9 45.8 10.5 47.8", 3857, "look like degrees, but EPSG:3857 has lengths"),
        ("5.9 45.8 10.5 47.8", 2056, "look like degrees, but EPSG:2056 has lengths"),
        ("45.8 5.9 47.8 10.5", 2056, "look like degrees, but EPSG:2056 has lengths"),
    ] {
        client.send(format!("BBOX {bbox} crs=epsg:{crs}")).await;
        let error = client.next_error().await["content"]["error"].take();
        assert_eq!(error["code"], "bbox_units", "{error}");
        assert!(error["message"].as_str().expect("a message").contains(message), "{error}");
        let numbers: Vec<f64> = bbox.split(' ').map(|number| number.parse().expect("a number")).collect();
        let params = json!({ "bbox": numbers, "crs": format!("EPSG:{crs}") });
        let (code, data, said) = caller.refused("viewport", params).await;
        assert_eq!((code, &data["parameter"]), (-32602, &json!("bbox")), "{said}");
        assert!(said.contains(message), "{said}");
    }
    assert_eq!(seen(&server, &mut client, ROUND).await, [0.0]);
    assert_eq!(caller.call("session", json!({})).await["viewport"], Value::Null);
}

const SWAPPED: &str = "look like y before x: in EPSG:2056, easting comes first here";

async fn a_box_with_its_axes_swapped_is_answered_and_changes_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["BBOX 0 -20 10 -10"]).await;
    // What comes with it is done all the same.
    client
        .send_together(&["PROJECTION epsg:3857", "BBOX 1200000 2600000 1210000 2610000 crs=epsg:2056"])
        .await;
    let error = client.next_error().await["content"]["error"].take();
    assert_eq!(error["code"], "bbox_units", "{error}");
    assert!(error["message"].as_str().expect("a message").contains(SWAPPED), "{error}");
    let brought = server.brings(&mut client, "cars", ROUND.iter().map(|&x| point(x, -17.0))).await;
    assert_eq!(brought.len(), 1);
    assert_eq!(brought[0]["coordinates"][0], 0.0);
    assert!(brought[0]["coordinates"][1].as_f64().expect("a number") < -1e6, "{brought:?}");
    // The box before stays, also if it came with it.
    client
        .send_together(&[
            "BBOX 50 -20 60 -10 crs=epsg:4326",
            "BBOX 1200000 2600000 1210000 2610000 crs=epsg:2056",
        ])
        .await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "bbox_units");
    let brought = server.brings(&mut client, "cars", [0.0, 55.0].iter().map(|&x| point(x, -17.0))).await;
    assert_eq!(brought.len(), 1);
    assert!(brought[0]["coordinates"][0].as_f64().expect("a number") > 6e6, "{brought:?}");

    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!([[1, 2, 3, 4]])).await;
    let good = json!({"jsonrpc": "2.0", "id": 0, "method": "viewport", "params": [[5, 6, 7, 8]]});
    let bad = json!({"jsonrpc": "2.0", "id": 1, "method": "viewport",
        "params": {"bbox": [1_200_000, 2_600_000, 1_210_000, 2_610_000], "crs": "EPSG:2056"}});
    let next = json!({"jsonrpc": "2.0", "id": 2, "method": "projection", "params": ["EPSG:3857"]});
    caller.client.send(json!([good, bad, next]).to_string()).await;
    let answers = caller.client.next().await;
    assert_eq!(answers[0]["result"]["bbox"], json!([5, 6, 7, 8]), "{answers}");
    assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!(1), &json!(-32602)), "{answers}");
    assert_eq!(answers[2]["result"], json!({"crs": "EPSG:3857"}), "{answers}");
    let session = caller.call("session", json!({})).await;
    assert_eq!(session["viewport"]["bbox"], json!([5, 6, 7, 8]));
    assert_eq!(session["crs"], "EPSG:3857");
}

async fn a_refused_box_brings_no_channels_along(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.viewport_channels = vec!["trajectory".parse().expect("a channel")];
    })
    .await;
    let mut client = server.client().await;
    for command in
        ["BBOX 829000 5930000 840000 5940000", "BBOX 1200000 2600000 1210000 2610000 crs=epsg:2056"]
    {
        client.send(command).await;
        assert_eq!(client.next_error().await["content"]["error"]["code"], "bbox_units");
        client.settled().await;
        server.publish("trajectory", "1").await;
        client.expect_nothing(&server).await;
    }
    client.send("BBOX 2600000 1200000 2610000 1210000 crs=epsg:2056").await;
    server.subscribed(&mut client, "trajectory").await;
}

/// A line from one side of the pole to the other is straight on a map around the pole, and at 60 degrees in a box of
/// degrees.
async fn what_bends_between_systems_is_found(backend: Backend) {
    let line = |longitude: f64| {
        let coordinates = [[longitude, 60.0], [longitude + 180.0, 60.0]];
        json!({"type": "Feature", "id": "line", "properties": {},
            "geometry": {"type": "LineString", "coordinates": coordinates}})
        .to_string()
    };
    let away =
        r#"{"type":"Feature","id":"line","properties":{},"geometry":{"type":"Point","coordinates":[0,60]}}"#;
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("lines", &["BBOX -10000 -10000 10000 10000 crs=epsg:3413"]).await;
    assert_eq!(server.brings(&mut client, "lines", [away.to_owned(), line(0.0)]).await.len(), 1);

    let mut caller = Caller::connect(&server).await;
    let pole = json!({"bbox": [-10000, -10000, 10000, 10000], "crs": "EPSG:3413"});
    let elsewhere = json!({"bbox": [1_000_000, 1_000_000, 1_010_000, 1_010_000], "crs": "EPSG:3413"});
    caller.call("viewport", pole.clone()).await;
    caller.call("subscribe", json!({"channel": "lines", "track": true})).await;
    let change = async |caller: &mut Caller| caller.client.next().await["method"].take();
    for (value, told) in [(line(0.0), "enter"), (line(-90.0), "update"), (away.to_owned(), "leave")] {
        server.put("lines", "line", value).await;
        assert_eq!(change(&mut caller).await, told);
    }
    server.put("lines", "line", line(30.0)).await;
    assert_eq!(change(&mut caller).await, "enter");
    caller
        .client
        .send(json!({"jsonrpc": "2.0", "method": "viewport", "params": elsewhere}).to_string())
        .await;
    assert_eq!(change(&mut caller).await, "leave");
    caller.client.send(json!({"jsonrpc": "2.0", "method": "viewport", "params": pole}).to_string()).await;
    assert_eq!(change(&mut caller).await, "enter");
}
