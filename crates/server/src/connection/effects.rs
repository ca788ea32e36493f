use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, LocalBoxFuture, ready},
};
use geocast_geo_filter::TransformError;
use geocast_protocol::{ChangeFormat, Channel};
use tokio::{task::JoinError, time::timeout};

use super::{
    Connection, Frame,
    fetch::{Fetched, fetch},
    prepared::Prepared,
    publication::Published,
    resume::{ResumeError, Resumed},
    work::Work,
};
use crate::{
    StoreError, clock,
    dialect::{Answer, Payload},
    handler::Handling,
    interest::{Sight, Tracking},
    session::{Asked, Buffering, Effect, Fault, FaultKind, Fetch, View, Viewport},
    worker::log_unconfirmed,
};

/// What has become of an effect that takes time.
pub(super) enum Done {
    /// A view is ready to be looked at.
    Prepared(Result<Box<Prepared>, TransformError>, Asked),
    /// A subscription is in force, or has been waited for long enough.
    Subscribed(Result<(), StoreError>, Asked),
    /// The state of a channel that is tracked from now on is known, or has been waited for long enough.
    Tracked(Channel, Result<(), StoreError>, Asked),
    /// The store has something, or not.
    Published(Published, Asked),
    /// It is known from where on a channel is delivered.
    Resumed(Result<Resumed, ResumeError>, Asked),
    /// It is not known, so nothing of the channel is delivered.
    Unresumed(Channel, ResumeError, Asked),
    /// What was missed of a channel has been sent; named if not all of it.
    Replayed(Option<Channel>, Asked),
    /// A part of a history has been read.
    Recalled(Vec<Payload>),
    /// State has been read, and is being sent.
    Fetched(Fetched),
}

impl Connection {
    /// Carries out effects until one of them needs time, or none is left.
    pub(super) fn proceed(&mut self) {
        while self.work.is_none() {
            let Some(effect) = self.effects.pop_front() else {
                // An empty queue keeps its room, of which every connection that waits would have some.
                self.effects = VecDeque::new();
                return;
            };
            let Some(effect) = self.admitted(effect) else { continue };
            match effect {
                Effect::Say(payload) => self.say(payload),
                // A view that another one replaces at once is not shown, if neither can be refused.
                Effect::View(view, asked)
                    if matches!(self.effects.front(), Some(Effect::View(next, _))
                        if [&view, next].iter().all(|view| Prepared::is_certain(&self.worker.node, view, &self.sight))) =>
                {
                    self.acknowledge(asked);
                }
                Effect::View(view, asked) => self.look(*view, asked),
                Effect::Buffer(buffering) => self.buffer(buffering),
                Effect::Subscribe(channel, None, asked) => self.subscribe(channel, asked),
                Effect::Subscribe(channel, Some(format), asked) => self.track(channel, format, asked),
                Effect::Resume(channel, since, asked) => self.resume(channel, since, asked),
                Effect::Replay(channel, since, asked) => self.replay(channel, since, asked),
                Effect::Recall(recall, asked) => self.recall(recall, asked),
                Effect::Confirm(channel, None, asked) => {
                    let confirmation = self.worker.confirmation(&channel);
                    self.await_confirmation(channel, confirmation, asked);
                }
                Effect::Confirm(channel, Some(_), asked) => {
                    let known = self.worker.known(&channel);
                    self.await_state(channel, known, asked);
                }
                Effect::Attend(channel, attendee) => self.attend(&channel, *attendee),
                Effect::Muster(muster, dialect) => self.muster(&muster, &dialect),
                Effect::Unsubscribe(channel) => {
                    tracing::debug!(%channel, "unsubscribed");
                    self.stand_up(&channel);
                    self.leave(&channel);
                }
                Effect::Fetch(request, asked) => self.fetch(request, asked),
                Effect::Publish(publication, asked) => self.publish(publication, asked),
                Effect::Report(reference, dialect) => self.report(&reference, &dialect),
                Effect::Handle(handling) => self.handle(handling),
                Effect::Close => {
                    self.is_over = true;
                    self.effects.clear();
                }
                Effect::Gather => self.gathered = Some(Vec::new()),
                Effect::Release(dialect) => {
                    let replies = self.gathered.take().unwrap_or_default();
                    let frames: Vec<Frame> = dialect.gathered(replies).iter().map(Frame::from).collect();
                    // State may be among it: no push that was collected before comes behind it.
                    self.worker.with_mailbox(self.id, |mailbox| mailbox.answer(&frames));
                }
            }
        }
    }

