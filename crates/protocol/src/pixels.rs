//! Lengths on a screen.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use thiserror::Error;

use crate::{Number, excerpt::excerpt};

/// A length in CSS pixels of a Web Mercator map with tiles of 256 pixels: from 0.01, which nobody sees, to 256, a tile.
///
/// ```
/// use geocast_protocol::Pixels;
///
/// let tolerance: Pixels = "1.5".parse()?;
/// assert_eq!(tolerance.value(), 1.5);
/// assert!("0".parse::<Pixels>().is_err());
/// # Ok::<(), geocast_protocol::PixelsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Pixels(Number);

impl Pixels {
    /// The least.
    pub const MIN: f64 = 0.01;
    /// The most.
    pub const MAX: f64 = 256.0;

    /// The number of pixels.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0.value()
    }
}

/// It is finite.
impl Eq for Pixels {}

/// It is no zero, of which there are two.
impl Hash for Pixels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value().to_bits().hash(state);
    }
}

/// Prints the number, as [`Number`] does.
impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a decimal number, as [`Number`] does.
impl FromStr for Pixels {
    type Err = PixelsError;

    fn from_str(text: &str) -> Result<Self, PixelsError> {
        let number = text.parse::<Number>().ok().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| PixelsError { value: excerpt(text) })
    }
}

impl TryFrom<Number> for Pixels {
    type Error = PixelsError;

    fn try_from(number: Number) -> Result<Self, PixelsError> {
        if (Self::MIN..=Self::MAX).contains(&number.value()) {
            Ok(Self(number))
        } else {
            Err(PixelsError { value: number.to_string() })
        }
    }
}

/// Why something is not [`Pixels`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{value}` is not a number of pixels from {} to {}", Pixels::MIN, Pixels::MAX)]
#[non_exhaustive]
pub struct PixelsError {
    /// What it is, escaped and shortened.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_a_screen_has() {
        for (text, expected) in [
            ("0.01", Ok(0.01)),
            ("1", Ok(1.0)),
            ("2.5e1", Ok(25.0)),
            ("256", Ok(256.0)),
            ("0", Err("0")),
            ("0.009", Err("0.009")),
            ("256.5", Err("256.5")),
            ("-1", Err("-1")),
            ("1e999", Err("1e999")),
            ("nan", Err("nan")),
            ("", Err("")),
        ] {
            let found = text.parse::<Pixels>().map(Pixels::value).map_err(|error| error.to_string());
            let expected =
                expected.map_err(|value| format!("`{value}` is not a number of pixels from 0.01 to 256"));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
