use std::f64::consts::{PI, TAU};

use fastrand::Rng;

use super::{
    cities::{CITIES, City, RAIL_LINES, TRAM_CITIES, city},
    kind::Kind,
    line::Line,
    position::Position,
};

/// All lines, by kind: trains between cities, trams and buses within them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) rail: Vec<Line>,
    pub(super) tram: Vec<Line>,
    pub(super) bus: Vec<Line>,
}

impl Network {
    /// The same lines for every seed of a demo: what differs are the vehicles.
    pub(super) fn new() -> Self {
        let mut rng = Rng::with_seed(LAND);
        let trams = TRAM_CITIES.iter().flat_map(|name| [3, 4, 6, 8, 11].map(|line| (city(name), line)));
        let buses = CITIES.iter().flat_map(|city| [31, 32].map(|line| (city, line)));
        Self {
            rail: RAIL_LINES.iter().map(|(name, stops)| railway(name, stops)).collect(),
            tram: trams.map(|(city, number)| street(Kind::Tram, city, number, &mut rng)).collect(),
            bus: buses.map(|(city, number)| street(Kind::Bus, city, number, &mut rng)).collect(),
        }
    }

    pub(super) fn lines(&self, kind: Kind) -> &[Line] {
        match kind {
            Kind::Rail => &self.rail,
            Kind::Tram => &self.tram,
            Kind::Bus => &self.bus,
        }
    }
}

/// A line from city to city.
fn railway(name: &str, stops: &[&str]) -> Line {
    let cities: Vec<&City> = stops.iter().map(|name| city(name)).collect();
    let mut way = vec![cities[0].position];
    let mut stations = Vec::new();
    for pair in cities.windows(2) {
        way.extend(track(pair[0], pair[1]));
        stations.push(way.len() - 1);
    }
    let destinations = [cities[0].name.to_owned(), cities[cities.len() - 1].name.to_owned()];
    Line::new(name.to_owned(), Kind::Rail, destinations, &way, &stations)
}

/// The track between two cities, without its first position. It bends as tracks do, and is the same for all lines that
/// use it, in both directions.
fn track(from: &City, to: &City) -> Vec<Position> {
    let (first, second) = if from.name < to.name { (from, to) } else { (to, from) };
    let seed = first
        .name
        .bytes()
        .chain(second.name.bytes())
        .fold(LAND, |seed, byte| seed * 31 % PRIME + u64::from(byte));
    let mut rng = Rng::with_seed(seed);
    let mut way = bend(first.position, second.position, BEND, TRACK_STEP, &mut rng);
    if first.name != from.name {
        way.reverse();
    }
    way.remove(0);
    way
}

/// A line through the middle of a city, from one edge of it to another.
fn street(kind: Kind, city: &City, number: u32, rng: &mut Rng) -> Line {
    let reach = match kind {
        Kind::Tram => 3000.0 + 2500.0 * rng.f64(),
        _ => 4000.0 + 4000.0 * rng.f64(),
    };
    let away = rng.f64() * TAU;
    let back = away + PI + (rng.f64() - 0.5);
    let end = |angle: f64| city.position.moved(reach * angle.sin(), reach * angle.cos());
    let mut way = bend(end(away), city.position, BEND * 2.0, STREET_STEP, rng);
    way.extend(bend(city.position, end(back), BEND * 2.0, STREET_STEP, rng).into_iter().skip(1));
    let destination = |angle: f64| format!("{} {}", city.name, COMPASS[compass_point(angle)]);
    Line::new(number.to_string(), kind, [destination(away), destination(back)], &way, &[way.len() - 1])
}

/// A way between two positions that swings to both sides, with a vertex about every `step` metres. `strength` is how far
/// it swings at most, as part of the distance.
fn bend(from: Position, to: Position, strength: f64, step: f64, rng: &mut Rng) -> Vec<Position> {
    let (east, north) = from.offset_to(to);
    let swings = [1.0, 2.0, 3.0, 5.0].map(|number| (number, (rng.f64() - 0.5) * strength / number));
    let parts = (east.hypot(north) / step).ceil().max(1.0);
    let vertices = (0..=parts as usize).map(|part| {
        let part = part as f64 / parts;
        let aside: f64 = swings.iter().map(|(number, width)| width * (number * PI * part).sin()).sum();
        from.toward(to, part).moved(-north * aside, east * aside)
    });
    vertices.collect()
}

/// Which of the eight points of the compass is nearest, for an angle clockwise from north in radians.
fn compass_point(angle: f64) -> usize {
    (angle / (PI / 4.0)).round().rem_euclid(8.0) as usize
}

const COMPASS: [&str; 8] = ["Nord", "Nordost", "Ost", "Südost", "Süd", "Südwest", "West", "Nordwest"];
/// From which everything that looks like chance in the land is made.
const LAND: u64 = 1291;
/// Keeps the products above small.
const PRIME: u64 = 1_000_000_007;
const BEND: f64 = 0.12;
/// Metres between two vertices.
const TRACK_STEP: f64 = 400.0;
const STREET_STEP: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_network_is_in_the_region() {
        let network = Network::new();
        for kind in [Kind::Rail, Kind::Tram, Kind::Bus] {
            for line in network.lines(kind) {
                let length = line.length();
                assert!(length > 5_000.0, "{} is {length} m long", line.name);
                for part in 0..=100 {
                    let Position { longitude, latitude } = line.position(length * f64::from(part) / 100.0);
                    assert!((5.9..=10.5).contains(&longitude), "{} {longitude} {latitude}", line.name);
                    assert!((45.8..=47.8).contains(&latitude), "{} {longitude} {latitude}", line.name);
                }
            }
        }
    }

    #[test]
    fn lines_share_their_tracks_in_both_directions() {
        let there = track(city("Bern"), city("Thun"));
        let mut back = track(city("Thun"), city("Bern"));
        back.reverse();
        assert_eq!(there[..there.len() - 1], back[1..]);
        assert!(there.len() > 40);
    }
}
