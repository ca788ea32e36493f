//! Numbers that are numbers.

use std::{fmt, str::FromStr};

use nom::{
    IResult, Parser,
    branch::alt,
    character::complete::{char, digit1, one_of},
    combinator::{all_consuming, opt, recognize},
    sequence::{pair, preceded},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::excerpt::excerpt;

/// A finite `f64`: neither NaN nor infinite, by construction. It has no unit of its own.
///
/// ```
/// use geocast_protocol::Number;
///
/// let number: Number = "7.5e2".parse()?;
/// assert_eq!(number.value(), 750.0);
/// assert!("nan".parse::<Number>().is_err());
/// assert!("1e999".parse::<Number>().is_err());
/// # Ok::<(), geocast_protocol::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Number(f64);

impl Number {
    /// The number itself, which is finite.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

/// Prints the shortest digits that read back as the same number, with an exponent where the plain form would be
/// a row of zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size == 0.0 || PLAIN.contains(&size) { write!(f, "{}", self.0) } else { write!(f, "{:e}", self.0) }
    }
}

/// Reads a decimal number: an optional sign, digits with an optional point, an optional exponent.
impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let value = match all_consuming(number).parse(text) {
            Ok((_, digits)) => digits.parse::<f64>().ok(),
            Err(_) => None,
        };
        let Some(value) = value else {
            return Err(NumberError::Syntax { value: excerpt(text) });
        };
        // The digits overflow to infinity where the exponent is too large.
        if value.is_finite() { Ok(Self(value)) } else { Err(NumberError::NotFinite { value: excerpt(text) }) }
    }
}

/// Takes a finite value as it is.
impl TryFrom<f64> for Number {
    type Error = NumberError;

    fn try_from(value: f64) -> Result<Self, NumberError> {
        if value.is_finite() {
            Ok(Self(value))
        } else {
            Err(NumberError::NotFinite { value: value.to_string() })
        }
    }
}

/// The number itself, which is finite.
impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.0
    }
}

/// What is meant to separate numbers, or decimals, by a comma.
fn hint(value: &str) -> &'static str {
    if value.contains(',') { ": there is a comma in it" } else { "" }
}

/// Why something is not a [`Number`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("`{value}` is not a number{}", hint(.value))]
    Syntax {
        /// The text, escaped and shortened.
        value: String,
    },
    /// The number is NaN, infinite, or too large for 64 bits.
    #[error("`{value}` is not a finite number")]
    NotFinite {
        /// The text, shortened.
        value: String,
    },
}

/// The sizes that are printed without an exponent.
const PLAIN: std::ops::Range<f64> = 1e-5..1e16;

/// `number = [sign] (1*DIGIT ["." *DIGIT] / "." 1*DIGIT) [exponent]`
fn number(input: &str) -> IResult<&str, &str> {
    // Not digit0: where the input ends, nom 8.0.0 returns a rest that begins where the digits do, which cuts
    // what `recognize` takes.
    let fraction = pair(char('.'), opt(digit1));
    let digits = alt((recognize(pair(digit1, opt(fraction))), recognize(pair(char('.'), digit1))));
    recognize((opt(sign), digits, opt(exponent))).parse(input)
}

/// `exponent = ("e" / "E") [sign] 1*DIGIT`
fn exponent(input: &str) -> IResult<&str, &str> {
    preceded(one_of("eE"), recognize(pair(opt(sign), digit1))).parse(input)
}

/// `sign = "+" / "-"`
fn sign(input: &str) -> IResult<&str, char> {
    one_of("+-").parse(input)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found =
            text.parse::<Number>().map(|number| number.to_string()).map_err(|error| error.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn reads_decimal_numbers() {
        check("0", Ok("0"));
        check("-0", Ok("-0"));
        check("+5", Ok("5"));
        check("-180.0", Ok("-180"));
        check("5.", Ok("5"));
        check(".5", Ok("0.5"));
        check("7.10", Ok("7.1"));
        check("1e3", Ok("1000"));
        check("1E-7", Ok("1e-7"));
        check("1e300", Ok("1e300"));
        check("-1.5e+20", Ok("-1.5e20"));
        check("20037508.342789244", Ok("20037508.342789244"));
        check("1e-999", Ok("0"));
        check(&"0".repeat(1000), Ok("0"));
    }

    #[test]
    fn refuses_what_is_not_finite() {
        check("1e999", Err("`1e999` is not a finite number"));
        check("-1e309", Err("`-1e309` is not a finite number"));
        check(&"9".repeat(400), Err(&format!("`{}…` is not a finite number", "9".repeat(32))));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Number::try_from(value).unwrap_err();
            assert_eq!(error.to_string(), format!("`{value}` is not a finite number"));
        }
    }

    #[test]
    fn refuses_other_words() {
        for text in [
            "",
            ".",
            "-",
            "+-5",
            "--5",
            "e5",
            "1e",
            "1e+",
            "1.5.2",
            "1,5",
            "1_000",
            "0x10",
            " 5",
            "5 ",
            "nan",
            "NaN",
            "-nan",
            "inf",
            "Infinity",
            "-infinity",
            "５",
            "1\0",
        ] {
            let hint = if text == "1,5" { ": there is a comma in it" } else { "" };
            check(text, Err(&format!("`{}` is not a number{hint}", excerpt(text))));
        }
    }

    #[test]
    fn is_a_number_in_json() {
        assert_eq!(serde_json::from_str::<Number>("7").unwrap().value(), 7.0);
        assert_eq!(serde_json::to_string(&Number(7.5)).unwrap(), "7.5");
        assert!(serde_json::from_str::<Number>("1e999").is_err());
        assert!(serde_json::from_str::<Number>("\"7\"").is_err());
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
            let number = Number::try_from(value)?;
            let printed = number.to_string();
            prop_assert_eq!(printed.parse::<Number>()?.value().to_bits(), value.to_bits());
            prop_assert!(printed.len() <= 26, "{}", printed);
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = text.parse::<Number>();
        }
    }
}
