use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    rc::Rc,
    time::Instant,
};

use geocast_hub::SubscriberId;
use tokio::sync::oneshot;

use super::{Survey, Topic, Worker, survey::AT_ONCE, topic::TopicKind};
use crate::{
    clock,
    interest::Sight,
    operator::{Client, Looking, Question, Traffics},
    session::name_of,
};

/// What a worker holds, for an operator.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) survey: Survey,
    /// Those that were asked for, by their numbers, with one more if there is one.
    pub(crate) clients: Vec<Client>,
    /// Those for which most is waiting, the worst first.
    pub(crate) slow: Vec<Client>,
    pub(crate) channels: Traffics,
}

/// The `most` smallest of what is offered.
struct Smallest<T: Ord> {
    heap: BinaryHeap<T>,
    most: usize,
}

/// Looks at everybody, some at a time: what is published meanwhile is not held up.
pub(super) async fn inspect(worker: Rc<Worker>, question: Question, asked: oneshot::Sender<Inspection>) {
    let mut inspection = Inspection { survey: worker.survey_topics(), ..Inspection::default() };
    let ids: Vec<SubscriberId> = worker.hub.borrow().subscribers().collect();
    // One more, to know whether there are more.
    let mut page = Smallest::of(question.limit + 1);
    let mut slow = Smallest::of(Question::SLOW);
    for some in ids.chunks(AT_ONCE) {
        worker.survey_outboxes(some, &mut inspection.survey);
        worker.sort_in(some, question.after, &mut page, &mut slow);
        tokio::task::yield_now().await;
    }
    for some in page.into_sorted().chunks(TOLD_AT_ONCE) {
        inspection.clients.extend(some.iter().filter_map(|(_, id)| worker.client(*id, clock::now())));
        tokio::task::yield_now().await;
    }
    for some in slow.into_sorted().chunks(TOLD_AT_ONCE) {
        inspection.slow.extend(some.iter().filter_map(|(_, id)| worker.client(*id, clock::now())));
        tokio::task::yield_now().await;
    }
    let topics: Vec<Topic> = worker.hub.borrow().channels().cloned().collect();
    for some in topics.chunks(AT_ONCE) {
        worker.add_traffic(some, &mut inspection.channels);
        if inspection.channels.len() > 2 * Question::CHANNELS_OF_WORKER {
            inspection.channels.keep(Question::CHANNELS_OF_WORKER);
        }
        tokio::task::yield_now().await;
    }
    inspection.channels.keep(Question::CHANNELS_OF_WORKER);
    // Whoever asked may have lost patience.
    let _gone: Result<(), Inspection> = asked.send(inspection);
}

impl<T: Ord> Smallest<T> {
    fn of(most: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(most), most }
    }

    fn offer(&mut self, one: T) {
        if self.heap.len() < self.most {
            self.heap.push(one);
        } else if let Some(mut largest) = self.heap.peek_mut()
            && one < *largest
        {
            *largest = one;
            drop::<PeekMut<'_, T>>(largest);
        }
    }

    fn into_sorted(self) -> Vec<T> {
        self.heap.into_sorted_vec()
    }
}

impl Worker {
    fn sort_in(
        &self,
        ids: &[SubscriberId],
        after: u64,
        page: &mut Smallest<(u64, SubscriberId)>,
        slow: &mut Smallest<(Reverse<(bool, usize)>, SubscriberId)>,
    ) {
        let mut hub = self.hub.borrow_mut();
        for id in ids {
            let Some(mailbox) = hub.sink(*id) else { continue };
            let number = mailbox.card().number;
            if number > after {
                page.offer((number, *id));
            }
            let (waiting, is_blocked) = (mailbox.waiting(), mailbox.is_blocked());
            if waiting > 0 || is_blocked {
                slow.offer((Reverse((is_blocked, waiting)), *id));
            }
        }
    }

    /// What there is to say of a client; nothing, if it is gone.
    fn client(&self, id: SubscriberId, now: Instant) -> Option<Client> {
        let mut hub = self.hub.borrow_mut();
        let mailbox = hub.sink(id)?;
        let (card, total) = (mailbox.card(), mailbox.total());
        let mut client = Client {
            id: card.number,
            address: card.address.to_string(),
            dialect: card.dialect,
            age_seconds: now.saturating_duration_since(card.since).as_secs_f64(),
            crs: None,
            viewport: None,
            channels: Default::default(),
            waiting_bytes: mailbox.waiting(),
            blocked: mailbox.is_blocked(),
            behind: false,
            delivered: total.left,
            dropped: total.replaced + total.dropped,
        };
        let is_heard = |topic: &&Topic| topic.kind != TopicKind::Missed;
        let mut topics: Vec<&Topic> = hub.subscriptions(id).filter(is_heard).collect();
        topics.sort_unstable_by(|one, other| one.channel.as_str().cmp(other.channel.as_str()));
        client.channels.count = topics.len();
        let names = topics.iter().take(Question::NAMES).map(|topic| topic.channel.as_str().to_owned());
        client.channels.names = names.collect();
        let tracked = self.tracked.borrow();
        for topic in topics {
            let behind = tracked.get(&topic.channel).and_then(|tracked| tracked.behind.get(&id));
            let behind = behind.filter(|_| topic.kind == TopicKind::State);
            client.behind |= behind.is_some();
            if let Some(sight) = behind.map(|behind| &behind.sight).or_else(|| hub.interest(id, topic)) {
                self.add_sight(&mut client, sight);
            }
        }
        Some(client)
    }

    /// A client looks at all of its channels in the same way.
    fn add_sight(&self, client: &mut Client, sight: &Sight) {
        if client.crs.is_none() {
            let output = sight.output.as_ref().map_or(self.node.rules.source, |transform| transform.to());
            client.crs = Some(name_of(output).to_string());
        }
        if client.viewport.is_none() {
            client.viewport = sight.window.as_deref().map(Looking::from);
        }
    }

    fn add_traffic(&self, topics: &[Topic], channels: &mut Traffics) {
        let hub = self.hub.borrow();
        for topic in topics.iter().filter(|topic| !topic.channel.is_internal()) {
            let Some(traffic) = hub.traffic(topic) else { continue };
            // What was missed is given to those who have subscribed to the messages as well.
            let (subscribers, events) = match topic.kind {
                TopicKind::Missed => (0, 0),
                TopicKind::Messages | TopicKind::State => (hub.audience(topic), traffic.events),
            };
            channels.add(&topic.channel, subscribers, events, traffic.granted);
        }
    }
}

/// Clients that are told of before others have their turn: each may have many subscriptions.
const TOLD_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_are_kept_in_order() {
        let mut smallest = Smallest::of(3);
        for number in [5, 1, 4, 9, 2, 8, 3] {
            smallest.offer(number);
        }
        assert_eq!(smallest.into_sorted(), [1, 2, 3]);
        let mut none = Smallest::of(0);
        none.offer(1);
        assert!(none.into_sorted().is_empty());
    }
}
