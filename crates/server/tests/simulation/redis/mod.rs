//! A small Redis for the simulated network: the commands that the store uses, and faults.

mod data;
mod resp;

use std::{
    cell::{Cell, RefCell},
    net::Ipv4Addr,
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    task::{AbortHandle, spawn_local},
    time::sleep,
};
use turmoil::net::{TcpListener, TcpStream, tcp::OwnedWriteHalf};

pub(crate) use data::{Data, Planted};

use self::data::Outgoing;
use crate::world::{Phase, Shared};

/// A Redis, as its host and those who harm it know it.
#[derive(Clone)]
pub(crate) struct Redis {
    pub(crate) data: Rc<RefCell<Data>>,
    is_stopped: Rc<Cell<bool>>,
    goes_on: Rc<Notify>,
}

impl Redis {
    pub(crate) fn new(world: &Shared) -> Self {
        Self {
            data: Rc::new(RefCell::new(Data::new(Rc::clone(world)))),
            is_stopped: Rc::default(),
            goes_on: Rc::default(),
        }
    }

    /// Serves, and lets somebody write who is no client of geocast.
    pub(crate) async fn serve(self, world: Shared) -> turmoil::Result {
        self.data.borrow_mut().end();
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
        spawn_local(self.clone().write(world));
        loop {
            let (stream, _) = listener.accept().await?;
            spawn_local(self.clone().converse(stream));
        }
    }

    /// Stops it (SIGSTOP), or lets it go on: its kernel takes connections and bytes meanwhile.
    pub(crate) fn stop(&self, is_stopped: bool) {
        self.is_stopped.set(is_stopped);
        self.goes_on.notify_waiters();
    }

    /// Waits until it is not stopped.
    async fn runs(&self) {
        while self.is_stopped.get() {
            self.goes_on.notified().await;
            // Whatever has come meanwhile is taken up in no order.
            sleep(Duration::from_millis(fastrand::u64(..5))).await;
        }
    }

    async fn converse(self, stream: TcpStream) {
        let (mut reader, writer) = stream.into_split();
        let outgoing = Rc::new(Outgoing::default());
        let connection = self.data.borrow_mut().connect(&outgoing);
        let reading = {
            let (redis, outgoing) = (self.clone(), Rc::clone(&outgoing));
            spawn_local(async move {
                let mut read = Vec::new();
                while reader.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {
                    redis.runs().await;
                    while let Some(command) = resp::take_command(&mut read) {
                        // What was sent together may arrive in parts, and others have their turn in between.
                        if fastrand::u8(..3) == 0 {
                            sleep(Duration::from_millis(fastrand::u64(..40))).await;
                            redis.runs().await;
                        }
                        let replies = redis.data.borrow_mut().execute(connection, &command);
                        replies.iter().for_each(|reply| outgoing.push(reply));
                    }
                }
                outgoing.cut();
            })
        };
        let _ended = Ended(reading.abort_handle());
        write(writer, &outgoing).await;
        self.data.borrow_mut().disconnect(connection);
    }

    /// Writes what is to be tracked and publishes messages, in no order.
    async fn write(self, world: Shared) {
        loop {
            sleep(Duration::from_millis(fastrand::u64(1..150))).await;
            self.runs().await;
            if world.borrow().phase >= Phase::Quiet {
                continue;
            }
            for _ in 0..fastrand::usize(1..4) {
                let mut data = self.data.borrow_mut();
                let first = if world.borrow().changes() { 0 } else { 5 };
                match fastrand::u8(first..10) {
                    0 => data.remove(TRACKED[fastrand::usize(..2)], &any_key()),
                    1..5 => {
                        let key = any_key();
                        let feature = feature(&key, world.borrow_mut().number());
                        data.put(TRACKED[fastrand::usize(..2)], &key, feature.as_bytes());
                    }
                    _ => {
                        let message = message(world.borrow_mut().number());
                        data.publish(MESSAGES[fastrand::usize(..2)], message.as_bytes());
                    }
                }
            }
        }
    }
}

/// What ends with its connection.
struct Ended(AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn write(mut writer: OwnedWriteHalf, outgoing: &Outgoing) {
    while !outgoing.is_cut.get() {
        if outgoing.bytes.borrow().is_empty() {
            outgoing.changed.notified().await;
            continue;
        }
        // What is written together is read together.
        let lags = outgoing.lags.get();
        if !lags && fastrand::bool() {
            sleep(Duration::from_millis(fastrand::u64(..20))).await;
        }
        let bytes = std::mem::take(&mut *outgoing.bytes.borrow_mut());
        // What is said meanwhile is later still.
        if lags {
            sleep(Duration::from_millis(fastrand::u64(..LAG))).await;
        }
        // Whoever is cut off gets nothing of what waits.
        let written = async { writer.write_all(&bytes).await };
        let cut = async {
            while !outgoing.is_cut.get() {
                outgoing.changed.notified().await;
            }
        };
        tokio::select! {
            biased;
            written = written => if written.is_err() { return },
            () = cut => return,
        }
    }
}

/// One of all keys, and often the same: what changes twice at once can be mixed up.
pub(crate) fn any_key() -> String {
    key(fastrand::usize(..if fastrand::bool() { 2 } else { KEYS }))
}

/// The name of a key.
pub(crate) fn key(slot: usize) -> String {
    format!("k{slot}")
}

/// A message that is no feature.
pub(crate) fn message(number: u64) -> String {
    format!(r#"{{"n":{number},"fill":"{}"}}"#, "x".repeat(fastrand::usize(..400)))
}

/// A feature somewhere.
pub(crate) fn feature(key: &str, number: u64) -> String {
    let (x, y) = (fastrand::u8(..100), fastrand::u8(..60));
    format!(
        r#"{{"type":"Feature","id":"{key}","geometry":{{"type":"Point","coordinates":[{x},{y}]}},"properties":{{"n":{number}}}}}"#
    )
}

/// How many keys there are.
pub(crate) const KEYS: usize = 30;
/// Milliseconds at most that what is said together to a subscriber who lags is on its way.
const LAG: u64 = 600;
/// Channels without state.
pub(crate) const MESSAGES: [&str; 2] = ["m0", "m1"];
/// A channel of each client, on which nothing is ever published.
pub(crate) const SILENT: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];
/// Channels with state.
pub(crate) const TRACKED: [&str; 2] = ["t0", "t1"];

pub(crate) const PORT: u16 = 6379;
