//! Channels whose payloads come in a coordinate system of their own.

use geocast_geo_filter::AxisOrder;
use geocast_server::StartError;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    positions::{BERN, GENEVA, Place, ZURICH, assert_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_comes_in_metres_goes_out_in_degrees,
    a_client_in_the_same_system_gets_the_bytes_as_they_came,
    boxes_are_held_against_it_in_any_system,
    collections_are_trimmed_in_any_system,
    state_is_read_in_it,
    tracked_channels_have_it,
    rohrpost_gets_degrees,
    the_authority_may_put_northing_first,
    what_has_no_place_in_degrees_is_withheld,
    what_is_no_geometry_is_left_alone,
    other_channels_are_in_degrees,
);

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, |settings| {
        settings.channel_crs = vec!["swiss*=epsg:2056".parse().expect("a rule")];
    })
    .await
}

/// A feature in metres, written as no program would write it again.
fn feature(place: &Place) -> String {
    let [x, y] = place.swiss;
    format!(
        r#"{{ "id":12345678901234567890,"type":"Feature","properties":{{"n":7.10}}, "geometry":{{"type":"Point","coordinates":[{x:?}00, {y:?}, 408.50]}}}}"#
    )
}

/// Two millimetres on the ground, which are three in EPSG:3857 here: a datum shift in two dimensions drops the change in
/// height, so PROJ does not come back to where it was.
fn close(feature: &Value, expected: [f64; 2]) {
    let position = &feature["geometry"]["coordinates"];
    let tolerance = if expected[0].abs() > 1e3 { 0.003 } else { 3e-8 };
    for (index, expected) in expected.iter().enumerate() {
        let number = position[index].as_f64().expect("a number");
        assert!((number - expected).abs() <= tolerance, "{position} is not {expected:?}");
    }
}

async fn what_comes_in_metres_goes_out_in_degrees(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("swiss_trams", &[]).await;
    server.publish("swiss_trams", feature(&ZURICH)).await;
    let text = client.next_text().await;
    let start = r#"{"source":"swiss_trams","content":{ "id":12345678901234567890,"type":"Feature","properties":{"n":7.10}, "geometry":{"type":"Point","coordinates":[8.5"#;
    assert!(text.starts_with(start) && text.contains(", 408.50]}},\"timestamp\""), "{text}");
    for (crs, expected) in [(3857, ZURICH.mercator), (4326, ZURICH.degrees)] {
        client.send(format!("PROJECTION epsg:{crs}")).await;
        client.settled().await;
        let brought = server.brings(&mut client, "swiss_trams", [feature(&ZURICH)]).await;
        close(&brought[0], expected);
    }
}

async fn a_client_in_the_same_system_gets_the_bytes_as_they_came(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("swiss", &["PROJECTION epsg:2056"]).await;
    server.publish("swiss", feature(&BERN)).await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""content":{},"timestamp""#, feature(&BERN))), "{text}");
    server.put("swiss", "bern", feature(&BERN)).await;
    client.next_text().await;
    client.send("GET swiss bern").await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""content":{},"timestamp""#, feature(&BERN))), "{text}");
}

async fn boxes_are_held_against_it_in_any_system(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("swiss", &[]).await;
    for bbox in [
        "8 47 9 48",
        "900000 5950000 1000000 6050000 crs=epsg:3857",
        "2670000 1240000 2690000 1250000 crs=epsg:2056",
        "400000 5200000 600000 5300000 crs=epsg:32632",
    ] {
        client.send(format!("BBOX {bbox}")).await;
        client.settled().await;
        let brought = server.brings(&mut client, "swiss", [&BERN, &ZURICH, &GENEVA].map(feature)).await;
        assert_eq!(brought.len(), 1, "{bbox}: {brought:?}");
        close(&brought[0], ZURICH.degrees);
    }
    // The box is exact in the system that the data came in: to a millimetre.
    let [x, y] = ZURICH.swiss;
    for (left, hits) in [(x - 0.001, 1), (x + 0.001, 0)] {
        client.send(format!("BBOX {left} {} {} {} crs=epsg:2056", y - 1.0, x + 9.0, y + 1.0)).await;
        client.settled().await;
        assert_eq!(server.brings(&mut client, "swiss", [feature(&ZURICH)]).await.len(), hits, "{left}");
    }
}

