//! PROJECTION, and what it has to do with BBOX.

use geocast_geo_filter::AxisOrder;
use geocast_server::Count;
use serde_json::{Value, json};

use crate::{
    client::Client,
    positions::{BERN, GENEVA, Place, ULM, ZURICH, assert_close, is_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    geometry_comes_in_the_projection_of_the_session,
    every_type_is_projected_in_all_its_positions,
    only_coordinates_are_rewritten,
    an_unknown_projection_changes_nothing,
    epsg_4326_is_no_projection,
    a_box_is_in_the_projection_in_force_when_it_comes,
    a_later_projection_does_not_move_the_box,
    crs_says_outright_what_the_box_is_in,
    a_box_in_swiss_coordinates_is_exact,
    the_order_of_axes_can_be_the_authoritys,
    what_cannot_be_projected_is_withheld_and_counted,
    sessions_have_projections_of_their_own,
);

fn point(place: &Place) -> String {
    json!({"type": "Point", "coordinates": place.degrees}).to_string()
}

/// What the session makes of the point of Zürich.
async fn zurich(client: &mut Client, command: &str) -> Value {
    client.send(command).await;
    client.next_content().await["coordinates"].take()
}

async fn geometry_comes_in_the_projection_of_the_session(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for (command, place) in [
        ("PROJECTION epsg:3857", ZURICH.mercator),
        ("PROJECTION EPSG:2056", ZURICH.swiss),
        ("PROJECTION Epsg:3857", ZURICH.mercator),
        ("PROJECTION epsg:4326", ZURICH.degrees),
    ] {
        client.send(command).await;
        client.settled().await;
        let brought = server.brings(&mut client, "cars", [point(&ZURICH)]).await;
        assert_eq!(brought.len(), 1, "{command}");
        assert_close(&brought[0]["coordinates"], place);
    }
}

/// Fails if a document differs in more than its positions, or these are not where they ought to be. Objects may hold
/// any members.
fn assert_projected(before: &Value, after: &Value, swiss: bool) {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            let position = before.iter().all(Value::is_number) && !before.is_empty();
            let places = [&BERN, &ZURICH, &GENEVA, &ULM];
            if position {
                let place = places
                    .into_iter()
                    .find(|place| is_close(&json!(before), place.degrees))
                    .expect("a known place");
                assert_close(&json!(after), if swiss { place.swiss } else { place.mercator });
                assert_eq!(before[2..], after[2..], "z and m are kept");
            } else {
                before.iter().zip(after).for_each(|(before, after)| assert_projected(before, after, swiss));
            }
        }
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()), "{before:?} {after:?}");
            before.iter().for_each(|(key, value)| assert_projected(value, &after[key], swiss));
        }
        _ => assert_eq!(before, after),
    }
}

async fn every_type_is_projected_in_all_its_positions(backend: Backend) {
    let server = TestServer::start(backend).await;
    let [a, b, c, d] = [BERN.degrees, ZURICH.degrees, GENEVA.degrees, ULM.degrees];
    let high = [a[0], a[1], 431.5];
    let collection = json!({"type": "GeometryCollection", "geometries": [
        {"type": "Point", "coordinates": a},
        {"type": "GeometryCollection", "geometries": [{"type": "LineString", "coordinates": [b, c]}]},
    ]});
    let documents = [
        json!({"type": "Point", "coordinates": a}),
        json!({"type": "Point", "coordinates": high}),
        json!({"type": "MultiPoint", "coordinates": [a, b, high]}),
        json!({"type": "LineString", "coordinates": [a, b, c]}),
        json!({"type": "MultiLineString", "coordinates": [[a, b], [c, d]]}),
        json!({"type": "Polygon", "coordinates": [[c, a, d, c], [a, b, c, a]]}),
        json!({"type": "MultiPolygon", "coordinates": [[[c, a, d, c]], [[a, b, c, a]]]}),
        collection.clone(),
        json!({"type": "Feature", "id": "x", "geometry": {"type": "Point", "coordinates": high}, "properties": null}),
        json!({"type": "Feature", "geometry": collection, "properties": {"name": "y"}}),
        json!({"type": "FeatureCollection", "features": [
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": a}, "properties": {}},
            {"type": "Feature", "geometry": null, "properties": {}},
            {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [b, d]}, "properties": {}},
        ]}),
    ];
    for (projection, swiss) in [("PROJECTION epsg:3857", false), ("PROJECTION epsg:2056", true)] {
        let mut client = server.subscriber("shapes", &[projection]).await;
        let brought = server.brings(&mut client, "shapes", documents.iter().map(Value::to_string)).await;
        assert_eq!(brought.len(), documents.len(), "{projection}");
        documents.iter().zip(&brought).for_each(|(before, after)| assert_projected(before, after, swiss));
    }
}

