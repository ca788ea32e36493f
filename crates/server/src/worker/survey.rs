use std::rc::Rc;

use geocast_hub::SubscriberId;
use tokio::sync::oneshot;

use super::{Topic, Worker, topic::TopicKind};

/// How a worker is, for those who look at it from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Survey {
    /// WebSockets.
    pub(crate) connections: usize,
    /// Subscriptions to messages.
    pub(crate) subscriptions: usize,
    /// Tracked subscriptions.
    pub(crate) tracked: usize,
    /// Of those, the ones that are not up to date.
    pub(crate) behind: usize,
    /// What is remembered of those, in bytes.
    pub(crate) behind_bytes: usize,
    /// Sets of subscriptions of a channel with equal interests.
    pub(crate) cohorts: usize,
    /// Clients whose socket is full.
    pub(crate) blocked: usize,
    /// Bytes that wait in all outboxes.
    pub(crate) outboxes: usize,
    /// Bytes that wait in the fullest.
    pub(crate) fullest: usize,
}

/// Looks at everybody, some at a time: what is published meanwhile is not held up.
pub(super) async fn survey(worker: Rc<Worker>, asked: oneshot::Sender<Survey>) {
    let mut survey = worker.survey_topics();
    let ids: Vec<SubscriberId> = worker.hub.borrow().subscribers().collect();
    for some in ids.chunks(AT_ONCE) {
        worker.survey_outboxes(some, &mut survey);
        tokio::task::yield_now().await;
    }
    // Whoever asked may have lost patience.
    let _gone: Result<(), Survey> = asked.send(survey);
}

impl Worker {
    pub(super) fn survey_topics(&self) -> Survey {
        let hub = self.hub.borrow();
        let mut survey = Survey { connections: hub.len(), cohorts: hub.cohorts(), ..Survey::default() };
        for topic in hub.channels() {
            let Topic { kind, .. } = topic;
            match kind {
                TopicKind::Messages => survey.subscriptions += hub.audience(topic),
                TopicKind::State => survey.tracked += hub.audience(topic),
                TopicKind::Missed => {}
            }
        }
        for tracked in self.tracked.borrow().values() {
            survey.behind += tracked.behind.len();
            survey.behind_bytes += tracked.memory.taken();
        }
        survey
    }

    pub(super) fn survey_outboxes(&self, ids: &[SubscriberId], survey: &mut Survey) {
        let mut hub = self.hub.borrow_mut();
        for id in ids {
            let Some(mailbox) = hub.sink(*id) else { continue };
            let waiting = mailbox.waiting();
            survey.blocked += usize::from(mailbox.is_blocked());
            survey.outboxes += waiting;
            survey.fullest = survey.fullest.max(waiting);
        }
    }
}

/// Clients that are looked at before others have their turn: well under a millisecond.
pub(super) const AT_ONCE: usize = 2_048;
