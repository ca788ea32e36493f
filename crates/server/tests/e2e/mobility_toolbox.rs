//! The browser client `mobility-toolbox-js`, unmodified, and what it relies on.
//!
//! It gives its boxes in metres of EPSG:3857 and draws what it receives without projecting it, and sends no PROJECTION:
//! the server has to begin sessions on its path in that system.

mod place;
mod toolbox;

use std::{num::NonZeroUsize, time::Duration};

use geocast_server::Settings;
use serde_json::{Value, json};

use self::{
    place::{BASEL, ZURICH, id},
    toolbox::Toolbox,
};
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    get_is_answered_to_the_one_who_asked,
    a_subscriber_gets_state_then_news_until_it_leaves,
    a_box_holds_whenever_it_comes,
    a_moved_box_shows_other_vehicles,
    a_map_needs_no_subscription,
    pushes_come_in_buffers,
    it_comes_back_after_a_restart,
    it_keeps_the_connection_alive,
);

async fn get_is_answered_to_the_one_who_asked(backend: Backend) {
    let server = start(backend).await;
    server.put("station", "8500010", BASEL.vehicle("8500010")).await;
    server.put("station", "8503000", ZURICH.vehicle("8503000")).await;
    server.put("stopsequence_7", "7", "[1,2]").await;
    let steps = json!([
        create(&server, json!({})),
        {"call": "open"},
        {"call": "get", "with": ["station"], "as": "any"},
        {"call": "getStation", "with": ["8500010", "topographic"], "as": "one"},
        {"call": "getStation", "with": ["8503000", "topographic"], "as": "another"},
        {"call": "getStopSequence", "with": ["7"], "as": "stops"},
        {"call": "get", "with": ["nothing"], "as": "nothing"},
        {"call": "get", "with": [{"channel": "station", "args": "8503000", "id": "17"}], "as": "17"},
        {"call": "get", "with": [{"channel": "station", "args": "8503000", "id": "18"}], "as": "18"},
    ]);
    let mut toolbox = Toolbox::start(&steps).await;
    let any = toolbox.resolved("any").await;
    assert_eq!(any["source"], "station");
    assert!(["8500010", "8503000"].contains(&id(&any["content"])), "{any}");
    for (promise, station) in [("one", "8500010"), ("another", "8503000")] {
        let envelope = toolbox.resolved(promise).await;
        assert_eq!(envelope["source"], format!("station {station}"));
        assert_eq!(id(&envelope["content"]), station);
        assert_eq!(envelope["client_reference"], Value::Null);
    }
    assert_eq!(toolbox.resolved("stops").await["content"], json!([1, 2]));
    assert_eq!(toolbox.resolved("nothing").await["content"], Value::Null);
    for promise in ["17", "18"] {
        let envelope = toolbox.resolved(promise).await;
        assert_eq!(envelope["client_reference"], promise);
        assert_eq!(id(&envelope["content"]), "8503000");
    }
    // The client's get() trips over a second answer in the same envelope, so answers must not be collected.
    assert_eq!(toolbox.errors(), [""; 0]);
    let sent = toolbox.sent(8).await;
    assert_eq!(sent[0], "BUFFER 100 100");
    assert_eq!(sent[2], "GET station 8500010");
    assert_eq!(sent[6], "GET station 8503000 17");
    toolbox.finish().await;
    server.stop().await;
}

