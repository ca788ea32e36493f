//! GET, then SUB: nothing that is published between the two is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    client::Client,
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    frames_that_come_together_leave_no_gap,
    a_pause_between_get_and_sub_leaves_no_gap,
    get_of_one_key_leaves_no_gap_either,
    what_is_held_passes_the_viewport_like_everything,
    what_came_before_the_get_does_not_come_again,
    what_is_held_is_held_for_a_while_only,
    sub_alone_brings_nothing_old,
);

/// Puts 1, 2, 3 … under one key, as fast as the store takes it, until told to stop.
fn count_up(server: &TestServer) -> (Arc<AtomicBool>, tokio::task::JoinHandle<()>) {
    let (store, stop) = (Arc::clone(&server.store), Arc::new(AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let channel = "count".parse().expect("a channel");
    let counting = tokio::spawn(async move {
        for number in 1_u64.. {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            store.put(&channel, "n", number.to_string().into()).await.expect("the store takes values");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    });
    (stop, counting)
}

/// Whether what a client gets after a GET continues what the GET brought, without a hole. It may repeat it: between a
/// snapshot and what follows it there is no border.
async fn expect_continuous(client: &mut Client, answered: u64, what: &str) {
    let mut last = answered;
    let mut first = None;
    while last < answered + 20 {
        let number = client.next_content().await.as_u64().expect("a number");
        assert!(number <= last + 1, "{what}: {last} is followed by {number}, the GET brought {answered}");
        let previous = *first.get_or_insert(number);
        assert!(number >= previous, "{what}: {number} comes behind {previous}");
        first = Some(number);
        last = last.max(number);
    }
}

async fn frames_that_come_together_leave_no_gap(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("count", "n", "0").await;
    let (stop, counting) = count_up(&server);
    for round in 0..15 {
        let mut client = Client::connect_raw(server.address, "/ws").await;
        client.send_together(&["GET count", "SUB count"]).await;
        client.next().await;
        let answered = client.next_content().await.as_u64().expect("a number");
        expect_continuous(&mut client, answered, &format!("round {round}")).await;
    }
    stop.store(true, Ordering::Relaxed);
    counting.await.expect("counting goes well");
}

async fn a_pause_between_get_and_sub_leaves_no_gap(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("count", "n", "0").await;
    let (stop, counting) = count_up(&server);
    for round in 0..10 {
        let mut client = server.client().await;
        client.send("GET count").await;
        let answered = client.next_content().await.as_u64().expect("a number");
        tokio::time::sleep(Duration::from_millis(round * 3)).await;
        client.send("SUB count").await;
        expect_continuous(&mut client, answered, &format!("round {round}")).await;
    }
    stop.store(true, Ordering::Relaxed);
    counting.await.expect("counting goes well");
}

/// What comes of messages published between the answer to `get` and SUB.
async fn between(server: &TestServer, client: &mut Client, get: &str, messages: &[&str]) -> Vec<Value> {
    client.send(get).await;
    client.next().await;
    for message in messages {
        server.publish("cars", (*message).to_owned()).await;
    }
    server.heard().await;
    client.send("SUB cars").await;
    // Whether the SUB or the next message is there first makes no difference: that is what is tested.
    server.received(client, "cars").await.into_iter().map(|mut envelope| envelope["content"].take()).collect()
}

async fn get_of_one_key_leaves_no_gap_either(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    assert_eq!(between(&server, &mut client, "GET cars 1", &["1", "2"]).await, [json!(1), json!(2)]);
    assert_eq!(server.brings(&mut client, "cars", ["3"]).await, [json!(3)], "and then live, once");
}

async fn what_is_held_passes_the_viewport_like_everything(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.send("BBOX 0 0 10 10").await;
    let inside = r#"{"type":"Point","coordinates":[5,5]}"#;
    let outside = r#"{"type":"Point","coordinates":[50,5]}"#;
    let brought = between(&server, &mut client, "GET cars", &[outside, inside, outside]).await;
    assert_eq!(brought, [json!({"type": "Point", "coordinates": [5, 5]})]);
}

async fn what_came_before_the_get_does_not_come_again(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut other = server.subscriber("cars", &[]).await;
    let mut client = server.client().await;
    client.send("GET cars").await;
    client.next().await;
    assert_eq!(server.brings(&mut other, "cars", ["1", "2"]).await.len(), 2);
    // The other client may be another worker's, and what a worker has yet to hear of is given to whoever read the state before.
    server.heard().await;
    assert_eq!(between(&server, &mut client, "GET cars", &["3"]).await, [json!(3)], "the last GET counts");
}

async fn what_is_held_is_held_for_a_while_only(backend: Backend) {
    let hold = Duration::from_millis(50);
    let server = TestServer::start_with(backend, |settings| settings.timeouts.hold = hold).await;
    let mut client = server.client().await;
    client.send("GET cars").await;
    client.next().await;
    server.publish("cars", "1").await;
    // Held is at least as long as that; what is over is cleared away every second.
    tokio::time::sleep(hold + Duration::from_secs(2)).await;
    client.send("SUB cars").await;
    client.expect_nothing(&server).await;
}

async fn sub_alone_brings_nothing_old(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    let mut reader = server.client().await;
    reader.send("GET cars").await;
    reader.next().await;
    server.publish("cars", "1").await;
    server.heard().await;
    client.send("SUB cars").await;
    client.expect_nothing(&server).await;
}
