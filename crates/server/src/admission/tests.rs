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
fn a_bound_that_comes_later_knows_of_those_before_it_and_ends_none() {
    let seats = AddressSeats::new(None);
    let take = |last: u8| seats.take(IpAddr::from([192, 0, 2, last]));
    let mut first: Vec<_> = (0..3).map(|_| take(1).unwrap()).collect();
    seats.allow(NonZeroUsize::new(2));
    assert_eq!(take(1).unwrap_err().get(), 2);
    let _other = take(2).unwrap();
    first.pop();
    assert!(take(1).is_err(), "two are there, and two may be");
    first.pop();
    let again = take(1).unwrap();
    seats.allow(NonZeroUsize::new(3));
    let _third = take(1).unwrap();
    seats.allow(None);
    let _fourth = take(1).unwrap();
    drop((first, again));
    assert_eq!(seats.len(), 2);
}
