//! Watched hashes whose notices are long on their way.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch::{Receiver, Sender, channel as gate},
};

use super::*;

/// Stands between Redis and a store.
struct Gates {
    /// Whether what Redis tells on the subscriber connection passes.
    told: Receiver<bool>,
    /// Whether readings of state pass.
    asked: Receiver<bool>,
    /// Becomes true with the first of them, whether it passes or not.
    asking: Sender<bool>,
}

impl Gates {
    async fn stand(self, listener: TcpListener, port: u16) {
        let gates = Arc::new(self);
        while let Ok((client, _)) = listener.accept().await {
            let redis = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let gates = Arc::clone(&gates);
            tokio::spawn(async move { gates.pass(client, redis).await });
        }
    }

    async fn pass(&self, mut client: TcpStream, mut redis: TcpStream) {
        let mut first = [0; 4096];
        let length = client.peek(&mut first).await.unwrap();
        let is_subscriber = first[..length].windows(b"SETNAME".len()).any(|part| part == b"SETNAME");
        let (mut from_client, mut to_client) = client.split();
        let (mut from_redis, mut to_redis) = redis.split();
        let asking = async {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                if bytes[..length].windows(b"SCAN".len()).any(|part| part == b"SCAN") {
                    self.asking.send_replace(true);
                    self.asked.clone().wait_for(|is_open| *is_open).await.unwrap();
                }
                to_redis.write_all(&bytes[..length]).await.unwrap();
            }
        };
        let telling = async {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = from_redis.read(&mut bytes).await {
                if is_subscriber {
                    self.told.clone().wait_for(|is_open| *is_open).await.unwrap();
                }
                to_client.write_all(&bytes[..length]).await.unwrap();
            }
        };
        // Who ends first ends both.
        tokio::select! {
            () = asking => {}
            () = telling => {}
        }
    }
}

/// What a hash was before it was first read is not known; that it was written since the server listens is, but may be heard of late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_before_the_first_reading_and_told_behind_it_is_pushed() {
    let redis = RedisServer::start(&["--notify-keyspace-events", "Ehgxe"]);
    redis.cli(&["HSET", "collection:5", "n", "0"]);
    let ((told, its_told), (asked, its_asked), (asking, mut is_asking)) =
        (gate(true), gate(false), gate(false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(Gates { told: its_told, asked: its_asked, asking }.stand(listener, redis.port()));
    let mut inbox = Inbox::new(&[channel("collection-5")], 1_000_000);
    let watched = Some("collection:*".parse().unwrap());
    let store = RedisStore::start_watching(settings(&url), inbox.broker(), watched, Vec::new()).unwrap();
    // It listens now, and is about to read.
    timeout(PATIENCE, is_asking.wait_for(|is_asking| *is_asking)).await.expect("it reads").unwrap();
    told.send_replace(false);
    redis.cli(&["HSET", "collection:5", "n", "1"]);
    asked.send_replace(true);
    // Longer than reading takes.
    sleep(Duration::from_millis(500)).await;
    told.send_replace(true);
    let (_, payload) = inbox.next().await;
    assert!(payload.contains(r#""n":1"#), "{payload}");
    drop(store);
}
