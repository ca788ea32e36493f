//! Who else is on a channel.

mod hostile;
mod nodes;
mod outages;
mod rights;

use std::time::{Duration, Instant};

use geocast_server::Settings;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    who_is_there_is_said,
    who_comes_and_goes_is_told,
    who_comes_back_soon_has_not_left,
    somebody_with_several_connections_is_one,
    a_client_says_of_itself_what_it_said_last,
    subscribers_of_all_dialects_are_counted,
    an_answer_is_bounded,
    channels_without_presence_have_none,
    a_subscription_with_history_or_state_is_present_as_well,
);

const GRACE: Duration = Duration::from_secs(1);

fn rooms(settings: &mut Settings) {
    settings.presence = Some("room*".parse().expect("a pattern"));
    settings.timeouts.presence_grace = GRACE;
}

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, rooms).await
}

/// Somebody on a channel who has said its name.
async fn named(server: &TestServer, channel: &str, name: &str) -> Caller {
    let mut caller = Caller::connect(server).await;
    let params = json!({ "channel": channel, "info": { "name": name } });
    let told = call(&mut caller, "subscribe", params).await;
    assert_eq!(told, json!({ "channel": channel, "tracked": false }));
    caller
}

/// Somebody nameless who is told who comes to a channel and goes.
async fn watcher(server: &TestServer, channel: &str) -> Caller {
    let mut caller = Caller::connect(server).await;
    let told = call(&mut caller, "subscribe", json!({ "channel": channel, "presence": true })).await;
    assert_eq!(told, json!({ "channel": channel, "tracked": false, "presence": true }));
    caller
}

/// The result of a call, whatever is told before it.
async fn call(caller: &mut Caller, method: &str, params: Value) -> Value {
    caller.next += 1;
    let id = json!(caller.next);
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    caller.client.send(request.to_string()).await;
    loop {
        let mut reply = caller.client.next().await;
        if reply["id"] == id {
            return reply["result"].take();
        }
        assert!(reply["method"] == "presence" || reply["method"] == "gap", "{reply}");
    }
}

fn person(name: &str) -> Value {
    json!({ "info": { "name": name } })
}

/// Takes what is told until somebody has joined or left, and returns all who have, as `+name` and `-name`.
async fn moves(watcher: &mut Caller) -> Vec<String> {
    loop {
        let told = watcher.moved().await;
        let names = |sign: char, list: &Value| {
            let list = list.as_array().expect("a list").clone();
            list.into_iter()
                .map(move |person| format!("{sign}{}", person["info"]["name"].as_str().expect("a name")))
        };
        let moves: Vec<String> = names('+', &told["joined"]).chain(names('-', &told["left"])).collect();
        if !moves.is_empty() {
            return moves;
        }
    }
}