    /// Adds effects to be carried out.
    pub(super) fn add(&mut self, effects: Vec<Effect>) {
        if self.effects.is_empty() {
            self.effects = effects.into();
        } else {
            self.effects.extend(effects);
        }
    }

    /// Takes up what an effect that needed time came to.
    pub(super) fn complete(&mut self, done: Done) {
        match done {
            // The answer comes before what the view changes.
            Done::Prepared(Ok(prepared), asked) => match *prepared {
                Prepared { sight, refused: None } => {
                    self.acknowledge(asked);
                    self.see(sight);
                }
                Prepared { sight, refused: Some((viewport, fault)) } => {
                    self.fail(&asked, &fault.of(format!("{:?}", viewport.corners)));
                    self.see(sight);
                    self.put_back(&viewport);
                }
            },
            Done::Prepared(Err(error), asked) => {
                // A view that has been asked for since is newer, and goes back itself if it has to.
                if !self.effects.iter().any(|effect| matches!(effect, Effect::View(..))) {
                    self.session.go_back(self.sight.view(self.worker.node.rules.source));
                }
                self.fail(&asked, &Fault::new(FaultKind::ProjectionFailed, error.to_string()));
            }
            Done::Subscribed(Ok(()), asked) => self.acknowledge(asked),
            // The subscription is kept, and will be in force when the store allows it.
            Done::Subscribed(Err(error), asked) if asked.receipt.is_some() => {
                self.fail(&asked, &Fault::from(&error));
            }
            Done::Subscribed(Err(_), _) => {}
            Done::Tracked(channel, known, asked) => {
                match known {
                    Err(error) if asked.receipt.is_some() => self.fail(&asked, &Fault::from(&error)),
                    _ => self.acknowledge(asked),
                }
                self.worker.begin(self.id, &channel);
            }
            Done::Published(published, asked) => self.published(published, asked),
            Done::Resumed(resumed, asked) => self.resumed(resumed, asked),
            Done::Unresumed(channel, error, asked) => self.not_resumed(&channel, error, &asked),
            Done::Replayed(gap, asked) => {
                let gap = gap.and_then(|channel| asked.dialect.gap(&channel, clock::timestamp()));
                gap.into_iter().for_each(|payload| self.say(payload));
            }
            Done::Recalled(payloads) => payloads.into_iter().for_each(|payload| self.say(payload)),
            Done::Fetched(mut fetched) => {
                std::mem::take(&mut fetched.kept).into_iter().for_each(|payload| self.say(payload));
                self.remember(fetched);
            }
        }
    }

    /// Takes a box that was refused out of what has been asked for, and with it the channels that came with it alone.
    fn put_back(&mut self, refused: &Viewport) {
        let in_force = self.sight.view(self.worker.node.rules.source);
        let dropped = self.session.put_back(refused, &in_force);
        self.effects.retain_mut(|effect| match effect {
            Effect::View(view, _) if view.viewport.as_ref() == Some(refused) => {
                view.look_as(&in_force);
                true
            }
            Effect::Subscribe(channel, ..) | Effect::Attend(channel, _) => !dropped.contains(channel),
            _ => true,
        });
        for channel in &dropped {
            self.stand_up(channel);
            self.worker.unsubscribe(self.id, channel);
        }
    }

    pub(super) fn say(&mut self, payload: Payload) {
        match &mut self.gathered {
            Some(kept) => kept.push(payload),
            None => {
                let frame = Frame::from(&payload);
                self.worker.with_mailbox(self.id, |mailbox| mailbox.send(frame.bytes().clone()));
            }
        }
    }

