use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::time::sleep;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};
use turmoil::net::TcpStream;

use super::{
    call::{Call, VIEWS},
    map::{Map, View, compare, shows},
    messages::Messages,
};
use crate::{
    redis::{MESSAGES, TRACKED},
    world::{Feature, Phase, Shared, now},
};

/// One connection, from its opening to its end.
pub(super) struct Conversation {
    name: String,
    node: String,
    world: Shared,
    /// How often something had happened that may break the connection, before it began.
    troubles: u32,
    next: u64,
    /// What was asked and is not answered yet, and since when the first of it is waited for.
    calls: VecDeque<(u64, Call)>,
    waiting_since: Duration,
    /// A channel of its own.
    silent: &'static str,
    messages: BTreeMap<&'static str, Messages>,
    maps: BTreeMap<&'static str, Map>,
    /// What was asked to look at, the last one that is in force first.
    views: VecDeque<View>,
    /// Whether it has not read for a while.
    has_stalled: bool,
    stalls_until: Duration,
    is_settled: bool,
}

/// Why a conversation is over.
enum Over {
    Left,
    Closed(Option<CloseCode>),
    GivenUp,
}

impl Conversation {
    /// With a node, between which and the client so much had happened before it began to connect.
    pub(super) fn new(name: &str, node: &str, silent: &'static str, troubles: u32, world: Shared) -> Self {
        Self {
            name: name.to_owned(),
            node: node.to_owned(),
            world,
            troubles,
            next: 0,
            calls: VecDeque::new(),
            waiting_since: now(),
            silent,
            messages: MESSAGES.map(|channel| (channel, Messages::default())).into(),
            maps: BTreeMap::new(),
            views: VecDeque::from([None]),
            has_stalled: false,
            stalls_until: Duration::ZERO,
            is_settled: false,
        }
    }

    pub(super) async fn hold(mut self, mut websocket: WebSocketStream<TcpStream>) {
        let over = loop {
            let pause = Duration::from_millis(fastrand::u64(10..400));
            let stalled = self.stalls_until > now();
            let moment = tokio::select! {
                biased;
                frame = websocket.next(), if !stalled => Some(frame),
                () = sleep(pause) => None,
            };
            match moment {
                Some(Some(Ok(Message::Text(text)))) => self.receive(&text),
                Some(Some(Ok(Message::Close(frame)))) => break Over::Closed(frame.map(|frame| frame.code)),
                Some(Some(Ok(_))) => {}
                Some(Some(Err(Error::Protocol(error)))) if !self.is_troubled() => {
                    self.violate(&format!("the server broke the protocol: {error}"));
                    break Over::Closed(None);
                }
                Some(Some(Err(_)) | None) => break Over::Closed(None),
                None if stalled => self.waiting_since = now(),
                None => {
                    if let Some(over) = self.act(&mut websocket).await {
                        break over;
                    }
                }
            }
        };
        self.end(&over);
    }

    /// Whether something has happened that may have broken the connection.
    fn is_troubled(&self) -> bool {
        self.world.borrow().troubles(&self.name, &self.node) > self.troubles
    }

    fn violate(&self, what: &str) {
        self.world.borrow_mut().violate(&self.name, what);
    }

    fn end(&self, over: &Over) {
        let is_ended = self.is_troubled() || self.world.borrow().is_stopping(&self.node);
        let allowed = is_ended || self.has_stalled;
        match over {
            Over::Left => {}
            Over::GivenUp if allowed => {}
            Over::GivenUp => self.violate("nothing was answered any more"),
            Over::Closed(Some(code)) => {
                let code = u16::from(*code);
                self.world.borrow_mut().note(&self.name, &format!("closed with {code}"));
                let is_right = match code {
                    1012 => is_ended,
                    3008 | 3009 => allowed,
                    _ => false,
                };
                if !is_right {
                    self.violate(&format!("closed with {code} for no reason"));
                }
            }
            Over::Closed(None) if allowed => {}
            Over::Closed(None) => self.violate("the connection ended without a word"),
        }
    }

    /// Does what comes to mind.
    async fn act(&mut self, websocket: &mut WebSocketStream<TcpStream>) -> Option<Over> {
        let patience = if self.is_troubled() { TROUBLED_PATIENCE } else { PATIENCE };
        if !self.calls.is_empty() && now() - self.waiting_since > patience {
            return Some(Over::GivenUp);
        }
        let phase = self.world.borrow().phase;
        if phase == Phase::Settled {
            self.settle();
        }
        if self.calls.len() >= MOST_CALLS {
            return None;
        }
        let call = match phase {
            Phase::Troubled => match fastrand::u8(..60) {
                0 => {
                    self.note("leaves");
                    if fastrand::bool() {
                        let _gone: Result<(), Error> = websocket.close(None).await;
                    }
                    return Some(Over::Left);
                }
                1 => {
                    self.note("stops reading");
                    self.has_stalled = true;
                    self.stalls_until = now() + Duration::from_millis(fastrand::u64(200..6000));
                    return None;
                }
                _ => self.any(),
            },
            Phase::Healed => self.missing().unwrap_or_else(|| self.harmless()),
            Phase::Quiet => self.silent(),
            Phase::Settled => Call::Get(TRACKED[fastrand::usize(..2)]),
        };
        let request = self.ask(call);
        let sent = tokio::time::timeout(TROUBLED_PATIENCE, websocket.send(Message::text(request))).await;
        match sent {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(Over::Closed(None)),
            Err(_elapsed) => Some(Over::GivenUp),
        }
    }

