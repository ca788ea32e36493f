use geocast_protocol::rpc::PropertyFilter;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Value, value::RawValue};

use super::RightsError;
use crate::{PropertyFilters, access::excerpt};

/// The claim as it is written. A member that is not known makes it unreadable: a limit that is misspelt must not pass for
/// none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    #[serde(default, deserialize_with = "present")]
    within: Option<Geometry>,
    #[serde(default, deserialize_with = "present")]
    max_area: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    zoom: Option<[f64; 2]>,
    #[serde(default, deserialize_with = "present")]
    properties: Option<Box<RawValue>>,
}

/// GeoJSON. What else may stand in it would change its meaning, but for `bbox`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Geometry {
    r#type: Type,
    coordinates: Box<RawValue>,
    #[serde(rename = "bbox")]
    _bbox: Option<IgnoredAny>,
}

#[derive(Deserialize)]
enum Type {
    Polygon,
    MultiPolygon,
}

type Rings = Vec<Vec<Position>>;

/// Of each polygon its rings.
pub(super) type Polygons = Vec<Vec<Vec<[f64; 2]>>>;

/// Longitude, latitude, and whatever follows (RFC 7946 §3.1.1).
struct Position([f64; 2]);

impl Claim {
    /// Reads a claim. Returns it also as text with its members in order.
    pub(super) fn read(json: &str) -> Result<(String, Self), RightsError> {
        let value: Value = serde_json::from_str(json).map_err(|error| unreadable(&error))?;
        // A list would be taken for the members in their order.
        if !value.is_object() || value.get("within").is_some_and(|within| !within.is_object()) {
            return Err(RightsError::Unreadable("it is no object, or `within` is none".to_owned()));
        }
        let claim = serde_json::from_str(json).map_err(|error| unreadable(&error))?;
        Ok((value.to_string(), claim))
    }

    /// The coordinates of the polygons.
    pub(super) fn polygons(&self) -> Result<Option<Polygons>, RightsError> {
        let Some(Geometry { r#type, coordinates, .. }) = &self.within else { return Ok(None) };
        let polygons: Vec<Rings> = match r#type {
            Type::Polygon => {
                vec![serde_json::from_str(coordinates.get()).map_err(|error| unreadable(&error))?]
            }
            Type::MultiPolygon => {
                serde_json::from_str(coordinates.get()).map_err(|error| unreadable(&error))?
            }
        };
        let ring = |ring: Vec<Position>| ring.into_iter().map(|Position(position)| position).collect();
        Ok(Some(polygons.into_iter().map(|rings| rings.into_iter().map(ring).collect()).collect()))
    }

    /// Square kilometres.
    pub(super) fn max_area(&self) -> Result<Option<f64>, RightsError> {
        match self.max_area {
            Some(area) if !(area.is_finite() && area > 0.0) => Err(RightsError::MaxArea(area)),
            area => Ok(area),
        }
    }

    /// The least and the greatest zoom level.
    pub(super) fn zoom(&self) -> Result<Option<[f64; 2]>, RightsError> {
        match self.zoom {
            Some([min, max]) if !(min.is_finite() && max.is_finite() && min <= max) => {
                Err(RightsError::Zoom { min, max })
            }
            zoom => Ok(zoom),
        }
    }

    /// What the properties of features must be.
    pub(super) fn properties(&self) -> Result<Option<PropertyFilters>, RightsError> {
        let Some(properties) = &self.properties else { return Ok(None) };
        let filters = PropertyFilter::read_all(properties.get())?;
        if filters.is_empty() {
            return Err(RightsError::NoProperties);
        }
        Ok(Some(PropertyFilters::new(&filters)))
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Vec::<f64>::deserialize(deserializer)?;
        match *numbers {
            [x, y, ..] => Ok(Self([x, y])),
            _ => Err(serde::de::Error::invalid_length(numbers.len(), &"a longitude and a latitude")),
        }
    }
}

fn unreadable(error: &serde_json::Error) -> RightsError {
    RightsError::Unreadable(excerpt(error.to_string().as_bytes()))
}

/// A member that is there has its type: `null` is not as good as absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
