//! Coordinate reference systems by their EPSG code.

use std::{fmt, str::FromStr};

use nom::{
    IResult, Parser,
    bytes::complete::tag_no_case,
    character::complete::digit1,
    combinator::{all_consuming, verify},
    sequence::preceded,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::excerpt::excerpt;

/// A coordinate reference system, named by its number in the EPSG registry.
///
/// It is a number and nothing but a number, in [`Crs::CODES`], because it will be handed to a projection library
/// that takes file names and whole pipelines where it expects a name. That the number exists in that library's
/// database is for the caller to find out.
///
/// ```
/// use geocast_protocol::Crs;
///
/// let crs: Crs = "epsg:3857".parse()?;
/// assert_eq!(crs, Crs::WEB_MERCATOR);
/// assert_eq!(crs.to_string(), "EPSG:3857");
/// assert!("+proj=merc".parse::<Crs>().is_err());
/// # Ok::<(), geocast_protocol::CrsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crs(u32);

impl Crs {
    /// EPSG:4326, longitude and latitude in degrees on WGS 84: the CRS of GeoJSON (RFC 7946 §4).
    pub const WGS84: Self = Self(4326);

    /// EPSG:3857, spherical Mercator in metres: the CRS of most web maps.
    pub const WEB_MERCATOR: Self = Self(3857);

    /// The codes that are accepted.
    ///
    /// The registry itself stays below 32 768, and lists that borrow its form, such as Esri's, use six digits.
    /// Zero means "undefined" there.
    pub const CODES: std::ops::RangeInclusive<u32> = 1..=999_999;

    /// The number in the EPSG registry.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }
}

/// Prints `EPSG:n`.
impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

/// Reads `epsg:n` in any case, without white space, sign or leading zero, and nothing else.
impl FromStr for Crs {
    type Err = CrsError;

    fn from_str(text: &str) -> Result<Self, CrsError> {
        let Ok((_, digits)) = all_consuming(crs).parse(text) else {
            return Err(CrsError::Syntax { value: excerpt(text) });
        };
        // Only a number beyond u32 fails here, and that is out of range as well.
        digits
            .parse()
            .ok()
            .and_then(|code: u32| Self::try_from(code).ok())
            .ok_or_else(|| CrsError::OutOfRange { value: excerpt(digits) })
    }
}

/// Takes the number of the registry, if it is one of [`Crs::CODES`].
impl TryFrom<u32> for Crs {
    type Error = CrsError;

    fn try_from(code: u32) -> Result<Self, CrsError> {
        if Self::CODES.contains(&code) {
            Ok(Self(code))
        } else {
            Err(CrsError::OutOfRange { value: code.to_string() })
        }
    }
}

/// The same as [`FromStr`]; serde needs it.
impl TryFrom<String> for Crs {
    type Error = CrsError;

    fn try_from(text: String) -> Result<Self, CrsError> {
        text.parse()
    }
}

/// The same as `Display`; serde needs it.
impl From<Crs> for String {
    fn from(crs: Crs) -> Self {
        crs.to_string()
    }
}

/// What to write instead of a number alone.
fn hint(value: &str) -> String {
    let is_code = value.parse().is_ok_and(|code: u32| Crs::CODES.contains(&code));
    if is_code { format!(", such as epsg:{value}") } else { String::new() }
}

/// Why a text or a number does not name a CRS.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CrsError {
    /// The text has another form than `epsg:n`.
    #[error("`{value}` is not a CRS of the form epsg:n{}", hint(.value))]
    Syntax {
        /// The text, escaped and shortened.
        value: String,
    },
    /// The code is not one of [`Crs::CODES`].
    #[error("EPSG code {value} is not in 1 to 999999")]
    OutOfRange {
        /// The code, shortened.
        value: String,
    },
}

/// `crs = "epsg:" 1*DIGIT`, the letters in any case and the first digit not zero unless it is the only one;
/// yields the digits.
fn crs(input: &str) -> IResult<&str, &str> {
    preceded(tag_no_case("epsg:"), verify(digit1, |digits: &str| digits == "0" || !digits.starts_with('0')))
        .parse(input)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<u32, &str>) {
        let found = text.parse::<Crs>().map(Crs::code).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn reads_epsg_codes_in_any_case() {
        check("epsg:4326", Ok(4326));
        check("EPSG:4326", Ok(4326));
        check("ePsG:2056", Ok(2056));
        check("epsg:1", Ok(1));
        check("epsg:999999", Ok(999_999));
    }

    #[test]
    fn refuses_numbers_out_of_range() {
        check("epsg:0", Err("EPSG code 0 is not in 1 to 999999"));
        check("epsg:1000000", Err("EPSG code 1000000 is not in 1 to 999999"));
        check("epsg:99999999999999999999", Err("EPSG code 99999999999999999999 is not in 1 to 999999"));
    }

    #[test]
    fn refuses_everything_else_that_a_projection_library_takes() {
        for text in [
            "",
            "4326",
            "epsg:",
            "epsg:4326 ",
            " epsg:4326",
            "epsg: 4326",
            "epsg:+4326",
            "epsg:-1",
            "epsg:04326",
            "epsg:00",
            "epsg:4326.0",
            "epsg:4326\0",
            "epsg:４３２６",
            "epsg:4326+5773",
            "esri:102100",
            "urn:ogc:def:crs:EPSG::4326",
            "+proj=merc",
            "+init=epsg:4326",
            "+nadgrids=/etc/passwd",
            "./epsg:4326",
            "../proj.db",
            "WGS84",
        ] {
            let hint = if text == "4326" { ", such as epsg:4326" } else { "" };
            check(text, Err(&format!("`{}` is not a CRS of the form epsg:n{hint}", excerpt(text))));
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(code in 1_u32..=999_999) {
            let crs = Crs::try_from(code)?;
            prop_assert_eq!(crs.to_string().parse::<Crs>()?, crs);
            prop_assert_eq!(crs.to_string().to_lowercase().parse::<Crs>()?, crs);
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = text.parse::<Crs>();
        }
    }

    #[test]
    fn is_a_string_in_json() {
        assert_eq!(serde_json::to_string(&Crs::WEB_MERCATOR).unwrap(), r#""EPSG:3857""#);
        assert_eq!(serde_json::from_str::<Crs>(r#""epsg:3857""#).unwrap(), Crs::WEB_MERCATOR);
        assert!(serde_json::from_str::<Crs>("3857").is_err());
    }
}
