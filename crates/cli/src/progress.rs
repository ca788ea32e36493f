use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Waits, and after a second says for what and for how long, if somebody is there to read it.
pub(crate) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let stand = Stand::default();
    stand.is(what);
    following(&stand, work).await
}

/// Waits, and after a second says each second how things stand and for how long that has lasted in all, if somebody is there to
/// read it.
pub(crate) async fn following<T>(stand: &Stand, work: impl Future<Output = T>) -> T {
    let mut progress = Progress::new();
    let start = Instant::now();
    let mut ticks = tokio::time::interval(SECOND);
    ticks.tick().await;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => progress.say(|| format!("{}: {} s", stand.0.borrow(), start.elapsed().as_secs())),
        }
    }
}

/// What work that is waited for is at.
#[derive(Debug, Default)]
pub(crate) struct Stand(RefCell<String>);

impl Stand {
    /// From here on it is at this.
    pub(crate) fn is(&self, what: impl Into<String>) {
        self.0.replace(what.into());
    }
}

/// One line on standard error that says how far it is, if somebody is there to read it.
#[derive(Debug)]
pub(crate) struct Progress {
    /// When it was last said; none if nobody watches.
    last: Option<Instant>,
    /// Whether it was said at all, and is to be wiped away.
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { last: io::stderr().is_terminal().then(Instant::now), is_shown: false }
    }

    /// Says it, if the last time is long enough ago.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        let Some(last) = &mut self.last else { return };
        if last.elapsed() >= INTERVAL {
            *last = Instant::now();
            self.is_shown = true;
            write(&format!("\r{}\x1b[K", what()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
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
