use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::bail;
use geocast_protocol::Channel;

use super::{
    backoff::Backoff,
    connection::{Connection, Incoming},
    envelope::Envelope,
    output::{self, Output},
    setup,
    standing::{self, Said},
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
    commands: Vec<String>,
    /// Channels that the server refuses, on the present connection.
    refused: BTreeSet<Channel>,
    /// Reasons for that which have been asked for and have not come yet.
    reasons: usize,
    output: Output,
    printed: usize,
    /// Whether it has been said what may be wrong when nothing comes.
    wondered: bool,
}

impl Listener {
    fn new(arguments: SubArguments) -> Self {
        let output = Output::new(&arguments.look);
        let commands = setup::subscription(&arguments);
        // The last question is which of the channels are delivered.
        let commands = commands.iter().map(ToString::to_string).chain([standing::question()]).collect();
        Self {
            arguments,
            commands,
            refused: BTreeSet::new(),
            reasons: 0,
            output,
            printed: 0,
            wondered: false,
        }
    }

    /// Prints until enough has come, over as many connections as it takes.
    async fn listen(&mut self) -> anyhow::Result<()> {
        let server = self.arguments.server.clone();
        let mut connection = Connection::open(&server, &self.commands).await?;
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
                if let Ok(connection) = Connection::open(&server, &self.commands).await {
                    break connection;
                }
            };
            (self.refused, self.reasons) = (BTreeSet::new(), 0);
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
                    Incoming::Frame(frame) => match standing::read(&frame) {
                        None => self.frame(&frame)?,
                        Some(Said::Delivers(delivered)) => {
                            self.look_for_refusals(connection, &delivered).await?
                        }
                        Some(Said::Refuses(reason)) => self.refusal(&reason)?,
                        Some(Said::Nothing) => {}
                    },
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

    /// Asks why what was subscribed to is not delivered.
    async fn look_for_refusals(
        &mut self,
        connection: &mut Connection,
        delivered: &BTreeSet<String>,
    ) -> anyhow::Result<()> {
        for channel in self.arguments.channels.iter().filter(|channel| !delivered.contains(channel.as_str()))
        {
            if self.refused.insert(channel.clone()) {
                self.reasons += 1;
                connection.say(standing::reason(channel)).await?;
            }
        }
        Ok(())
    }

    /// Goes on as long as anything may come.
    fn refusal(&mut self, reason: &str) -> anyhow::Result<()> {
        self.reasons = self.reasons.saturating_sub(1);
        let all = self.arguments.channels.iter().all(|channel| self.refused.contains(channel));
        if all && self.reasons == 0 {
            bail!("the server refuses: {reason}{ADVICE}");
        }
        eprintln!("geocast: the server refuses: {reason}{ADVICE}");
        Ok(())
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
            eprintln!("geocast: nothing yet: nobody publishes{place}");
        }
    }
}

/// What lets a channel be read.
const ADVICE: &str =
    " (its operator allows channels with --channels, or with a token in --url: ?token=TOKEN)";

/// After so long without a message, somebody who waits may want to know why.
const SUSPICIOUS: Duration = Duration::from_secs(10);
