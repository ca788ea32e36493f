use std::collections::HashMap;

use anyhow::Context;
use serde_json::{Value, json};

use super::report::Report;

/// What came a second between two reports.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    totals: HashMap<String, f64>,
    channels: HashMap<String, ChannelRates>,
}

/// What came a second on a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ChannelRates {
    pub(super) events: f64,
    pub(super) deliveries: f64,
}

impl Rates {
    /// Nothing is known yet.
    pub(super) fn none() -> Self {
        Self::default()
    }

    pub(super) fn between(first: &Report, second: &Report) -> Self {
        let Some(seconds) = seconds(first.at, second.at) else { return Self::none() };
        let rise = |before: u64, now: u64| rise(before, now).map(|rise| rise / seconds);
        let totals = second.totals.iter().filter_map(|(name, total)| {
            Some((name.clone(), rise(first.totals.get(name).copied()?, *total)?))
        });
        let before: HashMap<&str, _> =
            first.channels.list.iter().map(|channel| (channel.name.as_str(), channel)).collect();
        let channels = second.channels.list.iter().filter_map(|channel| {
            let before = before.get(channel.name.as_str())?;
            let events = rise(before.events, channel.events)?;
            let deliveries = rise(before.deliveries, channel.deliveries)?;
            Some((channel.name.clone(), ChannelRates { events, deliveries }))
        });
        Self { totals: totals.collect(), channels: channels.collect() }
    }

    /// A second; none, if it is not known.
    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.totals.get(name).copied()
    }

    /// Of all whose names begin so.
    pub(super) fn of_all(&self, prefix: &str) -> Option<f64> {
        let of_them = || self.totals.iter().filter(|(name, _)| name.starts_with(prefix));
        of_them().next()?;
        Some(of_them().map(|(_, rate)| rate).sum())
    }

    pub(super) fn of_channel(&self, name: &str) -> Option<ChannelRates> {
        self.channels.get(name).copied()
    }
}

/// The second report, with what came a second since the first one: in all, and on each channel.
pub(super) fn object(first: &Value, mut second: Value) -> anyhow::Result<Value> {
    let (before, now) = (Report::read(first.clone())?, Report::read(second.clone())?);
    let rates = Rates::between(&before, &now);
    let seconds = seconds(before.at, now.at).context("the server's clock has been set back")?;
    second["rates"] = json!({ "seconds": seconds, "per_second": rates.totals });
    if let Some(channels) = second["channels"]["list"].as_array_mut() {
        for channel in channels {
            let name = channel["name"].as_str().unwrap_or_default();
            let known = rates.of_channel(name);
            channel["events_per_second"] = json!(known.map(|rates| rates.events));
            channel["deliveries_per_second"] = json!(known.map(|rates| rates.deliveries));
        }
    }
    Ok(second)
}

/// By how much it has risen; none, if it began anew in between.
fn rise(before: u64, now: u64) -> Option<f64> {
    now.checked_sub(before).map(|rise| rise as f64)
}

fn seconds(before: f64, now: f64) -> Option<f64> {
    let seconds = (now - before) / 1000.0;
    (seconds > 0.0).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::top::table::tests::report;

    #[test]
    fn what_rises_is_told_by_the_second_and_what_began_anew_is_not() {
        let mut first = report();
        first["at"] = json!(1_000.0);
        first["totals"] = json!({ "events": 100, "withheld_a": 1, "withheld_b": 2, "restarted": 9 });
        first["channels"]["list"] =
            json!([{ "name": "map", "subscribers": 2, "events": 10, "deliveries": 15 }]);
        let mut second = first.clone();
        second["at"] = json!(3_000.0);
        second["totals"] =
            json!({ "events": 150, "withheld_a": 5, "withheld_b": 4, "restarted": 1, "new": 7 });
        second["channels"]["list"] = json!([
            { "name": "map", "subscribers": 2, "events": 40, "deliveries": 16 },
            { "name": "new", "subscribers": 1, "events": 4, "deliveries": 4 },
        ]);
        let told = object(&first, second).unwrap();
        assert_eq!(told["rates"]["seconds"], 2.0);
        let per_second = json!({ "events": 25.0, "withheld_a": 2.0, "withheld_b": 1.0 });
        assert_eq!(told["rates"]["per_second"], per_second);
        let channels = &told["channels"]["list"];
        let rates =
            |place: usize| (&channels[place]["events_per_second"], &channels[place]["deliveries_per_second"]);
        assert_eq!((rates(0), rates(1)), ((&json!(15.0), &json!(0.5)), (&Value::Null, &Value::Null)));
        let rates = Rates::between(&Report::read(first.clone()).unwrap(), &Report::read(told).unwrap());
        assert_eq!((rates.of_all("withheld"), rates.of_all("no such")), (Some(3.0), None));
        assert!(object(&first, first.clone()).is_err(), "nothing has passed in between");
    }
}
