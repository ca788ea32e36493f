use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

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
