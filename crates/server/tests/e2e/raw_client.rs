//! A client that keeps no rules: it sends bytes.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::waiting::must;

/// A connection after a proper handshake.
pub(crate) struct RawClient<S = TcpStream> {
    pub(crate) stream: S,
}

impl RawClient {
    /// Connects to `/ws` and takes the answer to the handshake, but no frame.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_at(address, "/ws", b"").await
    }

    /// The same at another path, with something sent together with the handshake.
    pub(crate) async fn connect_at(address: SocketAddr, path: &str, early: &[u8]) -> Self {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        // Small, so that a client that does not read is soon full.
        socket.set_recv_buffer_size(4096).expect("a buffer may be small");
        Self::open_at(socket.connect(address).await.expect("the server listens"), path, early).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    /// Asks for `/ws` on a connection and takes the answer to the handshake, but no frame.
    pub(crate) async fn open(stream: S) -> Self {
        Self::open_at(stream, "/ws", b"").await
    }

    async fn open_at(mut stream: S, path: &str, early: &[u8]) -> Self {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(&[request.as_bytes(), early].concat()).await.expect("the server reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(must("the answer to a handshake", stream.read_u8()).await.expect("an answer"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the connection is open");
    }

    /// The next frame's first byte and its payload (RFC 6455 §5.2).
    pub(crate) async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        must("a frame or the end", self.read_frame()).await
    }

    /// Reads until the server closes; the code it gives, if it gives one.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while let Some((first, payload)) = self.next_frame().await {
            if first == 0x88 {
                return Some(u16::from_be_bytes([payload[0], payload[1]]));
            }
        }
        None
    }

    /// Whether the server ends the connection within that time, whatever it says before.
    pub(crate) async fn ends_within(&mut self, patience: Duration) -> bool {
        timeout(patience, async { while self.read_frame().await.is_some() {} }).await.is_ok()
    }

    async fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let length = match self.stream.read_u8().await.ok()? {
            126 => u64::from(self.stream.read_u16().await.ok()?),
            127 => self.stream.read_u64().await.ok()?,
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).expect("frames are small")];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((first, payload))
    }
}

/// A frame as clients send it, masked with zeros.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).expect("it is below 126")),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).expect("it is below 65536").to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend(u64::try_from(length).expect("it fits").to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// FIN and text.
pub(crate) const TEXT: u8 = 0x81;
