use fastrand::Rng;
use serde::Serialize;

use super::{kind::Kind, line::Line};

/// Something that moves along a line, there and back.
#[derive(Debug)]
pub(super) struct Vehicle {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// Which of the lines of its kind.
    pub(super) line: usize,
    /// Metres from the beginning of the line.
    metres: f64,
    forward: bool,
    /// Metres per second.
    speed: f64,
    cruising_speed: f64,
    /// Seconds that it goes on standing.
    standing: u32,
    /// Seconds behind the timetable.
    delay: i32,
}

/// What is published (RFC 7946 §3.2), the coordinates in EPSG:4326.
#[derive(Debug, Serialize)]
struct Feature<'a> {
    r#type: &'static str,
    id: &'a str,
    properties: Properties<'a>,
    geometry: Geometry,
}

#[derive(Debug, Serialize)]
struct Properties<'a> {
    line: &'a str,
    r#type: Kind,
    /// Where it goes.
    to: &'a str,
    /// Degrees clockwise from north.
    heading: u16,
    /// Kilometres per hour.
    speed: u16,
    /// Seconds.
    delay: i32,
}

#[derive(Debug, Serialize)]
struct Geometry {
    r#type: &'static str,
    /// Longitude and latitude in degrees.
    coordinates: [f64; 2],
}

impl Vehicle {
    /// Somewhere on a line.
    pub(super) fn new(number: usize, kind: Kind, line: usize, way: &Line, rng: &mut Rng) -> Self {
        let (slowest, fastest) = kind.cruising_speed();
        let mut vehicle = Self {
            id: format!("{}-{number}", kind.name()),
            kind,
            line,
            metres: way.length() * rng.f64(),
            forward: rng.bool(),
            speed: 0.0,
            cruising_speed: slowest + (fastest - slowest) * rng.f64(),
            standing: 0,
            delay: i32::from(rng.u8(0..4)) * 30,
        };
        // It has been on its way before anybody looked.
        vehicle.speed = vehicle.wanted_speed(way);
        vehicle
    }

    pub(super) fn is_standing(&self) -> bool {
        self.standing > 0
    }

    /// One second passes.
    pub(super) fn step(&mut self, line: &Line, rng: &mut Rng) {
        if self.standing > 0 {
            self.standing -= 1;
            return;
        }
        let Some(stop) = line.next_stop(self.metres, self.forward) else {
            self.forward = !self.forward;
            return;
        };
        let distance = (stop - self.metres).abs();
        self.speed = self.wanted_speed(line).min(self.speed + self.kind.acceleration());
        let way = self.speed.max(CRAWL);
        if way >= distance {
            self.metres = stop;
            self.arrive(rng);
        } else {
            self.metres += if self.forward { way } else { -way };
        }
    }

    /// As fast as it may go and still stop in time, in metres per second.
    fn wanted_speed(&self, line: &Line) -> f64 {
        let distance =
            line.next_stop(self.metres, self.forward).map_or(0.0, |stop| (stop - self.metres).abs());
        self.cruising_speed.min((2.0 * self.kind.acceleration() * distance).sqrt())
    }

    fn arrive(&mut self, rng: &mut Rng) {
        let (shortest, longest) = self.kind.dwell();
        self.speed = 0.0;
        self.standing = rng.u32(shortest..=longest);
        self.delay = (self.delay + rng.i32(-30..=35)).clamp(0, LARGEST_DELAY);
    }

    /// As it is published.
    pub(super) fn feature(&self, line: &Line) -> Vec<u8> {
        let position = line.position(self.metres);
        // Six decimals are eleven centimetres.
        let coordinates =
            [position.longitude, position.latitude].map(|degrees| (degrees * 1e6).round() / 1e6);
        let feature = Feature {
            r#type: "Feature",
            id: &self.id,
            properties: Properties {
                line: &line.name,
                r#type: self.kind,
                to: &line.destinations[usize::from(self.forward)],
                heading: line.heading(self.metres, self.forward).round() as u16 % 360,
                speed: (self.speed * 3.6).round() as u16,
                delay: self.delay,
            },
            geometry: Geometry { r#type: "Point", coordinates },
        };
        serde_json::to_vec(&feature).expect("plain text and numbers")
    }
}

/// Metres per second below which nothing moves, so that the last metre to a stop does not take for ever.
const CRAWL: f64 = 1.0;
const LARGEST_DELAY: i32 = 900;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::network::Network;

    #[test]
    fn vehicles_move_smoothly_turn_and_stay_on_their_way() {
        let network = Network::new();
        for kind in [Kind::Rail, Kind::Tram, Kind::Bus] {
            let (line, mut rng) = (&network.lines(kind)[0], Rng::with_seed(3));
            let mut vehicle = Vehicle::new(1, kind, 0, line, &mut rng);
            let (mut standing, mut directions) = (0, [0, 0]);
            for _ in 0..40_000 {
                let before = (line.position(vehicle.metres), vehicle.speed);
                vehicle.step(line, &mut rng);
                let moved = before.0.distance_to(line.position(vehicle.metres));
                assert!(moved <= kind.cruising_speed().1 + 1.0, "{kind:?} jumps {moved} m");
                let gained = vehicle.speed - before.1;
                assert!(gained <= kind.acceleration() + 1e-9, "{kind:?} gains {gained} m/s");
                assert!((0.0..=line.length()).contains(&vehicle.metres));
                standing += usize::from(vehicle.is_standing());
                directions[usize::from(vehicle.forward)] += 1;
            }
            assert!((1_000..30_000).contains(&standing), "{kind:?} stands {standing} s of 40000");
            assert!(directions.iter().all(|seconds| *seconds > 5_000), "{kind:?} {directions:?}");
        }
    }

    #[test]
    fn a_feature_is_geojson() {
        let network = Network::new();
        let line = &network.rail[0];
        let vehicle = Vehicle::new(7, Kind::Rail, 0, line, &mut Rng::with_seed(1));
        let feature: serde_json::Value = serde_json::from_slice(&vehicle.feature(line)).unwrap();
        assert_eq!(feature["type"], "Feature");
        assert_eq!(feature["id"], "rail-7");
        assert_eq!(feature["properties"]["type"], "rail");
        assert_eq!(feature["properties"]["line"], "IC 1");
        assert!(feature["geometry"]["coordinates"][0].as_f64().unwrap() < 10.0);
    }
}
