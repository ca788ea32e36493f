use std::{
    io::{self, Write},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// Writes lines to standard output. It never waits: a reader of the output that is slow loses lines, which is noted among
/// them, and holds up nobody.
pub(super) fn print(text: String) {
    if PRINTER.try_send(text).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

fn start() -> SyncSender<String> {
    let (sender, lines) = sync_channel(LINES);
    // Without a thread nothing is printed, which is what `print` then counts.
    let _thread: io::Result<thread::JoinHandle<()>> =
        thread::Builder::new().name("printer".to_owned()).spawn(move || write(&lines, io::stdout()));
    sender
}

fn write(lines: &Receiver<String>, mut output: impl Write) {
    for line in lines {
        let lost = match LOST.swap(0, Ordering::Relaxed) {
            0 => String::new(),
            lost => format!("--LOST--\n{lost}\n"),
        };
        // Whoever closed the output does not want to read on.
        let _closed: io::Result<()> =
            output.write_all(format!("{lost}{line}\n").as_bytes()).and_then(|()| output.flush());
    }
}

/// There is one standard output in a process, and so there is one of these.
static PRINTER: LazyLock<SyncSender<String>> = LazyLock::new(start);
static LOST: AtomicU64 = AtomicU64::new(0);

/// Texts that may wait; each is at most as long as what a filter may want sent.
const LINES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_in_order() {
        let (sender, lines) = sync_channel(2);
        sender.send("a\nb".to_owned()).unwrap();
        sender.send("c".to_owned()).unwrap();
        drop(sender);
        let mut output = Vec::new();
        write(&lines, &mut output);
        assert_eq!(output, b"a\nb\nc\n");
    }
}
