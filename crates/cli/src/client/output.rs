use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use super::{
    change,
    envelope::Envelope,
    pretty::{Colour, pretty},
};
use crate::{arguments::Look, colour};

/// Standard output: one JSON value per line for programs, indented and coloured for people.
#[derive(Debug)]
pub(super) struct Output {
    out: BufWriter<Stdout>,
    form: Form,
    envelope: bool,
    /// Whether changes of keys come.
    is_tracked: bool,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Lines,
    Pretty(Colour),
}

impl Output {
    pub(super) fn new(look: &Look) -> Self {
        let out = io::stdout();
        let form = match (out.is_terminal(), colour::is_wanted(&out)) {
            (false, _) => Form::Lines,
            (true, false) => Form::Pretty(Colour::Off),
            (true, true) => Form::Pretty(Colour::On),
        };
        Self { out: BufWriter::new(out), form, envelope: look.envelope, is_tracked: false }
    }

    /// The same for changes of keys.
    pub(super) fn tracked(self, is_tracked: bool) -> Self {
        Self { is_tracked, ..self }
    }

    /// Prints the content, or all of the envelope.
    pub(super) fn print(&mut self, envelope: &Envelope<'_>) -> io::Result<()> {
        let text = if self.envelope { envelope.text } else { envelope.content };
        match self.form {
            Form::Lines => self.out.write_all(&line(text)),
            Form::Pretty(colour) => {
                let change = (self.is_tracked && !self.envelope).then(|| change::heading(text, colour));
                self.out.write_all(change.flatten().unwrap_or_else(|| pretty(text, colour)).as_bytes())
            }
        }
    }

    /// Hands over what was printed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The bytes as they came, in one line. In JSON a line break is never part of a value.
fn line(json: &str) -> Vec<u8> {
    let mut line: Vec<u8> = json.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    line.push(b'\n');
    line
}

/// Whether what was printed is read no more: the usual end of `geocast sub … | head`.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_value_is_one_line_and_otherwise_as_it_came() {
        assert_eq!(line("{\r\n  \"n\": 7.10,\n\"s\":\"\\n\"}"), b"{  \"n\": 7.10,\"s\":\"\\n\"}\n");
    }
}
