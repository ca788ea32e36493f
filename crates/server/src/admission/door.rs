use std::{net::IpAddr, num::NonZeroUsize, pin::pin, sync::Arc, time::Instant};

use axum::http::HeaderMap;
use futures_util::FutureExt;
use parking_lot::{Mutex, RwLock};
use thiserror::Error;
use tokio::time::{sleep_until, timeout};

use super::{
    AddressSeat, LobbyPlace, RateTable, TrustedProxies,
    address_seats::{AddressSeats, neighbourhood},
    lobby::Lobby,
    places::{Places, TakenPlace},
};
use crate::{Limits, RateLimit, clock, rate::Rate, transport::Peer};

/// What everybody passes who connects.
///
/// Whoever connects from this machine is not counted by address, unless it is a trusted proxy: then its clients are, by the
/// addresses that it gives, once they have said what they want.
#[derive(Debug)]
pub(crate) struct Door {
    proxies: RwLock<TrustedProxies>,
    pace: Mutex<Option<Pace>>,
    plain: Arc<Places>,
    lobby: Arc<Lobby>,
    plain_seats: AddressSeats,
    seats: AddressSeats,
    rates: RateTable<IpAddr>,
}

/// How fast connections are accepted.
#[derive(Debug)]
struct Pace {
    limit: RateLimit,
    rate: Rate,
}

/// The right to be served as long as one is no WebSocket.
#[derive(Debug)]
pub(crate) struct Entrance {
    _plain: TakenPlace,
    _address: Option<Box<AddressSeat>>,
    place: Arc<LobbyPlace>,
}

/// Why somebody is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TurnedAway {
    #[error("an address may have {0} connections at the same time, and this one has them")]
    TooMany(NonZeroUsize),
    #[error("too many connections from this address in a short time")]
    TooFast,
}

impl Door {
    /// For so many sockets that are no WebSockets.
    pub(crate) fn new(limits: &Limits, proxies: TrustedProxies, plain: usize, now: Instant) -> Self {
        Self {
            proxies: RwLock::new(proxies),
            pace: Mutex::new(limits.accept_rate.map(|limit| Pace::new(limit, now))),
            plain: Arc::new(Places::new(plain)),
            lobby: Arc::new(Lobby::new(now)),
            plain_seats: AddressSeats::new(limits.address_connections),
            seats: AddressSeats::new(limits.address_connections),
            rates: RateTable::new(limits.address_rate, now),
        }
    }

    /// Has other limits hold from now on. Nobody has to leave: who comes is let in when there are few enough. A rate that is another
    /// one begins anew.
    pub(crate) fn follow(&self, limits: &Limits, plain: usize, now: Instant) {
        self.plain.allow(plain);
        self.plain_seats.allow(limits.address_connections);
        self.seats.allow(limits.address_connections);
        self.rates.allow(limits.address_rate, now);
        let mut pace = self.pace.lock();
        if pace.as_ref().map(|pace| pace.limit) != limits.accept_rate {
            *pace = limits.accept_rate.map(|limit| Pace::new(limit, now));
        }
    }

    /// Waits until one more socket may be accepted. Until then those who connect wait in the system's queue, and those who
    /// are inside and say nothing make room.
    pub(crate) async fn open(&self) -> TakenPlace {
        let mut room = pin!(self.plain.take());
        let place = loop {
            if let Some(place) = room.as_mut().now_or_never() {
                break place;
            }
            let patience = self.lobby.make_room(clock::now());
            if let Ok(place) = timeout(patience, room.as_mut()).await {
                break place;
            }
        };
        while let Some(resumes) = self.paused_until(clock::now()) {
            sleep_until(resumes.into()).await;
        }
        place
    }

    /// When the next socket may be accepted, if that is too early now: at most a second for each that is being waited for.
    fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.pace.lock().as_ref()?.rate.resumes(now)
    }

    /// Lets in whoever has connected.
    pub(crate) fn enter(&self, peer: Peer, plain: TakenPlace, now: Instant) -> Result<Entrance, TurnedAway> {
        if let Some(pace) = &mut *self.pace.lock() {
            pace.rate.spend(now);
        }
        let address = match self.counted(peer) {
            Some(address) if !self.proxies.read().trust(peer) => {
                self.keep_pace(address, now)?;
                Some(self.plain_seats.take(address).map_err(TurnedAway::TooMany)?)
            }
            _ => None,
        };
        let place = Arc::new(self.lobby.place());
        Ok(Entrance { _plain: plain, _address: address, place })
    }

    /// From where a request comes.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> Peer {
        self.proxies.read().client(peer, headers)
    }

    /// Has other proxies be believed from now on.
    pub(crate) fn believe(&self, proxies: TrustedProxies) {
        *self.proxies.write() = proxies;
    }

    /// Lets somebody have a WebSocket: a [client](Self::client) of this peer, which may be the same.
    pub(crate) fn admit(
        &self,
        client: Peer,
        peer: Peer,
        now: Instant,
    ) -> Result<Option<Box<AddressSeat>>, TurnedAway> {
        let Some(address) = self.counted(client) else { return Ok(None) };
        if client != peer {
            // Those who come without a proxy have been asked before.
            self.keep_pace(address, now)?;
        }
        self.seats.take(address).map(Some).map_err(TurnedAway::TooMany)
    }

    fn keep_pace(&self, address: IpAddr, now: Instant) -> Result<(), TurnedAway> {
        if self.rates.admits(neighbourhood(address), now) { Ok(()) } else { Err(TurnedAway::TooFast) }
    }

    /// The address, if connections of it are counted. A proxy that does not say whom it speaks for is many clients.
    fn counted(&self, peer: Peer) -> Option<IpAddr> {
        match peer {
            Peer::Network(address)
                if address.ip().to_canonical().is_loopback() || self.proxies.read().trust(peer) =>
            {
                None
            }
            Peer::Network(address) => Some(address.ip()),
            Peer::Local => None,
        }
    }
}

