use crate::doctor::{
    command_line::redis_cli,
    examination::Examination,
    finding::{Finding, Level},
    place::Place,
};

/// What the user may not do.
pub(super) fn rights(place: &Place, found: &Examination) -> Option<Finding> {
    let node = found.nodes.first()?;
    let user = node.user.as_deref().or_else(|| place.url.user()).unwrap_or("default");
    let topic = "rights";
    if let Some(reason) = found.unknown.get("rights") {
        let text = format!("what the user {user} may do cannot be asked: {reason}");
        return Some(Finding::new(Level::Warning, topic, text));
    }
    if found.lacking.is_empty() {
        return Some(Finding::new(Level::Ok, topic, format!("the user {user} may do what geocast does")));
    }
    let mut rules: Vec<&str> = found.lacking.iter().map(|right| right.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut purposes: Vec<&str> = found.lacking.iter().map(|right| right.purpose).collect();
    purposes.sort_unstable();
    purposes.dedup();
    let text = format!("the user {user} lacks {}: needed {}", rules.join(" "), purposes.join(", "));
    let mut words = vec!["ACL", "SETUSER", user];
    words.extend(rules);
    let words = redis_cli(place, node, &words);
    Some(Finding::new(Level::Problem, topic, text).mended_by(words))
}

/// That there are channels that the user may not use, where none was found that it may.
pub(super) fn bound(found: &Examination) -> Option<Finding> {
    let text = "the user may not use all channels, and there is none here that it may: --channels has to name the right ones";
    found.is_bounded.then(|| Finding::new(Level::Warning, "rights", text))
}
