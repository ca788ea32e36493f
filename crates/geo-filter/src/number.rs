/// Reads a JSON number, correctly rounded; what is beyond the range of `f64` is infinite. `None` when it is no number.
///
/// Most coordinates have so few digits that digits and power of ten are both exact as `f64`, and then one division
/// is correctly rounded (W. D. Clinger, "How to read floating point numbers accurately", 1990); it costs a quarter
/// of the general way, which the others take.
pub(crate) fn parse(token: &str) -> Option<f64> {
    exact(token.as_bytes()).or_else(|| token.parse().ok())
}

fn exact(token: &[u8]) -> Option<f64> {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > MAX_LENGTH {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut point = None;
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' => point = Some(index),
            _ => return None,
        }
    }
    if mantissa > MAX_MANTISSA {
        return None;
    }
    let decimals = point.map_or(0, |point| digits.len() - point - 1);
    let number = mantissa as f64 / POWERS.get(decimals)?;
    Some(if negative { -number } else { number })
}

/// 19 digits fit a `u64`; with a point there are at most as many.
const MAX_LENGTH: usize = 19;

/// Every integer up to here is an `f64`.
const MAX_MANTISSA: u64 = 1 << 53;

/// Powers of ten that are exact as `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(token: &str) {
        let expected = token.parse::<f64>().unwrap();
        assert_eq!(parse(token).map(f64::to_bits), Some(expected.to_bits()), "{token}");
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
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn is_what_the_standard_library_reads_of_any_number(token in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?") {
            check(&token);
        }
    }
}
