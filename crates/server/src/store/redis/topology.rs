use geocast_protocol::Channel;

use super::address::Address;

/// Which Redis has which channels: one has all, or the masters of a cluster share them by hash slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topology {
    masters: Vec<Address>,
    /// Slots up to and including `last`, from the one behind the range before; in ascending order.
    ranges: Vec<Range>,
}

/// Slots that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    last: u16,
    /// An index into the masters. `None`: nobody has these slots.
    owner: Option<usize>,
}

impl Topology {
    /// One Redis has everything.
    pub(super) fn single(master: Address) -> Self {
        Self { masters: vec![master], ranges: vec![Range { last: SLOTS - 1, owner: Some(0) }] }
    }

    /// A cluster, from the first and last slot of each range and who has it. `None` if ranges overlap, do not exist, or
    /// there are none.
    pub(super) fn cluster(mut claims: Vec<(u16, u16, Address)>) -> Option<Self> {
        claims.sort_by_key(|&(first, ..)| first);
        let (mut masters, mut ranges): (Vec<Address>, Vec<Range>) = (Vec::new(), Vec::new());
        let mut next = 0;
        for (first, last, address) in claims {
            if first < next || last < first || last >= SLOTS {
                return None;
            }
            if first > next {
                ranges.push(Range { last: first - 1, owner: None });
            }
            let owner = masters.iter().position(|known| *known == address).unwrap_or_else(|| {
                masters.push(address);
                masters.len() - 1
            });
            ranges.push(Range { last, owner: Some(owner) });
            next = last + 1;
        }
        if next < SLOTS {
            ranges.push(Range { last: SLOTS - 1, owner: None });
        }
        (!masters.is_empty()).then_some(Self { masters, ranges })
    }

    /// All that have any slots.
    pub(super) fn masters(&self) -> &[Address] {
        &self.masters
    }

    /// Who has the hash and the messages of a channel, if anybody has.
    pub(super) fn owner(&self, channel: &Channel) -> Option<&Address> {
        self.owner_of(slot(channel))
    }

    /// Who has a slot, if anybody has.
    pub(super) fn owner_of(&self, slot: u16) -> Option<&Address> {
        let range = self.ranges.partition_point(|range| range.last < slot);
        self.masters.get(self.ranges.get(range)?.owner?)
    }

    /// Whether all that are masters in `later` were masters before.
    pub(super) fn has_all_of(&self, later: &Self) -> bool {
        later.masters.iter().all(|master| self.masters.contains(master))
    }
}

/// The hash slot of a channel.
pub(super) fn slot(channel: &Channel) -> u16 {
    slot_of(channel.as_str().as_bytes())
}

/// The hash slot of a key. Of a key with something between braces, only that counts.
fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|&byte| byte == b'}').filter(|&length| length > 0).map(|length| &rest[..length])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM: polynomial 0x1021, from zero, the highest bit first.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |mut sum, &byte| {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
        sum
    })
}

/// As many as every cluster has.
const SLOTS: u16 = 16384;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address::Tcp { host: "h".to_owned(), port }
    }

    #[test]
    fn slots_are_those_of_redis() {
        // As CLUSTER KEYSLOT answers.
        for (key, expected) in [
            ("", 0),
            ("123456789", 12739),
            ("foo", 12182),
            ("{foo}bar", 12182),
            ("a{foo}{bar}", 12182),
            ("foo{}bar", crc16(b"foo{}bar") % SLOTS),
            ("{foo", crc16(b"{foo") % SLOTS),
            ("foo{{bar}}", crc16(b"{bar") % SLOTS),
        ] {
            assert_eq!(slot_of(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn channels_have_owners() {
        let foo: Channel = "foo".parse().unwrap();
        assert_eq!(Topology::single(address(1)).owner(&foo), Some(&address(1)));
        let three = |moved: u16| {
            vec![
                (10923, 16383, address(3)),
                (0, 5460, address(1)),
                (5461, moved, address(2)),
                (moved + 1, 10922, address(1)),
            ]
        };
        let topology = Topology::cluster(three(8000)).unwrap();
        assert_eq!(topology.masters(), [address(1), address(2), address(3)]);
        assert_eq!(topology.owner(&foo), Some(&address(3)));
        let exact = Topology::cluster(vec![(12182, 12182, address(2)), (12183, 16383, address(3))]).unwrap();
        assert_eq!(exact.owner(&foo), Some(&address(2)));
        let without = Topology::cluster(vec![(0, 12181, address(2)), (12183, 16383, address(3))]).unwrap();
        assert_eq!(without.owner(&foo), None);
        let short = Topology::cluster(vec![(0, 12181, address(2))]).unwrap();
        assert_eq!(short.owner(&foo), None);
        assert!(topology.has_all_of(&exact) && !exact.has_all_of(&topology));
    }

    #[test]
    fn nonsense_is_no_topology() {
        for claims in [
            vec![],
            vec![(5, 4, address(1))],
            vec![(0, 16384, address(1))],
            vec![(0, 100, address(1)), (100, 200, address(2))],
        ] {
            assert_eq!(Topology::cluster(claims.clone()), None, "{claims:?}");
        }
    }
}