async fn a_subscriber_gets_state_then_news_until_it_leaves(backend: Backend) {
    let server = start(backend).await;
    server.put("sbb_newsticker", "1", r#"["state"]"#).await;
    let steps = json!([
        create(&server, json!({})),
        {"call": "open"},
        {"call": "subscribeNewsticker", "with": ["sbb", {"callback": "news"}]},
        {"call": "subscribe", "with": ["marks", {"callback": "marks"}]},
    ]);
    let mut toolbox = Toolbox::start(&steps).await;
    let state = toolbox.called("news").await;
    assert_eq!((&state["source"], &state["content"]), (&json!("sbb_newsticker"), &json!(["state"])));
    assert_eq!(toolbox.called_with("marks").await, Value::Null, "there is no state");
    let greeting = "BUFFER 100 100|GET sbb_newsticker|SUB sbb_newsticker|GET marks|SUB marks";
    assert_eq!(toolbox.sent(5).await.join("|"), greeting);
    until_called(&server, &mut toolbox, "sbb_newsticker", "news").await;
    until_called(&server, &mut toolbox, "marks", "marks").await;
    server.publish("sbb_newsticker", r#"["live"]"#).await;
    assert_eq!(toolbox.called_with("news").await, json!(["live"]));

    toolbox
        .carry_out(&json!([{"call": "unsubscribeNewsticker", "with": ["sbb", {"callback": "news"}]}]))
        .await;
    assert_eq!(toolbox.sent(1).await, ["DEL sbb_newsticker"]);
    // Commands are carried out in order: once this is answered, the channel has been left.
    toolbox.carry_out(&json!([{"call": "get", "with": ["nothing"], "as": "left"}])).await;
    toolbox.resolved("left").await;
    server.publish("sbb_newsticker", r#"["too late"]"#).await;
    server.publish("marks", r#""end""#).await;
    let frames = toolbox.received_until("\"end\"").await;
    assert!(!frames.contains("too late"), "{frames}");
    assert_eq!(toolbox.called_with("marks").await, "end");
    toolbox.finish().await;
    server.stop().await;
}

/// The client's frames at open come in another order for each order in which an application sets things up, also with
/// the box behind the questions to which it applies.
async fn a_box_holds_whenever_it_comes(backend: Backend) {
    // Nothing here is about how long frames that are sent together may take on a busy machine.
    let server = TestServer::start_with(backend, |settings| {
        adjust(settings);
        settings.timeouts.settle = Duration::from_millis(100);
    })
    .await;
    server.put("trajectory", "basel", BASEL.vehicle("basel")).await;
    server.put("trajectory", "zurich", ZURICH.vehicle("zurich")).await;
    let subscribe = json!({"call": "subscribeTrajectory", "with": ["topographic", {"callback": "vehicles"}]});
    let look = json!({"set": "bbox", "to": ZURICH.around()});
    let get = json!({"call": "get", "with": ["trajectory basel"], "as": "hidden"});
    let (asked, seen, open) = ("GET trajectory|SUB trajectory", ZURICH.bbox(), json!({"call": "open"}));
    let orders = [
        (vec![&look, &subscribe, &open], format!("{seen}|BUFFER 100 100|{asked}")),
        (vec![&open, &look, &subscribe], format!("BUFFER 100 100|{seen}|{asked}")),
        (vec![&open, &subscribe, &look], format!("BUFFER 100 100|{asked}|{seen}")),
        (vec![&open, &get, &subscribe, &look], format!("BUFFER 100 100|GET trajectory basel|{asked}|{seen}")),
    ];
    for (steps, frames) in orders {
        let mut all = vec![create(&server, json!({}))];
        all.extend(steps.iter().map(|&step| step.clone()));
        let mut toolbox = Toolbox::start(&Value::Array(all)).await;
        assert_eq!(id(&toolbox.called_with("vehicles").await), "zurich", "{frames}");
        if steps.contains(&&get) {
            let hidden = toolbox.resolved("hidden").await;
            assert_eq!((&hidden["source"], &hidden["content"]), (&json!("trajectory basel"), &Value::Null));
        }
        until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
        assert_eq!(toolbox.sent_so_far().join("|"), frames);
        server.publish("trajectory", BASEL.vehicle("basel")).await;
        server.publish("trajectory", ZURICH.vehicle("zurich")).await;
        assert_eq!(id(&toolbox.called_with("vehicles").await), "zurich", "{frames}");
        toolbox.finish().await;
    }
    server.stop().await;
}

async fn a_moved_box_shows_other_vehicles(backend: Backend) {
    let server = start(backend).await;
    let steps = json!([
        create(&server, json!({"bbox": BASEL.around()})),
        {"call": "open"},
        {"call": "subscribeTrajectory", "with": ["topographic", {"callback": "vehicles"}]},
    ]);
    let mut toolbox = Toolbox::start(&steps).await;
    assert_eq!(toolbox.called_with("vehicles").await, Value::Null, "there is no state");
    until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
    for (place, seen) in [(BASEL, "basel"), (ZURICH, "zurich"), (BASEL, "basel")] {
        toolbox
            .carry_out(&json!([
                {"set": "bbox", "to": place.around()},
                {"call": "get", "with": ["nothing"], "as": "moved"},
            ]))
            .await;
        toolbox.resolved("moved").await;
        server.publish("trajectory", BASEL.vehicle("basel")).await;
        server.publish("trajectory", ZURICH.vehicle("zurich")).await;
        server.publish("trajectory", r#""neither here nor there""#).await;
        assert_eq!(id(&toolbox.called_with("vehicles").await), seen);
        assert_eq!(toolbox.called_with("vehicles").await, "neither here nor there");
    }
    toolbox.finish().await;
    server.stop().await;
}

/// What the client's map layers do when they start: quiet subscriptions, of which the server learns nothing, and a box.
async fn a_map_needs_no_subscription(backend: Backend) {
    let server = start(backend).await;
    let mut toolbox = Toolbox::start(&map(&server)).await;
    until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
    until_called(&server, &mut toolbox, "deleted_vehicles", "deleted").await;
    assert_eq!(toolbox.sent_so_far(), ["BUFFER 100 100".to_owned(), ZURICH.bbox()]);
    server.publish("trajectory", BASEL.vehicle("basel")).await;
    server.publish("trajectory", ZURICH.vehicle("zurich")).await;
    server.publish("deleted_vehicles", r#""zurich""#).await;
    let vehicle_seen = toolbox.called("vehicles").await;
    assert_eq!((&vehicle_seen["source"], id(&vehicle_seen["content"])), (&json!("trajectory"), "zurich"));
    let position = &vehicle_seen["content"]["geometry"]["coordinates"];
    assert!(ZURICH.has_metres(position), "{position}");
    assert_eq!(toolbox.called_with("deleted").await, "zurich");

    toolbox
        .carry_out(&json!([
            {"call": "reset"},
            {"call": "get", "with": ["nothing"], "as": "reset"},
        ]))
        .await;
    toolbox.resolved("reset").await;
    server.publish("trajectory", ZURICH.vehicle("lost")).await;
    toolbox.carry_out(&json!([{"set": "bbox", "to": BASEL.around()}])).await;
    until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
    server.publish("trajectory", BASEL.vehicle("basel")).await;
    assert_eq!(id(&toolbox.called_with("vehicles").await), "basel");
    toolbox.finish().await;
    server.stop().await;
}

async fn pushes_come_in_buffers(backend: Backend) {
    // With one worker, what has reached one subscriber has reached all.
    let server = TestServer::start_with(backend, |settings| {
        adjust(settings);
        settings.text_paths = "/ws,/tracker-ws/v1/".parse().expect("patterns");
        settings.workers = NonZeroUsize::MIN;
    })
    .await;
    let mut witness = server.subscriber("news", &[]).await;
    let steps = json!([
        create(&server, json!({})),
        {"call": "open"},
        {"call": "subscribe", "with": ["news", {"callback": "news"}]},
    ]);
    let mut toolbox = Toolbox::start(&steps).await;
    assert_eq!(toolbox.called_with("news").await, Value::Null, "there is no state");
    until_called(&server, &mut toolbox, "news", "news").await;
    toolbox.sent_so_far();

    let ask = json!({"call": "get", "with": [{"channel": "nothing", "args": "1", "id": "ask"}], "as": "ask"});
    toolbox.carry_out(&json!([{"set": "buffer", "to": [20_000, 3]}, ask])).await;
    assert_eq!(toolbox.sent(2).await, ["BUFFER 20000 3", "GET nothing 1 ask"]);
    toolbox.resolved("ask").await;
    toolbox.received_until("\"ask\"").await;
    for content in ["1", "2", "3"] {
        server.publish("news", content).await;
    }
    assert_eq!(buffered(&mut toolbox).await, json!([1, 2, 3]), "as many as make it full");

    // An answer that is known by its reference never is in a buffer, where the client would not find it. What had been
    // collected before it goes before it.
    server.publish("news", "4").await;
    while witness.next_content().await != 4 {}
    toolbox.carry_out(&json!([ask])).await;
    toolbox.resolved("ask").await;
    assert_eq!(buffered(&mut toolbox).await, json!([4]));
    let answer = toolbox.received_until("\"ask\"").await;
    assert!(answer.starts_with(r#"{"source":"nothing 1","content":null,"#), "{answer}");
    for content in 1..=4 {
        assert_eq!(toolbox.called_with("news").await, content);
    }

    toolbox.carry_out(&json!([{"set": "buffer", "to": [0, 0]}, ask])).await;
    toolbox.resolved("ask").await;
    server.publish("news", "5").await;
    assert_eq!(toolbox.called_with("news").await, 5);
    let frames = toolbox.received_until("\"content\":5").await;
    assert!(!frames.contains("\"buffer\""), "{frames}");
    toolbox.finish().await;
    server.stop().await;
}

/// The contents of the envelopes in the next buffer.
async fn buffered(toolbox: &mut Toolbox) -> Value {
    let frames = toolbox.received_until("\"buffer\"").await;
    let buffer: Value = serde_json::from_str(frames.lines().next_back().expect("a frame")).expect("JSON");
    let envelopes = buffer["content"].as_array().expect("a list");
    envelopes.iter().map(|envelope| envelope["content"].clone()).collect()
}

async fn it_comes_back_after_a_restart(backend: Backend) {
    let server = start(backend).await;
    server.put("news", "1", r#""state""#).await;
    let mut steps = map(&server);
    let subscribe = json!({"call": "subscribe", "with": ["news", {"callback": "news"}]});
    steps.as_array_mut().expect("a list").push(subscribe);
    let mut toolbox = Toolbox::start(&steps).await;
    toolbox.opened().await;
    assert_eq!(toolbox.called_with("news").await, "state");
    until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
    until_called(&server, &mut toolbox, "news", "news").await;
    toolbox.sent_so_far();

    let interruption = server.interrupt().await;
    assert_eq!(toolbox.closed().await, 1012, "service restart");
    for _ in 0..3 {
        assert_eq!(toolbox.closed().await, 1006, "it tries in vain");
    }
    assert!(toolbox.sent_so_far().is_empty());
    let server = interruption.end(adjust).await;

    toolbox.opened().await;
    let frames = [&ZURICH.bbox(), "BUFFER 100 100", "GET news", "SUB news"];
    assert_eq!(toolbox.sent(4).await, frames);
    let kept = match backend {
        Backend::Embedded => Value::Null,
        Backend::Redis => json!("state"),
    };
    assert_eq!(toolbox.called_with("news").await, kept);
    until_called(&server, &mut toolbox, "news", "news").await;
    until_called(&server, &mut toolbox, "trajectory", "vehicles").await;
    until_called(&server, &mut toolbox, "deleted_vehicles", "deleted").await;
    server.publish("trajectory", BASEL.vehicle("basel")).await;
    server.publish("trajectory", ZURICH.vehicle("zurich")).await;
    assert_eq!(id(&toolbox.called_with("vehicles").await), "zurich");
    toolbox.finish().await;
    server.stop().await;
}

async fn it_keeps_the_connection_alive(backend: Backend) {
    let server = start(backend).await;
    let steps = json!([create(&server, json!({"pingIntervalMs": 50})), {"call": "open"}]);
    let mut toolbox = Toolbox::start(&steps).await;
    assert_eq!(toolbox.sent(3).await, ["BUFFER 100 100", "PING", "PING"]);
    let frames = toolbox.received_until("PONG").await;
    let [open, pong] = [0, 1].map(|index| frames.lines().nth(index).expect("a frame"));
    assert!(open.starts_with(r#"{"source":"websocket","content":{"status":"open"},"timestamp":"#), "{open}");
    assert!(pong.starts_with(r#"{"source":"websocket","content":"PONG","timestamp":"#), "{pong}");
    toolbox.finish().await;
    server.stop().await;
}

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, adjust).await
}

/// What a server needs for this client.
fn adjust(settings: &mut Settings) {
    settings.text_paths = "/tracker-ws/v1/".parse().expect("a pattern");
    settings.path_projections = vec!["/tracker-ws/*=epsg:3857".parse().expect("a projection")];
    settings.viewport_channels =
        ["trajectory", "deleted_vehicles"].map(|channel| channel.parse().expect("a channel")).to_vec();
}

/// The step that makes a client of this server.
fn create(server: &TestServer, options: Value) -> Value {
    let mut all = json!({"url": format!("ws://{}/tracker-ws/v1/", server.address), "apiKey": "a-key"});
    let Value::Object(options) = options else { panic!("options are an object: {options}") };
    all.as_object_mut().expect("an object").extend(options);
    json!({"create": all})
}

/// A map of Zurich, in the order in which the client's map layers call.
fn map(server: &TestServer) -> Value {
    json!([
        create(server, json!({})),
        {"call": "open"},
        {"call": "subscribeTrajectory", "with": ["topographic", {"callback": "vehicles"}, null, true]},
        {"call": "subscribeDeletedVehicles", "with": ["topographic", {"callback": "deleted"}, null, true]},
        {"set": "bbox", "to": ZURICH.around()},
    ])
}

/// Publishes until a subscription is in force, and takes what came of it.
async fn until_called(server: &TestServer, toolbox: &mut Toolbox, channel: &str, callback: &str) {
    while !toolbox.is_called(callback).await {
        server.publish(channel, r#""are you there?""#).await;
    }
    server.publish(channel, r#""that is all""#).await;
    loop {
        match toolbox.called_with(callback).await.as_str() {
            Some("are you there?") => {}
            Some("that is all") => return,
            other => panic!("{callback} was called with {other:?}"),
        }
    }
}
