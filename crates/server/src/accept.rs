//! From the listener to the workers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    Count,
    admission::{Entrance, TurnedAway},
    clock,
    log_limit::LogLimit,
    node::Node,
    transport::{Accepting, Arrival, Peer},
    worker::WorkerMessage,
};

/// A socket that somebody connected, on its way to a worker.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) arrival: Arrival,
    pub(crate) peer: Peer,
    /// Kept as long as it is no WebSocket.
    pub(crate) entrance: Entrance,
    /// Kept as long as the socket is served.
    pub(crate) seat: Seat,
}

/// One connection in a worker's load; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

/// Deals connections out to workers.
#[derive(Debug)]
struct Dealer<'a> {
    workers: Vec<(&'a UnboundedSender<WorkerMessage>, Arc<AtomicUsize>)>,
    /// Where the search begins, so that equally busy workers take turns.
    next: AtomicUsize,
}

/// Accepts for ever on all listeners; each connection goes to the worker that has the fewest.
pub(crate) async fn accept(node: &Node, listeners: &[Accepting], workers: &[UnboundedSender<WorkerMessage>]) {
    let dealer = Dealer::new(workers);
    join_all(listeners.iter().map(|listener| accept_on(node, listener, &dealer))).await;
}

async fn accept_on(node: &Node, listener: &Accepting, dealer: &Dealer<'_>) {
    loop {
        let permit = node.door.open().await;
        match listener.accept().await {
            Ok((arrival, peer)) => match node.door.enter(peer, permit, clock::now()) {
                Ok(entrance) => dealer.deal(arrival, peer, entrance),
                Err(reason) => {
                    node.count(Count::ConnectionRefused);
                    node.counters.tallies.refusals.add("address_limit");
                    turned_away(peer, peer, &reason);
                }
            },
            Err(error) => {
                // Descriptors have run out, although the budget leaves some: what is open goes on, and some will be closed.
                if let Some(unlogged) = FAILURES.admit() {
                    tracing::warn!(event = "accept_failed", %error, unlogged, "cannot accept a connection");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Says that the address of a client is over its bound, who has connected by itself, or by a proxy that is believed.
pub(crate) fn turned_away(peer: Peer, client: Peer, reason: &TurnedAway) {
    let Some(unlogged) = TURNED_AWAY.admit() else { return };
    if peer == client {
        tracing::warn!(
            event = "connection_refused",
            %peer,
            %reason,
            unlogged,
            "connection refused; if this is a proxy, name it with --trusted-proxies"
        );
    } else {
        tracing::warn!(event = "connection_refused", %peer, %client, %reason, unlogged, "connection refused");
    }
}

static TURNED_AWAY: LogLimit = LogLimit::new();
static FAILURES: LogLimit = LogLimit::new();

impl Seat {
    fn take(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<'a> Dealer<'a> {
    fn new(workers: &'a [UnboundedSender<WorkerMessage>]) -> Self {
        Self {
            workers: workers.iter().map(|worker| (worker, Arc::default())).collect(),
            next: AtomicUsize::new(0),
        }
    }

    fn deal(&self, arrival: Arrival, peer: Peer, entrance: Entrance) {
        let Some((worker, load)) = self.least_busy() else { return };
        let accepted = Box::new(Accepted { arrival, peer, entrance, seat: Seat::take(load) });
        // A worker that has ended stops with the server, and its connections with it.
        let _ended: Result<(), _> = worker.send(WorkerMessage::Accepted(accepted));
    }

    fn least_busy(&self) -> Option<&(&'a UnboundedSender<WorkerMessage>, Arc<AtomicUsize>)> {
        let count = self.workers.len();
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = self.workers.iter().cycle().skip(next.checked_rem(count)?).take(count);
        in_turn.min_by_key(|(_, load)| load.load(Ordering::Relaxed))
    }
}

/// How long to wait before accepting again after it failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::{net::TcpStream, time::Instant};

    use super::*;
    use crate::{TrustedProxies, admission::Door};

    #[tokio::test]
    async fn a_connection_goes_to_the_worker_that_has_the_fewest() {
        let (workers, mut inboxes): (Vec<_>, Vec<_>) = (0..3).map(|_| crate::worker::inbox()).unzip();
        let dealer = Dealer::new(&workers);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || Arrival::Tcp(TcpStream::connect(address).unwrap());
        let limits = crate::Limits::default();
        let door = Door::new(&limits, TrustedProxies::default(), 9, Instant::now());
        let deal = async |number: usize| {
            for _ in 0..number {
                let entrance = door.enter(Peer::Local, door.open().await, Instant::now()).unwrap();
                dealer.deal(connect(), Peer::Local, entrance);
            }
        };
        deal(6).await;
        let mut seats = |worker: usize| {
            let messages = std::iter::from_fn(|| inboxes[worker].try_recv().ok());
            let accepted = messages.filter_map(|message| match message {
                WorkerMessage::Accepted(accepted) => Some(accepted.seat),
                _ => None,
            });
            accepted.collect::<Vec<Seat>>()
        };
        let (first, second, third) = (seats(0), seats(1), seats(2));
        assert_eq!([first.len(), second.len(), third.len()], [2, 2, 2], "in turn");
        drop(second);
        deal(2).await;
        assert_eq!([seats(0).len(), seats(1).len(), seats(2).len()], [0, 2, 0], "to the one that has none");
    }
}
