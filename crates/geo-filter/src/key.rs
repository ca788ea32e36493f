use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// The name of a member, as far as it matters.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    Type,
    Coordinates,
    Geometry,
    Geometries,
    Features,
    Properties,
    Other,
}

impl Name {
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"type" => Self::Type,
            b"coordinates" => Self::Coordinates,
            b"geometry" => Self::Geometry,
            b"geometries" => Self::Geometries,
            b"features" => Self::Features,
            b"properties" => Self::Properties,
            _ => Self::Other,
        }
    }
}

/// A member's name as serde reads it.
pub(crate) struct Key(pub(crate) Name);

impl<'a> serde::Deserialize<'a> for Key {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because a name with a lone surrogate is JSON (RFC 8259 §8.2) and yet no Unicode text. This also takes
        // bare control characters, which are not JSON: the text must have been checked.
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Key, E> {
        Ok(Key(Name::of(name)))
    }
}