impl Pace {
    fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, rate: limit.begin(now) }
    }
}

impl Entrance {
    /// Where it waits as long as nothing is being done for it.
    pub(crate) fn place(&self) -> &Arc<LobbyPlace> {
        &self.place
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use super::*;
    use crate::RateLimit;

    fn door(adjust: impl FnOnce(&mut Limits)) -> Door {
        let mut limits = Limits::default();
        adjust(&mut limits);
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Door::new(&limits, TrustedProxies { proxies, ..TrustedProxies::default() }, 100, Instant::now())
    }

    fn peer(address: &str) -> Peer {
        Peer::Network(SocketAddr::new(address.parse().unwrap(), 9))
    }

    #[tokio::test]
    async fn an_address_enters_so_often_and_others_do_not_mind() {
        let door = door(|limits| {
            limits.address_connections = NonZeroUsize::new(3);
            limits.address_rate = Some(RateLimit { per_second: 1, burst: 4 });
        });
        let now = Instant::now();
        let mut inside = Vec::new();
        let mut enter = async |address: &str| {
            let entered = door.enter(peer(address), door.open().await, now);
            entered.map(|entrance| inside.push(entrance))
        };
        for _ in 0..3 {
            enter("192.0.2.1").await.unwrap();
        }
        assert_eq!(enter("192.0.2.1").await, Err(TurnedAway::TooMany(NonZeroUsize::new(3).unwrap())));
        assert_eq!(enter("192.0.2.1").await, Err(TurnedAway::TooFast));
        for address in
            ["192.0.2.2", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "10.0.0.1"]
        {
            enter(address).await.unwrap();
        }
        assert_eq!(door.plain.taken(), 10);
        inside.clear();
        assert_eq!(door.plain.taken(), 0);
        let later = now + Duration::from_secs(9);
        door.enter(peer("192.0.2.1"), door.open().await, later).unwrap();
    }

    #[test]
    fn clients_of_a_proxy_are_counted_by_their_own_addresses() {
        let door = door(|limits| limits.address_connections = NonZeroUsize::new(1));
        let now = Instant::now();
        let admit = |client: &str| door.admit(peer(client), peer("10.0.0.1"), now);
        let _first = admit("192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_err());
        let _second = admit("192.0.2.2").unwrap();
        let _silent_proxy = [admit("10.0.0.1").unwrap(), admit("10.0.0.1").unwrap()];
    }

    #[tokio::test]
    async fn a_storm_is_let_in_steadily() {
        let door = door(|limits| limits.accept_rate = Some(RateLimit { per_second: 1, burst: 2 }));
        let start = Instant::now();
        for _ in 0..2 {
            door.enter(peer("192.0.2.1"), door.open().await, start).unwrap();
        }
        let waiting = timeout(Duration::from_millis(100), door.open()).await;
        assert!(waiting.is_err(), "the third waits");
    }

    #[tokio::test]
    async fn what_is_raised_lets_in_whom_it_kept_out_and_what_is_lowered_ends_nobody() {
        let limits = |plain_each: usize, rate: Option<RateLimit>| Limits {
            address_connections: NonZeroUsize::new(plain_each),
            address_rate: rate,
            ..Limits::default()
        };
        let rate = |burst| Some(RateLimit { per_second: 1, burst });
        let start = Instant::now();
        let door = Door::new(&limits(1, rate(2)), TrustedProxies::default(), 1, start);
        let enter = |place| door.enter(peer("192.0.2.1"), place, start);
        let first = enter(door.open().await).unwrap();
        let mut waiting = pin!(door.plain.take());
        assert!(waiting.as_mut().now_or_never().is_none(), "all places are taken");
        door.follow(&limits(1, rate(2)), 9, start);
        assert_eq!(enter(waiting.await).unwrap_err(), TurnedAway::TooMany(NonZeroUsize::MIN));
        assert_eq!(enter(door.open().await).unwrap_err(), TurnedAway::TooFast, "the rate has not changed");
        door.follow(&limits(2, rate(3)), 9, start);
        let second = enter(door.open().await).unwrap();
        door.follow(&limits(1, None), 1, start);
        assert_eq!(door.plain.taken(), 2);
        drop(first);
        let mut waiting = pin!(door.plain.take());
        assert!(waiting.as_mut().now_or_never().is_none(), "one is there, and one may be");
        drop(second);
        let alone = enter(waiting.await).unwrap();
        door.follow(&limits(1, None), 9, start);
        assert_eq!(enter(door.open().await).unwrap_err(), TurnedAway::TooMany(NonZeroUsize::MIN));
        drop(alone);
    }

    #[tokio::test]
    async fn a_storm_is_let_in_as_fast_as_may_be_then() {
        let limits = |accept_rate| Limits { accept_rate, ..Limits::default() };
        let rate = |per_second| Some(RateLimit { per_second, burst: 1 });
        let start = Instant::now();
        let door = Door::new(&limits(rate(1)), TrustedProxies::default(), 100, start);
        door.enter(peer("192.0.2.1"), door.open().await, start).unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(door.paused_until(start), Some(start + second));
        door.follow(&limits(rate(1)), 100, start);
        assert_eq!(door.paused_until(start), Some(start + second), "it is the same rate");
        door.follow(&limits(rate(2)), 100, start);
        assert_eq!(door.paused_until(start), None);
        door.enter(peer("192.0.2.1"), door.open().await, start).unwrap();
        assert_eq!(door.paused_until(start), Some(start + second / 2));
        door.follow(&limits(None), 100, start);
        assert_eq!(door.paused_until(start), None);
    }
}
