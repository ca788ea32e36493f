use std::{
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{sleep, timeout};

/// Whoever started this process and wants to know how it is: systemd, by sd_notify(3), if it said where.
#[derive(Debug)]
pub(crate) struct Supervisor {
    socket: Option<UnixDatagram>,
    /// How long it waits for a sign of life.
    patience: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names, or nobody.
    pub(crate) fn of_environment() -> Self {
        let named = std::env::var_os("NOTIFY_SOCKET");
        let socket = named.and_then(|name| {
            connect(&name).inspect_err(|error| tracing::warn!(event = "supervisor_unusable", %error, "NOTIFY_SOCKET cannot be used")).ok()
        });
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        // It may have been meant for the process that started this one.
        let is_ours = number("WATCHDOG_PID").is_none_or(|process| process == u64::from(std::process::id()));
        let patience = number("WATCHDOG_USEC").filter(|patience| is_ours && *patience > 0);
        Self { socket, patience: patience.map(Duration::from_micros) }
    }

    /// Clients are served.
    pub(crate) fn ready(&self) {
        self.say("READY=1");
    }

    /// What can be read again is being read; [`ready`](Self::ready) says that it has been.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000));
    }

    /// The server stops in order.
    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that the server lives, for as long as each of its workers goes through its loop: until `beat` hangs.
    pub(crate) async fn watch(&self, beat: impl AsyncFn()) {
        let Some(patience) = self.patience else { return std::future::pending().await };
        loop {
            // Half of what is allowed, as sd_watchdog_enabled(3) asks for, for the pause and for the answer together.
            sleep(patience / 4).await;
            match timeout(patience / 4, beat()).await {
                Ok(()) => self.say("WATCHDOG=1"),
                Err(_elapsed) => tracing::error!(
                    event = "worker_hangs",
                    "a worker hangs: the watchdog is not told that all is well"
                ),
            }
        }
    }

    fn say(&self, state: &str) {
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(state.as_bytes())) {
            tracing::warn!(event = "supervisor_untold", %error, state, "the service manager could not be told");
        }
    }
}

/// A path, or a name behind `@` in the abstract name space.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    // Nobody waits for a service manager that does not read.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(400);

    /// What is said while a server is watched for so long, of which only so many beats come in time.
    async fn said(beats: usize, watched: Duration) -> (Vec<String>, usize) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let supervisor = Supervisor { socket: Some(ours), patience: Some(PATIENCE) };
        let asked = Cell::new(0);
        let beat = async || {
            asked.set(asked.get() + 1);
            if asked.get() > beats {
                pending::<()>().await;
            }
        };
        let _over = timeout(watched, supervisor.watch(beat)).await;
        let mut message = [0; 256];
        let next = || {
            theirs
                .recv(&mut message)
                .ok()
                .map(|length| String::from_utf8_lossy(&message[..length]).into_owned())
        };
        (std::iter::from_fn(next).collect(), asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_once_a_worker_hangs() {
        for beats in [0, 1, 3] {
            let (said, asked) = said(beats, PATIENCE * 10).await;
            assert_eq!(said, vec!["WATCHDOG=1"; beats]);
            // The worker may come to itself again.
            assert!(asked > beats + 10, "asked {asked} times");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_said_at_least_twice_as_often_as_it_has_to_be() {
        // Not longer: nobody reads, and few datagrams may wait.
        let (said, _) = said(usize::MAX, PATIENCE * 2).await;
        assert!(said.len() >= 4 && said.iter().all(|said| said == "WATCHDOG=1"), "{said:?}");
    }
}
