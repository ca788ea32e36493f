use std::thread;

use tokio::sync::mpsc;

use super::*;

/// Of several that publish at once, on threads of their own, each worker hears in the same order.
#[test]
#[expect(clippy::disallowed_methods, reason = "the broker bounds what is in it, as in the server")]
fn all_workers_have_the_messages_of_all_publishers_in_one_order() {
    let broker = Broker::new(Intake::default(), 1 << 30, Arc::new(Counters::default()));
    let (senders, mut inboxes): (Vec<_>, Vec<_>) = (0..3).map(|_| mpsc::unbounded_channel()).unzip();
    broker.attach(senders);
    let channel: Channel = "cars".parse().expect("a channel");
    (0..inboxes.len()).for_each(|worker| broker.join(worker, &channel));

    let publish = |publisher: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        for message in 0..MESSAGES {
            let text = format!("{publisher} {message}");
            runtime.block_on(broker.deliver(&channel, text.into()));
        }
    };
    thread::scope(|scope| {
        (0..PUBLISHERS).for_each(|publisher| drop(scope.spawn(move || publish(publisher))));
    });

    let heard: Vec<Vec<Bytes>> = inboxes.iter_mut().map(heard).collect();
    assert_eq!(heard[0].len(), PUBLISHERS * MESSAGES);
    for (worker, other) in heard.iter().enumerate().skip(1) {
        let differs = heard[0].iter().zip(other).position(|(one, other)| one != other);
        assert_eq!((other.len(), differs), (heard[0].len(), None), "worker {worker} hears in another order");
    }
}

fn heard(inbox: &mut mpsc::UnboundedReceiver<WorkerMessage>) -> Vec<Bytes> {
    let mut heard = Vec::new();
    while let Ok(WorkerMessage::Events { events, .. }) = inbox.try_recv() {
        heard.extend(events.iter().map(|sent| sent.event.payload().clone()));
    }
    heard
}

const PUBLISHERS: usize = 4;
const MESSAGES: usize = 20_000;
