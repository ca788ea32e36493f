use std::io::{self, Write};

use crate::exit::Exit;

/// What is found, said when it is.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// For what a server would not start.
    refused: Vec<&'static str>,
    /// Whether it would start and be of no use.
    idle: bool,
}

impl Findings {
    /// As it should be.
    pub(super) fn good(&self, topic: &str, finding: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{topic:<14}{finding}")
    }

    /// A server would start with it, and serve nobody, or not all of what it is to serve.
    pub(super) fn useless(&mut self, topic: &str, finding: &str) -> io::Result<()> {
        self.idle = true;
        self.good(topic, finding)
    }

    /// A server would not start.
    pub(super) fn refused(&mut self, topic: &'static str, finding: &str) -> io::Result<()> {
        if !self.refused.contains(&topic) {
            self.refused.push(topic);
        }
        self.good(topic, finding)
    }

    /// What it comes to.
    pub(super) fn end(self) -> io::Result<Exit> {
        if !self.refused.is_empty() {
            self.good("serve", &format!("would not start now: {}", self.refused.join(", ")))?;
            return Ok(Exit::Failure);
        }
        Ok(if self.idle { Exit::Failure } else { Exit::Success })
    }
}
