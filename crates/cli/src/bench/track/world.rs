use std::ops::Range;

use anyhow::ensure;

use super::arguments::TrackArguments;
use crate::bench::{
    engine::{Change, Changes, PROBE, Stamp},
    load::Content,
    messages::{FEATURE, feature},
    publisher::Publication,
    viewports::{self, Viewports, WORLD},
};

/// Features that move, and boxes that somebody looks at: what is on every map, kept apart from the server.
#[derive(Debug)]
pub(super) struct World {
    /// Bytes of a feature.
    size: usize,
    /// How far one moves at most, in degrees.
    step: f64,
    /// Where they are; their keys are their numbers here. Those that stand where nobody looks are the last ones.
    features: Vec<[f64; 2]>,
    /// How many of them move.
    moving: usize,
    /// Where each client looks.
    boxes: Vec<[f64; 4]>,
    random: fastrand::Rng,
    /// What all clients have to be told of all moves so far.
    pub(super) told: Changes,
}

impl World {
    pub(super) fn new(arguments: &TrackArguments, viewports: &Viewports) -> anyhow::Result<Self> {
        let TrackArguments { load, features: moving, elsewhere, step, .. } = arguments;
        let least = FEATURE + ID;
        ensure!(load.size >= least, "a feature takes {least} bytes at least, {} is too few", load.size);
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut features = Vec::with_capacity((moving + elsewhere) as usize);
        features.extend((0..*moving).map(|_| viewports::point(&mut random)));
        features.extend((0..*elsewhere).map(|_| viewports::point_aside(&mut random)));
        Ok(Self {
            size: load.size,
            step: *step,
            features,
            moving: *moving as usize,
            boxes: viewports.boxes().to_vec(),
            random,
            told: Changes::default(),
        })
    }

    /// How many features there are.
    pub(super) fn len(&self) -> usize {
        self.features.len()
    }

    /// Some of the features as they are.
    pub(super) fn state(&self, features: Range<usize>) -> Vec<Publication> {
        features.map(|key| self.publication(key, Stamp { sent: 0, number: PROBE })).collect()
    }

    /// What enters the maps of these clients when they are new.
    pub(super) fn seen(&self, clients: Range<usize>) -> Changes {
        let enters =
            self.boxes[clients].iter().map(|bbox| self.count(|point| viewports::contains(bbox, point)));
        Changes { enters: enters.sum(), ..Changes::default() }
    }

    /// Lets a client look so many widths of its box to the east, or to the west where the world ends: what it says, and
    /// what it has to be told.
    pub(super) fn pan(&mut self, client: usize, widths: f64) -> (String, Changes) {
        let before = self.boxes[client];
        let [left, bottom, right, top] = before;
        let width = right - left;
        let east = widths * width;
        let far = WORLD[0] / 2.0;
        let left = if right + east <= far { left + east } else { (left - east).max(-far) };
        let after = [left, bottom, left + width, top];
        self.boxes[client] = after;
        let differs = |one: [f64; 4], other: [f64; 4]| {
            self.count(|point| viewports::contains(&one, point) && !viewports::contains(&other, point))
        };
        let changes = Changes { enters: differs(after, before), updates: 0, leaves: differs(before, after) };
        (viewports::command(after), changes)
    }

    fn count(&self, is_it: impl Fn([f64; 2]) -> bool) -> u64 {
        self.features[..self.moving].iter().filter(|point| is_it(**point)).count() as u64
    }

    fn publication(&self, key: usize, stamp: Stamp) -> Publication {
        let id = u32::try_from(key).unwrap_or(u32::MAX);
        Publication { key: Some(id), payload: feature(self.size, Some(id), self.features[key], stamp) }
    }
}

/// Each message moves some feature.
impl Content for World {
    fn next(&mut self, stamp: Stamp) -> (Publication, u64) {
        let key = self.random.usize(..self.moving);
        let before = self.features[key];
        let after = viewports::point_near(&mut self.random, before, self.step);
        self.features[key] = after;
        let mut told = Changes::default();
        for bbox in &self.boxes {
            let (was_seen, is_seen) = (viewports::contains(bbox, before), viewports::contains(bbox, after));
            Change::between(was_seen, is_seen).into_iter().for_each(|change| told.note(change));
        }
        self.told = self.told + told;
        (self.publication(key, stamp), told.total())
    }
}

const SEED: u64 = 4;
/// `"id":4294967295,`
const ID: usize = 16;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: TrackArguments,
    }

    fn world(options: &str) -> World {
        let line = Line::parse_from(["track"].into_iter().chain(options.split_whitespace()));
        let clients = line.arguments.load.connections.get();
        let viewports = Viewports::random(line.arguments.viewports, clients);
        World::new(&line.arguments, &viewports).unwrap()
    }

    /// What has entered and not left is what is there, after any moves and pans.
    #[test]
    fn what_is_told_adds_up_to_what_is_seen() {
        let mut world = world("--features 300 --elsewhere 50 --connections 40 --step 10 --viewports 90x40");
        let mut told = world.seen(0..40);
        for number in 1..2000 {
            world.next(Stamp { sent: 0, number });
        }
        let moved = world.told;
        assert!(moved.enters > 100 && moved.leaves > 100 && moved.updates > 1000, "{moved:?}");
        told = told + moved;
        assert_eq!(told.enters - told.leaves, world.seen(0..40).enters);
        for (client, widths) in (0..40).chain(0..40).zip([0.25, 0.5, 2.0, 4.0].into_iter().cycle()) {
            let (command, changes) = world.pan(client, widths);
            assert!(command.starts_with("BBOX "), "{command}");
            told = told + changes;
        }
        assert_eq!(told.enters - told.leaves, world.seen(0..40).enters);
        let far = WORLD[0] / 2.0 + 1e-9;
        assert!(world.boxes.iter().all(|[left, _, right, _]| -far <= *left && *right <= far));
    }

    #[test]
    fn features_are_of_the_size_that_was_asked_for_and_named_by_their_keys() {
        let world = world("--features 10 --elsewhere 5 --connections 3");
        for (key, publication) in world.state(0..world.len()).into_iter().enumerate() {
            let json: serde_json::Value = serde_json::from_slice(&publication.payload).unwrap();
            assert_eq!((json["id"].as_u64(), publication.key), (Some(key as u64), u32::try_from(key).ok()));
            assert_eq!(publication.payload.len(), 256);
            let latitude = json["geometry"]["coordinates"][1].as_f64().unwrap();
            assert_eq!(latitude > WORLD[1] / 2.0, key >= 10, "{json}");
        }
    }
}
