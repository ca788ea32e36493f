//! Clients that do not read for a while, where newer states replace older ones.

use std::{collections::BTreeMap, num::NonZeroUsize};

use geocast_server::{Count, Overflow, Settings};
use serde_json::Value;

use crate::{
    client::Client,
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{LONG, until},
};

on_both_stores!(
    a_client_that_pauses_gets_the_last_state_of_each_key_and_all_replies,
    a_buffering_client_that_pauses_gets_the_last_state_of_each_key,
    what_waits_when_a_connection_ends_is_counted,
);

const KEYS: usize = 200;
const UPDATES: usize = 200;
const FEWER_UPDATES: usize = 50;

/// Everything under which an event may be counted for a subscriber.
const FATES: [Count; 8] = [
    Count::Delivered,
    Count::WithheldOutside,
    Count::WithheldUnprojectable,
    Count::WithheldTooDeep,
    Count::WithheldTooManyVertices,
    Count::WithheldSlow,
    Count::WithheldReplaced,
    Count::WithheldGone,
];

fn latest(settings: &mut Settings) {
    // The reader sets the pace, of its own worker: on another one, what the pausing client is to get might still be on its way.
    settings.workers = NonZeroUsize::MIN;
    settings.limits.overflow = Overflow::Latest;
}

fn fates(server: &TestServer) -> [u64; 8] {
    FATES.map(|fate| server.count(fate))
}

/// Waits until so many events have been accounted for since then, exactly, and says how.
async fn accounted(server: &TestServer, before: [u64; 8], total: usize) -> BTreeMap<&'static str, u64> {
    until(format!("{total} events to be accounted for"), async || {
        let rises: BTreeMap<_, _> = FATES
            .iter()
            .zip(fates(server).iter().zip(before))
            .map(|(fate, (after, before))| (fate.name(), after - before))
            .filter(|(_, rise)| *rise > 0)
            .collect();
        if rises.values().sum::<u64>() == total as u64 { Ok(rises) } else { Err(format!("{rises:?}")) }
    })
    .await
}

/// A subscriber that has read nothing but the proof of its subscription, after these commands.
async fn pausing_subscriber(server: &TestServer, before: &[&str]) -> RawClient {
    let mut client = RawClient::connect(server.address).await;
    client.next_frame().await.expect("the greeting");
    for command in before.iter().chain(&["SUB cars", "GET settled"]) {
        client.send(frame(TEXT, command.as_bytes())).await;
    }
    client.next_frame().await.expect("the answer");
    client
}

