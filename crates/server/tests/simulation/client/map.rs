//! What a tracked subscription has to bring: a map that is as the store.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::Feature;

/// A part of the world: left, bottom, right, top; all of it without.
pub(crate) type View = Option<[f64; 4]>;

/// A client's map of a channel.
#[derive(Debug, Default)]
pub(crate) struct Map {
    entries: BTreeMap<String, Feature>,
    /// The place of the newest state of each key that was ever told, among all that the store took.
    newest: BTreeMap<String, usize>,
}

impl Map {
    /// A feature enters, or changes.
    pub(crate) fn show(
        &mut self,
        is_new: bool,
        key: &str,
        feature: Feature,
        place: usize,
    ) -> Result<(), String> {
        let number = feature.number;
        if self.entries.insert(key.to_owned(), feature).is_some() == is_new {
            let known = if is_new { "entered although it was there" } else { "changed and was not there" };
            return Err(format!("{key} {known}, with {number}"));
        }
        let newest = self.newest.entry(key.to_owned()).or_default();
        if place < *newest {
            return Err(format!("{key} became {number}, which is older than what it was"));
        }
        *newest = place;
        Ok(())
    }

    /// A feature leaves.
    pub(crate) fn hide(&mut self, key: &str) -> Result<(), String> {
        let known = self.entries.remove(key);
        known.map(drop).ok_or_else(|| format!("{key} left and was not there"))
    }

    /// Whether it is what the store has in a view.
    pub(crate) fn check(&self, state: &BTreeMap<String, Feature>, view: View) -> Result<(), String> {
        let expected = within(state, view);
        if self.entries == expected {
            return Ok(());
        }
        let numbers = |map: &BTreeMap<String, Feature>| -> Vec<String> {
            map.iter().map(|(key, feature)| format!("{key}={}", feature.number)).collect()
        };
        Err(format!("the map is {:?}, and the store has {:?}", numbers(&self.entries), numbers(&expected)))
    }
}

/// Whether what was read is what of a state is in a view.
pub(crate) fn compare(read: &Value, state: &BTreeMap<String, Feature>, view: View) -> Result<(), String> {
    let mut numbers: Vec<u64> = within(state, view).values().map(|feature| feature.number).collect();
    let values = read.as_array().into_iter().flatten();
    let mut read: Vec<u64> = values.filter_map(|value| value["properties"]["n"].as_u64()).collect();
    numbers.sort_unstable();
    read.sort_unstable();
    if read == numbers { Ok(()) } else { Err(format!("was read as {read:?}, and is {numbers:?}")) }
}

/// What of a state is in a view.
fn within(state: &BTreeMap<String, Feature>, view: View) -> BTreeMap<String, Feature> {
    let inside = state.iter().filter(|(_, feature)| shows(view, feature.place));
    inside.map(|(key, feature)| (key.clone(), *feature)).collect()
}

/// Whether a place is in a view, whose edges are.
pub(crate) fn shows(view: View, [x, y]: [f64; 2]) -> bool {
    view.is_none_or(|[left, bottom, right, top]| left <= x && x <= right && bottom <= y && y <= top)
}
