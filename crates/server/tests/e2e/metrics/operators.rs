//! The dashboard and the alerts that operators are given, against what servers show.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{exposition::Exposition, expression::Asked, rules};

/// What a metric may be asked for: its labels, with all values that they have had.
type Known = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn known(expositions: &[Exposition]) -> Known {
    let mut known = Known::new();
    for sample in
        expositions.iter().flat_map(|exposition| exposition.0.values()).flat_map(|family| &family.samples)
    {
        let labels = known.entry(sample.name.clone()).or_default();
        for (label, value) in &sample.labels {
            labels.entry(label.clone()).or_default().insert(value.clone());
        }
    }
    // Prometheus adds these, and has a metric of its own for each target.
    known.entry("up".to_owned()).or_default();
    for labels in known.values_mut() {
        labels.insert("instance".to_owned(), BTreeSet::from(["$instance".to_owned()]));
        labels.insert("job".to_owned(), BTreeSet::from(["geocast".to_owned()]));
    }
    known
}

/// What is wrong with an expression.
fn faults(expression: &str, known: &Known) -> Vec<String> {
    let asked = Asked::of(expression);
    let mut faults = Vec::new();
    let mut labels = BTreeSet::new();
    for (metric, matchers) in &asked.metrics {
        let Some(has) = known.get(metric) else {
            faults.push(format!("no server shows {metric}"));
            continue;
        };
        labels.extend(has.keys());
        for matcher in matchers {
            let Some(values) = has.get(&matcher.label) else {
                faults.push(format!("{metric} has no label {}", matcher.label));
                continue;
            };
            let wanted = matcher.value.split('|').filter(|value| !values.contains(*value));
            faults.extend(wanted.map(|value| format!("{metric} never has {}=\"{value}\"", matcher.label)));
        }
    }
    let unknown = asked.labels.iter().filter(|label| !labels.contains(label));
    faults.extend(unknown.map(|label| format!("nothing in it has the label {label}")));
    faults.into_iter().map(|fault| format!("{fault}: {expression}")).collect()
}

/// All expressions of a dashboard, wherever they stand.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        Value::Object(members) => {
            if let Some(Value::String(expression)) = members.get("expr") {
                found.push(expression.clone());
            }
            members.values().for_each(|value| expressions(value, found));
        }
        _ => {}
    }
}

/// Panels, alerts and what they ask for exist.
pub(super) fn check(expositions: &[Exposition]) {
    let known = known(expositions);
    let dashboard: Value = serde_json::from_str(include_str!("../../../../../deploy/grafana/geocast.json"))
        .expect("the dashboard is JSON");
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 40, "{} expressions in the dashboard", asked.len());
    let rules = rules::read(include_str!("../../../../../deploy/prometheus/alerts.yml"));
    assert!(rules.len() > 10, "{} alerts", rules.len());
    asked.extend(rules.iter().map(|rule| rule.expr.clone()));
    let wrong: Vec<String> = asked.iter().flat_map(|expression| faults(expression, &known)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for rule in &rules {
        let labels: BTreeSet<&String> = Asked::of(&rule.expr)
            .metrics
            .iter()
            .filter_map(|(metric, _)| known.get(metric))
            .flat_map(BTreeMap::keys)
            .collect();
        for label in rule.summary.split("$labels.").skip(1) {
            let label = label.split(' ').next().unwrap_or_default().to_owned();
            assert!(labels.contains(&label), "{} has no label {label}", rule.alert);
        }
    }
    assert!(!faults("rate(geocast_nothing_total[5m])", &known).is_empty(), "what is wrong is found");
    assert!(!faults("sum by (colour) (geocast_connections)", &known).is_empty());
    assert!(!faults("geocast_store_up{store=\"sqlite\"}", &known).is_empty());
    let ids: Vec<&Value> =
        dashboard["panels"].as_array().expect("panels").iter().map(|panel| &panel["id"]).collect();
    let distinct: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(ids.len(), distinct.len(), "panels with the same id");
}
