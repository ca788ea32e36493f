//! Nothing a publisher sends closes a connection, comes out as invalid JSON, or is lost without being counted.

use geocast_server::Count;
use serde_json::Value;

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    no_message_closes_a_connection,
    what_is_kept_from_a_subscriber_is_counted_under_one_reason,
    deep_json_is_withheld_and_counted,
    many_vertices_are_withheld_and_counted,
    a_message_of_a_million_vertices_does_no_harm,
    hostile_state_is_no_obstacle_to_reading_the_rest,
);

/// Messages that broke somebody once.
fn hostile() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        r#"{"type":"Point","coordinates":[5,5,5]}"#,
        r#"{"type":"Point","coordinates":[]}"#,
        r#"{"type":"Point","coordinates":[5]}"#,
        r#"{"type":"Point","coordinates":null}"#,
        r#"{"type":"Point","coordinates":"5,5"}"#,
        r#"{"type":"Point","coordinates":["5","5"]}"#,
        r#"{"type":"Point","coordinates":{"x":5,"y":5}}"#,
        r#"{"type":"Point","coordinates":[[[[5,5]]]]}"#,
        r#"{"type":"Point","coordinates":[null,null]}"#,
        r#"{"type":"Point","coordinates":[NaN,5]}"#,
        r#"{"type":"Point","coordinates":[5,Infinity]}"#,
        r#"{"type":"Point","coordinates":[-Infinity,5]}"#,
        r#"{"type":"Point","coordinates":[1e999,5]}"#,
        r#"{"type":"Point","coordinates":[5,-1e999]}"#,
        r#"{"type":"Point","coordinates":[1e308,1e308]}"#,
        r#"{"type":"Point","coordinates":[5,90]}"#,
        r#"{"type":"Point","coordinates":[5,91]}"#,
        r#"{"type":"Point","coordinates":[720,-720]}"#,
        r#"{"type":"Point"}"#,
        r#"{"type":"Point","coordinates":[5,5],"coordinates":[50,5],"type":"LineString"}"#,
        r#"{"type":"LineString","coordinates":[]}"#,
        r#"{"type":"LineString","coordinates":[[5,5]]}"#,
        r#"{"type":"LineString","coordinates":[5,5]}"#,
        r#"{"type":"Polygon","coordinates":[]}"#,
        r#"{"type":"Polygon","coordinates":[[]]}"#,
        r#"{"type":"Polygon","coordinates":[[[5,5]]]}"#,
        r#"{"type":"Polygon","coordinates":[[[1,1],[9,9],[1,9],[9,1]]]}"#,
        r#"{"type":"MultiPolygon","coordinates":[[[[]]]]}"#,
        r#"{"type":"GeometryCollection"}"#,
        r#"{"type":"GeometryCollection","geometries":[]}"#,
        r#"{"type":"GeometryCollection","geometries":[null,1,{}]}"#,
        r#"{"type":"Feature"}"#,
        r#"{"type":"Feature","geometry":null}"#,
        r#"{"type":"Feature","geometry":7}"#,
        r#"{"type":"Feature","geometry":[]}"#,
        r#"{"type":"Feature","geometry":{}}"#,
        r#"{"type":"Feature","geometry":{"type":null}}"#,
        r#"{"type":"Feature","geometry":{"type":"Feature","geometry":{"type":"Point","coordinates":[5,5]}}}"#,
        r#"{"type":"FeatureCollection"}"#,
        r#"{"type":"FeatureCollection","features":null}"#,
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"type":"FeatureCollection","features":[null,{},[],1,"x",{"type":"Feature"}]}"#,
        r#"{"type":"Banana","coordinates":[5,5]}"#,
        r#"{"type":["Point"],"coordinates":[5,5]}"#,
        r#"{"type":"Point","coordinates":[5,5]"#,
        r#"{"type":"Point","coordinates":[5,5]}}"#,
        r#"{"type":"Point","coordinates":[5,5]} trailing"#,
        "\u{feff}{\"type\":\"Point\",\"coordinates\":[5,5]}",
        r#"{"a":"\ud800"}"#,
        r#""\ud800\u0000""#,
        "",
        " ",
        "\n",
        "\0",
        "nonsense",
        "NaN",
        "-",
        "[",
        "{\"a\":1,}",
        "1e999",
        "123456789012345678901234567890",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    all.extend([vec![0xff, 0xfe], b"{\"type\":\"Point\",\"coordinates\":[5,5],\"name\":\"\xff\"}".to_vec()]);
    all.push([vec![b'['; 10_000], vec![b']'; 10_000]].concat());
    all.push(vec![b'['; 10_000]);
    all.push([r#"{"a":"#.repeat(10_000), "1".to_owned(), "}".repeat(10_000)].concat().into_bytes());
    all
}

/// One client of each kind: everything, a box, another projection, and all together.
pub(crate) async fn kinds(server: &TestServer) -> Vec<Client> {
    vec![
        server.subscriber("wild", &[]).await,
        server.subscriber("wild", &["BBOX 0 0 10 10"]).await,
        server.subscriber("wild", &["PROJECTION epsg:3857"]).await,
        server
            .subscriber("wild", &["PROJECTION epsg:2056", "BBOX 0 0 10 10 crs=epsg:4326 members=inside"])
            .await,
    ]
}

/// The text frames up to this one.
pub(crate) async fn texts_until(client: &mut Client, end: &str) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let text = client.next_text().await;
        if text.contains(end) {
            return texts;
        }
        texts.push(text);
    }
}

