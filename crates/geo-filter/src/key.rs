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
            _ => Self::Other,
        }
    }
}

/// A member's name as serde reads it.
pub(crate) struct Key(pub(crate) Name);

impl<'a> serde::Deserialize<'a> for Key {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(Key(Name::of(name.as_bytes())))
    }
}
