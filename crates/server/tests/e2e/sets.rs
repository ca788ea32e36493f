//! Frames that arrive together are applied as a set.

use serde_json::{Value, json};

use crate::{
    client::Client,
    positions::{ZURICH, assert_close},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    the_order_of_the_first_frames_does_not_matter,
    a_box_behind_get_and_sub_holds_for_them,
    within_a_set_the_last_word_counts,
    a_projection_behind_a_box_does_not_move_it,
    every_command_of_a_set_is_answered,
    answers_to_a_set_after_the_first_are_as_in_order,
);

fn point(x: f64, y: f64) -> String {
    json!({"type": "Point", "coordinates": [x, y]}).to_string()
}

/// All orders of four things.
fn permutations<T: Copy>(things: [T; 4]) -> Vec<[T; 4]> {
    let mut orders = Vec::new();
    for code in 0..256_usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        if (0..4).all(|index| order.contains(&index)) {
            orders.push(order.map(|index| things[index]));
        }
    }
    assert_eq!(orders.len(), 24);
    orders
}

async fn the_order_of_the_first_frames_does_not_matter(backend: Backend) {
    let server = TestServer::start(backend).await;
    let [x, y] = ZURICH.degrees;
    server.put("cars", "1", point(x, y)).await;
    server.put("cars", "2", point(80.0, y)).await;
    // What a map sends when it opens, in metres. A box that does not say what it is in is in the projection before it.
    let orders = |bbox| permutations(["PROJECTION epsg:3857", bbox, "GET cars client_ref=1", "SUB cars"]);
    let outright = orders("BBOX 900000 5950000 1000000 6050000 crs=epsg:3857");
    let plain = orders("BBOX 900000 5950000 1000000 6050000 12 mots=rail").into_iter().filter(|order| {
        let at = |name| order.iter().position(|command| command.starts_with(name));
        at("PROJECTION") < at("BBOX")
    });
    let mut clients: Vec<([&str; 4], Client)> = Vec::new();
    for order in plain.chain(outright) {
        let mut client = Client::connect_raw(server.address, "/ws").await;
        client.send_together(&order).await;
        assert_eq!(client.next_content().await["status"], "open");
        let answer = client.next().await;
        assert_eq!(
            (&answer["source"], &answer["client_reference"]),
            (&json!("cars"), &json!("1")),
            "{order:?}"
        );
        assert_close(&answer["content"]["coordinates"], ZURICH.mercator);
        client.settled().await;
        server.subscribed(&mut client, "cars").await;
        clients.push((order, client));
    }
    server.publish("cars", "\"begin\"").await;
    for payload in [point(80.0, y), point(x, y), "\"end\"".to_owned()] {
        server.publish("cars", payload).await;
    }
    for (order, client) in &mut clients {
        client.until("begin").await;
        let brought = client.until("end").await;
        assert_eq!(brought.len(), 1, "{order:?}: {brought:?}");
        assert_close(&brought[0]["content"]["coordinates"], ZURICH.mercator);
    }
}

async fn a_box_behind_get_and_sub_holds_for_them(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "in", point(5.0, 5.0)).await;
    server.put("cars", "out", point(50.0, 5.0)).await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    client.next().await;
    client.send_together(&["GET cars", "SUB cars", "GET cars out 7", "BBOX 0 0 10 10"]).await;
    let answers = [client.next().await, client.next().await];
    let sources = answers.each_ref().map(|answer| answer["source"].as_str().expect("a string"));
    assert_eq!(sources, ["cars", "cars out"], "exactly one each: {answers:?}");
    assert_eq!(answers[0]["content"]["coordinates"], json!([5.0, 5.0]));
    assert_eq!(answers[1]["content"], Value::Null);
    server.subscribed(&mut client, "cars").await;
    assert_eq!(server.brings(&mut client, "cars", [point(50.0, 5.0)]).await, Vec::<Value>::new());
}

async fn within_a_set_the_last_word_counts(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    client.next().await;
    client
        .send_together(&[
            "PROJECTION epsg:2056",
            "BBOX 40 0 60 10 crs=epsg:4326",
            "SUB left",
            "BUFFER 60000 1000",
            "SUB cars",
            "DEL left",
            "PROJECTION epsg:3857",
            "BBOX 5 45 10 50 crs=epsg:4326",
            "BUFFER 0 0",
        ])
        .await;
    server.subscribed(&mut client, "cars").await;
    server.publish("left", "1").await;
    let [x, y] = ZURICH.degrees;
    let brought = server.brings(&mut client, "cars", [point(50.0, 5.0), point(x, y)]).await;
    assert_eq!(brought.len(), 1, "{brought:?}");
    assert_close(&brought[0]["coordinates"], ZURICH.mercator);
    client.expect_nothing(&server).await;
}

async fn a_projection_behind_a_box_does_not_move_it(backend: Backend) {
    let server = TestServer::start(backend).await;
    let [x, y] = ZURICH.degrees;
    server.put("cars", "in", point(x, y)).await;
    server.put("cars", "out", point(80.0, y)).await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    client.next().await;
    client.send_together(&["GET cars", "BBOX 5 45 10 50", "PROJECTION epsg:3857"]).await;
    assert_close(&client.next_content().await["coordinates"], ZURICH.mercator);
    client.settled().await;
}

async fn every_command_of_a_set_is_answered(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "1").await;
    let mut client = Client::connect_raw(server.address, "/ws").await;
    let commands: Vec<String> = (0..30).map(|id| format!("GET cars 1 {id}")).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    client.send_together(&commands).await;
    client.next().await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        let answer = client.next().await;
        assert_eq!((&answer["source"], &answer["content"]), (&json!("cars 1"), &json!(1)));
        ids.push(
            answer["client_reference"].as_str().and_then(|id| id.parse::<u32>().ok()).expect("a number"),
        );
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..30));
}

async fn answers_to_a_set_after_the_first_are_as_in_order(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", point(5.0, 5.0)).await;
    let mut client = server.client().await;
    client.settled().await;
    for (bbox, hits) in [("BBOX 0 0 10 10", true), ("BBOX 40 0 60 10", false), ("BBOX", true)] {
        client.send_together(&[bbox, "GET cars"]).await;
        assert_eq!(!client.next_content().await.is_null(), hits, "{bbox}");
        // Answered before the next box was sent, a GET is not concerned by it.
        client.send("GET cars 1").await;
        assert_eq!(!client.next_content().await.is_null(), hits, "{bbox}");
    }
}
