use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
};

use super::sync::{Arc, Mutex};

/// How many connections each address has. They are counted without a bound as well, so that one that is set later knows of all.
#[derive(Debug)]
pub(super) struct AddressSeats(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    /// Of one address.
    most: Option<NonZeroUsize>,
    /// As many entries as connections, at most.
    numbers: HashMap<IpAddr, usize>,
}

/// One connection of an address; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct AddressSeat {
    taken: Arc<Mutex<Taken>>,
    neighbourhood: IpAddr,
}

impl AddressSeats {
    pub(super) fn new(most: Option<NonZeroUsize>) -> Self {
        Self(Arc::new(Mutex::new(Taken { most, numbers: HashMap::new() })))
    }

    /// Has an address have so many from now on. Those that have more keep them.
    pub(super) fn allow(&self, most: Option<NonZeroUsize>) {
        self.0.lock().most = most;
    }

    /// One more connection from this address, unless it has all that it may have.
    pub(super) fn take(&self, address: IpAddr) -> Result<Box<AddressSeat>, NonZeroUsize> {
        let neighbourhood = neighbourhood(address);
        let mut taken = self.0.lock();
        let most = taken.most;
        let number = taken.numbers.entry(neighbourhood).or_default();
        if let Some(most) = most.filter(|most| *number >= most.get()) {
            return Err(most);
        }
        *number += 1;
        Ok(Box::new(AddressSeat { taken: Arc::clone(&self.0), neighbourhood }))
    }

    /// How many addresses have any.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().numbers.len()
    }
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(number) = taken.numbers.get_mut(&self.neighbourhood) {
            *number -= 1;
            if *number == 0 {
                taken.numbers.remove(&self.neighbourhood);
            }
        }
    }
}

/// What counts as one address: whoever has one of IPv6 usually has all that share its first 64 bits (RFC 4291 §2.5.1).
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}
