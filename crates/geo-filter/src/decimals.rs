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

    /// Appends a finite number as JSON: rounded, half away from zero, without trailing zeros, and never as `-0`.
    pub(crate) fn write(self, number: f64, out: &mut Vec<u8>) {
        let scaled = number * POWERS[usize::from(self.0)];
        // Nothing below this bound rounds to as much as `EXACT`.
        if scaled.abs() < EXACT - 0.5 {
            self.write_scaled(rounded(scaled), out);
        } else {
            // Too large for the product to be exact, and mostly for decimals to matter.
            self.write_large(number, out);
        }
    }

    /// Whether a JSON number has no more decimals than this as it is written, zeros at the end included.
    pub(crate) fn fit(self, number: &[u8]) -> bool {
        let (digits, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (number.get(..at).unwrap_or_default(), number.get(at + 1..).unwrap_or_default()),
            None => (number, &b"0"[..]),
        };
        let decimals = digits.iter().rev().position(|byte| *byte == b'.').unwrap_or(0) as i64;
        // One that cannot be read is beyond the range of any `f64`, and in no case worth keeping as it is.
        let exponent = std::str::from_utf8(exponent).ok().and_then(|exponent| exponent.parse::<i32>().ok());
        exponent.is_some_and(|exponent| decimals - i64::from(exponent) <= i64::from(self.0))
    }

    /// Appends the shortest text that reads back as the same number, if that has not too many decimals. Beyond 1e16 with an
    /// exponent, as JSON allows.
    fn write_large(self, number: f64, out: &mut Vec<u8>) {
        let digits = usize::from(self.0);
        let mut text = if number.abs() < 1e16 { format!("{number}") } else { format!("{number:e}") };
        if number.abs() < 1e16 && text.find('.').is_some_and(|point| text.len() - point - 1 > digits) {
            text = format!("{number:.digits$}");
            if text.contains('.') {
                text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
            }
        }
        out.extend_from_slice(text.as_bytes());
    }

    /// Appends a number that is given in units of the last decimal.
    fn write_scaled(self, scaled: i64, out: &mut Vec<u8>) {
        const DIGITS: usize = 16;
        let decimals = usize::from(self.0);
        let digits = digits(scaled.unsigned_abs());
        // At least the digit before the point is written, and of the others none that is a zero at either end.
        let first = (digits.trailing_zeros() as usize / 8).min(DIGITS - decimals - 1);
        let end = DIGITS - digits.leading_zeros() as usize / 8;
        let text = digits | u128::from_ne_bytes([b'0'; DIGITS]);

        // What is below 10^15 has fifteen digits at most: with the sign or the point there are sixteen bytes.
        let whole = text >> (8 * first);
        let (whole, sign) = if scaled < 0 { (whole << 8 | u128::from(b'-'), 1) } else { (whole, 0) };
        append(whole, sign + DIGITS - decimals - first, out);
        if end > DIGITS - decimals {
            let fraction = text >> (8 * (DIGITS - decimals));
            append(fraction << 8 | u128::from(b'.'), 1 + end - (DIGITS - decimals), out);
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
#[non_exhaustive]
pub struct DecimalsError {
    /// The number asked for.
    pub digits: u8,
}

/// Every integer of up to 15 digits is an `f64` and differs from its neighbours when printed.
const EXACT: f64 = 1e15;

/// Powers of ten, exact.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Appends the first bytes of a block, the lowest first. All are copied and the surplus is dropped, because a copy of
/// constant length costs a tenth of one that is not.
fn append(block: u128, length: usize, out: &mut Vec<u8>) {
    let wanted = out.len() + length;
    out.extend_from_slice(&block.to_le_bytes());
    out.truncate(wanted);
}

/// Rounds half away from zero, as [`f64::round`] does, what is less than 2^52. The difference is exact.
fn rounded(number: f64) -> i64 {
    let whole = number as i64;
    let rest = number - whole as f64;
    whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)
}

/// The sixteen digits of a number below 10^16, each in a byte of its own, the first in the lowest.
fn digits(number: u64) -> u128 {
    let (high, low) = (number / 100_000_000, number % 100_000_000);
    u128::from(eight_digits(high)) | u128::from(eight_digits(low)) << 64
}

/// The eight digits of a number below 10^8 in the same way: halves, then quarters, then all at once. The
/// multiplications by a reciprocal are exact divisions for as many digits as are left.
const fn eight_digits(number: u64) -> u64 {
    let (high, low) = (number / 10_000, number % 10_000);
    let halves = high | low << 32;
    let hundreds = ((halves * 5_243) >> 19) & 0x0000_007f_0000_007f;
    let quarters = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (quarters - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            (1.123_456_789_012_345_7, 15, "1.123456789012346"),
            (123.123_456_789_012_34, 13, "123.1234567890123"),
            (1_234_567_890_123_456.5, 0, "1234567890123456"),
            (9_999_999_999_999.996, 2, "10000000000000"),
            (179.1, 15, "179.1"),
            (-1e20, 15, "-1e20"),
        ] {
            let mut out = Vec::new();
            Decimals::try_from(digits).unwrap().write(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    /// The same by the standard library, digit by digit.
    fn plainly(number: f64, decimals: u8) -> String {
        // Not `powi`, which may be off by a little.
        let scaled = (number * POWERS[usize::from(decimals)]).round();
        if scaled.abs() >= EXACT {
            let shortest = if number.abs() < 1e16 { format!("{number}") } else { format!("{number:e}") };
            let behind = shortest.split_once('.').map_or(0, |(_, behind)| behind.len());
            return match format!("{number:.*}", usize::from(decimals)) {
                rounded if number.abs() < 1e16 && behind > usize::from(decimals) => {
                    let whole =
                        rounded.split_once('.').map(|_| rounded.trim_end_matches('0').trim_end_matches('.'));
                    whole.unwrap_or(&rounded).to_owned()
                }
                _ => shortest,
            };
        }
        let width = usize::from(decimals) + 1;
        let mut text = format!("{:0width$}", scaled.abs());
        text.insert(text.len() - usize::from(decimals), '.');
        let sign = if scaled < 0.0 { "-" } else { "" };
        format!("{sign}{}", text.trim_end_matches('0').trim_end_matches('.'))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 10_000 }, ..ProptestConfig::default() })]

        #[test]
        fn writes_what_the_standard_library_does(
            any: f64, near in -1e3..1e3, exponent in 0..19, half in -2_000_000_i32..2_000_000, decimals in 0_u8..=15,
        ) {
            let halves = f64::from(half) / 2.0;
            for number in [any, near, near * 10_f64.powi(exponent), halves, halves / POWERS[usize::from(decimals)]] {
                for number in [number, number.next_up(), number.next_down()] {
                    let mut out = b"before".to_vec();
                    Decimals(decimals).write(number, &mut out);
                    prop_assert_eq!(String::from_utf8(out).unwrap(), format!("before{}", plainly(number, decimals)));
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_short_enough_are_found() {
        for (number, most) in [
            ("0", 0),
            ("-7", 0),
            ("7.5", 1),
            ("-7.50", 2),
            ("7.5e1", 0),
            ("7.55E+1", 1),
            ("7e-3", 3),
            ("7.5e-3", 4),
            ("1e999", 0),
            ("1e15", 0),
        ] {
            for digits in 0..=15 {
                assert_eq!(Decimals(digits).fit(number.as_bytes()), digits >= most, "{number}, {digits}");
            }
        }
        assert!(!Decimals::MAX.fit(b"1e-16") && !Decimals::MAX.fit(b"1e99999999999"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "forty thousand numbers take minutes")]
    fn eight_digits_are_those() {
        // The halves do not touch each other: all values of either are all there is.
        for half in 0..10_000 {
            for number in [half, half * 10_000, half * 10_000 + 9_999, 99_990_000 + half] {
                let text = (eight_digits(number) | u64::from_ne_bytes([b'0'; 8])).to_le_bytes();
                assert_eq!(String::from_utf8_lossy(&text), format!("{number:08}"));
            }
        }
    }

    #[test]
    fn is_bounded() {
        assert_eq!(Decimals::try_from(16).unwrap_err().to_string(), "16 decimals are more than 15");
    }
}
