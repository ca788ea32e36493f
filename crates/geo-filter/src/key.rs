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
        Ok(Key(match name {
            "type" => Name::Type,
            "coordinates" => Name::Coordinates,
            "geometry" => Name::Geometry,
            "geometries" => Name::Geometries,
            "features" => Name::Features,
            _ => Name::Other,
        }))
    }
}
