//! Clients that are on a channel to do harm.

use super::*;

on_both_stores!(an_answer_leaves_room_for_others, who_comes_and_goes_without_end_is_gone_in_the_end);

/// What a client may say of itself at most.
fn long(name: usize) -> Value {
    json!({ "channel": "room", "info": { "name": format!("{name:0>490}") } })
}

async fn an_answer_leaves_room_for_others(backend: Backend) {
    let outbox = 128 * 1024;
    let server = TestServer::start_with(backend, |settings| {
        rooms(settings);
        settings.limits.outbox = outbox;
    })
    .await;
    let mut watcher = watcher(&server, "room").await;
    let mut there = Vec::new();
    for name in 0..80 {
        let mut caller = Caller::connect(&server).await;
        caller.call("subscribe", long(name)).await;
        there.push(caller);
    }
    let mut asks = Caller::connect(&server).await;
    // Together they have 40 KiB.
    let roll = asks.call("presence", json!({ "channel": "room", "limit": 1000 })).await;
    assert_eq!((&roll["clients"], &roll["truncated"]), (&json!(81), &json!(true)));
    let named = roll["entries"].as_array().expect("a list").len();
    assert!((20..=32).contains(&named) && roll.to_string().len() <= outbox / 8 + 1024, "{named} are named");
    // However often it is asked at once, there is an answer to each.
    let question =
        |id: usize| json!({ "jsonrpc": "2.0", "id": id, "method": "presence", "params": ["room"] });
    asks.client.send(Value::Array((0..20).map(question).collect()).to_string()).await;
    let answers = asks.client.next().await;
    let answers = answers.as_array().expect("a list");
    assert_eq!(answers.len(), 20);
    assert!(answers.iter().all(|answer| answer["result"]["clients"] == 81), "{answers:?}");
    // Nor is anybody told of all of them at once.
    drop(there);
    loop {
        let told = watcher.moved().await;
        assert!(told.to_string().len() <= 34 * 1024, "{} bytes", told.to_string().len());
        if told["clients"] == 1 && told["left"] != json!([]) {
            break;
        }
    }
}

async fn who_comes_and_goes_without_end_is_gone_in_the_end(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        rooms(settings);
        settings.limits.commands_per_second = 2000;
    })
    .await;
    let mut watcher = watcher(&server, "room").await;
    let bob = named(&server, "room", "Bob").await;
    assert_eq!(moves(&mut watcher).await, ["+Bob"]);
    let mut hasty = Caller::connect(&server).await;
    let begin = Instant::now();
    let mut told = 0;
    for turn in 0..20 {
        let calls = (0..25).flat_map(|name| {
            let subscribe =
                json!({ "jsonrpc": "2.0", "method": "subscribe", "params": long(turn * 25 + name) });
            let unsubscribe = json!({ "jsonrpc": "2.0", "method": "unsubscribe", "params": ["room"] });
            [subscribe, unsubscribe]
        });
        for call in calls {
            hasty.client.send(call.to_string()).await;
        }
    }
    assert_eq!(hasty.call("ping", json!({})).await, "pong");
    let _cyd = named(&server, "room", "Cyd").await;
    let mut there = Vec::new();
    while !there.contains(&person("Cyd")) {
        let change = watcher.moved().await;
        told += 1;
        let joined = change["joined"].as_array().expect("a list");
        assert!(!change["left"].as_array().expect("a list").contains(&person("Bob")), "{change}");
        there.extend(joined.iter().cloned());
    }
    // They are told of four times a second, however often that is.
    let most = begin.elapsed().as_millis() / 250 + 2;
    assert!(told <= most, "{told} notifications, {most} at most");
    let bob_and_cyd = |roll: &Value| {
        let names =
            roll["entries"].as_array().expect("a list").iter().map(|entry| entry["info"]["name"].as_str());
        roll["clients"] == 3 && names.eq([Some("Bob"), Some("Cyd")])
    };
    until(&mut hasty, "room", bob_and_cyd).await;
    drop(bob);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_a_name_whatever_is_in_it() {
    let here = start(Backend::Redis).await;
    let redis = here.redis.as_ref().expect("it runs on Redis");
    let there = nodes::node(&redis.url()).await;
    let names = [
        "{geocast:presence}:nodes",
        "\r\nDEL {geocast:presence}:log\r\n",
        "\u{0} 1 \u{7f}\u{2028}",
        "'], '1') redis.call('FLUSHALL') --",
        "room {\"user\":\"root\"}",
        "",
    ];
    let mut clients = Vec::new();
    for name in names {
        clients.push(named(&here, "room", name).await);
    }
    let mut asks = Caller::connect(&there).await;
    let roll = until(&mut asks, "room", |roll| roll["clients"] == names.len()).await;
    let mut told: Vec<&str> = roll["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            assert!(entry.as_object().is_some_and(|entry| entry.len() == 2), "{entry}");
            entry["info"]["name"].as_str().expect("a name")
        })
        .collect();
    told.sort_unstable();
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(told, names);
    let keys = redis.cli(&["KEYS", "*presence*"]);
    let mut keys: Vec<&str> = keys.lines().filter(|key| !key.contains("}:node:")).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["{geocast:presence}:log", "{geocast:presence}:nodes"]);
    // What is deep or long is refused, and nobody is there for that.
    let mut deep = Caller::connect(&here).await;
    let nested = format!("{}1{}", r#"{"a":"#.repeat(90), "}".repeat(90));
    let request = format!(
        r#"{{"jsonrpc":"2.0","id":"deep","method":"subscribe","params":{{"channel":"room2","info":{nested}}}}}"#
    );
    deep.client.send(request).await;
    let reply = deep.client.next().await;
    if reply["error"].is_null() {
        // Whoever is let in is seen by others.
        until(&mut asks, "room2", |roll| roll["entries"].as_array().is_some_and(|list| list.len() == 1))
            .await;
    }
    assert_eq!(deep.call("ping", json!({})).await, "pong");
    // What is too large ends its own connection alone. It is sent in one piece, as the server does not wait for the rest.
    let mut large = Caller::connect(&here).await;
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscribe",
        "params": { "channel": "room", "info": { "name": "x".repeat(1 << 15) } } });
    large.client.send(request.to_string()).await;
    until(&mut asks, "room", |roll| roll["clients"] == names.len()).await;
    assert_eq!(clients[0].call("ping", json!({})).await, "pong");
}
