//! Scripts that go too far, through real sockets.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use geocast_server::{
    Count,
    pipeline::{Filter, Script},
};

use crate::{
    pipeline::{client, with_ready},
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::{AGAIN, PATIENCE},
};

on_both_stores!(
    what_would_take_gigabytes_is_a_failure,
    who_keeps_a_worker_busy_waits,
    a_consumer_that_never_ends_holds_up_nobody,
    groups_that_are_too_many_are_not_noted,
);

async fn start(backend: Backend, source: &str, workers: usize) -> TestServer {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("script.rhai");
    fs::write(&path, source).expect("it can be written");
    let script: Arc<dyn Filter> = Arc::new(Script::load(&path).expect("a sound script"));
    let filters = with_ready(&[script]);
    TestServer::start_with(backend, |settings| {
        settings.filters = filters;
        settings.workers = workers.try_into().expect("a worker");
        settings.pipeline_channels = vec!["news".parse().expect("a channel")];
    })
    .await
}

async fn what_would_take_gigabytes_is_a_failure(backend: Backend) {
    let source = "fn message(ctx, msg) { let t = \"\"; t.pad(60000, \"x\"); if msg == \"replace\" { let s = t; \
                  s.replace(\"x\", t); } else { let a = []; loop { a = [a]; } } }";
    let server = start(backend, source, 1).await;
    let mut client = client(&server).await;
    client.send("replace").await;
    client.send("nest").await;
    server.counted(Count::FilterFailed, 2).await;
    client.send("ready?").await;
    assert_eq!(client.next_text().await, "ready");
}

/// Who computes for a tenth of a second waits for a second, so that others are served meanwhile.
async fn who_keeps_a_worker_busy_waits(backend: Backend) {
    let source = "fn message(ctx, msg) { let a = []; a.pad(2000, 1); let b = a; loop { a == b; } }";
    let server = start(backend, source, 1).await;
    let (mut busy, mut other) = (client(&server).await, client(&server).await);
    for _ in 0..30 {
        busy.send("go on").await;
    }
    let start = Instant::now();
    for _ in 0..30 {
        other.send("ready?").await;
        assert_eq!(other.next_text().await, "ready");
        tokio::time::sleep(PAUSE).await;
    }
    let failed = server.count(Count::FilterFailed);
    // Two seconds' worth may be spent at once, and then a call of a tenth of a second costs one second.
    let most = 4 + start.elapsed().as_secs();
    assert!((1..=most).contains(&failed), "{failed} calls in {:?}", start.elapsed());
}

/// What waits for it counts as being on its way, of which there is only so much.
async fn a_consumer_that_never_ends_holds_up_nobody(backend: Backend) {
    let source =
        "fn consumer(ctx, channel, item) { let a = []; a.pad(2000, 1); let b = a; loop { a == b; } }";
    let server = start(backend, source, 1).await;
    let mut subscriber = server.subscriber("news", &[]).await;
    if backend == Backend::Redis {
        while server.count(Count::FilterFailed) == 0 {
            server.publish("news", "1").await;
            tokio::time::sleep(PAUSE).await;
        }
    }
    let start = Instant::now();
    for _ in 0..500 {
        server.publish("news", "2").await;
    }
    server.publish("news", "3").await;
    while subscriber.next_content().await != 3 {}
    while server.count(Count::FilterSkipped) == 0 {
        assert!(start.elapsed() < PATIENCE, "none is left out");
        tokio::time::sleep(AGAIN).await;
    }
}

async fn groups_that_are_too_many_are_not_noted(backend: Backend) {
    let source = "fn message(ctx, msg) { for i in 0..60 { ctx.join(msg + i); } ctx.send(ctx.groups.len); }";
    let server = start(backend, source, 1).await;
    let mut client = client(&server).await;
    // One of the 128 subscriptions is to what goes to everybody.
    for (name, groups) in [("a", "0"), ("b", "60"), ("c", "120"), ("d", "127"), ("e", "127")] {
        client.send(name).await;
        assert_eq!(client.next_text().await, groups);
    }
}

/// Between one thing and the next, so that others have their turn.
const PAUSE: Duration = Duration::from_millis(60);
