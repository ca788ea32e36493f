use std::io::{self, Write};

/// Keeps each event that is logged on a line of its own: control characters in it, which strangers may have sent, are written as
/// escapes. Each write has to be one event, as those of `tracing_subscriber` are.
#[derive(Debug)]
pub(crate) struct OneLine<W> {
    out: W,
    colours: Colours,
}

/// Whether lines are coloured, for which there has to be ESC in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    /// ESC passes; `tracing_subscriber` lets none through that stood in what is logged.
    Some,
    None,
}

impl<W: Write> OneLine<W> {
    pub(crate) fn new(out: W, colours: Colours) -> Self {
        Self { out, colours }
    }

    fn is_raw(&self, character: char) -> bool {
        character.is_control() && !(character == '\u{1b}' && self.colours == Colours::Some)
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let body = text.strip_suffix('\n').unwrap_or(&text);
        if !body.contains(|character| self.is_raw(character)) {
            self.out.write_all(event)?;
            return Ok(event.len());
        }
        let mut line = String::with_capacity(event.len() + 16);
        for character in body.chars() {
            if self.is_raw(character) {
                line.extend(character.escape_default());
            } else {
                line.push(character);
            }
        }
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(colours: Colours, event: &str, expected: &str) {
        let mut out = Vec::new();
        OneLine::new(&mut out, colours).write_all(event.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_event_is_a_line() {
        check(Colours::None, "all is well\n", "all is well\n");
        check(
            Colours::None,
            "a\nforged\r\tb\u{1b}[31m\u{7f}\u{9b}\n",
            "a\\nforged\\r\\tb\\u{1b}[31m\\u{7f}\\u{9b}\n",
        );
        check(Colours::Some, "\u{1b}[31ma\u{1b}[0m\nb\n", "\u{1b}[31ma\u{1b}[0m\\nb\n");
        check(Colours::None, "Zürich\n", "Zürich\n");
    }
}