    fn any(&mut self) -> Call {
        match fastrand::u8(..10) {
            0 => Call::Ping,
            1 => Call::Subscribe(MESSAGES[fastrand::usize(..2)]),
            2 if fastrand::bool() => Call::Unsubscribe(MESSAGES[fastrand::usize(..2)]),
            3 => self.missing().unwrap_or(Call::Ping),
            4 if fastrand::bool() => {
                let channel = TRACKED[fastrand::usize(..2)];
                if self.maps.contains_key(channel) { Call::Untrack(channel) } else { Call::Track(channel) }
            }
            _ => self.harmless(),
        }
    }

    /// What takes nothing away.
    fn harmless(&mut self) -> Call {
        match fastrand::u8(..5) {
            0 => Call::Look(VIEWS[fastrand::usize(..VIEWS.len())]),
            1 => Call::Get(TRACKED[fastrand::usize(..2)]),
            2 => Call::Publish(MESSAGES[fastrand::usize(..2)], self.world.borrow_mut().number()),
            3 if self.world.borrow().changes() => {
                Call::Publish(TRACKED[fastrand::usize(..2)], self.world.borrow_mut().number())
            }
            _ => Call::Ping,
        }
    }

    /// A channel of its own, on which nothing comes: whoever forgets to ask Redis for it is not reminded by what is published.
    fn silent(&self) -> Call {
        if self.is_in_force(self.silent) {
            Call::Unsubscribe(self.silent)
        } else {
            Call::Subscribe(self.silent)
        }
    }

    /// A channel that is not subscribed to.
    fn missing(&self) -> Option<Call> {
        let missed = MESSAGES.iter().find(|channel| !self.is_in_force(channel));
        let untracked = TRACKED.iter().find(|channel| !self.maps.contains_key(*channel));
        missed
            .map(|channel| Call::Subscribe(channel))
            .or_else(|| untracked.map(|channel| Call::Track(channel)))
    }

    fn is_in_force(&self, channel: &str) -> bool {
        self.messages.get(channel).is_some_and(Messages::is_in_force)
    }

    /// Writes a call, and notes it.
    fn ask(&mut self, call: Call) -> String {
        self.next += 1;
        match call {
            Call::Subscribe(channel) => self.messages.entry(channel).or_default().ask(),
            Call::Track(channel) => drop(self.maps.insert(channel, Map::default())),
            Call::Look(view) => self.views.push_back(view),
            _ => {}
        }
        if self.calls.is_empty() {
            self.waiting_since = now();
        }
        self.calls.push_back((self.next, call));
        self.note(&format!("{} {call:?}", self.next));
        call.write(self.next)
    }

    fn note(&self, what: &str) {
        self.world.borrow_mut().note(&self.name, what);
    }

