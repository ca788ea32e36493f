use std::io::{self, IsTerminal, Write};

use rustix::{
    stdio,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};

/// A terminal whose picture is drawn anew each time. What was on it before comes back in the end.
#[derive(Debug)]
pub(super) struct Screen {
    /// How its keys were read before, if anybody types there.
    modes: Option<Termios>,
}

impl Screen {
    /// Shows an empty picture, without a cursor, and has keys be read one by one without being shown.
    pub(super) fn open() -> io::Result<Self> {
        let mut modes = None;
        if io::stdin().is_terminal() {
            let before = tcgetattr(stdio::stdin())?;
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(stdio::stdin(), OptionalActions::Now, &quiet)?;
            modes = Some(before);
        }
        let screen = Self { modes };
        let mut out = io::stdout().lock();
        out.write_all(b"\x1b[?1049h\x1b[?25l")?;
        out.flush()?;
        Ok(screen)
    }

    /// Draws the lines that are made for so many lines and columns.
    pub(super) fn draw(&mut self, make: impl FnOnce(usize, usize) -> Vec<String>) -> io::Result<()> {
        let size = tcgetwinsize(stdio::stdout());
        let (rows, columns) = size.map_or((0, 0), |size| (size.ws_row.into(), size.ws_col.into()));
        // Some terminals do not know.
        let rows = if rows == 0 { 24 } else { rows };
        let columns = if columns == 0 { 80 } else { columns };
        // Over what is there, line by line: a picture that is erased first flickers.
        let mut picture = String::from("\x1b[H");
        for (place, line) in make(rows, columns).iter().take(rows).enumerate() {
            if place > 0 {
                picture.push('\n');
            }
            picture.push_str(line);
            picture.push_str("\x1b[K");
        }
        picture.push_str("\x1b[J");
        let mut out = io::stdout().lock();
        out.write_all(picture.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        // A terminal that is gone needs nothing back.
        let _gone: io::Result<()> = out.write_all(b"\x1b[?25h\x1b[?1049l").and_then(|()| out.flush());
        if let Some(modes) = &self.modes {
            let _gone: rustix::io::Result<()> = tcsetattr(stdio::stdin(), OptionalActions::Now, modes);
        }
    }
}
