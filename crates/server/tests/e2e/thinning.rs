//! Coordinates with fewer decimals, and lines with fewer positions.

use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    positions::BERN,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    numbers_have_no_more_decimals_than_asked_for,
    what_comes_in_another_system_is_rounded_there,
    lines_bend_no_more_than_the_map_shows,
    the_whole_line_decides_where_it_is,
    state_and_changes_are_thinned_as_pushes_are,
    who_asks_for_other_detail_gets_it,
    what_is_in_force_is_said,
    pixels_without_a_zoom_level_are_refused,
);

const LINE: &str = r#"{"type":"Feature","id":7,"bbox":[1.23456,1,4,5],"geometry":{"type":"LineString","coordinates":[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]},"properties":{"name":1.23456}}"#;

/// The coordinates of [`LINE`], written otherwise.
fn line(coordinates: &str) -> String {
    LINE.replace("[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]", coordinates)
}

/// Publishes [`LINE`], which comes as this.
async fn comes_as(server: &TestServer, client: &mut Client, coordinates: &str) {
    server.publish("map", LINE).await;
    let (text, expected) = (client.next_text().await, line(coordinates));
    assert!(text.starts_with(&format!(r#"{{"source":"map","content":{expected},"timestamp":"#)), "{text}");
}

async fn numbers_have_no_more_decimals_than_asked_for(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("map", &["BBOX 0 0 10 10 precision=2"]).await;
    comes_as(&server, &mut client, "[[1.23,1.0],[ 2e0 ,2, 408.12345],[3,3],[4,5.00]]").await;
    for other in [r#"{"type":"Feature","geometry":null,"n":1.23456}"#, "1.23456", "[1.23456]"] {
        server.publish("map", other).await;
        let text = client.next_text().await;
        assert!(text.contains(&format!(r#""content":{other},"#)), "{text}");
    }
    // Where nothing is asked for, everything comes as it came.
    for (words, coordinates) in [
        ("precision=0", "[[1,1],[ 2e0 ,2, 408.12345],[3,3],[4,5]]"),
        ("", "[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]"),
        ("precision=15", "[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]"),
    ] {
        client.send(format!("BBOX 0 0 10 10 {words}")).await;
        client.settled().await;
        comes_as(&server, &mut client, coordinates).await;
    }
    // echo 1.23456 1 | cs2cs -f %.3f +proj=longlat +datum=WGS84 +to EPSG:3857
    for (digits, coordinates) in [
        (1, "[[137430.6,111325.1],[ 222639 ,222684.3, 408.12345],[333958.5,334111.2],[445278,557305.3]]"),
        (
            9,
            "[[137430.591,111325.143],[ 222638.982 ,222684.32, 408.12345],[333958.472,334111.171],[445277.963,557305.257]]",
        ),
    ] {
        let words = format!("BBOX 0 0 10 10 crs=epsg:4326 precision={digits}");
        client.send_together(&["PROJECTION epsg:3857", &words]).await;
        client.settled().await;
        comes_as(&server, &mut client, coordinates).await;
    }
}

async fn what_comes_in_another_system_is_rounded_there(backend: Backend) {
    let adjust = |settings: &mut geocast_server::Settings| {
        settings.channel_crs = vec!["map=epsg:2056".parse().expect("a rule")];
    };
    let server = TestServer::start_with(backend, adjust).await;
    let [x, y] = BERN.swiss;
    let tram = |coordinates: &str| {
        format!(r#"{{"type":"Feature","geometry":{{"type":"LineString","coordinates":{coordinates}}}}}"#)
    };
    let payload = tram(&format!("[[{x},{y}],[{},{y}],[{},{y}.0]]", x + 0.125, x.ceil() + 9.0));
    let wishes = "crs=epsg:4326 zoom=15 tolerance=1 precision=1";
    let mut client =
        server.subscriber("map", &["PROJECTION epsg:2056", &format!("BBOX 7 46 8 47 {wishes}")]).await;
    let payload = payload.replace(&format!("{y}.0"), &format!("{}", y.ceil()));
    server.publish("map", payload).await;
    let text = client.next_text().await;
    let expected = tram(&format!("[[{:.1},{:.1}],[{},{}]]", x, y, x.ceil() + 9.0, y.ceil()));
    assert!(text.contains(&expected), "{text}");
    let mut degrees = server.subscriber("map", &["BBOX 7 46 8 47 precision=2"]).await;
    server.publish("map", tram(&format!("[[{x},{y}],[{x},{y}]]"))).await;
    let text = degrees.next_text().await;
    assert!(text.contains(&tram("[[7.44,46.95],[7.44,46.95]]")), "{text}");
}

/// At zoom level 0, a pixel is 1.40625 degrees at the equator.
async fn lines_bend_no_more_than_the_map_shows(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("map", &["BBOX -50 -50 50 50 0 tolerance=0.5"]).await;
    comes_as(&server, &mut client, "[[1.23456,1.0],[4,5.00]]").await;
    let geometry = |kind: &str, coordinates: Value| json!({ "type": kind, "coordinates": coordinates });
    let ring = json!([[0, 0], [5, 0.1], [10, 0], [10, 10], [0, 10], [0, 0]]);
    let square = json!([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]);
    let small = json!([[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0, 0]]);
    for (kind, coordinates, expected) in [
        ("MultiPoint", json!([[0, 0], [0.1, 0], [0.2, 0]]), json!([[0, 0], [0.1, 0], [0.2, 0]])),
        (
            "MultiLineString",
            json!([[[0, 0], [1, 0], [9, 0]], [[0, 0], [1, 9]]]),
            json!([[[0, 0], [9, 0]], [[0, 0], [1, 9]]]),
        ),
        ("Polygon", json!([ring, ring]), json!([square, square])),
        ("MultiPolygon", json!([[ring]]), json!([[square]])),
    ] {
        server.publish("map", geometry(kind, coordinates).to_string()).await;
        assert_eq!(client.next_content().await, geometry(kind, expected));
    }
    server.publish("map", geometry("Polygon", json!([small])).to_string()).await;
    let left = client.next_content().await;
    assert_eq!(left["coordinates"][0].as_array().map(Vec::len), Some(4), "{left}");
    assert_eq!(left["coordinates"][0][0], left["coordinates"][0][3]);
    // At a higher level there is more to be seen; another system has the same positions; all goes together.
    for (words, coordinates) in [
        ("zoom=2 tolerance=0.5", "[[1.23456,1.0],[3.000,3],[4,5.00]]"),
        ("zoom=20 tolerance=0.5", "[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]"),
        ("zoom=2 tolerance=256", "[[1.23456,1.0],[4,5.00]]"),
        ("zoom=2 tolerance=0.5 precision=0", "[[1,1],[3,3],[4,5]]"),
    ] {
        client.send(format!("BBOX -50 -50 50 50 {words}")).await;
        client.settled().await;
        comes_as(&server, &mut client, coordinates).await;
    }
    client.send_together(&["PROJECTION epsg:3857", "BBOX -50 -50 50 50 2 tolerance=0.5 crs=epsg:4326"]).await;
    client.settled().await;
    comes_as(
        &server,
        &mut client,
        "[[137430.591,111325.143],[333958.472,334111.171],[445277.963,557305.257]]",
    )
    .await;
    let collection = format!(
        r#"{{"type":"FeatureCollection","features":[{LINE}, {}]}}"#,
        line("[[60,60],[61,60],[62,60]]")
    );
    client
        .send_together(&["PROJECTION epsg:4326", "BBOX -50 -50 50 50 0 tolerance=1 members=inside fields="])
        .await;
    client.settled().await;
    server.publish("map", collection).await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""features":[{}]}}"#, line("[[1.23456,1.0],[4,5.00]]"))), "{text}");
}

async fn the_whole_line_decides_where_it_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    let corner =
        |y: f64| json!({ "type": "LineString", "coordinates": [[0, 0], [5, y], [10, 0]] }).to_string();
    // Only the position that is left out is in the box.
    let mut client = server.subscriber("map", &["BBOX 4 1 6 9 0 tolerance=2"]).await;
    server.publish("map", corner(0.9)).await;
    server.publish("map", corner(1.1)).await;
    assert_eq!(client.next_content().await["coordinates"], json!([[0, 0], [10, 0]]));
    client.expect_nothing(&server).await;
}

async fn state_and_changes_are_thinned_as_pushes_are(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "7", LINE).await;
    let thin = line("[[1.2,1.0],[4,5]]");
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10 zoom=0 tolerance=1 precision=1").await;
    client.settled().await;
    for command in ["GET map", "GET map 7", "PGET map"] {
        client.send(command).await;
        let text = client.next_text().await;
        assert!(text.contains(&format!(r#""content":{thin},"#)), "{command}: {text}");
    }
    client.send("SUB map track").await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""change":"enter","key":7,"feature":{thin}"#)), "{text}");
    server.put("map", "7", LINE.replace("3.000", "3.001")).await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""change":"update","key":7,"feature":{thin}"#)), "{text}");
    // Another level shows all again, the same one does not.
    client.send("BBOX 0 0 10 9 zoom=0 tolerance=1 precision=1").await;
    client.expect_nothing(&server).await;
    client.send("BBOX 0 0 10 9 zoom=1 tolerance=1 precision=1").await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""change":"update","key":7,"feature":{thin}"#)), "{text}");
    client.send("BBOX 0 0 10 9 zoom=1 precision=1").await;
    let text = client.next_text().await;
    assert!(text.contains(&line("[[1.2,1.0],[ 2e0 ,2, 408.12345],[3,3],[4,5]]")), "{text}");
}

async fn who_asks_for_other_detail_gets_it(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = Vec::new();
    for (words, coordinates) in [
        ("", "[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]"),
        ("precision=1", "[[1.2,1.0],[ 2e0 ,2, 408.12345],[3,3],[4,5]]"),
        ("zoom=0 tolerance=1", "[[1.23456,1.0],[4,5.00]]"),
        ("zoom=0 tolerance=1 precision=1", "[[1.2,1.0],[4,5]]"),
        ("zoom=2 tolerance=0.8", "[[1.23456,1.0],[3.000,3],[4,5.00]]"),
        // The next whole level counts.
        ("zoom=1.3 tolerance=0.8", "[[1.23456,1.0],[3.000,3],[4,5.00]]"),
        ("zoom=0 min_move=256", "[[1.23456,1.0],[ 2e0 ,2.000001, 408.12345],[3.000,3],[4,5.00]]"),
    ] {
        clients.push((server.subscriber("map", &[&format!("BBOX 0 0 10 10 {words}")]).await, coordinates));
    }
    server.publish("map", "\"begin\"").await;
    server.publish("map", LINE).await;
    server.publish("map", LINE).await;
    for (client, coordinates) in &mut clients {
        client.until("begin").await;
        // What is not tracked has no movements.
        for _ in 0..2 {
            let (text, expected) = (client.next_text().await, line(coordinates));
            assert!(text.contains(&format!(r#""content":{expected},"#)), "{text}");
        }
    }
}

async fn what_is_in_force_is_said(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let wanted =
        json!({ "bbox": [0, 0, 10, 10], "zoom": 9.5, "precision": 5.0, "tolerance": 1.50, "min_move": 2 });
    let in_force = json!({ "bbox": [0, 0, 10, 10], "crs": "EPSG:4326", "zoom": 9.5, "members": "whole",
        "precision": 5, "tolerance": 1.5, "min_move": 2 });
    assert_eq!(caller.call("viewport", wanted).await, in_force);
    assert_eq!(caller.call("session", json!({})).await["viewport"], in_force);
    let without_box = json!({ "bbox": null, "crs": "EPSG:4326", "precision": 0 });
    assert_eq!(caller.call("viewport", json!({ "precision": 0 })).await, without_box);
    assert_eq!(caller.call("session", json!({})).await["viewport"], without_box);
    server.put("map", "7", LINE).await;
    let values = caller.call("get", json!(["map"])).await["values"].take();
    assert_eq!(values[0]["geometry"]["coordinates"][0], json!([1, 1]));
    // What was said in the text dialect is told as well, and the next viewport brings its own.
    let mut client = Client::connect_raw(server.address, "/ws").await;
    client.next().await;
    for (words, expected) in [
        ("9.5 min_move=2 tolerance=1.5 precision=5", in_force),
        ("zoom=9.5", json!({ "bbox": [0, 0, 10, 10], "crs": "EPSG:4326", "zoom": 9.5, "members": "whole" })),
    ] {
        client.send(format!("BBOX 0 0 10 10 {words}")).await;
        client.send(json!({ "jsonrpc": "2.0", "id": 1, "method": "session" }).to_string()).await;
        assert_eq!(client.next().await["result"]["viewport"], expected);
    }
}

async fn pixels_without_a_zoom_level_are_refused(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("map", &["BBOX 0 0 10 10 precision=2"]).await;
    for (words, code, message) in [
        ("tolerance=1", "invalid_zoom", "one from -2 to 30 has to be given"),
        ("min_move=1", "invalid_zoom", "one from -2 to 30 has to be given"),
        ("31 min_move=1", "invalid_zoom", "zoom level 31 is not from -2 to 30"),
        ("9 min_move=0", "bad_pixels", "min_move: `0` is not a number of pixels from 0.01 to 256"),
        ("9 tolerance=far", "bad_pixels", "tolerance: `far` is not a number of pixels"),
        ("precision=16", "bad_precision", "`16` is not a whole number of decimals from 0 to 15"),
    ] {
        client.send(format!("BBOX 50 50 60 60 {words}")).await;
        let error = client.next_error().await["content"]["error"].take();
        assert_eq!(error["code"], code, "{words}");
        assert!(error["message"].as_str().is_some_and(|said| said.contains(message)), "{error}");
    }
    // The view stays what it was.
    comes_as(&server, &mut client, "[[1.23,1.0],[ 2e0 ,2, 408.12345],[3,3],[4,5.00]]").await;
    let mut caller = Caller::connect(&server).await;
    let in_force = caller.call("viewport", json!({ "bbox": [0, 0, 10, 10], "zoom": 31 })).await;
    for (wishes, parameter, message) in [
        (
            json!({ "tolerance": 1 }),
            "zoom",
            "zoom `null`: `tolerance` and `min_move` are pixels at a zoom level",
        ),
        (json!({ "zoom": -3, "min_move": 1 }), "zoom", "zoom `-3`: zoom level -3 is not from -2 to 30"),
        (json!({ "zoom": 9, "min_move": 257 }), "min_move", "must be a number from 0.01 to 256"),
        (json!({ "zoom": 9, "tolerance": "1" }), "tolerance", "must be a number from 0.01 to 256"),
        (json!({ "precision": 1.5 }), "precision", "must be a whole number from 0 to 15"),
    ] {
        let mut viewport = json!({ "bbox": [50, 50, 60, 60] });
        viewport.as_object_mut().expect("an object").extend(wishes.as_object().expect("an object").clone());
        let (code, data, said) = caller.refused("viewport", viewport).await;
        assert_eq!((code, &data["parameter"]), (-32602, &json!(parameter)), "{said}");
        assert!(said.contains(message), "{said}");
    }
    assert_eq!(caller.call("session", json!({})).await["viewport"], in_force);
}
