use geocast_protocol::{Channel, Info, Person};

use super::{
    super::{Attendee, Effect, Fault, FaultKind, Muster},
    Conversation,
};
use crate::presence;

/// Who else is there.
impl Conversation<'_> {
    /// Whether it may be known who is on a channel.
    pub(crate) fn has_presence(&self, channel: &Channel) -> bool {
        let patterns = self.session.rules.settings.presence.as_ref();
        patterns.is_some_and(|patterns| presence::covers(patterns, channel))
    }

    /// The same, for one who asks for it.
    ///
    /// # Errors
    /// [`FaultKind::AccessDenied`], [`FaultKind::PresenceUnavailable`].
    pub(crate) fn must_have_presence(&mut self, channel: &Channel) -> Result<(), Fault> {
        self.may_read(channel)?;
        if self.has_presence(channel) {
            return Ok(());
        }
        let message = format!("channel `{channel}` has no presence");
        Err(Fault::new(FaultKind::PresenceUnavailable, message).of(channel.as_str()))
    }

    /// Says to the others on a channel, which has just been subscribed to, what the client says of itself; and whether it wants to
    /// be told who comes and goes.
    pub(crate) fn attend(&mut self, channel: &Channel, info: Option<Info>, watches: bool) {
        if !self.has_presence(channel) {
            return;
        }
        let attendee = self.attendee(info, watches);
        let effects = &mut self.session.waiting().effects;
        // It was taken for somebody who has said nothing.
        let said = effects.iter_mut().rev().find_map(|effect| match effect {
            Effect::Attend(other, said) if other == channel => Some(said),
            _ => None,
        });
        match said {
            Some(said) => **said = attendee,
            // Who is told that it is done is to find it done.
            None => {
                let confirms =
                    |effect: &Effect| matches!(effect, Effect::Confirm(other, ..) if other == channel);
                let place = effects.iter().rposition(confirms).unwrap_or(effects.len());
                effects.insert(place, Effect::Attend(channel.clone(), Box::new(attendee)));
            }
        }
    }

    /// Says who is on a channel. The caller has seen to it that [it may be known](Self::must_have_presence).
    pub(crate) fn muster(&mut self, muster: Muster) {
        let dialect = self.dialect.clone();
        self.wants(Effect::Muster(muster, dialect));
    }

    /// Who the client is to others: its token's bearer, which it cannot choose, and what it says.
    pub(super) fn attendee(&self, info: Option<Info>, watches: bool) -> Attendee {
        Attendee { person: Person::new(self.session.identity.user(), info), watches }
    }
}
