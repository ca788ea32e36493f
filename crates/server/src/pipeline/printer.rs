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

/// Without characters that would do something to a terminal, or show what follows in another order.
pub(super) fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let harmless = |c: char| !(c.is_control() || turns(c)) || matches!(c, '\n' | '\t');
    text.chars().map(|c| if harmless(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
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

    #[test]
    fn a_terminal_is_left_alone() {
        let harmless = "a\tb\né 🚂";
        assert_eq!(printable(harmless), harmless);
        assert_eq!(printable("\x1b[31m\r\u{9b}2J\x07\u{202e}x\u{2028}"), "�[31m��2J��x�");
    }
}
