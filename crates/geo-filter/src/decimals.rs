/// How many digits a rewritten coordinate has behind the decimal point, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimals(u8);

impl Decimals {
    /// For coordinates in degrees: 8 digits, about a millimetre on the ground.
    pub const DEGREES: Self = Self(8);
    /// For coordinates in metres or feet: 3 digits, a millimetre for metres.
    pub const METRES: Self = Self(3);
    /// The most that can be asked for: an `f64` has 15 digits that can be relied on.
    pub const MAX: Self = Self(15);

    /// The number of digits.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.0
    }

    /// Appends a finite number as JSON: rounded, without trailing zeros, and never as `-0`.
    pub(crate) fn write(self, number: f64, out: &mut Vec<u8>) {
        let scale = 10_u64.pow(u32::from(self.0));
        let scaled = (number * scale as f64).round();
        if scaled.abs() < EXACT {
            self.write_scaled(scaled as i64, scale, out);
        } else {
            // Too large for decimals to matter, or for the product to be exact: as it is.
            write_shortest(number, out);
        }
    }

    fn write_scaled(self, scaled: i64, scale: u64, out: &mut Vec<u8>) {
        if scaled < 0 {
            out.push(b'-');
        }
        let magnitude = scaled.unsigned_abs();
        write_integer(magnitude / scale, 1, out);
        let fraction = magnitude % scale;
        if fraction != 0 {
            out.push(b'.');
            write_integer(fraction, usize::from(self.0), out);
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
    }
}

impl TryFrom<u8> for Decimals {
    type Error = DecimalsError;

    fn try_from(digits: u8) -> Result<Self, DecimalsError> {
        if digits <= Self::MAX.0 { Ok(Self(digits)) } else { Err(DecimalsError { digits }) }
    }
}

/// More digits than an `f64` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{digits} decimals are more than 15")]
pub struct DecimalsError {
    /// The number asked for.
    pub digits: u8,
}

/// Every integer of up to 15 digits is an `f64` and differs from its neighbours when printed.
const EXACT: f64 = 1e15;

/// Appends an integer with leading zeros up to `width` digits.
fn write_integer(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        if number == 0 {
            break;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start = index;
    }
    out.extend_from_slice(&digits[start.min(digits.len() - width)..]);
}

/// Appends the shortest text that reads back as the same number. Beyond 1e16 with an exponent, as JSON allows.
fn write_shortest(number: f64, out: &mut Vec<u8>) {
    let text = if number.abs() < 1e16 { format!("{number}") } else { format!("{number:e}") };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_rounded_numbers() {
        for (number, digits, expected) in [
            (0.0, 8, "0"),
            (-0.0, 8, "0"),
            (-0.000_000_001, 8, "0"),
            (7.451_451_451, 8, "7.45145145"),
            (-7.1, 8, "-7.1"),
            (0.1 + 0.2, 8, "0.3"),
            (0.05, 8, "0.05"),
            (829_432.123_5, 3, "829432.124"),
            (829_432.0, 3, "829432"),
            (2_600_000.5, 0, "2600001"),
            (-0.5, 0, "-1"),
            (1e-300, 3, "0"),
            (123_456_789_012.25, 8, "123456789012.25"),
            (1e15, 3, "1000000000000000"),
            (f64::MAX, 3, "1.7976931348623157e308"),
            (-1e20, 15, "-1e20"),
        ] {
            let mut out = Vec::new();
            Decimals::try_from(digits).unwrap().write(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn is_bounded() {
        assert_eq!(Decimals::try_from(16).unwrap_err().to_string(), "16 decimals are more than 15");
    }
}
