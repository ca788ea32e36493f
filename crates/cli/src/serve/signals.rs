use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT and SIGHUP, from the moment on at which this was made.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Whether somebody sat there at the start.
    had_terminal: bool,
}

/// What a signal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// To stop, in order if it is the first one. With the signal's name.
    Stop(&'static str),
    /// To read again what can be read again.
    Reload,
    /// The terminal that the server was started on is gone.
    Abandoned,
}

impl Signals {
    /// From here on these signals do not end the process.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            had_terminal: io::stderr().is_terminal(),
        })
    }

    /// Waits for one.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Order::Stop("SIGINT"),
            // A terminal that was closed is none any more.
            _ = self.hang_up.recv() => {
                if self.had_terminal && !io::stderr().is_terminal() { Order::Abandoned } else { Order::Reload }
            }
        }
    }
}
