//! For fuzzers: the one door to what is private. Here is the session as a sequence of operations, [`deflate`] is what a client
//! with compression sends, [`tokens`] reads what it presents.
//!
//! An input of the session is a list of lines, so that one can be read and written by hand:
//!
//! | Line | Stands for |
//! |---|---|
//! | empty | the set of frames is complete |
//! | `+` and a number | so many milliseconds pass |
//! | `#` and a number | a binary frame of so many bytes |
//! | anything else | a text frame |

mod deflate;
mod tokens;

pub use deflate::deflate;
pub use tokens::tokens;

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use geocast_geo_filter::Catalogue;
use geocast_protocol::{Channel, envelope::Timestamp, rpc::Frame};
use serde_json::value::RawValue;

use crate::{
    AbsentClientReference, Access, ChannelRule, HistoryBound, Settings,
    access::{Exposure, Identity},
    dialect::{AnyDialect, Message, Mixed, Payload, Rpc, Text},
    session::{Buffering, Effect, Fetch, Now, Recall, Rules, Session},
};

/// Leads a session with small limits through `input` and checks after each line what must hold for any client.
///
/// # Panics
/// When something does not hold; the message says what.
pub fn session(input: &[u8]) {
    let mut client = Client::new();
    for line in input.split(|byte| *byte == b'\n') {
        // A frame that is not UTF-8 ends the connection before a session sees it (RFC 6455 §8.1).
        let Ok(line) = std::str::from_utf8(line) else { return };
        client.take(line);
    }
    client.settle();
}

/// A session, and what the rest of a server knows of it.
struct Client {
    session: Session,
    dialect: AnyDialect,
    started: Instant,
    now: Instant,
    /// What it has asked for since the start: each call of a batch counts.
    asked: u32,
    /// Frames since the last settling.
    frames: usize,
    subscribed: BTreeSet<Channel>,
}

impl Client {
    fn new() -> Self {
        let now = Instant::now();
        let (limits, source) = (RULES.limits.current(), RULES.source);
        let session = Session::new(Arc::clone(&RULES), limits, Identity::ANYBODY, source, now);
        let text = AnyDialect::new(Text::new(AbsentClientReference::Null));
        let dialect = AnyDialect::new(Mixed::new(text, AnyDialect::new(Rpc)));
        Self { session, dialect, started: now, now, asked: 0, frames: 0, subscribed: BTreeSet::new() }
    }

    fn take(&mut self, line: &str) {
        if line.is_empty() {
            self.settle();
        } else if let Some(milliseconds) = line.strip_prefix('+').and_then(|number| number.parse().ok()) {
            self.now += Duration::from_millis(u64::from(u32::min(milliseconds, 1 << 24)));
        } else {
            self.frame(line);
        }
        self.check_rate();
    }

    /// Whatever a frame leads to waits for the rest of its set.
    fn frame(&mut self, line: &str) {
        let now = Now { instant: self.now, wall: epoch() };
        let bytes;
        let message = match line.strip_prefix('#').and_then(|number| number.parse::<u16>().ok()) {
            Some(length) => {
                bytes = vec![b'#'; usize::from(length)];
                Message::Binary(&bytes)
            }
            None => Message::Text(line),
        };
        let noted = self.session.receive(message, &self.dialect, now);
        assert!(noted.0.len() <= CALLS * (2 + VIEWPORT_CHANNELS.len()), "{noted:?}");
        self.frames += 1;
        self.asked += match Frame::read(line, CALLS) {
            Frame::Batch(calls) => calls.len() as u32,
            Frame::Single(_) => 1,
        };
    }

    /// After a set nothing waits any more, and it led to no more than its frames can account for.
    fn settle(&mut self) {
        let unsettled = self.session.is_unsettled();
        let effects = self.session.settle();
        assert_eq!(unsettled, !effects.is_empty());
        assert!(!self.session.is_unsettled());
        assert!(effects.len() <= 2 + self.frames * CALLS * (2 + SUBSCRIPTIONS), "{} effects", effects.len());
        self.frames = 0;
        for effect in effects {
            self.check(effect);
        }
    }

