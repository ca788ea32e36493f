//! What subscribers missed, from the history of a channel.

use std::time::Duration;

use geocast_server::{ChannelRule, HistoryBound, Secret, Settings};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    http_client::request,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    who_comes_back_gets_exactly_what_it_missed,
    commands_are_told_where_they_stand_only_if_they_ask,
    who_publishes_is_told_where_it_stands,
    what_is_gone_is_said,
    messages_come_once_and_in_order_however_often_a_client_comes_back,
    more_than_an_outbox_takes_is_sent_piece_by_piece,
    what_was_missed_is_shown_as_it_would_have_been,
    a_history_is_read_in_pages,
    channels_without_a_history_say_so,
    a_batch_is_answered_before_what_it_brings,
    every_message_is_accounted_for,
    state_follows_in_place_of_what_trackers_missed,
);

/// The last `messages` of every channel whose name begins with `map`.
pub(crate) fn keeping(messages: usize) -> impl FnOnce(&mut Settings) {
    let bound = HistoryBound { messages: Some(messages), age: None };
    let rule = ChannelRule::parse("map*=x", |_| Ok::<_, String>(bound)).expect("a rule");
    move |settings| settings.history = vec![rule]
}

/// The contents of so many pushes, whose offsets rise, and the last offset.
async fn pushes(caller: &mut Caller, count: usize) -> (Vec<Value>, Value) {
    let (mut contents, mut last) = (Vec::new(), Value::Null);
    for _ in 0..count {
        let mut push = caller.pushed().await;
        assert!(after(&push["offset"]) > after(&last), "{push} comes behind {last}");
        last = push["offset"].take();
        contents.push(push["content"].take());
    }
    (contents, last)
}

/// An offset as something that can be compared.
fn after(offset: &Value) -> Option<(u64, u64)> {
    let text = offset.as_str().map_or_else(|| offset.to_string(), str::to_owned);
    let (time, number) = text.split_once('-').unwrap_or((&text, "0"));
    (!offset.is_null()).then(|| (time.parse().expect("a number"), number.parse().expect("a number")))
}

fn numbers(range: impl Iterator<Item = u32>) -> Vec<Value> {
    range.map(Value::from).collect()
}

async fn publish(server: &TestServer, range: impl Iterator<Item = u32>) {
    for number in range {
        server.publish("map", number.to_string()).await;
    }
}

async fn who_comes_back_gets_exactly_what_it_missed(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    publish(&server, 1..4).await;
    let mut first = Caller::connect(&server).await;
    let told = first.call("subscribe", json!(["map"])).await;
    assert!(after(&told["offset"]).is_some() && told.get("recovered").is_none(), "{told}");
    publish(&server, 4..7).await;
    let (contents, last) = pushes(&mut first, 3).await;
    assert_eq!(contents, numbers(4..7));
    drop(first);
    publish(&server, 7..12).await;
    for since in [&last, &told["offset"]] {
        let mut second = Caller::connect(&server).await;
        let again = json!({ "channel": "map", "since": since, "epoch": told["epoch"] });
        let again = second.call("subscribe", again).await;
        assert_eq!((&again["recovered"], &again["offset"]), (&json!(true), since), "{again}");
        assert_eq!(again["epoch"], told["epoch"]);
        let begin = if since == &last { 7 } else { 4 };
        assert_eq!(pushes(&mut second, 12 - begin as usize).await.0, numbers(begin..12));
    }
    let mut second = Caller::connect(&server).await;
    let again = second.call("subscribe", json!({ "channel": "map", "since": last })).await;
    assert_eq!(again["recovered"], json!(true), "without an epoch, it is taken for the same");
    publish(&server, 12..14).await;
    assert_eq!(pushes(&mut second, 7).await.0, numbers(7..14));
    server.heard().await;
    assert_eq!(second.call("ping", json!([1])).await, json!(1), "nothing comes twice");
}

