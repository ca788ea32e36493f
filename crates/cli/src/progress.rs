use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Waits, and after a second says for what and for how long, if somebody is there to read it.
pub(crate) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut progress = Progress::new();
    let start = Instant::now();
    let mut ticks = tokio::time::interval(SECOND);
    ticks.tick().await;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => progress.say(|| format!("{what}: {} s", start.elapsed().as_secs())),
        }
    }
}

/// One line on standard error that says how far it is, if somebody is there to read it.
#[derive(Debug)]
pub(crate) struct Progress {
    /// When it was last said; none if nobody watches.
    last: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { last: io::stderr().is_terminal().then(Instant::now) }
    }

    /// Says it, if the last time is long enough ago.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        let Some(last) = &mut self.last else { return };
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            write(&format!("\r{}\x1b[K", what()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut out = io::stderr();
    // A terminal that is gone is no reason to stop measuring.
    let _gone: io::Result<()> = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

const INTERVAL: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
