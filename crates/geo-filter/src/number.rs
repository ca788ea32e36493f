use crate::lexer;

/// Reads the JSON number (RFC 8259 §6) that the text begins with, correctly rounded, and says how long it is; what is
/// beyond the range of `f64` is infinite. `None` when there is no number.
///
/// Most coordinates have so few digits that digits and power of ten are both exact as `f64`, and then one division
/// is correctly rounded (W. D. Clinger, "How to read floating point numbers accurately", 1990). The others are left
/// to the standard library.
pub(crate) fn read(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let mut mantissa = 0;
    let mut at = few_digits(text, start, &mut mantissa);
    let whole = at - start;
    if whole == 0 || whole > 1 && text.get(start) == Some(&b'0') {
        return None;
    }
    let mut decimals = 0;
    if text.get(at) == Some(&b'.') {
        let end = many_digits(text, at + 1, &mut mantissa);
        decimals = end - at - 1;
        if decimals == 0 {
            return None;
        }
        at = end;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        return general(text, lexer::number_length(text)?);
    }
    // With more digits than fit, the mantissa has lost its head.
    if whole + decimals > MAX_DIGITS || mantissa > MAX_MANTISSA {
        return general(text, at);
    }
    // It is in the range of `i64`, from which the conversion is shorter.
    let number = mantissa as i64 as f64 / POWERS.get(decimals)?;
    Some((if negative { -number } else { number }, at))
}

fn general(text: &[u8], length: usize) -> Option<(f64, usize)> {
    let token = std::str::from_utf8(text.get(..length)?).ok()?;
    Some((token.parse().ok()?, length))
}

/// Appends the digits at `at` to the mantissa and returns the index behind them: one by one, as few stand before the
/// point.
fn few_digits(text: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

/// The same, eight digits at a time.
fn many_digits(text: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    while let Some(Ok(bytes)) = text.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(bytes) ^ ZEROS;
        // The high bit is set in each byte that is no digit. A carry out of a byte can flag only bytes behind it.
        let flagged = (word.wrapping_add(TO_HIGH_BIT) | word) & HIGH_BITS;
        if flagged == 0 {
            *mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(value(word));
            at += 8;
            continue;
        }
        let count = flagged.trailing_zeros() as usize / 8;
        if count > 0 {
            // What is shifted in counts as leading zeros.
            let value = value(word << (64 - 8 * count));
            *mantissa = mantissa.wrapping_mul(INTEGER_POWERS[count]).wrapping_add(value);
        }
        return at + count;
    }
    few_digits(text, at, mantissa)
}

/// The value of eight digits, each in a byte of its own, the first in the lowest: pairs, then the four pairs at once.
const fn value(digits: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let odd = (pairs & EVERY_FOURTH).wrapping_mul(100 + (1_000_000 << 32));
    let even = (pairs >> 16 & EVERY_FOURTH).wrapping_mul(1 + (10_000 << 32));
    odd.wrapping_add(even) >> 32
}

const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);

/// Takes a byte above nine to its high bit, and none below.
const TO_HIGH_BIT: u64 = u64::from_ne_bytes([0x80 - 10; 8]);

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// So many digits fit a `u64`.
const MAX_DIGITS: usize = 19;

/// Every integer up to here is an `f64`.
const MAX_MANTISSA: u64 = 1 << 53;

const INTEGER_POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Powers of ten that are exact as `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whatever stands behind the number, it is read as the standard library does, and as long as the lexer says.
    fn check(token: &str) {
        let number = token.parse::<f64>().unwrap();
        for behind in ["", ",", "]", "],[1", " ,123456789", "/:;", "\u{b0}\u{ff}\u{80}"] {
            let text = format!("{token}{behind}");
            let found = read(text.as_bytes()).map(|(number, length)| (number.to_bits(), length));
            assert_eq!(found, Some((number.to_bits(), token.len())), "{text}");
        }
    }

    #[test]
    fn is_what_the_standard_library_reads() {
        for token in [
            "0",
            "-0",
            "-0.0",
            "1",
            "7.45",
            "0.1",
            "0.000000000000000001",
            "9007199254740991",
            "9007199254740993",
            "9999999999999999999",
            "99999999999999999999",
            "0.9007199254740993",
            "1e5",
            "1E-400",
            "1e999",
            "-1e999",
            "123456789.123456789",
        ] {
            check(token);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 20_000 }, ..ProptestConfig::default() })]

        #[test]
        fn is_what_the_standard_library_reads_of_any_number(token in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?") {
            check(&token);
        }

        /// Of any `f64`, as it is printed in full: what serde_json reads with `float_roundtrip`.
        #[test]
        fn is_what_another_parser_reads(number: f64, small in -200.0..200.0) {
            for token in [format!("{small}"), format!("{number:?}"), format!("{small:.20}"), format!("{small:.7}")] {
                let number: serde_json::Value = token.parse().unwrap();
                prop_assert_eq!(read(token.as_bytes()), Some((number.as_f64().unwrap(), token.len())));
                check(&token);
            }
        }

        #[test]
        fn takes_what_is_a_number(text in "[-0-9.eE+,/: ]{0,30}") {
            let length = lexer::number_length(text.as_bytes());
            prop_assert_eq!(read(text.as_bytes()).map(|(_, length)| length), length);
        }
    }
}
