//! A terminal that a program is started on, and what it shows.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::geocast::wait_until;

/// A terminal of 100 columns and 30 lines.
pub(crate) struct Terminal {
    /// Where keys are typed.
    pub(crate) ours: File,
    pub(crate) theirs: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// One that nobody uses yet.
    pub(crate) fn open() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
        grantpt(&ours).expect("it is ours");
        unlockpt(&ours).expect("it is ours");
        let name = ptsname(&ours, Vec::new()).expect("it has a name").into_string().expect("a path");
        let theirs = OpenOptions::new().read(true).write(true).open(name).expect("it can be opened");
        tcsetwinsize(&theirs, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("it has a size");
        let (ours, shown) = (File::from(ours), Arc::<Mutex<Vec<u8>>>::default());
        let (mut reader, heard) = (ours.try_clone().expect("there are descriptors"), Arc::clone(&shown));
        thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut some) {
                heard.lock().expect("nobody panics with it").extend(&some[..read]);
            }
        });
        Self { ours, theirs, shown }
    }

    /// Starts a program that takes this for its terminal.
    pub(crate) fn start(&self, mut command: Command) -> Child {
        let theirs = || Stdio::from(self.theirs.try_clone().expect("there are descriptors"));
        command.stdin(theirs()).stdout(theirs()).stderr(theirs()).spawn().expect("the binary was built")
    }

    /// All that was shown so far.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("nobody panics with it")).into_owned()
    }

    /// What was shown last.
    pub(crate) fn last(&self) -> String {
        let shown = self.shown();
        shown.split("\u{1b}[H").last().unwrap_or_default().to_owned()
    }

    /// Waits until it has been shown.
    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(|| self.shown().contains(text), || format!("{text:?} is never shown: {:?}", self.last()));
    }
}