async fn who_publishes_is_told_where_it_stands(backend: Backend) {
    let adjust = |settings: &mut Settings| {
        keeping(100)(settings);
        settings.publish_key = Some(Secret::new("k"));
    };
    let server = TestServer::start_with(backend, adjust).await;
    let (mut caller, mut reader) = (Caller::publisher(&server, "k").await, Caller::connect(&server).await);
    let epoch = reader.call("subscribe", json!(["map"])).await["epoch"].take();
    let mut told = Vec::new();
    for (method, path) in
        [("POST", "/api/publish/map"), ("PUT", "/api/state/map/a"), ("PUT", "/api/state/map/a")]
    {
        let response = request(server.address, method, path, &["Authorization: Bearer k"], "1").await;
        let mut answer = response.json();
        assert_eq!((response.status, &answer["published"], &answer["epoch"]), (200, &json!("map"), &epoch));
        told.push(answer["offset"].take());
    }
    for params in [json!(["map", 1]), json!(["map", 1, "a"])] {
        let mut answer = caller.call("publish", params).await;
        assert_eq!((&answer["channel"], &answer["epoch"]), (&json!("map"), &epoch), "{answer}");
        told.push(answer["offset"].take());
    }
    // As those are told who listen.
    assert_eq!(pushes(&mut reader, told.len()).await.1, told[told.len() - 1]);
    for (index, since) in told.iter().enumerate() {
        let asked = json!({ "channel": "map", "since": since, "epoch": epoch });
        let read = reader.call("history", asked).await;
        assert_eq!(
            read["messages"].as_array().map(Vec::len),
            Some(told.len() - 1 - index),
            "{since}: {read}"
        );
        assert_eq!(read["recovered"], true, "{since}: {read}");
    }
    // Without a history there is nothing to tell.
    let path = "/api/publish/news";
    let response = request(server.address, "POST", path, &["Authorization: Bearer k"], "1").await;
    assert_eq!(response.json(), json!({ "published": "news" }));
    assert_eq!(
        caller.call("publish", json!(["news", 1, "a"])).await,
        json!({ "channel": "news", "key": "a" })
    );
}

