//! Whether a server lives.

use std::{
    net::TcpListener,
    num::NonZeroUsize,
    sync::{
        Mutex,
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use geocast_server::{AccessPolicy, Channel, Denial, Visitor};
use tokio::time::timeout;

use crate::{
    redis_server::RedisServer,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::must,
};

on_both_stores!(a_worker_that_hangs_has_no_pulse);

/// Takes as long to think about one channel as the test lets it.
#[derive(Debug)]
struct Ponderer(Mutex<Receiver<()>>);

impl AccessPolicy for Ponderer {
    fn may_read(&self, channel: &Channel, _: &Visitor<'_>) -> Result<(), Denial> {
        if channel.as_str() == "riddle" {
            let solved = self.0.lock().expect("nobody panics with it").recv();
            solved.expect("the test lets it go on");
        }
        Ok(())
    }

    fn may_publish(&self, _: &Channel, _: &Visitor<'_>) -> Result<(), Denial> {
        Ok(())
    }
}

async fn a_worker_that_hangs_has_no_pulse(backend: Backend) {
    let (solve, solved) = sync_channel(1);
    let redis = (backend == Backend::Redis).then(|| RedisServer::start(&[]));
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let workers = |settings: &mut geocast_server::Settings| {
        settings.workers = NonZeroUsize::new(2).expect("it is not zero");
    };
    let policy = Ponderer(Mutex::new(solved));
    let server =
        TestServer::start_built(listener, redis, workers, |builder| builder.access_policy(policy)).await;
    must("both workers to live", server.pulse.beat()).await;
    let mut client = server.client().await;
    client.send("SUB riddle").await;
    let hangs = async {
        // Until the worker has come to it, it lives.
        while timeout(Duration::from_millis(300), server.pulse.beat()).await.is_ok() {}
    };
    must("one of two workers to hang", hangs).await;
    solve.send(()).expect("the policy waits for it");
    must("both workers to live again", server.pulse.beat()).await;
    client.settled().await;
}
