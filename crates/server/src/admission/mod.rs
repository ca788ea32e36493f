//! Who is let in, before anybody asks what for: how many sockets there may be, how many from one address, and how fast.

mod address_range;
mod address_seats;
mod budget;
mod door;
mod lobby;
mod places;
mod rate_table;
#[cfg(test)]
mod tests;
mod trusted_proxies;

pub use address_range::{AddressRange, AddressRangeError};
pub use trusted_proxies::{ForwardedHeader, TrustedProxies, TrustedProxy};

use crate::sync;

pub(crate) use address_seats::AddressSeat;
pub(crate) use budget::Budget;
pub(crate) use door::{Door, Entrance, TurnedAway};
pub(crate) use lobby::LobbyPlace;
pub(crate) use rate_table::RateTable;
