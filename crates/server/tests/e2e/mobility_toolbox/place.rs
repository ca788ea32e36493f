use serde_json::{Value, json};

/// Where a vehicle is, and a map may look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// In degrees, of EPSG:4326.
    longitude: f64,
    /// In degrees, of EPSG:4326.
    latitude: f64,
}

impl Place {
    /// A feature there, in EPSG:4326.
    pub(super) fn vehicle(self, id: &str) -> String {
        let geometry = json!({"type": "Point", "coordinates": [self.longitude, self.latitude]});
        json!({"type": "Feature", "properties": {"train_id": id}, "geometry": geometry}).to_string()
    }

    /// A box of 20 km around it, as the client's map layers build it: whole metres of EPSG:3857, a zoom, and more.
    pub(super) fn around(self) -> Value {
        let x = EARTH_RADIUS * self.longitude.to_radians();
        let y = EARTH_RADIUS * self.latitude.to_radians().tan().asinh();
        let [left, bottom] = [x, y].map(|middle| (middle - 10_000.0).floor() as i64);
        let [right, top] = [x, y].map(|middle| (middle + 10_000.0).ceil() as i64);
        json!([left, bottom, right, top, 9, "gen=5", "mots=rail,bus", "tenant=sbb", "crs=epsg:3857"])
    }

    /// The command that this becomes.
    pub(super) fn bbox(self) -> String {
        let words = self.around();
        let words: Vec<String> =
            words.as_array().expect("a list").iter().map(|word| word.to_string().replace('"', "")).collect();
        format!("BBOX {}", words.join(" "))
    }
}

/// By which a vehicle is known.
pub(super) fn id(vehicle: &Value) -> &str {
    vehicle["properties"]["train_id"].as_str().unwrap_or_else(|| panic!("no vehicle: {vehicle}"))
}

pub(super) const BASEL: Place = Place { longitude: 7.59, latitude: 47.55 };

pub(super) const ZURICH: Place = Place { longitude: 8.54, latitude: 47.37 };

/// Of the sphere of EPSG:3857, in metres.
const EARTH_RADIUS: f64 = 6_378_137.0;
