//! The least that a server can do: it takes clients, and writes ready frames to all of them.

use std::{
    io::{self, BufReader, IoSlice, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use geocast_protocol::{
    Channel,
    envelope::{ClientReference, Content, Envelope, Source, Timestamp},
};
use socket2::{Domain, Socket, Type};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    arguments::{BareArguments, Writing},
    engine,
    publisher::{ACKNOWLEDGEMENT, read_batch},
    server::LISTENS,
};
use crate::exit::Exit;

/// `geocast bench bare`: serves one publisher, until that one is gone.
pub(super) fn bare(arguments: &BareArguments) -> anyhow::Result<Exit> {
    let connections = arguments.connections.get();
    engine::raise_descriptors(connections)?;
    let listener = listen()?;
    eprintln!("bare loop{LISTENS}{}", listener.local_addr()?);
    let (mut control, _) = listener.accept()?;
    control.set_nodelay(true)?;
    let mut publisher = BufReader::with_capacity(BUFFER, control.try_clone()?);
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(welcome(listener.accept()?.0)?);
    }
    let channel: Channel = CHANNEL.parse()?;
    while let Some(batch) = read_batch(&mut publisher)? {
        let frames: Vec<Vec<u8>> = batch.iter().map(|payload| frame(&channel, payload)).collect();
        match arguments.with {
            Writing::Write => frames.iter().try_for_each(|frame| to_all(&mut clients, frame)),
            Writing::Joined => to_all(&mut clients, &frames.concat()),
            Writing::Writev => clients.iter_mut().try_for_each(|client| write_vectored(client, &frames)),
        }
        .context("a client is gone")?;
        control.write_all(&vec![ACKNOWLEDGEMENT; batch.len()])?;
    }
    Ok(Exit::Success)
}

fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The handshake (RFC 6455 §4.2).
fn welcome(mut client: TcpStream) -> anyhow::Result<TcpStream> {
    client.set_nodelay(true)?;
    let mut request = Vec::new();
    let accept = loop {
        let mut part = [0; 1024];
        let read = client.read(&mut part)?;
        request.extend_from_slice(&part[..read]);
        if read == 0 || request.len() > BUFFER {
            bail!("a client did not ask for a WebSocket");
        }
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Request::new(&mut headers);
        if parsed.parse(&request)?.is_partial() {
            continue;
        }
        let key = headers.iter().find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key"));
        break derive_accept_key(key.context("a client did not ask for a WebSocket")?.value);
    };
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    client.write_all(response.as_bytes())?;
    Ok(client)
}

/// The frame with the envelope that geocast would send, so that the bytes to write are as many.
fn frame(channel: &Channel, payload: &[u8]) -> Vec<u8> {
    let envelope = Envelope {
        source: Source::Channel(channel),
        content: Content::Json(payload),
        timestamp: Timestamp::since_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        client_reference: ClientReference::Null,
    }
    .to_vec();
    let mut frame = vec![0x81];
    match envelope.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend(envelope);
    frame
}

fn to_all(clients: &mut [TcpStream], bytes: &[u8]) -> io::Result<()> {
    clients.iter_mut().try_for_each(|client| client.write_all(bytes))
}

fn write_vectored(client: &mut TcpStream, frames: &[Vec<u8>]) -> io::Result<()> {
    // What one call takes at most (IOV_MAX).
    for frames in frames.chunks(1024) {
        let mut parts: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let mut parts = parts.as_mut_slice();
        while !parts.is_empty() {
            match client.write_vectored(parts) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut parts, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The default of `--channel`, so that envelopes are as long.
const CHANNEL: &str = "bench";
const BUFFER: usize = 64 << 10;
const BACKLOG: i32 = 4096;
