use std::{
    io::{self, IsTerminal, Read},
    thread,
};

use tokio::sync::mpsc::{Receiver, channel};

/// What is typed, where somebody types.
#[derive(Debug)]
pub(super) struct Keys(Option<Receiver<u8>>);

impl Keys {
    /// A thread reads them, for as long as the process lasts: a read of a terminal cannot be taken back.
    pub(super) fn listen() -> Self {
        if !io::stdin().is_terminal() {
            return Self(None);
        }
        let (typed, keys) = channel(16);
        thread::spawn(move || {
            let bytes = io::stdin().lock().bytes();
            bytes
                .map_while(Result::ok)
                .map(|byte| typed.blocking_send(byte))
                .take_while(Result::is_ok)
                .for_each(drop);
        });
        Self(Some(keys))
    }

    /// Ends when somebody has seen enough.
    pub(super) async fn quit(&mut self) {
        if let Some(keys) = &mut self.0 {
            while let Some(key) = keys.recv().await {
                if matches!(key, b'q' | b'Q') {
                    return;
                }
            }
        }
        // Whoever types no more may still look.
        std::future::pending().await
    }
}
