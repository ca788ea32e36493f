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
    /// A feature there, in EPSG:4326, with properties that the real ones have and the client asks for.
    pub(super) fn vehicle(self, id: &str) -> String {
        let geometry = json!({"type": "Point", "coordinates": [self.longitude, self.latitude]});
        let properties = json!({"train_id": id, "tenant": "sbb", "type": "rail"});
        json!({"type": "Feature", "properties": properties, "geometry": geometry}).to_string()
    }

    /// A box of 20 km around it, as the client's map layers build it: whole metres of EPSG:3857, a zoom, and more.
    pub(super) fn around(self) -> Value {
        let [left, bottom] = self.metres().map(|middle| (middle - 10_000.0).floor() as i64);
        let [right, top] = self.metres().map(|middle| (middle + 10_000.0).ceil() as i64);
        json!([left, bottom, right, top, 9, "gen=5", "mots=rail,bus", "tenant=sbb"])
    }

    /// Whether a position in EPSG:3857 is here, to a centimetre.
    pub(super) fn has_metres(self, position: &Value) -> bool {
        let is_near =
            |(axis, own): (usize, f64)| position[axis].as_f64().is_some_and(|x| (x - own).abs() < 0.01);
        self.metres().into_iter().enumerate().all(is_near)
    }

    /// In EPSG:3857: the sphere's Mercator projection.
    fn metres(self) -> [f64; 2] {
        [EARTH_RADIUS * self.longitude.to_radians(), EARTH_RADIUS * self.latitude.to_radians().tan().asinh()]
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