/// Publishes all updates of all keys, none faster than the reader takes them.
async fn publish_all(
    server: &TestServer,
    reader: &mut Client,
    updates: usize,
    mut between: impl AsyncFnMut(usize),
) {
    let filling = "x".repeat(2_000);
    for update in 0..updates {
        for key in 0..KEYS {
            let payload = format!(
                r#"{{"type":"Feature","id":{key},"geometry":null,"properties":{{"update":{update},"x":"{filling}"}}}}"#
            );
            server.publish("cars", payload).await;
        }
        for key in 0..KEYS {
            let text = reader.next_text().await;
            assert!(text.contains(&format!(r#""id":{key},"#)), "{update}, {key}: {}", &text[..150]);
            assert!(text.contains(&format!(r#""update":{update},"#)), "{update}, {key}: {}", &text[..150]);
        }
        between(update).await;
    }
}

/// Reads up to the answer to the last PING, and returns the answers and the updates of each key, in their order.
async fn read_all(client: &mut RawClient) -> (Vec<String>, BTreeMap<u64, Vec<u64>>) {
    let (mut answers, mut updates) = (Vec::new(), BTreeMap::<u64, Vec<u64>>::new());
    loop {
        let (first, payload) = client.next_frame().await.expect("the connection is open");
        if first != TEXT {
            continue;
        }
        let envelope: Value = serde_json::from_slice(&payload).expect("an envelope");
        let envelopes = match envelope["source"].as_str() {
            Some("buffer") => envelope["content"].as_array().expect("envelopes").clone(),
            _ => vec![envelope],
        };
        for envelope in envelopes {
            let content = &envelope["content"];
            if content == "PONG" {
                answers.push(envelope["client_reference"].as_str().expect("a reference").to_owned());
                if envelope["client_reference"] == "last" {
                    return (answers, updates);
                }
            } else {
                let number = |value: &Value| value.as_u64().expect("a number");
                updates
                    .entry(number(&content["id"]))
                    .or_default()
                    .push(number(&content["properties"]["update"]));
            }
        }
    }
}

async fn a_client_that_pauses_gets_the_last_state_of_each_key_and_all_replies(backend: Backend) {
    let server = TestServer::start_with(backend, latest).await;
    let mut reader = server.subscriber("cars", &[]).await;
    reader.settled().await;
    let mut pausing = pausing_subscriber(&server, &[]).await;
    let before = fates(&server);
    let mut expected = Vec::new();
    publish_all(&server, &mut reader, UPDATES, async |update| {
        if update % 20 == 0 {
            pausing.send(frame(TEXT, format!("PING client_ref=p{update}").as_bytes())).await;
            expected.push(format!("p{update}"));
        }
    })
    .await;
    pausing.send(frame(TEXT, b"PING client_ref=last")).await;
    expected.push("last".to_owned());
    let (answers, updates) = read_all(&mut pausing).await;
    assert_eq!(answers, expected);
    assert_eq!(updates.len(), KEYS);
    for (key, updates) in &updates {
        assert!(updates.is_sorted(), "{key}: {updates:?}");
        assert_eq!(updates.last(), Some(&(UPDATES as u64 - 1)), "{key}: {updates:?}");
    }
    let got: usize = updates.values().map(Vec::len).sum();
    let fates = accounted(&server, before, 2 * KEYS * UPDATES).await;
    let expected = [
        (Count::Delivered.name(), (KEYS * UPDATES + got) as u64),
        (Count::WithheldReplaced.name(), (KEYS * UPDATES - got) as u64),
    ];
    assert_eq!(fates, BTreeMap::from(expected));
    assert!(got < KEYS * UPDATES / 10, "{got} states came");
    assert_eq!(server.count(Count::ClosedSlow), 0);
    reader.settled().await;
}

async fn a_buffering_client_that_pauses_gets_the_last_state_of_each_key(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        latest(settings);
        // A batch has half of it, and three quarters of that are for different states.
        settings.limits.outbox *= 2;
    })
    .await;
    let mut reader = server.subscriber("cars", &[]).await;
    reader.settled().await;
    let mut pausing = pausing_subscriber(&server, &["BUFFER 100 50"]).await;
    let before = fates(&server);
    publish_all(&server, &mut reader, FEWER_UPDATES, async |_| {}).await;
    let reading = async {
        let mut updates = BTreeMap::<u64, u64>::new();
        let is_last = |updates: &BTreeMap<u64, u64>| {
            updates.len() == KEYS && updates.values().all(|update| *update == FEWER_UPDATES as u64 - 1)
        };
        let mut got = 0;
        while !is_last(&updates) {
            let (_, payload) = pausing.next_frame().await.expect("the connection is open");
            let envelope: Value = serde_json::from_slice(&payload).expect("an envelope");
            let envelopes = envelope["content"].as_array().expect("only pushes are sent");
            assert!(envelopes.len() <= 50, "{} in one", envelopes.len());
            for envelope in envelopes {
                let content = &envelope["content"];
                let number = |value: &Value| value.as_u64().expect("a number");
                let (key, update) = (number(&content["id"]), number(&content["properties"]["update"]));
                let older = updates.insert(key, update);
                assert!(older.is_none_or(|older| older < update), "{key}: {update} after {older:?}");
                got += 1;
            }
        }
        got
    };
    let got = reading.await;
    let fates = accounted(&server, before, 2 * KEYS * FEWER_UPDATES).await;
    assert_eq!(fates[Count::Delivered.name()], (KEYS * FEWER_UPDATES + got) as u64, "{fates:?}");
    assert_eq!(fates[Count::WithheldReplaced.name()], (KEYS * FEWER_UPDATES - got) as u64, "{fates:?}");
}

async fn what_waits_when_a_connection_ends_is_counted(backend: Backend) {
    for overflow in [Overflow::Close, Overflow::DropOldest, Overflow::Latest] {
        let server = TestServer::start_with(backend, |settings| {
            latest(settings);
            settings.limits.overflow = overflow;
            settings.limits.outbox = 64 * 1024;
            // A client that is closed for its slowness is to be a subscriber until it has gone, after the last event.
            settings.timeouts.close = LONG;
        })
        .await;
        let mut reader = server.subscriber("cars", &[]).await;
        reader.settled().await;
        let plain = pausing_subscriber(&server, &[]).await;
        let buffering = pausing_subscriber(&server, &["BUFFER 100 3"]).await;
        let before = fates(&server);
        let filling = "x".repeat(10_000);
        for number in 0..1_000 {
            server.publish("cars", format!("\"{number} {filling}\"")).await;
            reader.next().await;
        }
        drop((plain, buffering));
        let fates = accounted(&server, before, 3_000).await;
        assert!(fates[Count::WithheldSlow.name()] > 0, "{overflow:?}: {fates:?}");
        assert!(
            overflow == Overflow::Close || fates[Count::WithheldGone.name()] > 0,
            "{overflow:?}: {fates:?}"
        );
    }
}
