use std::f64::consts::TAU;
use std::fmt::Write as _;

use fastrand::Rng;

use crate::SEED;

/// One published message.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What it is, as benchmarks are named.
    pub name: &'static str,
    /// GeoJSON in EPSG:4326, degrees, longitude first.
    pub json: String,
}

/// A message of each kind: a point of 450 bytes, a line and a polygon of 1 000 vertices each at full precision, and a
/// collection of 100 points. All lie in Switzerland.
#[must_use]
pub fn payloads() -> Vec<Payload> {
    let mut random = Rng::with_seed(SEED);
    let line = vertices(&mut random, 1_000, |random, at| [6.0 + 4.0 * at, 46.0 + at + 0.1 * random.f64()]);
    let mut ring = vertices(&mut random, 999, |random, at| {
        let (sin, cos) = (at * TAU).sin_cos();
        let radius = 0.4 + 0.1 * random.f64();
        [8.0 + radius * cos, 46.8 + radius * sin]
    });
    let first = ring[..ring.find("],").map_or(ring.len(), |end| end + 1)].to_owned();
    let _ = write!(ring, ",{first}");
    let features: Vec<String> =
        (0..100).map(|id| point(id, [6.0 + 4.0 * random.f64(), 46.0 + 1.5 * random.f64()])).collect();
    vec![
        Payload { name: "point", json: point_at([7.447_447, 46.947_974]) },
        Payload {
            name: "line",
            json: feature(&format!(r#"{{"type":"LineString","coordinates":[{line}]}}"#)),
        },
        Payload {
            name: "polygon",
            json: feature(&format!(r#"{{"type":"Polygon","coordinates":[[{ring}]]}}"#)),
        },
        Payload {
            name: "collection",
            json: format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")),
        },
    ]
}

/// The position of one vehicle, about 450 bytes.
#[must_use]
pub fn point_at(position: [f64; 2]) -> String {
    point(7, position)
}

/// So many positions over Switzerland, as longitude, latitude in degrees.
#[must_use]
pub fn scattered(count: usize) -> Vec<[f64; 2]> {
    let mut random = Rng::with_seed(SEED);
    (0..count).map(|_| [6.0 + 4.0 * random.f64(), 46.0 + 1.5 * random.f64()]).collect()
}

fn point(id: u32, [x, y]: [f64; 2]) -> String {
    format!(
        r#"{{"type":"Feature","id":{id},"geometry":{{"type":"Point","coordinates":[{x},{y}]}},"properties":{{"train_id":"sbb_140317529611712_{id}","line":{{"id":13603,"name":"IC 1","color":"\#ff0000","text_color":"\#ffffff"}},"state":"DRIVING","event_timestamp":1700000000123.0,"delay":7.10,"operator_provides_realtime_journey":"yes","tenant":"sbb","type":"rail","route_identifier":"04853.003849.004:7{id}","rake":null,"transmitted":true,"note":"Zürich HB to Genève-Aéroport"}}}}"#
    )
    .replace(r"\#", "#")
}

fn feature(geometry: &str) -> String {
    format!(
        r#"{{"type":"Feature","id":1,"geometry":{geometry},"properties":{{"name":"A1","state":"open"}}}}"#
    )
}

/// So many positions, the part of the way that each is at going from 0 to 1.
fn vertices(random: &mut Rng, count: u32, mut place: impl FnMut(&mut Rng, f64) -> [f64; 2]) -> String {
    let positions = (0..count).map(|index| {
        let [x, y] = place(random, f64::from(index) / f64::from(count));
        format!("[{x},{y}]")
    });
    positions.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json_and_as_large_as_they_say() {
        for (payload, vertices) in payloads().into_iter().zip([1, 1_000, 1_000, 100]) {
            let value: serde_json::Value = payload.json.parse().unwrap();
            let coordinates = match value["type"].as_str().unwrap() {
                "FeatureCollection" => value["features"].as_array().unwrap().len(),
                _ => match payload.name {
                    "point" => 1,
                    "line" => value["geometry"]["coordinates"].as_array().unwrap().len(),
                    _ => value["geometry"]["coordinates"][0].as_array().unwrap().len(),
                },
            };
            assert_eq!(coordinates, vertices, "{}", payload.name);
        }
        assert!((430..470).contains(&payloads()[0].json.len()), "{}", payloads()[0].json.len());
        assert_eq!(payloads()[1].json, payloads()[1].json);
    }
}
