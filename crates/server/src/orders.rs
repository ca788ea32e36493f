//! What threads share and whose order decides something, in every order that there is: loom runs each of these for all of them, with
//! the memory orderings of the language. The files are those of the server, compiled once more with loom's locks and atomics.

mod sync {
    pub(super) use loom::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    /// As parking_lot's are: a lock is not poisoned.
    #[derive(Debug)]
    pub(super) struct RwLock<T>(loom::sync::RwLock<T>);

    /// The same.
    #[derive(Debug)]
    pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> RwLock<T> {
        pub(super) fn new(value: T) -> Self {
            Self(loom::sync::RwLock::new(value))
        }

        pub(super) fn read(&self) -> loom::sync::RwLockReadGuard<'_, T> {
            self.0.read().expect("no thread panics")
        }

        pub(super) fn write(&self) -> loom::sync::RwLockWriteGuard<'_, T> {
            self.0.write().expect("no thread panics")
        }
    }

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no thread panics")
        }
    }
}

#[expect(clippy::duplicate_mod, reason = "with other locks")]
#[path = "admission/address_seats.rs"]
mod address_seats;
#[expect(clippy::duplicate_mod, reason = "with other locks")]
#[path = "access/replaceable.rs"]
mod replaceable;
#[expect(clippy::duplicate_mod, reason = "with other locks")]
#[path = "broker/routes.rs"]
mod routes;

use std::{net::IpAddr, num::NonZeroUsize};

use geocast_protocol::Channel;
use loom::thread;

use self::{address_seats::AddressSeats, replaceable::Replaceable, routes::Routes, sync::Arc};

/// The promise behind a reload: a client that has seen the new number is never judged by the old rules, and then taken for judged.
#[test]
fn who_sees_a_number_finds_its_value_or_a_newer_one() {
    loom::model(|| {
        let rules = Arc::new(Replaceable::new(1, 1));
        let replacing = {
            let rules = Arc::clone(&rules);
            thread::spawn(move || (2..=3).for_each(|number| rules.replace(number, number)))
        };
        for _ in 0..2 {
            let number = rules.number();
            assert!(*rules.value() >= number, "{number} was announced");
        }
        replacing.join().unwrap();
        assert_eq!((*rules.value(), rules.number()), (3, 3));
    });
}

/// The last to leave takes the channel away while another comes: who has come is not forgotten.
#[test]
fn a_worker_that_comes_while_another_leaves_is_handed_events() {
    loom::model(|| {
        let routes = Arc::new(Routes::new());
        let channel: Channel = "a".parse().unwrap();
        routes.join(0, &channel);
        let leaving = {
            let (routes, channel) = (Arc::clone(&routes), channel.clone());
            thread::spawn(move || routes.leave(0, &channel))
        };
        let coming = {
            let (routes, channel) = (Arc::clone(&routes), channel.clone());
            thread::spawn(move || {
                routes.join(1, &channel);
                assert_ne!(routes.of(&channel) & 0b10, 0, "it has come");
            })
        };
        leaving.join().unwrap();
        coming.join().unwrap();
        assert_eq!((routes.of(&channel), routes.len()), (0b10, 1));
    });
}

/// Messages of rohrpost have it as their id.
#[test]
fn no_two_events_have_a_number() {
    loom::model(|| {
        let routes = Arc::new(Routes::new());
        let others = {
            let routes = Arc::clone(&routes);
            thread::spawn(move || [routes.number(), routes.number()])
        };
        let mut numbers = vec![routes.number(), routes.number()];
        numbers.extend(others.join().unwrap());
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4]);
    });
}

#[test]
fn an_address_never_has_more_than_it_may_and_gives_all_back() {
    loom::model(|| {
        let seats = Arc::new(AddressSeats::new(NonZeroUsize::new(1)));
        let address = IpAddr::from([192, 0, 2, 1]);
        let seated = Arc::new(sync::Mutex::new(0));
        let visit = move |seats: Arc<AddressSeats>, seated: Arc<sync::Mutex<usize>>| {
            let Ok(seat) = seats.take(address) else { return false };
            *seated.lock() += 1;
            assert_eq!(*seated.lock(), 1, "two have the only seat");
            *seated.lock() -= 1;
            drop(seat);
            true
        };
        let other = {
            let (seats, seated) = (Arc::clone(&seats), Arc::clone(&seated));
            thread::spawn(move || visit(seats, seated))
        };
        let was_seated = visit(Arc::clone(&seats), seated);
        assert!(other.join().unwrap() || was_seated, "one of two is always let in");
        assert_eq!(seats.len(), 0, "both have left");
    });
}

/// The promise behind a bound that is lowered: it knows of everybody who has come before it.
#[test]
fn a_bound_that_is_set_while_others_come_counts_them() {
    loom::model(|| {
        let seats = Arc::new(AddressSeats::new(None));
        let address = IpAddr::from([192, 0, 2, 1]);
        let coming = {
            let seats = Arc::clone(&seats);
            thread::spawn(move || seats.take(address).expect("there is no bound, or nobody else"))
        };
        seats.allow(NonZeroUsize::new(1));
        let seat = coming.join().unwrap();
        assert!(seats.take(address).is_err(), "the only seat is taken");
        drop(seat);
        assert!(seats.take(address).is_ok());
    });
}