    fn receive(&mut self, text: &str) {
        self.note(&format!("< {}", &text[..text.len().min(240)]));
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return self.violate(&format!("no JSON: {text}"));
        };
        let outcome = match frame["method"].as_str() {
            None => self.answered(&frame),
            Some(method) => {
                let params = &frame["params"];
                let source = params["source"].as_str().unwrap_or_default().to_owned();
                match method {
                    "message" => self.message(&source, params),
                    "gap" => self.gap(&source),
                    "enter" | "update" | "leave" => self.changed(method, &source, params),
                    other => Err(format!("an unknown notification {other}")),
                }
            }
        };
        if let Err(wrong) = outcome {
            self.violate(&wrong);
        }
    }

    fn answered(&mut self, frame: &Value) -> Result<(), String> {
        let Some((id, call)) = self.calls.pop_front() else {
            return Err(format!("an answer to nothing: {frame}"));
        };
        let waited = now() - std::mem::replace(&mut self.waiting_since, now());
        if frame["id"].as_u64() != Some(id) {
            return Err(format!("an answer out of order: {frame}, not to {id}"));
        }
        let mut world = self.world.borrow_mut();
        world.count("answers");
        if world.phase >= Phase::Quiet && matches!(call, Call::Subscribe(_)) && waited > PROMPT {
            return Err(format!("{call:?} was answered after {waited:?}, and nothing was in its way"));
        }
        if let Some(code) = frame["error"]["code"].as_i64() {
            let is_known =
                matches!(call, Call::Ping | Call::Look(_) | Call::Unsubscribe(_) | Call::Untrack(_));
            let is_late = self.is_settled;
            // Both stay as they were asked for.
            return if code == -32003 && !is_known && !is_late {
                world.count("refusals");
                Ok(())
            } else {
                Err(format!("{call:?} was answered with {frame}"))
            };
        }
        match call {
            Call::Ping | Call::Track(_) => {}
            Call::Subscribe(channel) => {
                let published = world.published(channel);
                self.messages.entry(channel).or_default().begin(published);
            }
            Call::Unsubscribe(channel) => {
                let messages = self.messages.entry(channel).or_default();
                messages.end();
                if self
                    .calls
                    .iter()
                    .any(|(_, call)| matches!(call, Call::Subscribe(again) if *again == channel))
                {
                    messages.ask();
                }
            }
            Call::Untrack(channel) => drop(self.maps.remove(channel)),
            Call::Look(_) => drop(self.views.pop_front()),
            Call::Publish(channel, number) => world.acknowledge(channel, number),
            Call::Get(channel) if world.phase == Phase::Settled => {
                world.count("states read");
                let empty = BTreeMap::new();
                let state = world.state.get(channel).unwrap_or(&empty);
                return compare(&frame["result"]["values"], state, self.views[0])
                    .map_err(|wrong| format!("{channel} {wrong}"));
            }
            Call::Get(_) => {}
        }
        Ok(())
    }

    fn message(&mut self, source: &str, params: &Value) -> Result<(), String> {
        let number = params["content"]["n"].as_u64().ok_or("a message without its number")?;
        let mut world = self.world.borrow_mut();
        world.count("messages");
        let place = world.place(source, number).ok_or_else(|| format!("{number} is not in {source}"))?;
        let messages = self.messages.get_mut(source).ok_or("a message of another channel")?;
        messages.receive(place).map_err(|wrong| format!("{source}: {wrong} ({number})"))
    }

    fn gap(&mut self, source: &str) -> Result<(), String> {
        let mut world = self.world.borrow_mut();
        world.count("gaps");
        let published = world.published(source);
        self.messages.get_mut(source).ok_or("a gap of another channel")?.gap(published)
    }

    fn changed(&mut self, method: &str, source: &str, params: &Value) -> Result<(), String> {
        let key = params["key"].as_str().ok_or("a change without its key")?;
        let mut world = self.world.borrow_mut();
        world.count("changes");
        let map = self.maps.get_mut(source).ok_or("a change of a channel that is not tracked")?;
        if method == "leave" {
            return map.hide(key).map_err(|wrong| format!("{source}: {wrong}"));
        }
        let content = &params["content"];
        let number = content["properties"]["n"].as_u64().ok_or("a feature without its number")?;
        let axis = |axis: usize| content["geometry"]["coordinates"][axis].as_f64().unwrap_or(f64::NAN);
        let feature = Feature { number, place: [axis(0), axis(1)] };
        if !self.views.iter().any(|view| shows(*view, feature.place)) {
            return Err(format!("{source}: {key} at {:?} is nowhere in {:?}", feature.place, self.views));
        }
        let place = world.place(source, number).ok_or_else(|| format!("{number} is not in {source}"))?;
        map.show(method == "enter", key, feature, place).map_err(|wrong| format!("{source}: {wrong}"))
    }

    /// Holds what was received to what was published, once.
    fn settle(&mut self) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let mut wrong = Vec::new();
        let mut world = self.world.borrow_mut();
        for (channel, messages) in &self.messages {
            match messages.check(world.published(channel)) {
                Ok(true) => world.count("settled subscriptions"),
                Ok(false) => {}
                Err(lost) => wrong.push(format!("{channel}: {lost}")),
            }
        }
        let view = *self.views.back().expect("there is always one");
        let empty = BTreeMap::new();
        for (channel, map) in &self.maps {
            if let Err(other) = map.check(world.state.get(*channel).unwrap_or(&empty), view) {
                wrong.push(format!("{channel} in {view:?}: {other}"));
            }
            world.count("settled maps");
        }
        drop(world);
        wrong.iter().for_each(|wrong| self.violate(wrong));
    }
}

/// Calls without an answer at the same time. Each may wait for the store for five seconds.
const MOST_CALLS: usize = 2;
/// How long the first of them may take.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long it takes to subscribe when nothing is wrong and little is said: four ways of 80 ms, pauses of Redis, and steps in between.
const PROMPT: Duration = Duration::from_millis(700);
/// The same where the connection may be broken.
const TROUBLED_PATIENCE: Duration = Duration::from_secs(6);
