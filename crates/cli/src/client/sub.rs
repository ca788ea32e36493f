use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use anyhow::bail;
use geocast_protocol::Channel;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    backoff::Backoff,
    connection::{Again, Connection, Incoming, Refused},
    envelope::Envelope,
    explanation::{self, Explanation},
    output::{self, Output},
    setup,
    standing::{self, Said},
};
use crate::{arguments::SubArguments, exit::Exit, progress::waiting};

/// `geocast sub`: what is published on channels.
pub(crate) async fn sub(arguments: SubArguments) -> anyhow::Result<Exit> {
    arguments.look.check()?;
    let timeout = arguments.timeout;
    let (mut listener, mut connection) = (Listener::new(arguments), None);
    let stopped = listener.explains.is_some().then(stopped).transpose()?;
    let outcome = {
        let listening = listener.listen(&mut connection);
        let listening = async {
            match timeout {
                Some(timeout) => tokio::time::timeout(timeout, listening).await.unwrap_or(Ok(())),
                None => listening.await,
            }
        };
        match stopped {
            Some(stopped) => tokio::select! { outcome = listening => outcome, () = stopped => Ok(()) },
            None => listening.await,
        }
    };
    if outcome.as_ref().err().is_none_or(output::is_closed) {
        listener.end(connection).await;
    }
    match outcome {
        Err(error) if output::is_closed(&error) => Ok(Exit::Success),
        Err(error) => Err(error),
        Ok(()) if listener.printed >= listener.arguments.count.map_or(1, usize::from) => Ok(Exit::Success),
        Ok(()) => {
            let Listener { printed, arguments, .. } = &listener;
            let wanted = arguments.count.map(|count| format!(" of {count}")).unwrap_or_default();
            let hint = if arguments.look.bbox.is_some() && arguments.explain.is_none() {
                "; --explain says what is published elsewhere: a box is left,bottom,right,top, longitudes before latitudes in \
                 EPSG:4326"
            } else {
                ""
            };
            eprintln!("geocast: {printed}{wanted} messages came{hint}");
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
    /// Whether, and how often, it is said what has become of events.
    explains: Option<Explains>,
    output: Output,
    printed: usize,
    /// Whether it has been said what may be wrong when nothing comes.
    wondered: bool,
}

/// The saying of what has become of events.
#[derive(Debug)]
struct Explains {
    /// After so long it is asked again; without, only at the end.
    every: Option<Duration>,
    /// When, if that is to come before the end.
    due: Option<Instant>,
    /// Answers that have not come yet.
    asked: usize,
}

impl Listener {
    fn new(arguments: SubArguments) -> Self {
        let output = Output::new(&arguments.look).tracked(arguments.track);
        let explains = arguments.explain.map(|every| Explains { every, due: None, asked: 0 });
        let commands = setup::subscription(&arguments);
        // The last question is which of the channels are delivered.
        let commands = commands.iter().map(ToString::to_string).chain([standing::question()]).collect();
        Self {
            arguments,
            commands,
            refused: BTreeSet::new(),
            reasons: 0,
            explains,
            output,
            printed: 0,
            wondered: false,
        }
    }

    /// Prints until enough has come, over as many connections as it takes.
    async fn listen(&mut self, place: &mut Option<Connection>) -> anyhow::Result<()> {
        let server = self.arguments.server.clone();
        let connecting = format!("connecting to {}", server.url);
        let opening = waiting(&connecting, Connection::open(&server, &self.commands));
        let mut connection = place.insert(opening.await?);
        self.tell();
        loop {
            self.wait_to_explain();
            let Some((again, reason)) = self.hear(connection).await? else { return Ok(()) };
            if self.arguments.no_reconnect {
                bail!("the connection ended: {reason}");
            }
            eprintln!("geocast: the connection ended: {reason}; connecting again");
            let mut backoff = Backoff::default();
            // Of a connection that is gone, nothing can be said any more.
            *place = None;
            let mut wish = match again {
                Again::After(wait) => Some(wait),
                Again::Soon | Again::Never => None,
            };
            connection = loop {
                tokio::time::sleep(wish.take().unwrap_or_else(|| backoff.wait(fastrand::f64()))).await;
                match waiting(&connecting, Connection::open(&server, &self.commands)).await {
                    Ok(connection) => break place.insert(connection),
                    Err(error) if error.downcast_ref().is_some_and(Refused::is_final) => return Err(error),
                    Err(_comes_back) => {}
                }
            };
            (self.refused, self.reasons) = (BTreeSet::new(), 0);
            eprintln!("geocast: connected again");
        }
    }

    /// Prints what comes. `None`: enough has come; otherwise why nothing comes any more.
    async fn hear(&mut self, connection: &mut Connection) -> anyhow::Result<Option<(Again, String)>> {
        loop {
            let due = self.explains.as_ref().and_then(|explains| explains.due);
            let mut next = tokio::select! {
                incoming = connection.next() => Some(incoming),
                () = sleep_until(due) => {
                    self.ask_for_explanation(connection).await?;
                    None
                }
                () = tokio::time::sleep(SUSPICIOUS), if !self.wondered => {
                    self.wonder();
                    None
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
                        Some(Said::Explains(explanation)) => self.explain(&explanation),
                        Some(Said::Nothing) => {}
                    },
                    Incoming::Sign => {}
                    Incoming::End { again: Again::Never, reason } => {
                        bail!("the server ended the connection: {reason}")
                    }
                    Incoming::End { again, reason } => {
                        self.output.flush()?;
                        return Ok(Some((again, reason)));
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
            bail!(standing::refusal(reason));
        }
        eprintln!("geocast: {}", standing::refusal(reason));
        Ok(())
    }

    /// Asks for what has become of events. Until the answer is there it is not asked again, so that a server that is silent is
    /// found to be.
    async fn ask_for_explanation(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        if let Some(explains) = &mut self.explains {
            explains.due = None;
            explains.asked += 1;
            connection.say(explanation::question()).await?;
        }
        Ok(())
    }

    /// On a connection that has just begun, or after an answer.
    fn wait_to_explain(&mut self) {
        if let Some(explains) = &mut self.explains {
            explains.asked = 0;
            explains.due = explains.every.map(|every| Instant::now() + every);
        }
    }

    fn explain(&mut self, explanation: &Explanation) {
        explanation.to_string().lines().for_each(|line| eprintln!("geocast: {line}"));
        self.wait_to_explain();
    }

    /// Says what has become of events, if that is wanted, and goodbye.
    async fn end(&mut self, connection: Option<Connection>) {
        let Some(mut connection) = connection else { return };
        if self.explains.is_some() {
            let last = tokio::time::timeout(EXPLANATION, self.hear_explanation(&mut connection));
            match waiting("waiting for what has become of events", last).await {
                Ok(Some(explanation)) => self.explain(&explanation),
                Ok(None) | Err(_) => eprintln!("geocast: the server does not say what has become of events"),
            }
        }
        connection.close().await;
    }

    /// Asks a last time and waits for the answer; what else comes is passed over. None if there will be none.
    async fn hear_explanation(&mut self, connection: &mut Connection) -> Option<Explanation> {
        self.ask_for_explanation(connection).await.ok()?;
        let mut left = self.explains.as_ref().map_or(0, |explains| explains.asked);
        while left > 0 {
            match connection.next().await {
                Incoming::Frame(frame) => {
                    if let Some(Said::Explains(explanation)) = standing::read(&frame) {
                        left -= 1;
                        if left == 0 {
                            return Some(explanation);
                        }
                    }
                }
                Incoming::Sign => {}
                Incoming::End { .. } => return None,
            }
        }
        None
    }

    fn frame(&mut self, frame: &str) -> anyhow::Result<()> {
        for envelope in Envelope::read(frame)? {
            if let Some(error) = envelope.error() {
                // A store comes back by itself. Everything else says that we will not get what was asked for.
                if !error.code.starts_with("store_") {
                    bail!("the server answers: {} ({})", error.message, error.code);
                }
                eprintln!("geocast: the server says: {} ({})", error.message, error.code);
            } else if let Some(channel) = envelope.gap() {
                // In the order of what is printed.
                self.output.flush()?;
                eprintln!("geocast: messages of {channel} may have been missed here");
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

/// Waits until then, or for ever.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Ends when somebody wants this to end. From here on the signals for that do not end the process.
fn stopped() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// After so long without a message, somebody who waits may want to know why.
const SUSPICIOUS: Duration = Duration::from_secs(10);

/// How long the last explanation is waited for.
const EXPLANATION: Duration = Duration::from_secs(5);
