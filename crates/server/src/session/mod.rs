//! One client's conversation, without sockets: commands go in, [`Effect`]s come out, and time is an argument.

mod command;
mod effect;
mod rate;
mod view;

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use geocast_geo_filter::{Catalogue, KnownCrs};
use geocast_protocol::{Channel, text};

pub(crate) use effect::{Buffering, Effect, Fetch, Reply};
pub(crate) use view::{View, Viewport};

use self::rate::Rate;
use crate::{Access, Count, Settings};

/// What a client has said so far, and what follows from it.
///
/// Frames that arrive together are applied as a set: what changes the view takes effect first, what is answered or
/// subscribed comes after it, in its order, so that a BBOX behind a GET still holds for it.
#[derive(Debug)]
pub(crate) struct Session {
    rules: Arc<Rules>,
    rate: Rate,
    view: View,
    buffering: Option<Buffering>,
    /// Channels the client subscribed to by name.
    explicit: BTreeSet<Channel>,
    /// Channels its viewport subscribed to.
    implicit: BTreeSet<Channel>,
    waiting: Waiting,
}

/// What every session of a server goes by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) access: Arc<Access>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) settings: Arc<Settings>,
    /// The system that data comes in, EPSG:4326.
    pub(crate) source: KnownCrs,
}

/// The part of a set of frames that takes effect when the set is complete.
#[derive(Debug, Default)]
struct Waiting {
    view: bool,
    buffering: bool,
    effects: Vec<Effect>,
}

/// What there is to count about one frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted(pub(crate) Vec<Count>);

impl Session {
    /// A session that begins in a coordinate system, usually the source's.
    pub(crate) fn new(rules: Arc<Rules>, output: KnownCrs, now: Instant) -> Self {
        let limits = &rules.settings.limits;
        let rate = Rate::new(limits.commands_per_second, limits.command_burst, now);
        let view = View::new(output);
        Self {
            rules,
            rate,
            view,
            buffering: None,
            explicit: BTreeSet::new(),
            implicit: BTreeSet::new(),
            waiting: Waiting::default(),
        }
    }

    /// What is done first.
    pub(crate) fn open(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::Reply(Reply::Open)];
        if self.view.output != self.rules.source {
            effects.push(Effect::View(Box::new(self.view.clone())));
        }
        effects
    }

    /// Takes one text frame.
    pub(crate) fn receive(&mut self, frame: &str, now: Instant) -> Noted {
        self.rate.spend(now);
        let mut noted = Noted::default();
        match frame.parse::<text::Command>() {
            Ok(command) => {
                if let Err(error) = self.apply(command, &mut noted) {
                    noted.0.push(Count::CommandMalformed);
                    self.waiting.effects.push(Effect::Reply(error));
                }
            }
            Err(error) if error.kind.is_unknown_command() => noted.0.push(Count::CommandUnknown),
            Err(error) => {
                noted.0.push(Count::CommandMalformed);
                let reply = Reply::Error { code: error.kind.code(), message: error.to_string() };
                self.waiting.effects.push(Effect::Reply(reply));
            }
        }
        noted
    }

    /// Takes one binary frame, which no command of this dialect is.
    pub(crate) fn receive_binary(&mut self, length: usize, now: Instant) -> Noted {
        self.rate.spend(now);
        let message = format!("a command is a text frame, not a binary one of {length} bytes");
        self.waiting.effects.push(Effect::Reply(Reply::Error { code: "binary_frame", message }));
        Noted(vec![Count::CommandMalformed])
    }

    /// Ends a set of frames that arrived together and says what is to be done.
    pub(crate) fn settle(&mut self) -> Vec<Effect> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut effects = Vec::new();
        if waiting.buffering {
            effects.push(Effect::Buffer(self.buffering));
        }
        if waiting.view {
            effects.push(Effect::View(Box::new(self.view.clone())));
        }
        effects.extend(waiting.effects);
        effects
    }

    /// Whether something waits for [`settle`](Self::settle).
    pub(crate) fn is_unsettled(&self) -> bool {
        self.waiting.view || self.waiting.buffering || !self.waiting.effects.is_empty()
    }

    /// When the next frame may be read, if the client sent more than its rate allows.
    pub(crate) fn resumes(&self, now: Instant) -> Option<Instant> {
        self.rate.resumes(now)
    }
}

#[cfg(test)]
mod tests;
