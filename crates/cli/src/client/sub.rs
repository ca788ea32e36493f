use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::bail;
use geocast_protocol::text::Command;

use super::{
    backoff::Backoff,
    connection::{Connection, Incoming},
    envelope::Envelope,
    output::{self, Output},
    setup,
};
use crate::{arguments::SubArguments, exit::Exit};

/// `geocast sub`: what is published on channels.
pub(crate) async fn sub(arguments: SubArguments) -> anyhow::Result<Exit> {
    let timeout = arguments.timeout;
    let mut listener = Listener::new(arguments);
    let outcome = match timeout {
        Some(timeout) => tokio::time::timeout(timeout, listener.listen()).await.unwrap_or(Ok(())),
        None => listener.listen().await,
    };
    match outcome {
        Err(error) if output::is_closed(&error) => Ok(Exit::Success),
        Err(error) => Err(error),
        Ok(()) if listener.printed >= listener.arguments.count.map_or(1, usize::from) => Ok(Exit::Success),
        Ok(()) => {
            let Listener { printed, arguments, .. } = &listener;
            let wanted = arguments.count.map(|count| format!(" of {count}")).unwrap_or_default();
            eprintln!("geocast: {printed}{wanted} messages came");
            Ok(Exit::Incomplete)
        }
    }
}

#[derive(Debug)]
struct Listener {
    arguments: SubArguments,
    commands: Vec<Command>,
    output: Output,
    printed: usize,
    /// Whether it has been said what may be wrong when nothing comes.
    wondered: bool,
}

impl Listener {
    fn new(arguments: SubArguments) -> Self {
        let (commands, output) = (setup::subscription(&arguments), Output::new(&arguments.look));
        Self { arguments, commands, output, printed: 0, wondered: false }
    }

    /// Prints until enough has come, over as many connections as it takes.
    async fn listen(&mut self) -> anyhow::Result<()> {
        let url = self.arguments.server.url.clone();
        let mut connection = Connection::open(&url, &self.commands).await?;
        self.tell();
        loop {
            let Some(reason) = self.hear(&mut connection).await? else {
                connection.close().await;
                return Ok(());
            };
            if self.arguments.no_reconnect {
                bail!("the connection ended: {reason}");
            }
            eprintln!("geocast: the connection ended: {reason}; connecting again");
            let mut backoff = Backoff::default();
            connection = loop {
                tokio::time::sleep(backoff.wait(fastrand::f64())).await;
                if let Ok(connection) = Connection::open(&url, &self.commands).await {
                    break connection;
                }
            };
            eprintln!("geocast: connected again");
        }
    }

    /// Prints what comes. `None`: enough has come; otherwise why nothing comes any more.
    async fn hear(&mut self, connection: &mut Connection) -> anyhow::Result<Option<String>> {
        loop {
            let mut next = match tokio::time::timeout(SUSPICIOUS, connection.next()).await {
                Ok(incoming) => Some(incoming),
                Err(_) => {
                    self.wonder();
                    Some(connection.next().await)
                }
            };
            while let Some(incoming) = next {
                match incoming {
                    Incoming::Frame(frame) => self.frame(&frame)?,
                    Incoming::Sign => {}
                    Incoming::End { again: true, reason } => {
                        self.output.flush()?;
                        return Ok(Some(reason));
                    }
                    Incoming::End { again: false, reason } => {
                        bail!("the server ended the connection: {reason}")
                    }
                }
                if self.arguments.count.is_some_and(|count| self.printed >= count.get()) {
                    self.output.flush()?;
                    return Ok(None);
                }
                next = connection.ready();
            }
            self.output.flush()?;
        }
    }

    fn frame(&mut self, frame: &str) -> anyhow::Result<()> {
        for envelope in Envelope::read(frame)? {
            if let Some(error) = envelope.error() {
                // A store comes back by itself. Everything else says that we will not get what was asked for.
                if !error.code.starts_with("store_") {
                    bail!("the server answers: {} ({})", error.message, error.code);
                }
                eprintln!("geocast: the server says: {} ({})", error.message, error.code);
            } else if self.arguments.channels.iter().any(|channel| channel.as_str() == envelope.source)
                && self.arguments.count.is_none_or(|count| self.printed < count.get())
            {
                self.output.print(&envelope)?;
                self.printed += 1;
            }
        }
        Ok(())
    }

    /// Says what is waited for, if somebody looks on.
    fn tell(&self) {
        if !io::stderr().is_terminal() {
            return;
        }
        let SubArguments { channels, look, server, .. } = &self.arguments;
        let channels = channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let place = look.bbox.map(|bbox| format!(" in {bbox} ({})", look.bbox_crs)).unwrap_or_default();
        eprintln!("geocast: waiting for {channels}{place} from {}; Ctrl-C ends", server.url);
    }

    /// Says what may be wrong when nothing comes, if somebody looks on.
    fn wonder(&mut self) {
        let first = !std::mem::replace(&mut self.wondered, true);
        if first && self.printed == 0 && io::stderr().is_terminal() {
            let place = if self.arguments.look.bbox.is_some() { " in this box" } else { "" };
            eprintln!(
                "geocast: nothing yet: nobody publishes{place}, or the server does not allow the channel (its --channels)"
            );
        }
    }
}

/// After so long without a message, somebody who waits may want to know why.
const SUSPICIOUS: Duration = Duration::from_secs(10);