async fn no_message_closes_a_connection(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = kinds(&server).await;
    for (index, payload) in hostile().into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        server.publish("wild", payload).await;
        let end = format!("end of {index};");
        server.publish("wild", format!("\"{end}\"")).await;
        for (kind, client) in clients.iter_mut().enumerate() {
            for text in texts_until(client, &end).await {
                // Those of before this message, by which a client found out that it is subscribed.
                if text.contains("are you there?") || text.contains("that is all") {
                    continue;
                }
                let valid = serde_json::from_str::<serde::de::IgnoredAny>(&text);
                assert!(valid.is_ok(), "client {kind}, {shown}: {valid:?}: {text}");
                assert!(text.starts_with(r#"{"source":"wild","content":"#), "client {kind}, {shown}: {text}");
            }
        }
    }
    for client in &mut clients {
        client.settled().await;
    }
}

async fn what_is_kept_from_a_subscriber_is_counted_under_one_reason(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = kinds(&server).await;
    let reasons = [
        Count::Delivered,
        Count::WithheldOutside,
        Count::WithheldUnprojectable,
        Count::WithheldTooDeep,
        Count::WithheldTooManyVertices,
        Count::WithheldSlow,
    ];
    server.publish("wild", "\"begin\"").await;
    for client in &mut clients {
        client.until("begin").await;
    }
    // A message is counted when it has left, so its reader may be first.
    server.heard().await;
    for payload in hostile() {
        let before = reasons.map(|reason| server.count(reason));
        let events = server.count(Count::Events);
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        server.publish("wild", payload).await;
        server.publish("wild", "\"end\"").await;
        let mut delivered = 0;
        for client in &mut clients {
            delivered += u64::try_from(texts_until(client, r#""content":"end""#).await.len()).expect("a few");
        }
        // Other workers may still be about to count.
        server.heard().await;
        let after = reasons.map(|reason| server.count(reason));
        let rises: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        // Both messages, four clients.
        let names = reasons.map(Count::name);
        assert!(
            rises.iter().sum::<u64>() == 8 && rises[0] == delivered + 4,
            "{shown}: {delivered} came, {names:?} {rises:?}"
        );
        assert_eq!(server.count(Count::Events) - events, 2, "{shown}");
    }
}

async fn deep_json_is_withheld_and_counted(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("wild", &["BBOX 0 0 10 10"]).await;
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let brought = server.brings(&mut client, "wild", [nested(33), nested(120), nested(10_000)]).await;
    assert_eq!(brought, Vec::<Value>::new());
    assert_eq!(server.count(Count::WithheldTooDeep), 3);
    assert_eq!(
        server.brings(&mut client, "wild", [nested(32)]).await.len(),
        1,
        "the bound itself is allowed"
    );
}

async fn many_vertices_are_withheld_and_counted(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("wild", &["BBOX 0 0 10 10"]).await;
    let points = |number: usize| {
        format!(r#"{{"type":"MultiPoint","coordinates":[{}]}}"#, vec!["[0,0]"; number].join(","))
    };
    let brought = server.brings(&mut client, "wild", [points(100_001), points(150_000)]).await;
    assert_eq!(brought, Vec::<Value>::new());
    assert_eq!(server.count(Count::WithheldTooManyVertices), 2);
    assert_eq!(server.brings(&mut client, "wild", [points(100_000)]).await.len(), 1);
}

async fn a_message_of_a_million_vertices_does_no_harm(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut clients = kinds(&server).await;
    let points = vec!["[0.5,1]"; 1_000_000].join(",");
    server.publish("wild", format!(r#"{{"type":"LineString","coordinates":[{points}]}}"#)).await;
    server.publish("wild", "\"end\"").await;
    for client in &mut clients {
        texts_until(client, r#""content":"end""#).await;
        client.settled().await;
    }
    let withheld = server.count(Count::WithheldTooManyVertices) + server.count(Count::WithheldSlow);
    assert!(withheld > 0 || server.count(Count::StoreSkipped) > 0, "what was not delivered is counted");
}

async fn hostile_state_is_no_obstacle_to_reading_the_rest(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 500).await;
    let good = r#"{"type":"Point","coordinates":[5,5]}"#;
    server.put("wild", "good", good).await;
    let payloads = hostile();
    for (key, payload) in payloads.iter().enumerate() {
        server.put("wild", &key.to_string(), payload.clone()).await;
    }
    for before in ["BBOX", "BBOX 0 0 10 10", "PROJECTION epsg:2056"] {
        let mut client = server.client().await;
        client.send(before).await;
        for key in 0..payloads.len() {
            client.send(format!("GET wild {key} {key}")).await;
            let text = client.next_text().await;
            assert!(text.ends_with(&format!(r#","client_reference":"{key}"}}"#)), "{before}, {key}: {text}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{before}, {key}: {text}");
        }
        client.send("GET wild client_ref=all").await;
        client.send("GET wild good end").await;
        let texts = texts_until(&mut client, r#""client_reference":"end""#).await;
        assert!(texts.len() > 10 && texts.len() <= payloads.len() + 1, "{before}: {}", texts.len());
    }
}
