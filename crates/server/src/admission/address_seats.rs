use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
};

use super::sync::{Arc, Mutex};

/// How many connections each address has. There are as many entries as connections, at most.
#[derive(Debug)]
pub(super) struct AddressSeats {
    most: Option<NonZeroUsize>,
    taken: Arc<Taken>,
}

type Taken = Mutex<HashMap<IpAddr, usize>>;

/// One connection of an address; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct AddressSeat {
    taken: Arc<Taken>,
    neighbourhood: IpAddr,
}

impl AddressSeats {
    pub(super) fn new(most: Option<NonZeroUsize>) -> Self {
        Self { most, taken: Arc::new(Mutex::new(HashMap::new())) }
    }

    /// One more connection from this address, unless it has all that it may have. `Ok(None)` where nothing is counted.
    pub(super) fn take(&self, address: IpAddr) -> Result<Option<Box<AddressSeat>>, NonZeroUsize> {
        let Some(most) = self.most else { return Ok(None) };
        let neighbourhood = neighbourhood(address);
        let mut taken = self.taken.lock();
        let number = taken.entry(neighbourhood).or_default();
        if *number >= most.get() {
            return Err(most);
        }
        *number += 1;
        Ok(Some(Box::new(AddressSeat { taken: Arc::clone(&self.taken), neighbourhood })))
    }

    /// How many addresses have any.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.taken.lock().len()
    }
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(number) = taken.get_mut(&self.neighbourhood) {
            *number -= 1;
            if *number == 0 {
                taken.remove(&self.neighbourhood);
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
