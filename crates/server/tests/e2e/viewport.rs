//! BBOX.

use serde_json::{Value, json};

use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_box_applies_until_it_moves_or_is_cleared,
    a_box_applies_to_all_channels_of_its_client_alone,
    real_clients_send_a_zoom_and_keywords,
    numbers_may_be_written_in_any_way,
    what_is_not_geojson_passes_untouched,
    a_box_that_makes_no_sense_changes_nothing,
    a_box_may_be_a_point,
);

fn point(x: f64, y: f64) -> String {
    json!({"type": "Point", "coordinates": [x, y]}).to_string()
}

/// Publishes a point at each of these longitudes, and says which ones came.
async fn longitudes(server: &TestServer, client: &mut crate::client::Client, all: &[f64]) -> Vec<f64> {
    let brought = server.brings(client, "cars", all.iter().map(|&x| point(x, 5.0))).await;
    brought.iter().map(|point| point["coordinates"][0].as_f64().expect("a number")).collect()
}

async fn a_box_applies_until_it_moves_or_is_cleared(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for (command, expected) in [
        ("RESET", vec![5.0, 15.0, 25.0]),
        ("BBOX 0 0 10 10", vec![5.0]),
        ("BBOX 10 0 20 10", vec![15.0]),
        ("BBOX 0 0 20 10", vec![5.0, 15.0]),
        ("BBOX", vec![5.0, 15.0, 25.0]),
        ("BBOX 0 6 30 10", vec![]),
    ] {
        client.send(command).await;
        client.settled().await;
        assert_eq!(longitudes(&server, &mut client, &[5.0, 15.0, 25.0]).await, expected, "{command}");
    }
}

async fn a_box_applies_to_all_channels_of_its_client_alone(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut free = server.subscriber("cars", &[]).await;
    let mut client = server.subscriber("cars", &["BBOX 0 0 10 10"]).await;
    client.send("SUB bikes").await;
    server.subscribed(&mut client, "bikes").await;
    server.received(&mut client, "cars").await;
    free.until("sentinel").await;
    assert_eq!(server.brings(&mut client, "bikes", [point(50.0, 5.0)]).await, Vec::<Value>::new());
    assert_eq!(longitudes(&server, &mut client, &[50.0, 5.0]).await, [5.0]);
    assert_eq!(free.next_content().await["coordinates"][0], 50.0);
}

async fn real_clients_send_a_zoom_and_keywords(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for command in [
        "BBOX 0 0 10 10 12",
        "BBOX 0 0 10 10 12.5",
        "BBOX 0 0 10 10 12 mots=rail,bus",
        "BBOX 0 0 10 10 5 tenant=sbb gen=5",
        "BBOX 0 0 10 10 5 tenant=sbb gen_level=5 mots=rail",
        "BBOX 0 0 10 10 tenant=sbb",
        "BBOX 0 0 10 10 9 channel_prefix=x graph=np_topo19 unknown=word and more words",
    ] {
        client.send("BBOX").await;
        client.send(command).await;
        client.settled().await;
        assert_eq!(longitudes(&server, &mut client, &[5.0, 50.0]).await, [5.0], "{command}");
    }
}

async fn numbers_may_be_written_in_any_way(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for command in ["BBOX 0.0 0.0 10.0 10.0", "BBOX -0 +0 1e1 1.0E+1", "BBOX 0 0. 10 .10e2"] {
        client.send("BBOX").await;
        client.send(command).await;
        client.settled().await;
        assert_eq!(longitudes(&server, &mut client, &[5.0, 50.0]).await, [5.0], "{command}");
    }
}

async fn what_is_not_geojson_passes_untouched(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["PROJECTION epsg:3857", "BBOX 0 0 1000 1000"]).await;
    for payload in [
        "1",
        "\"text\"",
        "true",
        "null",
        "[]",
        "[50,50]",
        "{}",
        r#"{"type":"Banana","coordinates":[50, 50.0]}"#,
        r#"{"type":7,"coordinates":[50,50]}"#,
        r#"{"coordinates":[50,50]}"#,
        r#"{"type":"Feature","geometry":null,"properties":{}}"#,
        r#"{"type":"Feature","properties":{}}"#,
        r#"{"type":"Feature","geometry":{"type":"Banana","coordinates":[50,50]},"properties":{}}"#,
        r#"{"type":"point","coordinates":[50,50]}"#,
    ] {
        server.publish("cars", payload).await;
        let text = client.next_text().await;
        assert!(
            text.starts_with(&format!(r#"{{"source":"cars","content":{payload},"timestamp":"#)),
            "{text}"
        );
    }
    for text in ["no JSON", "{\"half\":", "naïve \"quotes\" \\ \n\t\u{7f}\u{1}", "NaN", "{'a':1}", "1 2", ""]
    {
        server.publish("cars", text).await;
        assert_eq!(client.next_content().await, text);
    }
}

async fn a_box_that_makes_no_sense_changes_nothing(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 200).await;
    let mut client = server.subscriber("cars", &["BBOX 0 0 10 10"]).await;
    for command in [
        "BBOX 20",
        "BBOX 20 0",
        "BBOX 20 0 60",
        "BBOX nan 0 60 10",
        "BBOX NaN NaN NaN NaN",
        "BBOX 20 0 inf 10",
        "BBOX -inf 0 60 10",
        "BBOX -Infinity -Infinity Infinity Infinity",
        "BBOX 20 0 1e999 10",
        "BBOX a b c d",
        "BBOX 0x0 0 60 60",
        "BBOX 20 10 60 0",
        "BBOX 3e6 1e6 2e6 2e6 crs=epsg:2056",
        "BBOX 20 0 60 10 crs=epsg:3857",
        "BBOX 20,0,60,10",
        "BBOX 20 0 60 10 crs=epsg:999999",
        "BBOX 20 0 60 10 crs=banana",
        "BBOX 20 0 60 10 crs=+proj=merc",
        "BBOX 20 0 60 10 members=banana",
    ] {
        client.send(command).await;
        client.next_error().await;
        assert_eq!(longitudes(&server, &mut client, &[5.0, 50.0]).await, [5.0], "{command}");
    }
}

async fn a_box_may_be_a_point(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["BBOX 5 5 5 5"]).await;
    assert_eq!(longitudes(&server, &mut client, &[5.0, 5.1]).await, [5.0]);
}
