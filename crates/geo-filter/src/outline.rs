use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::geo_type::GeoType;
use crate::key::{Key, Name};
use crate::structure::Primitive;

/// What a text contains of GeoJSON, found before any coordinate is looked at. Nothing is known of an object until
/// all its members have been seen, as `type` may come last and any member may be repeated.
#[derive(Debug, Default)]
pub(crate) struct Outline<'a> {
    pub(crate) collection: bool,
    /// Per member its range of `geometries`, empty where it has none.
    pub(crate) members: Vec<Range<usize>>,
    /// Geometries with coordinates. Not all belong to a member: a duplicated key leaves some behind.
    pub(crate) geometries: Vec<(Primitive, &'a RawValue)>,
}

impl<'a> Outline<'a> {
    /// Reads JSON. `None` when it is not, or nests geometry collections more than 127 deep, or has a
    /// string that is no Unicode text where a value would be looked at.
    pub(crate) fn read(json: &'a str) -> Option<Self> {
        let mut outline = Self::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let found = Seed { outline: &mut outline, place: Place::Document }
            .deserialize_into(&mut deserializer)
            .ok()
            .filter(|_| deserializer.end().is_ok())?;
        match found {
            Found::Geometry(range) | Found::Feature(range) => outline.members = vec![range],
            Found::Features(members) => {
                outline.collection = true;
                outline.members = members;
            }
            Found::Null | Found::Other => {}
        }
        Some(outline)
    }
}

/// Where a value stands. It decides which members of an object matter, so that only the elements of
/// `geometries` recurse, and those within serde_json's own limit of 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Document,
    Features,
    Feature,
    Geometry,
    Geometries,
}

/// What a value turned out to be. Ranges are of `Outline::geometries`.
#[derive(Debug)]
enum Found {
    Geometry(Range<usize>),
    /// A feature; the range is empty where it has no geometry.
    Feature(Range<usize>),
    Features(Vec<Range<usize>>),
    Null,
    Other,
}

struct Seed<'r, 'a> {
    outline: &'r mut Outline<'a>,
    place: Place,
}

impl<'a> Seed<'_, 'a> {
    fn deserialize_into<D: Deserializer<'a>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> serde::de::DeserializeSeed<'a> for Seed<'_, 'a> {
    type Value = Found;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Found, D::Error> {
        self.deserialize_into(deserializer)
    }
}

impl<'a> Visitor<'a> for Seed<'_, 'a> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Found, E> {
        Ok(Found::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<Found, A::Error> {
        match self.place {
            Place::Features => {
                let mut members = Vec::new();
                while let Some(found) =
                    elements.next_element_seed(Seed { outline: self.outline, place: Place::Feature })?
                {
                    members.push(if let Found::Feature(range) = found { range } else { 0..0 });
                }
                Ok(Found::Features(members))
            }
            Place::Geometries => {
                let start = self.outline.geometries.len();
                let mut valid = true;
                while let Some(found) =
                    elements.next_element_seed(Seed { outline: self.outline, place: Place::Geometry })?
                {
                    valid &= matches!(found, Found::Geometry(_));
                }
                let range = start..self.outline.geometries.len();
                Ok(if valid { Found::Geometry(range) } else { Found::Other })
            }
            Place::Document | Place::Feature | Place::Geometry => {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Found::Other)
            }
        }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut object: A) -> Result<Found, A::Error> {
        let Self { outline, place } = self;
        let (mut kind, mut coordinates) = (None, None);
        let (mut geometry, mut geometries, mut features) = (Found::Other, Found::Other, Found::Other);
        while let Some(Key(key)) = object.next_key()? {
            let at = |wanted| place.looks_at(wanted);
            match key {
                Name::Type => kind = geo_type(object.next_value::<&RawValue>()?),
                Name::Coordinates if at(Place::Geometry) => {
                    coordinates = Some(object.next_value::<&RawValue>()?);
                }
                Name::Geometry if at(Place::Feature) => {
                    geometry = object.next_value_seed(Seed { outline, place: Place::Geometry })?;
                }
                Name::Geometries if at(Place::Geometry) => {
                    geometries = object.next_value_seed(Seed { outline, place: Place::Geometries })?;
                }
                Name::Features if place == Place::Document => {
                    features = object.next_value_seed(Seed { outline, place: Place::Features })?;
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(match kind {
            Some(GeoType::Primitive(primitive)) => match coordinates {
                Some(coordinates) if place.looks_at(Place::Geometry) => {
                    let start = outline.geometries.len();
                    outline.geometries.push((primitive, coordinates));
                    Found::Geometry(start..start + 1)
                }
                _ => Found::Other,
            },
            Some(GeoType::GeometryCollection) => geometries,
            Some(GeoType::Feature) if place.looks_at(Place::Feature) => match geometry {
                Found::Geometry(range) => Found::Feature(range),
                _ => Found::Feature(0..0),
            },
            Some(GeoType::FeatureCollection) => features,
            Some(GeoType::Feature) | None => Found::Other,
        })
    }
}

impl Place {
    /// Whether an object here can be what stands at `wanted`: a document can be anything.
    fn looks_at(self, wanted: Self) -> bool {
        self == wanted || self == Self::Document
    }
}

/// Whether the value of a `type` member makes its object a Feature.
pub(crate) fn is_feature(value: &RawValue) -> bool {
    geo_type(value) == Some(GeoType::Feature)
}

/// The value of a `type` member.
fn geo_type(value: &RawValue) -> Option<GeoType> {
    let json = value.get();
    if json.contains('\\') {
        return GeoType::named(serde_json::from_str::<String>(json).ok()?.as_bytes());
    }
    GeoType::named(json.strip_prefix('"')?.strip_suffix('"')?.as_bytes())
}
