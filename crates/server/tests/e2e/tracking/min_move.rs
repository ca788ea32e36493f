//! What moves less than a map shows.

use serde_json::{Value, json};

use super::follower::{Follower, feature, point};
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    what_does_not_leave_its_square_is_not_told,
    whatever_else_changes_is_told,
    enter_and_leave_are_exact,
    what_is_shown_is_never_further_off_than_a_diagonal,
    whoever_looks_again_sees_what_there_is,
    diffs_are_withheld_as_well,
);

/// A pixel at zoom level 0, where a square is so wide at the equator.
const SQUARE: f64 = 360.0 / 256.0;

fn looking_at(bbox: [f64; 4], wishes: &Value) -> Value {
    let mut viewport = json!({ "bbox": bbox, "zoom": 0, "min_move": 1 });
    let viewport_members = viewport.as_object_mut().expect("an object");
    viewport_members.extend(wishes.as_object().expect("an object").clone());
    viewport
}

async fn start(server: &TestServer, wishes: &Value) -> Follower {
    let mut follower = Follower::start(server, None).await;
    follower.after("viewport", looking_at([0.0, 0.0, 20.0, 20.0], wishes)).await;
    follower
}

async fn what_does_not_leave_its_square_is_not_told(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 7.5 * SQUARE, 1.0)).await;
    let mut follower = start(&server, &json!({})).await;
    for (x, told) in
        [(7.9, ""), (7.1, ""), (8.1, "update a"), (7.9, "update a"), (7.1, ""), (7.1, ""), (3.0, "update a")]
    {
        server.put("map", "a", point("a", x * SQUARE, 1.0)).await;
        if !told.is_empty() {
            assert_eq!(follower.told().await, told);
            assert_eq!(follower.map["a"]["geometry"]["coordinates"][0], json!(x * SQUARE));
        }
    }
    assert_eq!(follower.settle().await, [""; 0]);
    let session = follower.caller.call("session", json!({})).await;
    let account = json!({ "tracked": true, "events": 7, "granted": 3, "withheld": { "still": 4 } });
    assert_eq!(session["accounts"]["map"], account);
    assert_eq!(session["withheld"], json!({ "still": 4 }));
    assert_eq!(server.count(geocast_server::Count::WithheldStill), 4);
    // Every position of every part counts, and so does their number.
    let parts = |x: f64, rest: Value| {
        let lines = json!({ "type": "MultiLineString", "coordinates": [[[1, 1], [2, 1]], rest] });
        let points = json!({ "type": "Point", "coordinates": [x, 1] });
        feature("b", &json!({ "type": "GeometryCollection", "geometries": [points, lines] }))
    };
    server.put("map", "b", parts(1.0, json!([[1, 1], [2, 1]]))).await;
    assert_eq!(follower.told().await, "enter b");
    for (x, rest, told) in [
        (1.1, json!([[1.1, 1.1, 77], [2.1, 1.1]]), ""),
        (1.1, json!([[1.1, 1.1, 99], [2.1, 1.1]]), ""),
        (1.1, json!([[1.1, 1.1], [2.9, 1.1]]), "update b"),
        (1.1, json!([[1.1, 1.1], [2.9, 1.1], [2.9, 1.1]]), "update b"),
        (1.5, json!([[1.1, 1.1], [2.9, 1.1], [2.9, 1.1]]), "update b"),
    ] {
        server.put("map", "b", parts(x, rest)).await;
        if !told.is_empty() {
            assert_eq!(follower.told().await, told);
        }
    }
    server.put("map", "b", feature("b", &Value::Null)).await;
    assert_eq!(follower.told().await, "update b");
    server.put("map", "b", feature("b", &Value::Null)).await;
    assert_eq!(follower.settle().await, [""; 0]);
}

