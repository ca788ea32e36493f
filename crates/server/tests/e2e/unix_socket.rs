//! The server on a unix socket.

use std::{net::TcpListener, path::PathBuf};

use geocast_server::{Listener, Settings, UnixSocket};
use tokio::net::UnixStream;

use crate::{
    client::Client,
    server::TestServer,
    transports::{self, is_served, subscriber},
};

/// A server on a unix socket only.
struct Local {
    server: TestServer,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Local {
    async fn start(adjust: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("geocast.sock");
        let socket = UnixSocket::bind(&path).expect("the path is free");
        let server = TestServer::start_listening(socket, None, adjust).await;
        Self { server, path, _folder: folder }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.expect("the server listens")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_and_websockets_are_spoken_on_it() {
    let local = Local::start(|_| ()).await;
    transports::http_and_then_a_websocket(local.connect().await).await;
    transports::early_frames(async || local.connect().await).await;
    transports::large_messages_arrive_whole(&local.server, local.connect().await).await;
    transports::a_burst_arrives_in_order(&local.server, async || local.connect().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_are_treated_as_on_a_port() {
    let local = Local::start(|settings| settings.limits.outbox = 64 * 1024).await;
    transports::who_does_not_read_is_closed(&local.server, async || local.connect().await).await;
    let local = Local::start(|_| ()).await;
    transports::who_reads_late_loses_nothing(&local.server, async || local.connect().await).await;
    let local = Local::start(|settings| {
        settings.limits.outbox = 16 * 1024 * 1024;
        settings.timeouts.write = transports::STEADY_WRITE;
    })
    .await;
    transports::who_reads_slowly_but_steadily_is_kept(&local.server, async || local.connect().await).await;
}

/// Who can open the file is on this machine: all channels may be read, as on loopback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_for_this_machine_only() {
    let local = Local::start(|settings| settings.channels = None).await;
    let mut client = subscriber(local.connect().await).await;
    local.server.publish("news", "1").await;
    let (_, message) = client.next_frame().await.expect("a message");
    assert!(message.starts_with(br#"{"source":"news","content":1,"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_and_a_socket_have_the_same_channels() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("geocast.sock");
    let listeners = vec![
        Listener::unix(UnixSocket::bind(&path).expect("the path is free")),
        Listener::tcp(TcpListener::bind("127.0.0.1:0").expect("there are ports")),
    ];
    let server = TestServer::start_listening(listeners, None, |_| ()).await;
    let mut local = subscriber(UnixStream::connect(&path).await.expect("the server listens")).await;
    let mut remote = server.subscriber("news", &[]).await;
    // What proved the remote subscription has come here as well.
    server.publish("news", "\"to both\"").await;
    assert_eq!(remote.next_content().await, "to both");
    while !local
        .next_frame()
        .await
        .expect("a message")
        .1
        .starts_with(br#"{"source":"news","content":"to both""#)
    {}
    is_served(&mut local, "still").await;
    let mut late = Client::connect(server.address).await;
    late.settled().await;
    server.stop().await;
    assert_eq!(local.close_code().await, Some(1012));
    assert!(!path.exists(), "the file is gone with the server");
}
