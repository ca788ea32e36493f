mod channels;
mod presence;
mod publication;
mod view;

use std::{any::Any, time::Duration};

use geocast_protocol::envelope::Timestamp;

use super::{Asked, Buffering, Effect, Fault, FaultKind, Noted, Now, Receipt, Session};
use crate::{
    Count, Settings,
    access::TokenError,
    dialect::{AnyDialect, Payload},
    handler::Handling,
    pipeline::ClientId,
};

/// What a [`Dialect`](crate::Dialect) can do for a client that has said something.
///
/// Everything is done in the order in which it is asked for, and what is said behind something that takes time is sent
/// behind it.
#[derive(Debug)]
pub struct Conversation<'a> {
    session: &'a mut Session,
    dialect: &'a AnyDialect,
    noted: &'a mut Noted,
    now: Now,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        session: &'a mut Session,
        dialect: &'a AnyDialect,
        noted: &'a mut Noted,
        now: Now,
    ) -> Self {
        Self { session, dialect, noted, now }
    }

    /// Goes on in another dialect for the time of `talk`.
    pub(crate) fn speaking(&mut self, dialect: &AnyDialect, talk: impl FnOnce(&mut Conversation<'_>)) {
        talk(&mut Conversation { session: self.session, dialect, noted: self.noted, now: self.now });
    }

    /// Goes on as the one for whom a token stands, for the time of `talk`. Where the server reads no tokens, this one is
    /// passed over.
    ///
    /// # Errors
    /// The token is not accepted; then there is no `talk`.
    pub(crate) fn presenting<T>(
        &mut self,
        token: &str,
        talk: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, TokenError> {
        let identity =
            match self.session.rules.access.identify_token(token, &self.session.identity, self.now.wall) {
                Ok(identity) => identity,
                Err(TokenError::Unused) => return Ok(talk(self)),
                Err(error) => return Err(error),
            };
        let former = self.session.bearer.replace(Box::new(identity));
        let told = talk(self);
        self.session.bearer = former;
        Ok(told)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.now.wall
    }

    /// Whose conversation it is.
    pub fn client(&self) -> ClientId {
        self.session.client
    }

    /// What the dialect remembers of this client: one value, made when it is first asked for.
    pub fn memory<T: Any + Send>(&mut self, begin: impl FnOnce(ClientId) -> T) -> &mut T {
        let Session { client, memory, .. } = &mut *self.session;
        let memory = memory.get_or_insert_with(|| Box::new(()));
        if !memory.is::<T>() {
            *memory = Box::new(begin(*client));
        }
        memory.downcast_mut().expect("it has been made of this type just now")
    }

    /// Counts one more command of a message that holds several, for the client's rate.
    pub fn spend(&mut self) {
        self.session.spend(self.now.instant);
    }

    /// Lets the client wait with its next message for so much longer than it would.
    pub(crate) fn occupy(&mut self, time: Duration) {
        self.session.rate.occupy(self.now.instant, time);
    }

    /// Sends the client something.
    pub fn say(&mut self, payload: Payload) {
        self.wants(Effect::Say(payload));
    }

    /// Sends what is said during `talk`, at once or later, as the dialect's
    /// [`gathered`](crate::Dialect::gathered) makes it.
    pub fn gather(&mut self, talk: impl FnOnce(&mut Self)) {
        self.wants(Effect::Gather);
        talk(self);
        self.wants(Effect::Release(self.dialect.clone()));
    }

    /// What the operator has set.
    pub(crate) fn settings(&self) -> &Settings {
        &self.session.rules.settings
    }

    /// Collects pushes for so many milliseconds, or until there are so many; a zero is no bound, two end it. Returns what
    /// is in force.
    ///
    /// # Errors
    /// [`FaultKind::BufferTooLarge`].
    pub fn buffer(&mut self, milliseconds: u32, count: u32) -> Result<(u32, u32), Fault> {
        let (longest, most) = self.session.limits.buffer;
        if milliseconds > longest || count > most {
            let message = format!(
                "buffer of {milliseconds} ms and {count} messages is above the allowed {longest} ms and {most} messages"
            );
            return Err(Fault::new(FaultKind::BufferTooLarge, message));
        }
        if milliseconds == 0 && count == 0 {
            self.session.waiting().buffering = Some(None);
            return Ok((0, 0));
        }
        // A bound of zero stands for none, so the other one decides alone.
        let milliseconds = if milliseconds == 0 { longest } else { milliseconds };
        let count = if count == 0 { most } else { count };
        self.session.waiting().buffering = Some(Some(Buffering {
            wait: Duration::from_millis(u64::from(milliseconds)),
            count: count as usize,
            dialect: self.dialect.clone(),
        }));
        Ok((milliseconds, count))
    }

    /// Has a request handled. What follows does not wait for it.
    pub(crate) fn handle(&mut self, handling: Handling) {
        self.wants(Effect::Handle(handling));
    }

    /// Closes the connection once all that was asked for before has been done.
    pub fn close(&mut self) {
        self.wants(Effect::Close);
    }

    /// Says what is believed about the client.
    pub fn report(&mut self, reference: Box<str>) {
        self.wants(Effect::Report(reference, self.dialect.clone()));
    }

    pub(crate) fn count(&mut self, count: Count) {
        self.noted.0.push(count);
    }

    fn asked(&self, receipt: Option<Receipt>) -> Asked {
        let (rights, admission) = (self.session.asking().rights(), self.session.admission());
        Asked { dialect: self.dialect.clone(), rights, admission, receipt }
    }

    fn wants(&mut self, effect: Effect) {
        self.session.waiting().effects.push(effect);
    }
}
