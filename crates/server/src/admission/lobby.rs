use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::Notify, task::yield_now};

use crate::clock;

/// Those who hold a socket and are not being answered: their request has not come whole, or they idle after an answer.
/// While all places are taken and nobody leaves, the one who has been here longest makes room, so that strangers who say
/// nothing cannot keep others waiting for as long as the header of a request may take. Where some leave, as in a storm of
/// those who come back, the others need only be waited for.
#[derive(Debug)]
pub(super) struct Lobby(Mutex<Guests>);

#[derive(Debug)]
struct Guests {
    /// In the order in which they fell silent. There are as many as places, at most.
    silent: BTreeMap<u64, Silent>,
    /// The last number that was given; zero stands for nobody.
    last: u64,
    /// When somebody last left who had not been asked to.
    departed: Instant,
}

#[derive(Debug)]
struct Silent {
    since: Instant,
    leave: Arc<Notify>,
}

/// Where one of them stands; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct LobbyPlace {
    lobby: Arc<Lobby>,
    /// Zero as long as it is being answered. Only its connection changes it.
    number: AtomicU64,
    leave: Arc<Notify>,
}

impl Lobby {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Guests { silent: BTreeMap::new(), last: 0, departed: now }))
    }

    /// For somebody who has connected, and is not read yet: until then, nobody can know whether it is silent.
    pub(super) fn place(self: &Arc<Self>) -> LobbyPlace {
        LobbyPlace { lobby: Arc::clone(self), number: AtomicU64::new(0), leave: Arc::default() }
    }

    /// Asks whoever has been silent longest to leave, if that is long enough, and tells when to try again.
    pub(super) fn make_room(&self, now: Instant) -> Duration {
        let mut guests = self.0.lock();
        let departed = guests.departed;
        let Some(eldest) = guests.silent.first_entry() else { return PATIENCE };
        let since = departed.max(eldest.get().since);
        let patience = PATIENCE.saturating_sub(now.saturating_duration_since(since));
        if !patience.is_zero() {
            return patience;
        }
        eldest.remove().leave.notify_one();
        TO_LEAVE
    }

    fn depart(&self, now: Instant) {
        self.0.lock().departed = now;
    }
}

impl LobbyPlace {
    /// It is being answered from here on, and keeps its place.
    pub(crate) fn attend(&self) {
        self.lobby.0.lock().silent.remove(&self.number.swap(0, Ordering::Relaxed));
    }

    /// It says nothing yet, or not since it was answered.
    pub(crate) fn rest(&self, now: Instant) {
        let mut guests = self.lobby.0.lock();
        guests.last += 1;
        let number = guests.last;
        guests.silent.remove(&self.number.swap(number, Ordering::Relaxed));
        guests.silent.insert(number, Silent { since: now, leave: Arc::clone(&self.leave) });
    }

    /// Waits until somebody else needs the place.
    pub(crate) async fn dismissed(&self) {
        loop {
            self.leave.notified().await;
            // A server that has much to do may not have come to reading what it said.
            for _ in 0..TURNS {
                yield_now().await;
            }
            if self.is_to_leave() {
                return;
            }
        }
    }

    fn is_to_leave(&self) -> bool {
        let number = self.number.load(Ordering::Relaxed);
        number != 0 && !self.lobby.0.lock().silent.contains_key(&number)
    }
}

impl Drop for LobbyPlace {
    fn drop(&mut self) {
        if !self.is_to_leave() {
            self.lobby.depart(clock::now());
        }
        self.attend();
    }
}

/// How long everybody may be silent, however many others wait: a TLS handshake over a slow line takes less. And for how long
/// nobody must have left.
const PATIENCE: Duration = Duration::from_secs(2);

/// Turns of the others, and looks at what has arrived, that one has who is asked to leave: as many as a TLS handshake with a
/// request behind it needs of a server that is late.
const TURNS: usize = 3;

/// How long to wait for the place of whoever was asked to leave, before another one is asked.
const TO_LEAVE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    #[test]
    fn who_has_been_silent_longest_goes_first() {
        let start = Instant::now();
        let lobby = Arc::new(Lobby::new(start));
        let after = |times: u32| start + PATIENCE * times;
        assert_eq!(lobby.make_room(start), PATIENCE, "there is nobody");
        let places: Vec<LobbyPlace> = (0..4).map(|_| lobby.place()).collect();
        assert_eq!(lobby.make_room(start), PATIENCE, "nobody has been read");
        places.iter().zip(0..).for_each(|(place, times)| place.rest(after(times)));
        let gone = || -> Vec<usize> {
            let is_gone = |number: &usize| places[*number].is_to_leave();
            let gone = (0..places.len()).filter(is_gone).collect();
            places.iter().filter(|place| place.is_to_leave()).for_each(LobbyPlace::attend);
            gone
        };
        assert_eq!(lobby.make_room(start + PATIENCE / 2), PATIENCE / 2);
        assert!(gone().is_empty());
        places[0].attend();
        assert_eq!(lobby.make_room(after(1)), PATIENCE, "who is being answered stays");
        places[1].rest(after(9));
        assert_eq!(lobby.make_room(after(9)), TO_LEAVE);
        assert_eq!(gone(), [2]);
        assert_eq!(lobby.make_room(after(9)), TO_LEAVE);
        assert_eq!(gone(), [3]);
        assert_eq!(lobby.make_room(after(9)), PATIENCE, "who has been answered has as long again");
        assert_eq!(lobby.make_room(after(10)), TO_LEAVE);
        assert_eq!(gone(), [1]);
        places[1].rest(after(11));
        lobby.depart(after(13));
        assert_eq!(lobby.make_room(after(13)), PATIENCE, "there is room now and then");
        assert_eq!(lobby.make_room(after(14)), TO_LEAVE);
        drop(places);
        assert!(lobby.0.lock().silent.is_empty());
    }

    #[test]
    fn only_who_leaves_by_itself_shows_that_others_will() {
        let start = Instant::now();
        let lobby = Arc::new(Lobby::new(start));
        let (asked, other) = (lobby.place(), lobby.place());
        asked.rest(start);
        assert_eq!(lobby.make_room(start + PATIENCE), TO_LEAVE);
        drop(asked);
        assert_eq!(lobby.0.lock().departed, start);
        drop(other);
        assert!(lobby.0.lock().departed > start);
    }

    #[tokio::test]
    async fn who_has_said_something_meanwhile_stays() {
        let start = Instant::now();
        let lobby = Arc::new(Lobby::new(start));
        let place = lobby.place();
        place.rest(start);
        assert_eq!(lobby.make_room(start + PATIENCE), TO_LEAVE);
        let mut dismissed = pin!(place.dismissed());
        assert!(dismissed.as_mut().now_or_never().is_none(), "it has its turns");
        place.attend();
        assert!(timeout(TO_LEAVE, dismissed.as_mut()).await.is_err(), "it is being answered");
        place.rest(start + PATIENCE);
        assert!(timeout(TO_LEAVE, dismissed.as_mut()).await.is_err(), "it has as long again");
        lobby.make_room(start + 2 * PATIENCE);
        dismissed.await;
    }
}
