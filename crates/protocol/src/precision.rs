//! How many decimals coordinates have.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::excerpt::excerpt;

/// How many decimals a coordinate has at most: from 0 to 15, which is what a 64-bit float has digits for.
///
/// ```
/// use geocast_protocol::Precision;
///
/// let precision: Precision = "5".parse()?;
/// assert_eq!(precision.digits(), 5);
/// assert!("16".parse::<Precision>().is_err());
/// # Ok::<(), geocast_protocol::PrecisionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Precision(u8);

impl Precision {
    /// The most: 15.
    pub const MAX: u8 = 15;

    /// The number of decimals.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.0
    }
}

/// Prints the number.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Reads digits.
impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u64>().ok().filter(|_| is_number);
        let refused = || PrecisionError { value: excerpt(text) };
        number.ok_or_else(refused).and_then(|number| Self::try_from(number).map_err(|_error| refused()))
    }
}

impl TryFrom<u64> for Precision {
    type Error = PrecisionError;

    fn try_from(number: u64) -> Result<Self, PrecisionError> {
        match u8::try_from(number) {
            Ok(digits) if digits <= Self::MAX => Ok(Self(digits)),
            _ => Err(PrecisionError { value: number.to_string() }),
        }
    }
}

/// Why something is not a [`Precision`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{value}` is not a whole number of decimals from 0 to {}", Precision::MAX)]
#[non_exhaustive]
pub struct PrecisionError {
    /// What it is, escaped and shortened.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_small_whole_number() {
        for (text, expected) in [
            ("0", Some(0)),
            ("15", Some(15)),
            ("007", Some(7)),
            ("16", None),
            ("-1", None),
            ("+1", None),
            ("5.0", None),
            ("", None),
            (" 5", None),
            ("99999999999999999999999", None),
        ] {
            let found = text.parse::<Precision>();
            assert_eq!(found.as_ref().ok().map(|precision| precision.digits()), expected, "{text:?}");
            if let Err(error) = found {
                let message = format!("`{text}` is not a whole number of decimals from 0 to 15");
                assert_eq!(error.to_string(), message);
            }
        }
        assert_eq!(Precision::try_from(7).map(|precision| precision.to_string()), Ok("7".to_owned()));
    }
}
