use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use thiserror::Error;

/// Addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or a single one.
///
/// ```
/// let range: geocast_server::AddressRange = "10.0.0.0/8".parse()?;
/// assert!(range.contains("10.1.2.3".parse()?) && !range.contains("11.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: u128,
    /// Bits that count, of the 128 that every address has here.
    bits: u32,
}

/// What is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressRangeError {
    /// It has another form.
    #[error("`{0}` is no range of addresses such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1")]
    Form(String),
    /// There are bits behind those that count, so something else was meant.
    #[error("`{0}` has bits set behind its prefix: `{1}` would be the range that it is in")]
    Bits(String, String),
}

impl AddressRange {
    /// Whether an address is in it. An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) is that IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        mask(wide(address), self.bits) == self.network
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let error = || AddressRangeError::Form(text.to_owned());
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok().ok_or_else(error)?;
        let (width, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let digits = |bits: &&str| bits.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.map(|bits| Some(bits).filter(digits)?.parse().ok());
        let prefix: u32 = prefix.unwrap_or(Some(width)).filter(|bits| *bits <= width).ok_or_else(error)?;
        let bits = before + prefix;
        let network = mask(wide(address), bits);
        if network == wide(address) {
            return Ok(Self { network, bits });
        }
        let meant = IpAddr::V6(Ipv6Addr::from(network)).to_canonical();
        Err(AddressRangeError::Bits(text.to_owned(), format!("{meant}/{prefix}")))
    }
}

/// The address as IPv6, where IPv4 has a range of its own.
fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(address: u128, bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).map_or(0, |mask| address & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_what_begins_like_it() {
        for (range, within, without) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::"),
            ("::1", "::1", "127.0.0.1"),
        ] {
            let range: AddressRange = range.parse().unwrap();
            assert!(range.contains(within.parse().unwrap()), "{range:?} {within}");
            assert!(!range.contains(without.parse().unwrap()), "{range:?} {without}");
        }
        assert!("::/0".parse::<AddressRange>().unwrap().contains("1.2.3.4".parse().unwrap()));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "::/129",
            "a/8",
            "10.0.0.0/8/8",
        ] {
            assert!(matches!(text.parse::<AddressRange>(), Err(AddressRangeError::Form(_))), "{text}");
        }
        let error = "10.0.0.1/8".parse::<AddressRange>().unwrap_err().to_string();
        assert!(error.contains("`10.0.0.0/8`"), "{error}");
    }
}
