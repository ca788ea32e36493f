use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde_json::Value;

use crate::OURS;

/// How one benchmark compares with a baseline of its group.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The group.
    pub group: String,
    /// What both worked on.
    pub input: String,
    /// What geocast is compared with.
    pub baseline: String,
    /// How many times longer the baseline takes: above 1, geocast is faster.
    pub times: f64,
}

/// Compares what the last run of `cargo bench` left in criterion's folder, sorted by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn ratios(folder: &Path) -> io::Result<Vec<Ratio>> {
    let mut medians: BTreeMap<(String, String), BTreeMap<String, f64>> = BTreeMap::new();
    for group in folders(folder)? {
        for function in folders(&group)? {
            for input in folders(&function)? {
                let (Some(id), Some(estimates)) =
                    (read(&input, "benchmark.json"), read(&input, "estimates.json"))
                else {
                    continue;
                };
                let name = |key: &str| id[key].as_str().unwrap_or_default().to_owned();
                if let Some(median) = estimates["median"]["point_estimate"].as_f64() {
                    let key = (name("group_id"), name("value_str"));
                    medians.entry(key).or_default().insert(name("function_id"), median);
                }
            }
        }
    }
    Ok(medians.into_iter().flat_map(|((group, input), medians)| compare(&group, &input, &medians)).collect())
}

fn compare(group: &str, input: &str, medians: &BTreeMap<String, f64>) -> Vec<Ratio> {
    let Some(ours) = medians.get(OURS) else { return Vec::new() };
    let others = medians.iter().filter(|(name, _)| *name != OURS);
    others
        .map(|(baseline, median)| Ratio {
            group: group.to_owned(),
            input: input.to_owned(),
            baseline: baseline.clone(),
            times: median / ours,
        })
        .collect()
}

fn folders(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

fn read(folder: &Path, name: &str) -> Option<Value> {
    serde_json::from_slice(&fs::read(folder.join("new").join(name)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_means_that_the_baseline_takes_longer() {
        let medians = [(OURS, 2.0), ("slow", 6.0), ("fast", 1.0)].map(|(name, time)| (name.to_owned(), time));
        let compared: Vec<_> = compare("group", "10", &medians.clone().into())
            .into_iter()
            .map(|ratio| (ratio.baseline, ratio.times))
            .collect();
        assert_eq!(compared, [("fast".to_owned(), 0.5), ("slow".to_owned(), 3.0)]);
        assert_eq!(compare("group", "10", &medians[1..].iter().cloned().collect()), []);
    }
}
