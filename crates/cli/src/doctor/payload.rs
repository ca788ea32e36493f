use serde::Serialize;
use serde_json::{Map, Value};

use super::extent::Extent;

/// What a value is, as far as it matters for a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Payload {
    pub(super) form: Form,
    /// Where its positions are.
    pub(super) extent: Option<Extent>,
    /// Whether its properties have latitude and longitude the other way round.
    pub(super) is_swapped: bool,
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// GeoJSON: a Feature.
    Feature,
    /// GeoJSON: a FeatureCollection.
    Collection,
    /// GeoJSON: a bare geometry.
    Geometry,
    /// A Feature without a place: its geometry is null.
    Nowhere,
    /// A JSON string that holds JSON.
    EncodedTwice,
    /// A JSON object with a latitude and a longitude, but no GeoJSON.
    Coordinates,
    /// Other JSON: an object or a list.
    Json,
    /// A number, a word, or anything that is no JSON.
    Plain,
}

impl Form {
    pub(super) fn is_geojson(self) -> bool {
        matches!(self, Self::Feature | Self::Collection | Self::Geometry | Self::Nowhere)
    }

    /// Whether somebody has published it for others to read, as it seems.
    pub(super) fn is_json(self) -> bool {
        self != Self::Plain
    }
}

impl Payload {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let plain = Self { form: Form::Plain, extent: None, is_swapped: false };
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return plain };
        match &value {
            Value::String(inner) if inner.trim_start().starts_with(['{', '[']) => {
                match serde_json::from_str::<Value>(inner) {
                    Ok(_) => Self { form: Form::EncodedTwice, ..plain },
                    Err(_) => plain,
                }
            }
            Value::Object(members) => Self::object(members),
            Value::Array(_) => Self { form: Form::Json, ..plain },
            _ => plain,
        }
    }

    fn object(members: &Map<String, Value>) -> Self {
        let geometry = |members: &Map<String, Value>| members.get("geometry").and_then(extent);
        let form = match members.get("type").and_then(Value::as_str) {
            Some("Feature") if geometry(members).is_none() => Form::Nowhere,
            Some("Feature") => Form::Feature,
            Some("FeatureCollection") => Form::Collection,
            Some(
                "Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
                | "GeometryCollection",
            ) => Form::Geometry,
            _ if latitude_and_longitude(members).is_some() => Form::Coordinates,
            _ => Form::Json,
        };
        let extent = match form {
            Form::Feature => geometry(members),
            Form::Collection => {
                let features = members.get("features").and_then(Value::as_array).into_iter().flatten();
                features.filter_map(Value::as_object).filter_map(geometry).reduce(Extent::with)
            }
            Form::Geometry => extent(&Value::Object(members.clone())),
            _ => None,
        };
        let told = members.get("properties").and_then(Value::as_object).and_then(latitude_and_longitude);
        let is_swapped = told.zip(extent).is_some_and(|((latitude, longitude), extent)| {
            let near = |a: f64, b: f64| (a - b).abs() < NEAR;
            near(extent.left, latitude)
                && near(extent.bottom, longitude)
                && !(near(extent.left, longitude) && near(extent.bottom, latitude))
        });
        Self { form, extent, is_swapped }
    }
}

/// Where a geometry is.
fn extent(geometry: &Value) -> Option<Extent> {
    if let Some(parts) = geometry.get("geometries").and_then(Value::as_array) {
        return parts.iter().filter_map(extent).reduce(Extent::with);
    }
    positions(geometry.get("coordinates")?)
}

/// Around all positions in lists of lists. `serde_json` has read no deeper than it may.
fn positions(value: &Value) -> Option<Extent> {
    match value.as_array()?.as_slice() {
        [Value::Number(x), Value::Number(y), ..] => Some(Extent::at(x.as_f64()?, y.as_f64()?)),
        lists => lists.iter().filter_map(positions).reduce(Extent::with),
    }
}

/// Latitude and longitude under names that say so.
fn latitude_and_longitude(members: &Map<String, Value>) -> Option<(f64, f64)> {
    let number = |names: &[&str]| {
        members
            .iter()
            .find(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
            .and_then(|(_, value)| value.as_f64())
    };
    Some((number(&["lat", "latitude"])?, number(&["lon", "lng", "long", "longitude"])?))
}

/// Degrees that two figures of one place may differ by.
const NEAR: f64 = 0.001;

#[cfg(test)]
mod tests {
    use super::{Form, Payload};

    fn check(text: &str, form: Form, extent: Option<&str>) {
        let payload = Payload::read(text.as_bytes());
        assert_eq!(payload.form, form, "{text}");
        assert_eq!(payload.extent.map(|extent| extent.to_string()).as_deref(), extent, "{text}");
    }

    #[test]
    fn values_are_known_by_their_form() {
        check(
            r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[8.5,47.4,400]}}"#,
            Form::Feature,
            Some("8.5,47.4,8.5,47.4"),
        );
        check(r#"{"type":"Feature","geometry":null,"properties":{}}"#, Form::Nowhere, None);
        check(r#"{"type":"LineString","coordinates":[[1,2],[3,-4]]}"#, Form::Geometry, Some("1,-4,3,2"));
        check(
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}},{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[3,4]}]}}]}"#,
            Form::Collection,
            Some("1,2,3,4"),
        );
        check(r#""{\"type\":\"Feature\"}""#, Form::EncodedTwice, None);
        check(r#""{ no json""#, Form::Plain, None);
        check(r#"{"lat":47.4,"lng":8.5}"#, Form::Coordinates, None);
        check(r#"{"lat":"47.4"}"#, Form::Json, None);
        check("[1,2]", Form::Json, None);
        check("17", Form::Plain, None);
        check("\u{0}\u{1}", Form::Plain, None);
        check(&"[".repeat(100_000), Form::Plain, None);
    }

    #[test]
    fn properties_betray_what_is_swapped() {
        let feature = |coordinates: &str| {
            format!(
                r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":{coordinates}}},"properties":{{"Lat":47.4,"lon":8.5}}}}"#
            )
        };
        assert!(Payload::read(feature("[47.4,8.5]").as_bytes()).is_swapped);
        assert!(!Payload::read(feature("[8.5,47.4]").as_bytes()).is_swapped);
        assert!(!Payload::read(feature("[1,2]").as_bytes()).is_swapped);
    }
}
