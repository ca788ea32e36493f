use std::fmt;

use subtle::ConstantTimeEq;

/// A password or key. It is compared in constant time and never printed.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Keeps what was given.
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into().into_boxed_slice())
    }

    /// Whether `offered` is the secret. The time taken depends on the lengths alone. A secret of no bytes is none, and admits
    /// nobody.
    pub fn admits(&self, offered: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.ct_eq(offered))
    }

    /// Whether it has fewer than 16 bytes: as few can be a word, which who may try often finds.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.0.len() < SHORTEST
    }

    /// Whether both are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Bytes.
const SHORTEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn only_the_same_bytes_are_admitted() {
        let secret = Secret::new("tram-14");
        for (offered, admitted) in [("tram-14", true), ("tram-15", false), ("tram-1", false), ("", false)] {
            assert_eq!(secret.admits(offered.as_bytes()), admitted, "{offered:?}");
        }
        assert!(!format!("{secret:?}").contains("tram"));
        assert!(!Secret::new("").admits(b""), "what everybody knows is no secret");
        assert!(secret.is_short() && Secret::new("a".repeat(15)).is_short());
        assert!(!Secret::new("a".repeat(16)).is_short());
    }
}
