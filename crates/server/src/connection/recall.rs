//! Reading the history of a channel for a client.

use std::{rc::Rc, sync::Arc};

use geocast_protocol::envelope::Content;

use super::{Connection, effects::Done, work::Work};
use crate::{
    History, HistoryQuery, KeptMessage, Place, clock,
    dialect::{Answer, Payload},
    interest::Sight,
    node::Node,
    rendering, runtime,
    session::{Asked, Fault, FaultKind, Recall},
};

impl Connection {
    pub(super) fn recall(&mut self, recall: Recall, asked: Asked) {
        let node = Arc::clone(&Rc::clone(&self.worker).node);
        let asked = asked.under(Some(&recall.reference));
        let (dialect, rights) = (asked.dialect.clone(), asked.rights.clone());
        let sight = Sight { dialect, rights, ..self.sight.clone() };
        let most_bytes = self.session.limits().outbox / 4;
        self.work = Some(Work::on(&recall.channel.clone(), asked, async move {
            Done::Recalled(read(&node, recall, most_bytes, sight).await)
        }));
    }
}

async fn read(node: &Arc<Node>, recall: Recall, most_bytes: usize, sight: Sight) -> Vec<Payload> {
    let dialect = sight.dialect.clone();
    let query = HistoryQuery { since: recall.since.clone(), most: recall.most.min(MOST), bytes: most_bytes };
    let fault = match node.store.history(&recall.channel, &query).await {
        Ok(Some(history)) => {
            let node = Arc::clone(node);
            // Parsing and projecting takes long enough to hold up everybody else on this thread.
            let shown = runtime::apart(move || show(&node, &recall, &history, &sight));
            return shown.await.expect("showing a history does not panic");
        }
        Ok(None) => {
            let message = format!("the store keeps no history of `{}`", recall.channel);
            Fault::new(FaultKind::HistoryUnavailable, message)
        }
        Err(error) => Fault::from(&error),
    };
    let reference = Some(&*recall.reference).filter(|reference| !reference.is_empty());
    dialect.answer(Answer::Failed { reference, fault: &fault }, clock::timestamp())
}

/// What of it is in sight, in the words of the dialect.
fn show(node: &Node, recall: &Recall, history: &History, sight: &Sight) -> Vec<Payload> {
    let seen = history.messages.iter().filter_map(|KeptMessage { place, payload }| {
        let event = node.broker.read(recall.channel.clone(), payload.clone(), 0);
        let value = sight.show(&event).and_then(|form| rendering::value(&event, &form));
        value.map(|bytes| (*place, event.kind(), bytes)).map_err(|reason| node.count(reason.into())).ok()
    });
    let seen: Vec<_> = seen.collect();
    let messages: Vec<(Place, Content<'_>)> =
        seen.iter().map(|(place, kind, bytes)| (*place, rendering::content(*kind, bytes))).collect();
    let (reference, channel, resumes) = (&*recall.reference, &recall.channel, recall.since.is_some());
    let answer = Answer::History { reference, channel, history, resumes, messages: &messages };
    sight.dialect.answer(answer, clock::timestamp())
}

/// The most messages that are looked at for one answer.
const MOST: usize = 10_000;
