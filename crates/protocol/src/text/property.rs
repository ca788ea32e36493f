//! Keywords of BBOX that have no meaning of their own.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{Word, WordError};

/// `name=value,value,…` behind BBOX: a wish that features' properties, or the server, may know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Property {
    /// What stands before the first `=`.
    pub name: PropertyName,
    /// What stands behind it, split at commas; empty items are left out, so that `name=` has no value at all.
    pub values: Vec<PropertyValue>,
}

/// Prints `name=value,value`.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.name.as_str())?;
        for (position, value) in self.values.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{}", value.as_str())?;
        }
        Ok(())
    }
}

/// The name of a [`Property`]: a [`Word`] without `=` that is none of BBOX's own keywords: `zoom`, `crs`, `members`,
/// `fields`, `precision`, `tolerance`, `min_move`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyName(Word);

impl PropertyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PropertyName {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        let word = text.parse()?;
        if OWN_KEYWORDS.contains(&text) {
            return Err(PropertyError::OwnKeyword);
        }
        match text.find('=') {
            Some(offset) => Err(PropertyError::Separator { separator: '=', offset }),
            None => Ok(Self(word)),
        }
    }
}

/// One value of a [`Property`]: a [`Word`] without comma.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyValue(Word);

impl PropertyValue {
    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PropertyValue {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        let word = text.parse()?;
        match text.find(',') {
            Some(offset) => Err(PropertyError::Separator { separator: ',', offset }),
            None => Ok(Self(word)),
        }
    }
}

/// Why a text is not the name or a value of a [`Property`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PropertyError {
    /// It is no word.
    #[error(transparent)]
    Word(#[from] WordError),
    /// The name is one of BBOX's own keywords.
    #[error("{} are not names of properties", OWN_KEYWORDS.join(", "))]
    OwnKeyword,
    /// It has the character that ends it on the wire.
    #[error("character {separator:?} at byte {offset} ends a property's name or value")]
    Separator {
        /// `=` in a name, `,` in a value.
        separator: char,
        /// Where it stands, in bytes.
        offset: usize,
    },
}

/// The keywords of BBOX that mean something here.
pub(super) const OWN_KEYWORDS: [&str; 7] =
    ["zoom", "crs", "members", "fields", "precision", "tolerance", "min_move"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = PropertyError>>(text: &str, expected: Result<(), &str>) {
        let found = text.parse::<T>().map(drop).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn names_are_words_without_equals() {
        check::<PropertyName>("mots", Ok(()));
        check::<PropertyName>("a,b", Ok(()));
        check::<PropertyName>("", Err("a word must not be empty"));
        check::<PropertyName>("a=b", Err("character '=' at byte 1 ends a property's name or value"));
        for own in OWN_KEYWORDS {
            let message =
                "zoom, crs, members, fields, precision, tolerance, min_move are not names of properties";
            check::<PropertyName>(own, Err(message));
        }
    }

    #[test]
    fn values_are_words_without_comma() {
        check::<PropertyValue>("rail", Ok(()));
        check::<PropertyValue>("a=b", Ok(()));
        check::<PropertyValue>("crs", Ok(()));
        check::<PropertyValue>("", Err("a word must not be empty"));
        check::<PropertyValue>("a,b", Err("character ',' at byte 1 ends a property's name or value"));
    }
}