async fn whatever_else_changes_is_told(backend: Backend) {
    let server = TestServer::start(backend).await;
    let tram = |x: f64, name: &str, speed: u32, more: &str| {
        format!(
            r#"{{"type":"Feature","id":"t",{more}"geometry":{{"type":"Point","coordinates":[{x},1]}},"properties":{{"name":"{name}","speed":{speed}}}}}"#
        )
    };
    server.put("map", "t", tram(1.0, "one", 1, "")).await;
    let mut all = start(&server, &json!({})).await;
    let mut names = start(&server, &json!({ "fields": ["name"] })).await;
    let mut nothing = start(&server, &json!({ "fields": [] })).await;
    for (tram, [all_told, names_told, nothing_told]) in [
        (tram(1.1, "one", 1, ""), [false, false, false]),
        (tram(1.2, "one", 2, ""), [true, false, false]),
        (tram(1.3, "two", 2, ""), [true, true, false]),
        (tram(1.3, "two", 2, r#""line":7,"#), [true, true, true]),
        (tram(1.3, "two", 2, r#""line":7, "#), [true, true, true]),
        (tram(1.2, "two", 2, r#""line":7, "#), [false, false, false]),
    ] {
        server.put("map", "t", tram.clone()).await;
        for (follower, told) in [(&mut all, all_told), (&mut names, names_told), (&mut nothing, nothing_told)]
        {
            let expected: &[&str] = if told { &["update t"] } else { &[] };
            assert_eq!(follower.settle().await, expected, "{tram}");
        }
    }
    // The key written differently is another id.
    server.put("map", "7", r#"{"type":"Feature","id":7,"geometry":null}"#).await;
    assert_eq!(all.told().await, "enter 7");
    server.put("map", "7", r#"{"type":"Feature","id":"7","geometry":null}"#).await;
    assert_eq!(all.told().await, "update 7");
}

async fn enter_and_leave_are_exact(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut follower = Follower::start(&server, None).await;
    // The box ends in the middle of a square.
    let edge = 7.5 * SQUARE;
    follower.after("viewport", looking_at([0.0, 0.0, edge, 20.0], &json!({}))).await;
    for (x, told) in
        [(7.4, "enter a"), (7.45, ""), (7.51, "leave a moved"), (7.52, ""), (7.49, "enter a"), (7.2, "")]
    {
        server.put("map", "a", point("a", x * SQUARE, 1.0)).await;
        if !told.is_empty() {
            assert_eq!(follower.told().await, told);
        }
    }
    server.put("map", "a", r#"{"type":"Feature","id":"a","geometry":null,"deleted":true}"#).await;
    assert_eq!(follower.told().await, "leave a deleted");
    assert_eq!(follower.settle().await, [""; 0]);
}

async fn what_is_shown_is_never_further_off_than_a_diagonal(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut follower = start(&server, &json!({})).await;
    let mercator = |y: f64| y.to_radians().tan().asinh().to_degrees();
    let mut withheld = 0;
    for step in 0..200_u32 {
        let turn = f64::from(step) / 23.0;
        let (x, y) = (10.0 + 6.0 * turn.cos() + f64::from(step % 3) * 0.1, 10.0 + 6.0 * turn.sin());
        server.put("map", "a", point("a", x, y)).await;
        let told = follower.settle().await;
        withheld += usize::from(told.is_empty());
        let shown =
            |axis: usize| follower.map["a"]["geometry"]["coordinates"][axis].as_f64().expect("a number");
        let off = (x - shown(0)).hypot(mercator(y) - mercator(shown(1)));
        assert!(off <= SQUARE * 2_f64.sqrt(), "{off} degrees off at step {step}");
        if step == 60 {
            break;
        }
    }
    assert!(withheld > 10, "{withheld}");
}

async fn whoever_looks_again_sees_what_there_is(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 1.0, 1.0)).await;
    let mut follower = start(&server, &json!({})).await;
    server.put("map", "a", point("a", 1.1, 1.0)).await;
    assert_eq!(follower.settle().await, [""; 0]);
    let shown = |follower: &Follower| follower.map["a"]["geometry"]["coordinates"][0].clone();
    assert_eq!(shown(&follower), json!(1.0));
    // The same squares are still good enough, others are not.
    let wishes = json!({});
    assert_eq!(follower.after("viewport", looking_at([0.0, 0.0, 19.0, 19.0], &wishes)).await, [""; 0]);
    for (wishes, x) in [(json!({ "min_move": 2 }), 1.2), (json!({ "zoom": 1 }), 1.3), (json!({}), 1.2)] {
        let looking = looking_at([0.0, 0.0, 19.0, 19.0], &wishes);
        assert_eq!(follower.after("viewport", looking).await, ["update a"]);
        server.put("map", "a", point("a", x, 1.0)).await;
        assert_eq!(follower.settle().await, [""; 0], "{wishes}");
    }
    assert_eq!(follower.after("projection", json!(["EPSG:3857"])).await, ["update a"]);
    let x = shown(&follower).as_f64().expect("a number");
    assert!((x - 1.2 * 111_319.490_793).abs() < 0.01, "{x}");
    // Whoever wants no squares any more is told everything.
    let everything = json!({ "bbox": [0, 0, 19, 19], "crs": "EPSG:4326" });
    assert_eq!(follower.after("viewport", everything).await, ["update a"]);
    server.put("map", "a", point("a", 1.201, 1.0)).await;
    assert_eq!(follower.told().await, "update a");
    // Elsewhere and back: who has nothing yet is shown what there is, however little it has moved.
    let wishes = json!({ "crs": "EPSG:4326" });
    let told = follower.after("viewport", looking_at([50.0, 50.0, 60.0, 60.0], &wishes)).await;
    assert_eq!(told, ["leave a viewport"]);
    server.put("map", "a", point("a", 1.19, 1.0)).await;
    // If it were heard of only when the viewport is back, it would be withheld.
    assert_eq!(follower.settle().await, [""; 0]);
    assert_eq!(follower.after("viewport", looking_at([0.0, 0.0, 19.0, 19.0], &wishes)).await, ["enter a"]);
    let x = shown(&follower).as_f64().expect("a number");
    assert!((x - 1.19 * 111_319.490_793).abs() < 0.01, "{x}");
}

async fn diffs_are_withheld_as_well(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("map", "a", point("a", 1.0, 1.0)).await;
    let mut client = server.client().await;
    client.send_together(&["BBOX 0 0 10 10 zoom=0 min_move=1", "SUB map track maplibre"]).await;
    assert_eq!(client.next_content().await["add"][0]["id"], "a");
    server.put("map", "a", point("a", 1.1, 1.0)).await;
    client.expect_nothing(&server).await;
    server.put("map", "a", point("a", 2.0, 1.0)).await;
    assert_eq!(client.next_content().await["update"][0]["newGeometry"]["coordinates"], json!([2.0, 1.0]));
    client.send("BBOX 0 0 10 10 zoom=9 min_move=1").await;
    assert_eq!(client.next_content().await["update"][0]["id"], "a");
    server.put("map", "a", point("a", 2.1, 1.0)).await;
    assert_eq!(client.next_content().await["update"][0]["newGeometry"]["coordinates"], json!([2.1, 1.0]));
}