    pub(super) fn acknowledge(&mut self, asked: Asked) {
        if let Some(done) = asked.receipt.and_then(|receipt| receipt.done) {
            self.say(done);
        }
    }

    pub(super) fn fail(&mut self, asked: &Asked, fault: &Fault) {
        let reference = asked.receipt.as_ref().map(|receipt| &*receipt.reference);
        let answer = asked.dialect.answer(Answer::Failed { reference, fault }, clock::timestamp());
        answer.into_iter().for_each(|payload| self.say(payload));
    }

    /// Remembers when state was read, for a SUB that may follow.
    fn remember(&mut self, fetched: Fetched) {
        self.marks.retain(|other| other.channel != fetched.channel);
        if self.worker.is_subscribed(self.id, &fetched.channel) {
            return;
        }
        if self.marks.len() == MOST_MARKS {
            self.marks.remove(0);
        }
        self.marks.push(fetched);
    }

    /// What follows waits until the subscription is in force, so that an answer behind it says that it is; but not for
    /// long, as the store may be away.
    fn subscribe(&mut self, channel: Channel, asked: Asked) {
        tracing::debug!(%channel, "subscribed");
        self.worker.untrack(self.id, &channel);
        let (dialect, rights) = (asked.dialect.clone(), asked.rights.clone());
        let sight = Sight { dialect, rights, ..self.sight.clone() };
        let confirmation = self.join(&channel, sight);
        self.await_confirmation(channel, confirmation, asked);
    }

    fn await_confirmation(
        &mut self,
        channel: Channel,
        mut confirmation: BoxFuture<'static, Result<(), StoreError>>,
        asked: Asked,
    ) {
        // Most channels have been confirmed for somebody else before.
        match confirmation.as_mut().now_or_never() {
            Some(Ok(())) => return self.acknowledge(asked),
            Some(error) => confirmation = ready(error).boxed(),
            None => {}
        }
        // Who is told waits longer: what it is told is true.
        let patience = if asked.receipt.is_some() { ACKNOWLEDGEMENT } else { CONFIRMATION };
        self.work = Some(Work::on(&channel.clone(), asked.clone(), async move {
            let confirmed = timeout(patience, confirmation).await.unwrap_or_else(|_elapsed| {
                Err(StoreError::Unavailable("it has not confirmed the subscription yet".to_owned()))
            });
            if let Err(error) = &confirmed {
                log_unconfirmed(&channel, error);
            }
            Done::Subscribed(confirmed, asked)
        }));
    }

    /// Ends what the client gets of a channel. What was collected of it comes before anything else.
    pub(super) fn leave(&mut self, channel: &Channel) {
        self.effects.retain(|effect| !matches!(effect, Effect::Replay(missed, ..) if missed == channel));
        self.worker.unsubscribe(self.id, channel);
        self.worker.untrack(self.id, channel);
        self.worker.with_mailbox(self.id, |mailbox| mailbox.answer(&[]));
    }

    /// What follows waits until the state is known, so that an answer behind it says that it is; but not for long.
    fn track(&mut self, channel: Channel, format: ChangeFormat, asked: Asked) {
        tracing::debug!(%channel, %format, "tracked");
        self.leave(&channel);
        let tracking = Some(Tracking::Following(format));
        let (dialect, rights) = (asked.dialect.clone(), asked.rights.clone());
        let sight = Sight { dialect, rights, tracking, ..self.sight.clone() };
        let known = self.worker.track(self.id, &channel, sight);
        self.await_state(channel, known, asked);
    }

    fn await_state(&mut self, channel: Channel, known: LocalBoxFuture<'static, ()>, asked: Asked) {
        let patience = if asked.receipt.is_some() { ACKNOWLEDGEMENT } else { CONFIRMATION };
        self.work = Some(Work::on(&channel.clone(), asked.clone(), async move {
            let known = timeout(patience, known).await.map_err(|_elapsed| {
                StoreError::Unavailable("the state of the channel is not known yet; it follows".to_owned())
            });
            Done::Tracked(channel, known, asked)
        }));
    }

