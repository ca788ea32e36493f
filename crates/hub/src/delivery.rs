use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::{
    CohortId, Fanout, Interest, Sink, SubscriberId,
    audience::{Audience, Cohort},
    subscribers::Subscribers,
};

/// Some events of one channel on their way to its audience.
pub(crate) struct Delivery<'a, C, I: Interest, S> {
    subscribers: &'a mut Subscribers<C, I, S>,
    fanout: Fanout<I::Withheld>,
}

type Rendered<I> = Result<<I as Interest>::Rendering, <I as Interest>::Withheld>;

/// What an event looks like in the forms that were asked for so far. They are few (dialects times coordinate systems),
/// so a scan beats hashing.
struct Renderings<'a, I: Interest> {
    event: &'a I::Event,
    made: Vec<(I::Form, Rendered<I>)>,
}

impl<'a, C, I, S> Delivery<'a, C, I, S>
where
    C: Eq + Hash,
    I: Interest,
    S: Sink<I::Rendering>,
{
    pub(crate) fn new(subscribers: &'a mut Subscribers<C, I, S>) -> Self {
        Self { subscribers, fanout: Fanout::default() }
    }

    /// Delivers events to all who want them, in their order, and says what became of them.
    pub(crate) fn publish<'e>(
        mut self,
        audience: &Audience<I>,
        events: impl IntoIterator<Item = &'e I::Event>,
    ) -> Fanout<I::Withheld>
    where
        I::Event: 'e,
    {
        let mut events = events.into_iter().peekable();
        let Some(first) = events.next() else { return self.fanout };
        if events.peek().is_none() {
            self.each(audience, first, |delivery, _, cohort, rendering| {
                delivery.hand_out(cohort, std::slice::from_ref(rendering));
            });
            return self.fanout;
        }
        let mut gathered: FxHashMap<CohortId, Vec<I::Rendering>> = FxHashMap::default();
        for event in std::iter::once(first).chain(events) {
            self.each(audience, event, |_, id, _, rendering| {
                gathered.entry(id).or_default().push(rendering.clone());
            });
        }
        for (id, renderings) in gathered {
            if let Some(cohort) = audience.cohort(id) {
                self.hand_out(cohort, &renderings);
            }
        }
        self.fanout
    }

    /// Delivers an event to one member of a cohort.
    pub(crate) fn replay(
        mut self,
        cohort: &Cohort<I>,
        member: SubscriberId,
        event: &I::Event,
    ) -> Fanout<I::Withheld> {
        let mut renderings = Renderings { event, made: Vec::new() };
        match renderings.for_cohort(cohort) {
            Ok(rendering) => self.push(member, std::slice::from_ref(rendering), None),
            Err(reason) => self.fanout.withhold(reason, 1),
        }
        self.fanout
    }

    /// Calls `found` with each cohort that gets the event, and accounts for those that do not.
    fn each(
        &mut self,
        audience: &Audience<I>,
        event: &I::Event,
        mut found: impl FnMut(&mut Self, CohortId, &Cohort<I>, &I::Rendering),
    ) {
        audience.count();
        let mut asked = 0;
        let mut renderings = Renderings { event, made: Vec::new() };
        audience.candidates(event, |id, cohort| {
            asked += cohort.members.len();
            match renderings.for_cohort(cohort) {
                Ok(rendering) => {
                    cohort.ledger.grant();
                    found(self, id, cohort, rendering);
                }
                Err(reason) => {
                    cohort.ledger.deny(reason);
                    self.fanout.withhold(reason, cohort.members.len());
                }
            }
        });
        if asked < audience.len() {
            self.fanout.withhold(I::PASSED_OVER, audience.len() - asked);
        }
    }

    /// Gives all members of a cohort the same renderings: laid end to end, where that is done once for many.
    fn hand_out(&mut self, cohort: &Cohort<I>, renderings: &[I::Rendering]) {
        let worth_joining = renderings.len() > 1 && cohort.members.len() >= WORTH_JOINING;
        let joined = worth_joining.then(|| I::join(renderings));
        for member in &cohort.members {
            self.push(*member, renderings, joined.as_ref());
        }
    }

    /// Gives a member renderings: joined, where there is such a thing and it is wanted, or else one by one.
    fn push(&mut self, member: SubscriberId, renderings: &[I::Rendering], joined: Option<&I::Rendering>) {
        let events = renderings.len();
        let Some(sink) = self.subscribers.dirty(member) else {
            self.fanout.refuse(member, events);
            return;
        };
        match joined {
            Some(joined) if !sink.wants_single() => {
                match sink.push(joined, u32::try_from(events).unwrap_or(u32::MAX)) {
                    Ok(()) => self.fanout.take(events),
                    Err(_) => self.fanout.refuse(member, events),
                }
            }
            _ => {
                for rendering in renderings {
                    match sink.push(rendering, 1) {
                        Ok(()) => self.fanout.take(1),
                        Err(_) => self.fanout.refuse(member, 1),
                    }
                }
            }
        }
    }
}

impl<I: Interest> Renderings<'_, I> {
    fn for_cohort(&mut self, cohort: &Cohort<I>) -> Result<&I::Rendering, I::Withheld> {
        let form = cohort.interest.decide(self.event)?;
        let known = self.made.iter().position(|(other, _)| *other == form);
        let place = known.unwrap_or_else(|| {
            let rendering = I::render(self.event, &form);
            self.made.push((form, rendering));
            self.made.len() - 1
        });
        self.made[place].1.as_ref().map_err(|reason| *reason)
    }
}

/// Members from which on one copy of several renderings costs less than a reference to each of them per member.
const WORTH_JOINING: usize = 4;
