use std::{any::Any, time::Duration};

use geocast_protocol::{Channel, envelope::Timestamp};

use super::{
    Action, Body, ClientId, FilterError, Group, Member,
    step::{Course, Step},
};

/// What a filter is given: who it is about, and ways to have something done.
///
/// What it asks for is done after it has ended without failure, in that order.
#[derive(Debug)]
pub struct Context<'a> {
    member: &'a mut Member,
    /// The filter's place among all.
    place: usize,
    now: Timestamp,
    step: Step,
}

impl<'a> Context<'a> {
    /// Things that one filter may want done about one message.
    pub const MOST_ACTIONS: usize = 64;

    /// Bytes that one filter may want sent for one message, 1 MiB.
    pub const MOST_BYTES: usize = 1024 * 1024;

    pub(super) fn new(member: &'a mut Member, place: usize, now: Timestamp) -> Self {
        let step = Step::new(member.client.is_some());
        Self { member, place, now, step }
    }

    /// Takes what was wanted done elsewhere.
    pub(super) fn take(&mut self, step: Step) {
        self.step = step;
    }

    pub(super) fn into_step(self) -> Step {
        self.step
    }

    /// Who has sent it, or is gone. Nobody, if it came from a channel.
    pub fn client(&self) -> Option<ClientId> {
        self.member.client
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The token that the client has registered under.
    pub fn token(&self) -> Option<&Group> {
        self.member.token.as_ref()
    }

    /// The groups the client belonged to when this filter began, in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.member.groups.iter()
    }

    /// What this filter remembers of this client, or of the node where there is none: whatever it likes, one value. It is
    /// kept as long as the connection, also if the filter fails.
    pub fn memory<T: Any + Default + Send>(&mut self) -> &mut T {
        let memory = self.member.memories.entry(self.place).or_insert_with(|| Box::new(T::default()));
        if !memory.is::<T>() {
            *memory = Box::new(T::default());
        }
        memory.downcast_mut().expect("it has been made of this type just now")
    }

    /// Notes for how long a script has kept the thread busy.
    pub(super) fn computed(&mut self, time: Duration) {
        self.member.computed += time;
    }

    /// Registers the client under a token: it leaves the group of the one before and joins that of the new one.
    ///
    /// # Errors
    /// [`FilterError::NoClient`], [`FilterError::TooManyActions`].
    pub fn register(&mut self, token: Group) -> Result<(), FilterError> {
        if let Some(old) = self.member.token.clone().filter(|old| *old != token) {
            self.leave(old)?;
        }
        self.join(token.clone())?;
        self.step.token = Some(token);
        Ok(())
    }

    /// Sends the client something.
    ///
    /// # Errors
    /// [`FilterError::NoClient`], [`FilterError::TooManyActions`], [`FilterError::TooManyBytes`].
    pub fn send(&mut self, body: impl Into<Body>) -> Result<(), FilterError> {
        self.step.needs_client("be sent something")?;
        self.step.act(Action::Send(body.into()))
    }

    /// Sends something to every other client, of all nodes; if it came from a channel, to every client of this node, as
    /// the others get the item too.
    ///
    /// # Errors
    /// [`FilterError::TooManyActions`], [`FilterError::TooManyBytes`].
    pub fn broadcast(&mut self, body: impl Into<Body>) -> Result<(), FilterError> {
        self.step.act(Action::Broadcast(body.into()))
    }

    /// Sends something to every other client of a group, of all nodes. The client itself need not belong to it.
    ///
    /// # Errors
    /// [`FilterError::TooManyActions`], [`FilterError::TooManyBytes`].
    pub fn send_to_group(&mut self, group: Group, body: impl Into<Body>) -> Result<(), FilterError> {
        self.step.act(Action::SendToGroup(group, body.into()))
    }

    /// Publishes something on a channel, whatever the settings let the client do; a policy of the program's own is asked.
    ///
    /// # Errors
    /// [`FilterError::TooManyActions`], [`FilterError::TooManyBytes`].
    pub fn publish(&mut self, channel: Channel, body: impl Into<Body>) -> Result<(), FilterError> {
        self.step.act(Action::Publish(channel, body.into()))
    }

    /// Makes the client a member of a group.
    ///
    /// # Errors
    /// [`FilterError::NoClient`], [`FilterError::TooManyActions`].
    pub fn join(&mut self, group: Group) -> Result<(), FilterError> {
        self.step.needs_client("join a group")?;
        self.step.act(Action::Join(group))
    }

    /// Ends the client's membership of a group.
    ///
    /// # Errors
    /// [`FilterError::NoClient`], [`FilterError::TooManyActions`].
    pub fn leave(&mut self, group: Group) -> Result<(), FilterError> {
        self.step.needs_client("leave a group")?;
        self.step.act(Action::Leave(group))
    }

    /// Writes to standard output.
    ///
    /// # Errors
    /// [`FilterError::TooManyActions`], [`FilterError::TooManyBytes`].
    pub fn print(&mut self, text: impl Into<String>) -> Result<(), FilterError> {
        self.step.act(Action::Print(text.into()))
    }

    /// Lets the filters behind this one see something else.
    pub fn change(&mut self, body: impl Into<Body>) {
        self.step.course = Course::Change(body.into());
    }

    /// Keeps it from the filters behind this one.
    pub fn stop(&mut self) {
        self.step.course = Course::Stop;
    }
}
