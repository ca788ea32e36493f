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
        // As bytes and not as text: JSON allows a lone surrogate escape in a key, Rust's strings do not.
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
        Ok(Key(match name {
            b"type" => Name::Type,
            b"coordinates" => Name::Coordinates,
            b"geometry" => Name::Geometry,
            b"geometries" => Name::Geometries,
            b"features" => Name::Features,
            _ => Name::Other,
        }))
    }
}