async fn commands_are_told_where_they_stand_only_if_they_ask(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut plain = server.subscriber("map", &[]).await;
    let mut client = server.client().await;
    client.send("SUB map since=now").await;
    let told = client.next().await;
    assert_eq!(told["source"], "websocket");
    let told = &told["content"]["subscribed"];
    assert!(told["channel"] == "map" && told.get("recovered").is_none(), "{told}");
    server.publish("map", "1").await;
    let text = plain.next_text().await;
    assert!(text.ends_with(r#""client_reference":null}"#), "{text}");
    let push = client.next().await;
    assert!(push["content"] == 1 && after(&push["offset"]) > after(&told["offset"]), "{push}");
    drop(client);
    server.publish("map", "2").await;
    let mut client = server.client().await;
    let (offset, epoch) = (&push["offset"], told["epoch"].as_str().expect("a name"));
    let offset = offset.as_str().map_or_else(|| offset.to_string(), str::to_owned);
    client.send(format!("SUB map since={offset} epoch={epoch}")).await;
    let told = client.next_content().await;
    assert_eq!(told["subscribed"]["recovered"], json!(true), "{told}");
    assert_eq!(client.next_content().await, 2);
    server.publish("map", "3").await;
    assert_eq!(client.next_content().await, 3);
    client.expect_nothing(&server).await;
    client.send("SUB map since=soon").await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "bad_offset");
}

async fn what_is_gone_is_said(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(3)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    let mut last = Value::Null;
    for begin in (1..301).step_by(50) {
        // Read piece by piece: so short a history is trimmed before a slow reader comes to it.
        publish(&server, begin..begin + 50).await;
        last = pushes(&mut caller, 50).await.1;
    }
    let (first, epoch) = (&told["offset"], &told["epoch"]);
    let far = if first.is_string() { json!("99999999999999-0") } else { json!(1_000_000) };
    for (since, asked) in [(first.clone(), epoch), (last.clone(), &json!("another")), (far, epoch)] {
        let mut again = Caller::connect(&server).await;
        let params = json!({ "channel": "map", "since": since, "epoch": asked });
        let told = again.call("subscribe", params).await;
        assert_eq!(told["recovered"], json!(false), "{since} {asked}");
        assert_eq!((&told["offset"], &told["epoch"]), (&last, epoch));
        server.publish("map", "\"live\"").await;
        assert_eq!(again.pushed().await["content"], "live");
        let mut push = caller.pushed().await;
        assert_eq!(push["content"], "live");
        last = push["offset"].take();
        let params = json!({ "channel": "map", "since": last, "epoch": epoch });
        assert_eq!(again.call("subscribe", params).await["recovered"], json!(true));
    }
}

async fn messages_come_once_and_in_order_however_often_a_client_comes_back(backend: Backend) {
    const LAST: u32 = 3000;
    let server = TestServer::start_with(backend, keeping(LAST as usize * 2)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    let (mut since, epoch) = (told["offset"].clone(), told["epoch"].clone());
    let store = std::sync::Arc::clone(&server.store);
    let publishing = tokio::spawn(async move {
        let channel = "map".parse().expect("a channel");
        for number in 1..=LAST {
            store.publish(&channel, number.to_string().into()).await.expect("the store takes messages");
            if number % 7 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    fastrand::seed(7);
    let (mut expected, mut returns) = (1, 0);
    while expected <= LAST {
        for _ in 0..fastrand::u32(1..400) {
            if expected > LAST {
                break;
            }
            let mut push = caller.pushed().await;
            assert_eq!(push["content"], expected, "after {returns} returns");
            since = push["offset"].take();
            expected += 1;
        }
        caller = Caller::connect(&server).await;
        let asked = json!({ "channel": "map", "since": since, "epoch": epoch });
        assert_eq!(caller.call("subscribe", asked).await["recovered"], json!(true));
        returns += 1;
    }
    assert!(returns > 5, "only {returns} returns");
    publishing.await.expect("the publisher ends");
    server.heard().await;
    assert_eq!(caller.call("ping", json!([1])).await, json!(1), "nothing comes twice");
}

/// Long enough for a server that does not wait for its reader to fill more than an outbox.
const A_WHILE: Duration = Duration::from_millis(240);

async fn more_than_an_outbox_takes_is_sent_piece_by_piece(backend: Backend) {
    let adjust = |settings: &mut Settings| {
        keeping(5000)(settings);
        settings.limits.outbox = 32 * 1024;
    };
    let server = TestServer::start_with(backend, adjust).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    drop(caller);
    let channel: geocast_server::Channel = "map".parse().expect("a channel");
    let padding = "x".repeat(500);
    for hundred in 0..20 {
        let message = |number: u32| (channel.clone(), format!("[{number},\"{padding}\"]").into());
        let messages = (hundred * 100..hundred * 100 + 100).map(message).collect();
        server.store.publish_all(messages).await.expect("the store takes messages");
    }
    let mut caller = Caller::connect(&server).await;
    let asked = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    assert_eq!(caller.call("subscribe", asked).await["recovered"], json!(true));
    // A client that reads nothing for a while is not overrun.
    tokio::time::sleep(A_WHILE).await;
    for number in 0..2000 {
        assert_eq!(caller.pushed().await["content"][0], number);
    }
}

fn point(id: u32, x: f64) -> String {
    format!(
        r#"{{"type":"Feature","id":{id},"geometry":{{"type":"Point","coordinates":[{x:?},5.0]}},"properties":{{}}}}"#
    )
}

async fn what_was_missed_is_shown_as_it_would_have_been(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    for id in 0..10 {
        server.publish("map", point(id, f64::from(id) * 10.0)).await;
    }
    let mut again = Caller::connect(&server).await;
    again.call("viewport", json!({ "bbox": [15, 0, 45, 10] })).await;
    again.call("projection", json!(["epsg:3857"])).await;
    let asked = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    again.call("subscribe", asked.clone()).await;
    for id in 2..5 {
        let push = again.pushed().await;
        assert_eq!(push["content"]["id"], id);
        assert!(push["content"]["geometry"]["coordinates"][0].as_f64() > Some(1e6), "{push}");
    }
    let read = again.call("history", asked).await;
    let ids: Vec<_> =
        read["messages"].as_array().expect("a list").iter().map(|kept| &kept["content"]["id"]).collect();
    assert_eq!(ids, [2, 3, 4]);
    again.call("viewport", json!({ "bbox": [45, 0, 55, 10], "crs": "EPSG:4326" })).await;
    server.publish("map", point(5, 50.0)).await;
    server.publish("map", point(2, 20.0)).await;
    assert_eq!(again.pushed().await["content"]["id"], 5);
    server.heard().await;
    assert_eq!(again.call("ping", json!([1])).await, json!(1));
}

async fn a_history_is_read_in_pages(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("history", json!(["map"])).await;
    assert_eq!(told["messages"], json!([]));
    publish(&server, 1..11).await;
    let mut since = told["offset"].clone();
    for page in [1..5, 5..9, 9..11, 11..11] {
        let asked = json!({ "channel": "map", "since": since, "epoch": told["epoch"], "limit": 4 });
        let read = caller.call("history", asked).await;
        let contents: Vec<_> =
            read["messages"].as_array().expect("a list").iter().map(|kept| kept["content"].clone()).collect();
        assert_eq!((contents, &read["recovered"]), (numbers(page), &json!(true)));
        since = read["offset"].clone();
    }
    let last = caller.call("history", json!({ "channel": "map", "limit": 2 })).await;
    assert_eq!(last["messages"][1]["content"], 10);
    assert_eq!((last["messages"].as_array().map(Vec::len), &last["offset"]), (Some(2), &since));
    let lost = json!({ "channel": "map", "since": since, "epoch": "another" });
    assert_eq!(caller.call("history", lost).await["recovered"], json!(false));
}

async fn channels_without_a_history_say_so(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    for (method, params) in
        [("subscribe", json!({ "channel": "news", "since": 1 })), ("history", json!(["news"]))]
    {
        let (code, data, message) = caller.refused(method, params).await;
        assert_eq!((code, &data["reason"]), (-32_006, &json!("history_unavailable")), "{message}");
    }
    let (code, ..) = caller.refused("subscribe", json!({ "channel": "map", "epoch": "a" })).await;
    assert_eq!(code, -32_602);
    let told = caller.call("subscribe", json!(["news"])).await;
    assert_eq!(told, json!({ "channel": "news", "tracked": false }));
    let mut client = server.client().await;
    client.send("SUB news since=1").await;
    assert_eq!(client.next_error().await["content"]["error"]["code"], "history_unavailable");
}

async fn a_batch_is_answered_before_what_it_brings(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    publish(&server, 1..4).await;
    let mut client = Client::connect_raw(server.address, "/rpc").await;
    let params = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    let call = |id, method, params: &Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let batch = json!([call(1, "subscribe", &params), call(2, "ping", &json!([7]))]);
    client.send(batch.to_string()).await;
    let answer = client.next().await;
    assert_eq!(
        (&answer[0]["result"]["recovered"], &answer[1]["result"]),
        (&json!(true), &json!(7)),
        "{answer}"
    );
    for number in 1..4 {
        assert_eq!(client.next().await["params"]["content"], number);
    }
    let batch = json!([call(1, "subscribe", &params), call(2, "unsubscribe", &json!(["map"]))]);
    client.send(batch.to_string()).await;
    assert_eq!(client.next().await[1]["result"]["subscribed"], json!(false));
    publish(&server, 4..5).await;
    server.heard().await;
    client.send(call(3, "ping", &json!([8])).to_string()).await;
    assert_eq!(client.next().await["result"], 8, "what is left is not resumed");
}

async fn every_message_is_accounted_for(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    let mut caller = Caller::connect(&server).await;
    let told = caller.call("subscribe", json!(["map"])).await;
    for id in 0..6 {
        server.publish("map", point(id, f64::from(id) * 10.0)).await;
    }
    let mut again = Caller::connect(&server).await;
    again.call("viewport", json!({ "bbox": [15, 0, 99, 10] })).await;
    let asked = json!({ "channel": "map", "since": told["offset"], "epoch": told["epoch"] });
    again.call("subscribe", asked).await;
    pushes(&mut again, 4).await;
    server.publish("map", point(7, 70.0)).await;
    pushes(&mut again, 1).await;
    let session = again.call("session", json!({})).await;
    let account = json!({ "tracked": false, "events": 7, "granted": 5, "withheld": { "outside": 2 } });
    assert_eq!(session["accounts"]["map"], account, "{session}");
    assert_eq!(session["connection"]["granted"], 5);
}

async fn state_follows_in_place_of_what_trackers_missed(backend: Backend) {
    let server = TestServer::start_with(backend, keeping(100)).await;
    server.put("map", "1", point(1, 10.0)).await;
    let mut client = server.client().await;
    client.send("SUB map track since=now").await;
    let told = client.next_content().await;
    assert_eq!(told["subscribed"], json!({ "channel": "map", "recovered": false }));
    assert_eq!(client.next_content().await["change"], "enter");
}
