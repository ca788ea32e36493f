//! Seats by address. They stand apart from their file, which is compiled once more elsewhere with other locks.

use std::{net::IpAddr, num::NonZeroUsize};

use super::address_seats::AddressSeats;

#[test]
fn an_address_has_so_many_and_makes_room() {
    let seats = AddressSeats::new(NonZeroUsize::new(2));
    let take = |address: &str| seats.take(address.parse().unwrap());
    let first = take("2001:db8::1").unwrap();
    let _second = take("2001:db8::ffff:2").unwrap();
    assert!(take("2001:db8::3").is_err(), "the same 64 bits");
    let _other = take("2001:db8:0:1::1").unwrap();
    let _mapped = (take("::ffff:192.0.2.1").unwrap(), take("192.0.2.1").unwrap());
    assert!(take("192.0.2.1").is_err(), "one address in two forms");
    drop(first);
    let _again = take("2001:db8::4").unwrap();
    drop(_mapped);
    assert_eq!(seats.len(), 2, "who has none is forgotten");
}

#[test]
fn without_a_bound_nothing_is_counted() {
    let seats = AddressSeats::new(None);
    assert!(seats.take(IpAddr::from([192, 0, 2, 1])).unwrap().is_none());
    assert_eq!(seats.len(), 0);
}