async fn collections_are_trimmed_in_any_system(backend: Backend) {
    let server = start(backend).await;
    let collection =
        format!(r#"{{"type":"FeatureCollection","features":[{}, {}]}}"#, feature(&BERN), feature(&ZURICH));
    let zurich = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, feature(&ZURICH));
    for projection in ["epsg:4326", "epsg:2056", "epsg:3857"] {
        let first = format!("PROJECTION {projection}");
        let commands = [&*first, "BBOX 8 47 9 48 crs=epsg:4326 members=inside"];
        let mut client = server.subscriber("swiss", &commands).await;
        server.publish("swiss", collection.clone()).await;
        let text = client.next_text().await;
        if projection == "epsg:2056" {
            assert!(text.contains(&format!(r#""content":{zurich},"timestamp""#)), "{text}");
        }
        let content = serde_json::from_str::<Value>(&text).expect("JSON")["content"].take();
        assert_eq!(content["features"].as_array().map(Vec::len), Some(1), "{text}");
        let expected = match projection {
            "epsg:4326" => ZURICH.degrees,
            "epsg:2056" => ZURICH.swiss,
            _ => ZURICH.mercator,
        };
        close(&content["features"][0], expected);
    }
}

async fn state_is_read_in_it(backend: Backend) {
    let server = start(backend).await;
    server.put("swiss", "bern", feature(&BERN)).await;
    server.put("swiss", "zurich", feature(&ZURICH)).await;
    let mut client = server.subscriber("news", &["BBOX 8 47 9 48"]).await;
    for (command, expected) in [
        ("GET swiss", ZURICH.degrees),
        ("GET swiss zurich", ZURICH.degrees),
        ("PGET swiss zurich projection=epsg:3857", ZURICH.mercator),
        ("PGET swiss zurich projection=epsg:2056", ZURICH.swiss),
    ] {
        client.send(command).await;
        close(&client.next_content().await, expected);
    }
    client.send("GET swiss bern").await;
    assert_eq!(client.next_content().await, Value::Null);
    let mut caller = Caller::connect(&server).await;
    let values = caller.call("get", json!({"channel": "swiss", "key": "bern"})).await;
    assert_eq!(values["crs"], "EPSG:4326");
    close(&values["values"][0], BERN.degrees);
    let values = caller.call("get", json!(["swiss", "bern", "EPSG:2056"])).await;
    assert_eq!(values["crs"], "EPSG:2056");
    close(&values["values"][0], BERN.swiss);
}

async fn tracked_channels_have_it(backend: Backend) {
    let server = start(backend).await;
    server.put("swiss", "1", feature(&ZURICH)).await;
    let mut caller = Caller::connect(&server).await;
    caller.call("viewport", json!([[8, 47, 9, 48]])).await;
    caller.call("subscribe", json!({"channel": "swiss", "track": true})).await;
    let enter = caller.client.next().await;
    assert_eq!(enter["method"], "enter");
    close(&enter["params"]["content"], ZURICH.degrees);
    server.put("swiss", "1", feature(&BERN)).await;
    assert_eq!(caller.client.next().await["method"], "leave");
}

async fn rohrpost_gets_degrees(backend: Backend) {
    let server = start(backend).await;
    let mut client = crate::client::Client::connect_raw(server.address, "/rohrpost/").await;
    client.send(r#"{"id":1,"type":"subscribe","data":{"type":"swiss","id":5}}"#).await;
    assert_eq!(client.next().await["data"]["group"], "swiss-5");
    server.publish("swiss-5", feature(&ZURICH)).await;
    close(&client.next().await["data"]["object"], ZURICH.degrees);
}

/// EPSG defines 3035 with the northing first; the numbers are those of `the_order_of_axes_can_be_the_authoritys`.
async fn the_authority_may_put_northing_first(backend: Backend) {
    let (easting, northing) = (4211410.633533115, 2696228.167720125);
    for (order, coordinates) in
        [(AxisOrder::Xy, [easting, northing]), (AxisOrder::Authority, [northing, easting])]
    {
        let server = TestServer::start_with(backend, |settings| {
            settings.axis_order = order;
            settings.channel_crs = vec!["europe=epsg:3035".parse().expect("a rule")];
        })
        .await;
        let mut client = server.subscriber("europe", &[]).await;
        let point = json!({"type": "Point", "coordinates": coordinates}).to_string();
        let brought = server.brings(&mut client, "europe", [point]).await;
        assert_close(&brought[0]["coordinates"], ZURICH.degrees);
    }
}

async fn what_has_no_place_in_degrees_is_withheld(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.channel_crs = vec!["europe=epsg:3035".parse().expect("a rule")];
    })
    .await;
    let mut client = server.subscriber("europe", &[]).await;
    let nowhere = r#"{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[1e300,1e300]}}"#;
    let somewhere =
        r#"{"type":"Feature","id":2,"geometry":{"type":"Point","coordinates":[4211410,2696228]}}"#;
    let collection = format!(r#"{{"type":"FeatureCollection","features":[{nowhere},{somewhere}]}}"#);
    let brought = server.brings(&mut client, "europe", [nowhere.to_owned(), collection.clone()]).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_eq!(brought[0]["features"].as_array().map(Vec::len), Some(1));
    assert_eq!(brought[0]["features"][0]["id"], 2);
    client.send("PROJECTION epsg:3035").await;
    client.settled().await;
    let brought = server.brings(&mut client, "europe", [nowhere.to_owned(), collection]).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_eq!(brought[0]["features"].as_array().map(Vec::len), Some(1));
}

async fn what_is_no_geometry_is_left_alone(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("swiss", &["BBOX 8 47 9 48"]).await;
    for payload in [r#"{"type":"Feature","geometry":null,"n":7.10}"#, "[2600000, 1200000]", "7"] {
        server.publish("swiss", payload).await;
        let text = client.next_text().await;
        assert!(text.contains(&format!(r#""content":{payload},"timestamp""#)), "{text}");
    }
}

async fn other_channels_are_in_degrees(backend: Backend) {
    let server = start(backend).await;
    let mut client = server.subscriber("french", &[]).await;
    let payload = r#"{"type":"Point","coordinates":[8.550,4.737e1]}"#;
    server.publish("french", payload).await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""content":{payload},"#)), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_that_is_not_known_is_refused_at_the_start() {
    for (rule, message) in [
        ("swiss=epsg:999999", "coordinate reference system `EPSG:999999` of a channel is not known here"),
        ("swiss=epsg:2218", "no transformation from EPSG:2218 to EPSG:4326"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut settings = geocast_server::Settings::default();
        settings.channel_crs = vec![rule.parse().expect("a rule")];
        let error: StartError =
            geocast_server::Server::start(listener, settings).expect_err("there is no such system");
        assert!(error.to_string().contains(message), "{error}");
    }
}
