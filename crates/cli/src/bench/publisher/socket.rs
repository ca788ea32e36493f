use std::{
    io::{Read, Write},
    net::TcpStream,
};

use anyhow::ensure;

use super::{Publication, Refusal, Wire};
use crate::bench::{
    engine::{TEXT, request, write_masked},
    target::Target,
};

/// Text frames on a WebSocket of its own, for servers that pass on what a client says. There are no answers.
#[derive(Debug)]
pub(super) struct Socket;

impl Socket {
    pub(super) fn open(stream: &mut TcpStream, target: &Target) -> anyhow::Result<Self> {
        stream.write_all(&request(target))?;
        // Byte by byte, because what comes after the response is not ours to take.
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            response.extend(byte);
            ensure!(response.len() < LONGEST, "{} does not end its handshake", target.url());
        }
        ensure!(
            response.starts_with(b"HTTP/1.1 101"),
            "{} is no WebSocket: {}",
            target.url(),
            String::from_utf8_lossy(&response).lines().next().unwrap_or_default()
        );
        Ok(Self)
    }
}

impl Wire for Socket {
    fn encode(&self, batch: &[Publication], out: &mut Vec<u8>) -> u64 {
        for Publication { payload, .. } in batch {
            write_masked(TEXT, payload, out);
        }
        // What clients say is not answered.
        0
    }

    fn answers(&self, input: &[u8]) -> Result<(usize, u64), Refusal> {
        Ok((input.len(), 0))
    }
}

const LONGEST: usize = 16 << 10;