/// Who is on a channel, once that is `expected`, and known of all nodes.
async fn until(caller: &mut Caller, channel: &str, expected: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let roll = call(caller, "presence", json!([channel])).await;
        if roll["stale"] == false && expected(&roll) {
            return roll;
        }
        assert!(begin.elapsed() < Duration::from_secs(40), "{roll}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn who_is_there_is_said(backend: Backend) {
    let server = start(backend).await;
    let mut asks = Caller::connect(&server).await;
    let nobody = until(&mut asks, "room", |_| true).await;
    let expected =
        json!({ "channel": "room", "clients": 0, "entries": [], "truncated": false, "stale": false });
    assert_eq!(nobody, expected);
    let _ada = named(&server, "room", "Ada").await;
    let _bob = named(&server, "room", "Bob").await;
    let _elsewhere = named(&server, "room2", "Cyd").await;
    let mut text = server.client().await;
    text.send("SUB room").await;
    text.settled().await;
    let roll = asks.call("presence", json!({ "channel": "room" })).await;
    assert_eq!(roll["clients"], 3);
    let entry = |name: &str| json!({ "info": { "name": name }, "connections": 1 });
    assert_eq!(roll["entries"], json!([entry("Ada"), entry("Bob")]));
    // Who asks needs not be there.
    text.send("DEL room").await;
    text.settled().await;
    assert_eq!(asks.call("presence", json!(["room"])).await["clients"], 2);
}

async fn who_comes_and_goes_is_told(backend: Backend) {
    let server = start(backend).await;
    let mut watcher = watcher(&server, "room").await;
    let mut ada = named(&server, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    let bob = named(&server, "room", "Bob").await;
    let told = loop {
        let told = watcher.moved().await;
        if told["joined"] != json!([]) {
            break told;
        }
    };
    assert_eq!((&told["source"], &told["clients"]), (&json!("room"), &json!(3)), "{told}");
    assert_eq!((&told["joined"], &told["left"]), (&json!([person("Bob")]), &json!([])), "{told}");
    assert!(told["truncated"] == false && told["timestamp"].as_f64().is_some(), "{told}");
    // Messages come as they do.
    server.publish("room", "1").await;
    assert_eq!(watcher.pushed().await["content"], 1);
    assert_eq!(ada.pushed().await["content"], 1);
    let left = Instant::now();
    ada.call("unsubscribe", json!(["room"])).await;
    assert_eq!(moves(&mut watcher).await, ["-Ada"]);
    assert!(left.elapsed() >= GRACE, "{:?}", left.elapsed());
    drop(bob);
    assert_eq!(moves(&mut watcher).await, ["-Bob"]);
    // Who does not want to be told any more, is not; and neither is one that has never asked.
    call(&mut watcher, "subscribe", json!(["room"])).await;
    let _cyd = named(&server, "room", "Cyd").await;
    let mut other = self::watcher(&server, "room").await;
    until(&mut other, "room", |roll| roll["clients"] == 3).await;
    let _dan = named(&server, "room", "Dan").await;
    while !moves(&mut other).await.contains(&"+Dan".to_owned()) {}
    assert_eq!(watcher.call("ping", json!({})).await, "pong");
}

async fn who_comes_back_soon_has_not_left(backend: Backend) {
    let server = start(backend).await;
    let mut watcher = watcher(&server, "room").await;
    let mut ada = named(&server, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    for _ in 0..3 {
        drop(ada);
        ada = named(&server, "room", "Ada").await;
    }
    let _bob = named(&server, "room", "Bob").await;
    assert_eq!(moves(&mut watcher).await, ["+Bob"]);
    drop(ada);
    assert_eq!(moves(&mut watcher).await, ["-Ada"]);
}

async fn somebody_with_several_connections_is_one(backend: Backend) {
    let server = start(backend).await;
    let (mut watcher, mut asks) = (watcher(&server, "room").await, Caller::connect(&server).await);
    let first = named(&server, "room", "Ada").await;
    let second = named(&server, "room", "Ada").await;
    let roll = asks.call("presence", json!(["room"])).await;
    let entry = json!([{ "info": { "name": "Ada" }, "connections": 2 }]);
    assert_eq!((&roll["clients"], &roll["entries"]), (&json!(3), &entry));
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    drop(first);
    let _bob = named(&server, "room", "Bob").await;
    assert_eq!(moves(&mut watcher).await, ["+Bob"]);
    drop(second);
    assert_eq!(moves(&mut watcher).await, ["-Ada"]);
}

async fn a_client_says_of_itself_what_it_said_last(backend: Backend) {
    let server = start(backend).await;
    let mut asks = Caller::connect(&server).await;
    let mut ada = named(&server, "room", "Ada").await;
    let subscribe = |info: Value| json!({ "channel": "room", "track": true, "info": info });
    ada.call("subscribe", subscribe(json!({ "name" : "Ada", "is": "away" }))).await;
    let expected = json!([{ "info": { "name": "Ada", "is": "away" }, "connections": 1 }]);
    let of_now = |roll: &Value| {
        let entries = roll["entries"].as_array().expect("a list").clone();
        entries.into_iter().filter(|entry| entry["connections"] != 0).collect::<Value>()
    };
    assert_eq!(of_now(&asks.call("presence", json!(["room"])).await), expected);
    // The same in other words is the same.
    ada.client.send(r#"{"jsonrpc":"2.0","id":"x","method":"subscribe","params":{"channel":"room","track":true,"info":{ "name" : "Ada" , "is":"away" }}}"#).await;
    assert_eq!(ada.client.next().await["id"], "x");
    assert_eq!(of_now(&asks.call("presence", json!(["room"])).await), expected);
    ada.call("subscribe", json!({ "channel": "room", "track": true })).await;
    let roll = asks.call("presence", json!(["room"])).await;
    assert_eq!((&roll["clients"], of_now(&roll)), (&json!(1), json!([])));
    for (info, what) in
        [(json!([1]), "must be an object"), (json!({ "a": "x".repeat(600) }), "more than 512")]
    {
        let (code, _, message) = ada.refused("subscribe", subscribe(info)).await;
        assert!(code == -32602 && message.contains(what), "{code} {message}");
    }
}

async fn subscribers_of_all_dialects_are_counted(backend: Backend) {
    let server = start(backend).await;
    let mut text = server.client().await;
    text.send("SUB room-1").await;
    text.settled().await;
    let mut rohrpost = Client::connect_raw(server.address, "/rohrpost/").await;
    rohrpost.send(r#"{"id":1,"type":"subscribe","data":{"type":"room","id":1}}"#).await;
    assert_eq!(rohrpost.next().await["data"]["group"], "room-1");
    let aiows = Client::connect_raw(server.address, "/channel/room-1/").await;
    let mut asks = Caller::connect(&server).await;
    until(&mut asks, "room-1", |roll| roll["clients"] == 3).await;
    drop((text, rohrpost, aiows));
    until(&mut asks, "room-1", |roll| roll["clients"] == 0).await;
}

async fn an_answer_is_bounded(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        rooms(settings);
        settings.limits.presence = 3;
    })
    .await;
    let mut asks = Caller::connect(&server).await;
    let mut there = Vec::new();
    for name in ["Ada", "Bob", "Cyd"] {
        there.push(named(&server, "room", name).await);
    }
    let roll = asks.call("presence", json!({ "channel": "room", "limit": 2 })).await;
    assert_eq!((&roll["clients"], &roll["truncated"]), (&json!(3), &json!(true)));
    assert_eq!(roll["entries"].as_array().map(Vec::len), Some(2));
    let roll = asks.call("presence", json!({ "channel": "room", "limit": 3 })).await;
    assert_eq!((roll["entries"].as_array().map(Vec::len), &roll["truncated"]), (Some(3), &json!(false)));
    // Nobody knows more than three: whoever else comes is counted.
    there.push(named(&server, "room", "Dan").await);
    there.push(named(&server, "room", "Ada").await);
    let roll = asks.call("presence", json!(["room"])).await;
    assert_eq!(roll["clients"], 5);
    let connections: Vec<&Value> =
        roll["entries"].as_array().expect("a list").iter().map(|entry| &entry["connections"]).collect();
    assert_eq!(connections, [2, 1, 1]);
    drop(there);
    until(&mut asks, "room", |roll| roll["clients"] == 0 && roll["entries"] == json!([])).await;
}

async fn channels_without_presence_have_none(backend: Backend) {
    let server = start(backend).await;
    let mut caller = Caller::connect(&server).await;
    let reason = json!({ "reason": "presence_unavailable" });
    for (method, params) in [
        ("presence", json!(["news"])),
        ("subscribe", json!({ "channel": "news", "presence": true })),
        ("subscribe", json!({ "channel": "news", "info": {} })),
    ] {
        let (code, data, message) = caller.refused(method, params).await;
        assert_eq!((code, data), (-32008, reason.clone()), "{message}");
    }
    assert_eq!(caller.call("session", json!({})).await["channels"], json!([]));
    caller.call("subscribe", json!({ "channel": "news", "presence": false })).await;
    let none = TestServer::start(backend).await;
    let mut caller = Caller::connect(&none).await;
    assert_eq!(caller.refused("presence", json!(["room"])).await.0, -32008);
}

async fn a_subscription_with_history_or_state_is_present_as_well(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        crate::history::keeping(10)(settings);
        rooms(settings);
        settings.presence = Some("map*".parse().expect("a pattern"));
    })
    .await;
    let (mut caller, mut asks) = (Caller::connect(&server).await, Caller::connect(&server).await);
    let with = |more: Value| {
        let mut params = json!({ "channel": "map", "presence": true, "info": { "name": "Ada" } });
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        params
    };
    let told = call(&mut caller, "subscribe", with(json!({}))).await;
    assert_eq!((&told["presence"], told["offset"].is_null()), (&json!(true), false), "{told}");
    let since = json!({ "since": told["offset"], "epoch": told["epoch"] });
    let told = call(&mut caller, "subscribe", with(since)).await;
    assert_eq!((&told["presence"], &told["recovered"]), (&json!(true), &json!(true)), "{told}");
    let told = call(&mut caller, "subscribe", with(json!({ "track": true }))).await;
    assert_eq!((&told["presence"], &told["tracked"]), (&json!(true), &json!(true)), "{told}");
    let mut bob = Caller::connect(&server).await;
    bob.call("subscribe", json!({ "channel": "map", "info": { "name": "Bob" } })).await;
    let mut all = Vec::new();
    while !all.contains(&"+Bob".to_owned()) {
        all.extend(moves(&mut caller).await);
    }
    assert!(!all.contains(&"-Ada".to_owned()), "{all:?}");
    assert_eq!(asks.call("presence", json!(["map"])).await["clients"], 2);
}
