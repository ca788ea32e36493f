use bytes::Bytes;
use fastrand::Rng;

use super::{kind::Kind, network::Network, vehicle::Vehicle};

/// All vehicles. The same seed and the same steps give the same ways.
#[derive(Debug)]
pub(super) struct Fleet {
    network: Network,
    vehicles: Vec<Vehicle>,
    rng: Rng,
    /// The number of the vehicle that comes next.
    number: usize,
    /// Steps since a vehicle was last replaced.
    quiet: usize,
}

/// A vehicle as it is now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) id: String,
    /// A GeoJSON feature.
    pub(super) feature: Bytes,
}

impl Fleet {
    pub(super) fn new(seed: u64, count: usize) -> Self {
        let mut fleet = Self {
            network: Network::new(),
            vehicles: Vec::with_capacity(count),
            rng: Rng::with_seed(seed),
            number: 1,
            quiet: 0,
        };
        for index in 0..count {
            let vehicle = fleet.new_vehicle(KINDS[index % KINDS.len()]);
            fleet.vehicles.push(vehicle);
        }
        fleet
    }

    pub(super) fn len(&self) -> usize {
        self.vehicles.len()
    }

    /// How the vehicle in this place is now.
    pub(super) fn state(&self, index: usize) -> State {
        let vehicle = &self.vehicles[index];
        let line = &self.network.lines(vehicle.kind)[vehicle.line];
        State { id: vehicle.id.clone(), feature: vehicle.feature(line).into() }
    }

    /// One second passes for the vehicle in this place.
    pub(super) fn step(&mut self, index: usize) {
        self.quiet += 1;
        let vehicle = &mut self.vehicles[index];
        vehicle.step(&self.network.lines(vehicle.kind)[vehicle.line], &mut self.rng);
    }

    /// Now and then a vehicle that stands ends its service and another one takes its place: the id of the former.
    pub(super) fn retire(&mut self, index: usize) -> Option<String> {
        if !self.vehicles[index].is_standing() || self.quiet < self.len() * SERVICE {
            return None;
        }
        self.quiet = 0;
        let vehicle = self.new_vehicle(self.vehicles[index].kind);
        Some(std::mem::replace(&mut self.vehicles[index], vehicle).id)
    }

    fn new_vehicle(&mut self, kind: Kind) -> Vehicle {
        let lines = self.network.lines(kind);
        let line = self.rng.usize(..lines.len());
        let vehicle = Vehicle::new(self.number, kind, line, &lines[line], &mut self.rng);
        self.number += 1;
        vehicle
    }
}

/// How kinds alternate: half trains, which cover the country, and the rest in its cities.
const KINDS: [Kind; 4] = [Kind::Rail, Kind::Tram, Kind::Rail, Kind::Bus];

/// Seconds between two replacements.
const SERVICE: usize = 15;

#[cfg(test)]
mod tests {
    use super::Fleet;

    fn run(seed: u64) -> (Vec<super::State>, Vec<String>) {
        let mut fleet = Fleet::new(seed, 40);
        let mut retired = Vec::new();
        for _ in 0..300 {
            for index in 0..fleet.len() {
                fleet.step(index);
                retired.extend(fleet.retire(index));
            }
        }
        ((0..fleet.len()).map(|index| fleet.state(index)).collect(), retired)
    }

    #[test]
    fn the_same_seed_gives_the_same_ways() {
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }

    #[test]
    fn vehicles_are_replaced_now_and_then_under_new_ids() {
        let (states, retired) = run(1);
        assert!((5..=20).contains(&retired.len()), "{retired:?}");
        assert!(states.iter().all(|state| !retired.contains(&state.id)));
        let mut ids: Vec<_> = states.iter().map(|state| &state.id).chain(&retired).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), states.len() + retired.len());
    }
}