    /// Sends what the client tracks and does not have yet, as far as there is room. True if it goes on at once.
    pub(super) fn catch_up(&self) -> bool {
        // What is kept to be sent together says that it is subscribed, or where the client looks.
        if self.gathered.is_some() {
            return false;
        }
        let mut goes_on = false;
        for (channel, subscription) in self.session.subscriptions() {
            if subscription.track.is_some() {
                goes_on |= self.worker.catch_up(self.id, channel);
            }
        }
        goes_on
    }

    fn look(&mut self, view: View, asked: Asked) {
        let (node, seen) = (Arc::clone(&self.worker.node), self.sight.clone());
        self.work =
            Some(Work::new(async move { Done::Prepared(Prepared::new(&node, view, seen).await, asked) }));
    }

    /// What is collected is made of parts that are shared with those who are sent them singly, so it is not compressed.
    fn buffer(&mut self, buffering: Option<Buffering>) {
        let deflate = self.deflate.filter(|_| buffering.is_none());
        self.worker.with_mailbox(self.id, |mailbox| mailbox.buffer(buffering));
        if deflate != self.sight.deflate {
            self.see(Sight { deflate, ..self.sight.clone() });
        }
    }

    /// Shows every subscription what is in sight now, each in its dialect.
    fn see(&mut self, sight: Sight) {
        for (channel, subscription) in self.session.subscriptions() {
            // One that waits to be carried out will begin with this sight.
            let tracking = subscription.track.map(Tracking::Following);
            let (dialect, rights) = (subscription.dialect.clone(), subscription.rights.clone());
            let is_numbered = subscription.is_numbered;
            let sight = Sight { dialect, rights, tracking, is_numbered, ..sight.clone() };
            if tracking.is_some() && self.gathered.is_some() {
                self.worker.look_later(self.id, channel, sight);
            } else if tracking.is_some() {
                self.worker.look_elsewhere(self.id, channel, sight);
            } else if self.worker.is_subscribed(self.id, channel) {
                self.worker.look(self.id, channel, sight);
            }
        }
        self.sight = sight;
    }

    fn fetch(&mut self, request: Fetch, asked: Asked) {
        let (worker, id) = (std::rc::Rc::clone(&self.worker), self.id);
        let asked = asked.under(request.reference.as_deref());
        let (dialect, rights) = (asked.dialect.clone(), asked.rights.clone());
        let sight = Sight { dialect, rights, ..self.sight.clone() };
        let room = self.gathered.as_ref().map(|kept| {
            let taken: usize = kept.iter().map(|payload| payload.bytes.len()).sum();
            self.session.limits().outbox.saturating_sub(taken)
        });
        self.work = Some(Work::on(&request.channel.clone(), asked, async move {
            Done::Fetched(fetch(worker, id, request, sight, room).await)
        }));
    }

    fn handle(&mut self, handling: Handling) {
        let handlers = Arc::clone(self.worker.node.endpoints.handlers());
        if let Err(busy) = handlers.begin(handling, self.handled.get_or_insert_default()) {
            self.say(busy);
        }
    }

    /// Takes up what a handler has come to.
    pub(super) fn handled_one(&mut self, reply: Option<Result<Payload, JoinError>>) {
        match reply {
            Some(Ok(reply)) => self.say(reply),
            Some(Err(error)) => tracing::debug!(%error, "a handler was given up"),
            None => self.handled = None,
        }
    }
}

/// How long a client's next command waits for the store to confirm a subscription.
const CONFIRMATION: Duration = Duration::from_millis(250);

/// How long it waits if the client is to be told that the subscription is in force.
pub(super) const ACKNOWLEDGEMENT: Duration = Duration::from_secs(5);

/// Channels of which a connection remembers when it read their state.
const MOST_MARKS: usize = 128;