async fn only_coordinates_are_rewritten(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client =
        server.subscriber("cars", &["PROJECTION epsg:3857", "BBOX 5 45 10 50 crs=epsg:4326"]).await;
    let before = concat!(
        r#"{ "id" : 12345678901234567890123,"properties":{"coordinates":[8.55,47.37],"n":7.10,"#,
        r#""geometry":{"type":"Point","coordinates":[8.55,47.37]},"e":"\u00e9\/"},"geometry": {"coordinates" : ["#
    );
    let after =
        r#"], "type":"Point","note":[1,2]} ,"type":"Feature", "big":1e400,"coordinates":[8.55,47.37]}"#;
    server.publish("cars", format!("{before}8.55,47.37{after}")).await;
    let text = client.next_text().await;
    let rest = text.strip_prefix(r#"{"source":"cars","content":"#).expect("an envelope");
    let rest = rest.strip_prefix(before).unwrap_or_else(|| panic!("changed before the coordinates: {text}"));
    let end = rest.find(']').expect("an end");
    assert_close(&serde_json::from_str(&format!("[{}]", &rest[..end])).expect("JSON"), ZURICH.mercator);
    assert!(rest[end..].starts_with(&format!(r#"{after},"timestamp":"#)), "changed behind them: {text}");
}

async fn an_unknown_projection_changes_nothing(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 200).await;
    server.put("cars", "1", point(&ZURICH)).await;
    let mut client = server.client().await;
    client.send("PROJECTION epsg:3857").await;
    for command in [
        "PROJECTION",
        "PROJECTION epsg:999999",
        "PROJECTION epsg:0",
        "PROJECTION epsg:-1",
        "PROJECTION epsg:99999999999999999999",
        "PROJECTION epsg:",
        "PROJECTION 2056",
        "PROJECTION banana",
        "PROJECTION +proj=longlat",
        "PROJECTION +init=epsg:2056",
        "PROJECTION ./proj.db",
        "PROJECTION /etc/passwd",
        "PROJECTION epsg:2056+5773",
        "PROJECTION urn:ogc:def:crs:EPSG::2056",
        "PROJECTION EPSG:2056;DROP",
    ] {
        client.send(command).await;
        client.next_error().await;
        assert_close(&zurich(&mut client, "GET cars").await, ZURICH.mercator);
    }
    assert_eq!(server.count(Count::CommandMalformed), 15);
}

async fn epsg_4326_is_no_projection(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["PROJECTION epsg:3857", "PROJECTION EPSG:4326"]).await;
    let payload = r#"{"type":"Point","coordinates":[8.550,4.737e1]}"#;
    server.publish("cars", payload).await;
    let text = client.next_text().await;
    assert!(text.contains(&format!(r#""content":{payload},"#)), "{text}");
}

async fn a_box_is_in_the_projection_in_force_when_it_comes(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["PROJECTION epsg:3857"]).await;
    // Around Zürich, in metres, as a map sends it.
    client.send("BBOX 900000 5950000 1000000 6050000 12").await;
    client.settled().await;
    let all = [&BERN, &ZURICH, &GENEVA, &ULM].map(point);
    let brought = server.brings(&mut client, "cars", all.clone()).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_close(&brought[0]["coordinates"], ZURICH.mercator);
    client.send("PROJECTION epsg:4326").await;
    client.send("BBOX 7 46.5 8 47").await;
    client.settled().await;
    let brought = server.brings(&mut client, "cars", all).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_close(&brought[0]["coordinates"], BERN.degrees);
}

async fn a_later_projection_does_not_move_the_box(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &["BBOX 8 47 9 48"]).await;
    for (projection, expected) in [
        ("PROJECTION epsg:3857", ZURICH.mercator),
        ("PROJECTION epsg:2056", ZURICH.swiss),
        ("PROJECTION epsg:4326", ZURICH.degrees),
    ] {
        client.send(projection).await;
        client.settled().await;
        let brought = server.brings(&mut client, "cars", [&BERN, &ZURICH, &GENEVA, &ULM].map(point)).await;
        assert_eq!(brought.len(), 1, "{projection}: {brought:?}");
        assert_close(&brought[0]["coordinates"], expected);
    }
}

async fn crs_says_outright_what_the_box_is_in(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("cars", &[]).await;
    for (commands, expected) in [
        (["PROJECTION epsg:4326", "BBOX 900000 5950000 1000000 6050000 crs=epsg:3857"], ZURICH.degrees),
        (["PROJECTION epsg:2056", "BBOX 8 47 9 48 9 crs=EPSG:4326"], ZURICH.swiss),
        (["PROJECTION epsg:3857", "BBOX 2670000 1240000 2690000 1250000 crs=epsg:2056"], ZURICH.mercator),
    ] {
        client.send_together(&commands).await;
        client.settled().await;
        let brought = server.brings(&mut client, "cars", [&BERN, &ZURICH, &GENEVA, &ULM].map(point)).await;
        assert_eq!(brought.len(), 1, "{commands:?}: {brought:?}");
        assert_close(&brought[0]["coordinates"], expected);
    }
}

async fn a_box_in_swiss_coordinates_is_exact(backend: Backend) {
    let server = TestServer::start(backend).await;
    let [x, y] = ZURICH.swiss;
    let mut client = server.subscriber("cars", &["PROJECTION epsg:2056"]).await;
    // A metre this side and the other of each edge.
    for (bbox, hits) in [
        ([x - 1.0, y - 1.0, x + 1.0, y + 1.0], true),
        ([x + 1.0, y - 9e4, x + 9e4, y + 9e4], false),
        ([x - 9e4, y - 9e4, x - 1.0, y + 9e4], false),
        ([x - 9e4, y + 1.0, x + 9e4, y + 9e4], false),
        ([x - 9e4, y - 9e4, x + 9e4, y - 1.0], false),
        ([x - 9e4, y - 9e4, x + 1.0, y + 1.0], true),
    ] {
        let [l, b, r, t] = bbox;
        client.send(format!("BBOX {l} {b} {r} {t}")).await;
        client.settled().await;
        let brought = server.brings(&mut client, "cars", [point(&ZURICH)]).await;
        assert_eq!(!brought.is_empty(), hits, "{bbox:?}");
    }
}

async fn the_order_of_axes_can_be_the_authoritys(backend: Backend) {
    // `Transformer.from_crs(4326, 3035, always_xy=True).transform(8.55, 47.37)`, pyproj 3.7.2: EPSG defines this
    // system with the northing first.
    let (easting, northing) = (4211410.633533115, 2696228.167720125);
    for (order, expected) in
        [(AxisOrder::Xy, [easting, northing]), (AxisOrder::Authority, [northing, easting])]
    {
        let server = TestServer::start_with(backend, |settings| settings.axis_order = order).await;
        let mut client = server.subscriber("cars", &["PROJECTION epsg:3035"]).await;
        let [a, b] = expected;
        client.send(format!("BBOX {} {} {} {}", a - 1e3, b - 1e3, a + 1e3, b + 1e3)).await;
        client.settled().await;
        let brought = server.brings(&mut client, "cars", [point(&BERN), point(&ZURICH)]).await;
        assert_eq!(brought.len(), 1, "{order:?}");
        assert_close(&brought[0]["coordinates"], expected);
    }
}

async fn what_cannot_be_projected_is_withheld_and_counted(backend: Backend) {
    let server = TestServer::start(backend).await;
    // A quarter of the world away from its meridian, the transverse Mercator projection of zone 32 is infinite.
    let lost = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[99,0]},"properties":{}}"#;
    server.put("cars", "1", lost).await;
    let mut client = server.subscriber("cars", &["PROJECTION epsg:32632"]).await;
    let before = server.count(Count::WithheldUnprojectable);
    let brought = server.brings(&mut client, "cars", [lost.to_owned(), point(&ZURICH)]).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_eq!(brought[0]["type"], "Point");
    assert_eq!(server.count(Count::WithheldUnprojectable), before + 1);
    for command in ["GET cars", "GET cars 1"] {
        client.send(command).await;
        assert_eq!(client.next_content().await, Value::Null, "{command}");
    }
    let line = r#"{"type":"LineString","coordinates":[[8.55,47.37],[99,0]]}"#;
    assert!(server.brings(&mut client, "cars", [line]).await.is_empty());
    let collection = format!(r#"{{"type":"FeatureCollection","features":[{lost}]}}"#);
    server.publish("cars", collection).await;
    for envelope in server.received(&mut client, "cars").await {
        assert!(!envelope.to_string().contains("99"), "nothing lost is passed on: {envelope}");
    }
}

async fn sessions_have_projections_of_their_own(backend: Backend) {
    let server = TestServer::start(backend).await;
    let projections = ["epsg:4326", "epsg:3857", "epsg:2056", "epsg:3857"];
    let mut clients = Vec::new();
    for projection in projections {
        let projection = format!("PROJECTION {projection}");
        clients.push(server.subscriber("cars", &[&projection]).await);
    }
    server.publish("cars", "\"from here\"").await;
    server.publish("cars", point(&ZURICH)).await;
    let expected = [ZURICH.degrees, ZURICH.mercator, ZURICH.swiss, ZURICH.mercator];
    for (client, expected) in clients.iter_mut().zip(expected) {
        client.until("from here").await;
        assert_close(&client.next_content().await["coordinates"], expected);
    }
}