    /// Subscriptions and their ends alternate, are bounded, and are of channels that may be read.
    fn check(&mut self, effect: Effect) {
        match effect {
            Effect::Say(payload) => check_said(&payload),
            // Of another dialect than before it is no second one.
            Effect::Subscribe(channel, ..) | Effect::Resume(channel, ..) => {
                assert!(RULES.access.reads(&Identity::ANYBODY, &channel, epoch()).is_ok(), "{channel}");
                self.subscribed.insert(channel);
                assert!(self.subscribed.len() <= SUBSCRIPTIONS, "{:?}", self.subscribed);
            }
            Effect::Confirm(channel, ..) => assert!(self.subscribed.contains(&channel), "{channel}"),
            Effect::Unsubscribe(channel) => assert!(self.subscribed.remove(&channel), "{channel}"),
            Effect::Fetch(Fetch { channel, .. }, _) | Effect::Recall(Recall { channel, .. }, _) => {
                assert!(RULES.access.reads(&Identity::ANYBODY, &channel, epoch()).is_ok(), "{channel}");
            }
            Effect::Publish(publication, _) => {
                assert!(
                    RULES.access.reads(&Identity::ANYBODY, &publication.channel, epoch()).is_ok(),
                    "{publication:?}"
                );
            }
            Effect::Buffer(Some(Buffering { wait, count, .. })) => {
                let (longest, most) = BUFFER;
                assert!(wait <= Duration::from_millis(u64::from(longest)), "{wait:?}");
                assert!((1..=most as usize).contains(&count), "{count}");
            }
            Effect::View(view, _) => assert!(RULES.catalogue.info(view.output).is_some(), "{view:?}"),
            Effect::Buffer(None)
            | Effect::Report(..)
            | Effect::Attend(..)
            | Effect::Muster(..)
            | Effect::Replay(..)
            | Effect::Gather
            | Effect::Release(_)
            | Effect::Handle(_)
            | Effect::Close => {}
        }
    }

    /// A client waits only while it is ahead of its rate, and never for longer than that takes to pass.
    fn check_rate(&self) {
        let Some(resumes) = self.session.resumes(self.now) else { return };
        assert!(resumes > self.now && self.asked >= BURST);
        assert!(resumes <= self.started.max(self.now) + Duration::from_secs(1) / RATE * self.asked);
        assert_eq!(self.session.resumes(resumes), None);
    }
}

/// The time of day of every session here.
fn epoch() -> Timestamp {
    Timestamp::since_epoch(Duration::ZERO)
}

/// What is said to a client is JSON, and does not grow beyond what the client said.
fn check_said(payload: &Payload) {
    let message: Result<&RawValue, _> = serde_json::from_slice(&payload.bytes);
    assert!(message.is_ok(), "{}", String::from_utf8_lossy(&payload.bytes));
}

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let mut settings =
        Settings { channels: Some("news,map*".parse().expect("patterns")), ..Settings::default() };
    settings.viewport_channels = VIEWPORT_CHANNELS.map(|name| name.parse().expect("a channel")).to_vec();
    settings.history =
        vec![ChannelRule::parse("map*=5", |_| Ok::<_, String>(HistoryBound::default())).expect("a rule")];
    settings.limits.subscriptions = SUBSCRIPTIONS;
    settings.limits.command_burst = BURST;
    settings.limits.commands_per_second = RATE;
    settings.limits.buffer = BUFFER;
    let access = Arc::new(Access::new(&settings, Exposure::Loopback));
    let catalogue = Arc::new(Catalogue::load().expect("PROJ brings its database"));
    Arc::new(Rules::new(access, catalogue, Arc::new(settings)))
});

/// One of them may not be read.
const VIEWPORT_CHANNELS: [&str; 3] = ["map1", "secret", "map2"];
const SUBSCRIPTIONS: usize = 4;
/// Calls that one frame may hold.
const CALLS: usize = Frame::MAX_CALLS;
const BURST: u32 = 3;
const RATE: u32 = 20;
const BUFFER: (u32, u32) = (1_000, 10);

#[cfg(test)]
mod tests {
    use crate::smoke::smoke;

    #[test]
    fn the_law_holds_near_the_seeds() {
        smoke("session", super::session);
    }
}
