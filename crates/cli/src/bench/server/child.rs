use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};

use super::affinity::on_core;

/// A server that was started to be measured. It ends with this value, and with this process whatever ends that.
#[derive(Debug)]
pub(in crate::bench) struct ChildServer {
    child: Child,
    address: SocketAddr,
}

impl ChildServer {
    /// Starts this program anew with these arguments, which make it listen and say so.
    pub(in crate::bench) fn start(arguments: &[String], core: Option<usize>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot find itself")?;
        let mut command = Command::new(program);
        command
            .args(["bench", "tethered", "--"])
            .args(arguments)
            // The line that says where it listens is read as people read it.
            .env("GEOCAST_LOG_FORMAT", "human")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let child = on_core(core, move || command.spawn().context("the server cannot be started"))?;
        // From here on it is ended whatever happens.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        server.address = server.read_address()?;
        Ok(server)
    }

    pub(in crate::bench) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(in crate::bench) fn process(&self) -> u32 {
        self.child.id()
    }

    /// From the line that says where it listens. Later lines are passed on, because they are about failures.
    fn read_address(&mut self) -> anyhow::Result<SocketAddr> {
        let output = self.child.stderr.take().context("the server has no standard error")?;
        let mut lines = BufReader::new(output).lines();
        let mut said = Vec::new();
        let address = loop {
            let Some(line) = lines.next() else { bail!("the server did not start: {}", said.join("\n")) };
            let line = line?;
            if let Some((_, address)) = line.split_once(LISTENS) {
                break address.trim().parse().with_context(|| format!("the server listens on {address}"))?;
            }
            said.push(line);
        };
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| !line.starts_with("  ")) {
                eprintln!("server: {line}");
            }
        });
        Ok(address)
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // Its clients are going to be gone as well, and nobody waits for them to be told so.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait().map(drop)) {
            eprintln!("geocast: the server {} may still run: {error}", self.child.id());
        }
    }
}

/// What stands before the address in the first line that a server says.
pub(in crate::bench) const LISTENS: &str = " listens on ";
