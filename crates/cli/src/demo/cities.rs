//! Stations of Switzerland, and the lines between them as a timetable knows them, simplified.

use super::position::Position;

/// A station by its city.
#[derive(Debug)]
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) position: Position,
}

/// The city of this name, which must be in [`CITIES`].
pub(super) fn city(name: &str) -> &'static City {
    CITIES.iter().find(|city| city.name == name).expect("every line goes through cities that there are")
}

const fn at(name: &'static str, longitude: f64, latitude: f64) -> City {
    City { name, position: Position::new(longitude, latitude) }
}

pub(super) const CITIES: [City; 44] = [
    at("Aarau", 8.051, 47.391),
    at("Airolo", 8.609, 46.529),
    at("Arth-Goldau", 8.549, 47.049),
    at("Baden", 8.308, 47.476),
    at("Basel", 7.589, 47.547),
    at("Bellinzona", 9.030, 46.195),
    at("Bern", 7.439, 46.949),
    at("Biel", 7.243, 47.133),
    at("Brig", 7.988, 46.319),
    at("Chur", 9.529, 46.853),
    at("Davos", 9.821, 46.792),
    at("Delémont", 7.350, 47.362),
    at("Erstfeld", 8.650, 46.819),
    at("Frauenfeld", 8.897, 47.558),
    at("Fribourg", 7.151, 46.803),
    at("Genève", 6.142, 46.210),
    at("Göschenen", 8.589, 46.666),
    at("Interlaken", 7.869, 46.690),
    at("Landquart", 9.554, 46.967),
    at("Langenthal", 7.785, 47.217),
    at("Lausanne", 6.629, 46.517),
    at("Locarno", 8.800, 46.172),
    at("Lugano", 8.947, 46.005),
    at("Luzern", 8.310, 47.050),
    at("Martigny", 7.079, 46.106),
    at("Montreux", 6.911, 46.436),
    at("Neuchâtel", 6.936, 46.997),
    at("Nyon", 6.236, 46.385),
    at("Olten", 7.908, 47.352),
    at("Rapperswil", 8.817, 47.225),
    at("Romanshorn", 9.380, 47.566),
    at("Sargans", 9.446, 47.045),
    at("Schaffhausen", 8.633, 47.698),
    at("Sion", 7.359, 46.228),
    at("Solothurn", 7.543, 47.204),
    at("Spiez", 7.680, 46.686),
    at("St. Gallen", 9.370, 47.423),
    at("Thun", 7.630, 46.755),
    at("Visp", 7.881, 46.294),
    at("Wil", 9.041, 47.463),
    at("Winterthur", 8.724, 47.500),
    at("Yverdon", 6.641, 46.782),
    at("Zug", 8.515, 47.174),
    at("Zürich", 8.540, 47.378),
];

/// Cities where trams run.
pub(super) const TRAM_CITIES: [&str; 4] = ["Zürich", "Basel", "Bern", "Genève"];

/// Lines by their names, each with its stops.
pub(super) const RAIL_LINES: [(&str, &[&str]); 20] = [
    ("IC 1", &["Genève", "Lausanne", "Fribourg", "Bern", "Zürich", "Winterthur", "Wil", "St. Gallen"]),
    ("IC 2", &["Zürich", "Zug", "Arth-Goldau", "Bellinzona", "Lugano"]),
    ("IC 3", &["Basel", "Zürich", "Sargans", "Landquart", "Chur"]),
    ("IC 4", &["Zürich", "Schaffhausen"]),
    ("IC 5", &["Genève", "Nyon", "Yverdon", "Neuchâtel", "Biel", "Solothurn", "Olten", "Aarau", "Zürich"]),
    ("IC 6", &["Basel", "Olten", "Bern", "Thun", "Spiez", "Visp", "Brig"]),
    ("IC 8", &["Romanshorn", "Frauenfeld", "Winterthur", "Zürich", "Bern", "Thun", "Spiez", "Brig"]),
    ("IC 21", &["Basel", "Olten", "Luzern", "Arth-Goldau", "Bellinzona", "Lugano"]),
    ("IC 51", &["Basel", "Delémont", "Biel"]),
    ("IC 61", &["Basel", "Olten", "Bern", "Thun", "Spiez", "Interlaken"]),
    ("IR 13", &["Zürich", "Winterthur", "Wil", "St. Gallen", "Sargans", "Chur"]),
    ("IR 15", &["Luzern", "Langenthal", "Bern", "Fribourg", "Lausanne", "Nyon", "Genève"]),
    ("IR 16", &["Bern", "Olten", "Aarau", "Baden", "Zürich"]),
    ("IR 46", &["Zürich", "Zug", "Arth-Goldau", "Erstfeld", "Göschenen", "Airolo", "Bellinzona", "Locarno"]),
    ("IR 66", &["Bern", "Neuchâtel"]),
    ("IR 70", &["Luzern", "Zug", "Zürich"]),
    ("IR 90", &["Genève", "Lausanne", "Montreux", "Martigny", "Sion", "Visp", "Brig"]),
    ("R 13", &["Landquart", "Davos"]),
    ("S 5", &["Zug", "Zürich", "Rapperswil"]),
    ("VAE", &["St. Gallen", "Rapperswil", "Arth-Goldau", "Luzern"]),
];
