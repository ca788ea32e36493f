use super::server::size;
use crate::{
    doctor::{
        Scope,
        examination::{Examination, HashFacts},
        extent::Meaning,
        finding::{Finding, Level},
        payload::Form,
        place::Place,
        sample::Sample,
    },
    shell_words::quoted,
};

/// What there is at all.
pub(super) fn keys(place: &Place, scope: &Scope, found: &Examination) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, reason) in found.unknown.iter().filter(|(what, _)| **what != "rights") {
        findings.push(Finding::new(Level::Note, "unknown", format!("{what}: {reason}")));
    }
    let kinds: Vec<String> = found
        .kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}{}", plural(*count, kind_plural(&kind.to_string()))))
        .collect();
    let own = format!("db{}", place.url.database());
    if let Some(size) = found.size {
        let mut text = format!("{size} key{}", if size == 1 { "" } else { "s" });
        if size > found.seen as u64 {
            text += &format!(", {} of them looked at (--keys N for more)", found.seen);
        }
        if !kinds.is_empty() {
            text += &format!(": {}", kinds.join(", "));
        }
        findings.push(Finding::new(Level::Ok, "keys", text));
    }
    let elsewhere: Vec<&str> = found
        .nodes
        .iter()
        .flat_map(|node| node.info.keys())
        .filter(|name| name.strip_prefix("db").is_some_and(|number| number.parse::<u32>().is_ok()))
        .map(String::as_str)
        .filter(|name| *name != own)
        .collect();
    if found.size == Some(0) && scope.names.is_none() && !elsewhere.is_empty() {
        let text = format!(
            "database {} is empty, but {} has keys: name it at the end of the URL, such as redis://HOST/{}",
            place.url.database(),
            elsewhere.join(", "),
            &elsewhere[0][2..]
        );
        findings.push(Finding::new(Level::Warning, "database", text));
    }
    if let Some(name) = found.unspeakable.first() {
        let count = found.unspeakable.len();
        let text = format!(
            "{count} hash{} no channel can be called after, such as {}: names have no spaces, brackets, braces, * or ?",
            if count == 1 { "" } else { "es" },
            quoted(&name.escape_debug().to_string())
        );
        findings.push(Finding::new(Level::Note, "names", text));
    }
    findings
}

/// What stands in hashes.
pub(super) fn hashes(found: &Examination) -> Vec<Finding> {
    let (states, others): (Vec<_>, Vec<_>) =
        found.hashes.iter().partition(|(_, facts)| facts.sample.is_state());
    let mut findings: Vec<Finding> = states.iter().flat_map(|(name, facts)| state(name, facts)).collect();
    if !others.is_empty() {
        let count: usize = others.iter().map(|(_, facts)| facts.hashes).sum();
        let names: Vec<&str> = others.iter().take(3).map(|(name, _)| name.as_str()).collect();
        let text = format!(
            "{count} hash{} of plain values, such as {}: no state of a map; --watch pushes their changes to rohrpost's clients",
            if count == 1 { "" } else { "es" },
            names.join(", ")
        );
        findings.push(Finding::new(Level::Note, "hash", text));
    }
    findings
}

fn state(name: &str, facts: &HashFacts) -> Vec<Finding> {
    let HashFacts { hashes, fields, expires, sample } = facts;
    let geojson = sample.count(Form::is_geojson);
    let mut text = match hashes {
        1 => format!("{name}: {fields} key{}", if *fields == 1 { "" } else { "s" }),
        hashes => format!("{name}: {hashes} hashes"),
    };
    text += &format!(", {geojson} of {} values looked at are GeoJSON", sample.values);
    if let Some(example) = &sample.example {
        let such = if geojson > 0 { "such as" } else { "and one is" };
        text += &format!(", {such} {example}");
    }
    let mut findings = vec![Finding::new(Level::Ok, "hash", text)];
    if *expires {
        let text = format!("{name} has a time to live: its state goes as a whole, and no client is told");
        findings.push(Finding::new(Level::Note, "hash", text));
    }
    findings.extend(values(name, sample));
    findings
}

/// What is wrong with values.
fn values(name: &str, sample: &Sample) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of = |form: Form| sample.forms.get(&form).copied().unwrap_or_default();
    let mut warn = |text: String| findings.push(Finding::new(Level::Warning, "values", text));
    if of(Form::EncodedTwice) > 0 {
        warn(format!(
            "{name}: {} of {} values are JSON in a JSON string, encoded twice: clients get a string, and no viewport \
             applies; write the result of one json.dumps or JSON.stringify",
            of(Form::EncodedTwice),
            sample.values
        ));
    }
    if of(Form::Coordinates) > 0 {
        warn(format!(
            "{name}: {} of {} values have a latitude and a longitude but are no GeoJSON, so no viewport applies; write \
             {{\"type\":\"Feature\",\"geometry\":{{\"type\":\"Point\",\"coordinates\":[LONGITUDE,LATITUDE]}},\"properties\":{{…}}}}",
            of(Form::Coordinates),
            sample.values
        ));
    }
    if sample.longest > LONGEST_MESSAGE {
        warn(format!(
            "{name}: a value of {}, longer than what is passed on (--redis-max-message 1MiB)",
            size(sample.longest)
        ));
    }
    if let Some(text) = places(name, sample) {
        warn(text);
    } else if let Some(extent) = sample.extent {
        findings.push(Finding::new(
            Level::Ok,
            "places",
            format!("{name}: within {extent} (longitude, latitude)"),
        ));
    }
    findings
}

/// What is wrong with coordinates, if anything is.
fn places(name: &str, sample: &Sample) -> Option<String> {
    let extent = sample.extent?;
    Some(match extent.meaning() {
        Meaning::Degrees if sample.swapped > 0 => format!(
            "{name}: latitude and longitude are swapped in {} of {} values, as their own properties say: GeoJSON has \
             the longitude first",
            sample.swapped, sample.values
        ),
        Meaning::Degrees => return None,
        Meaning::Zero => format!("{name}: all positions looked at are 0,0"),
        Meaning::Swapped => format!(
            "{name}: within {extent}, where no latitude can be: latitude and longitude are swapped; GeoJSON has the \
             longitude first"
        ),
        Meaning::Metres { epsg, sure: true } => {
            format!("{name}: within {extent}, no degrees but EPSG:{epsg}: --channel-crs {}", rule(name, epsg))
        }
        Meaning::Metres { epsg: 3857, .. } => format!(
            "{name}: within {extent}, no degrees; in EPSG:3857 that were within {} (longitude, latitude): if it is, \
             --channel-crs {}, else another EPSG number",
            extent.unprojected(),
            rule(name, 3857)
        ),
        Meaning::Metres { epsg, .. } => format!(
            "{name}: within {extent}, no degrees; perhaps EPSG:{epsg}: --channel-crs {}, or another EPSG number",
            rule(name, epsg)
        ),
        Meaning::Unknown => format!("{name}: within {extent}, neither degrees nor metres on this earth"),
    })
}

/// GeoJSON that is where geocast does not look.
pub(super) fn texts(found: &Examination) -> Vec<Finding> {
    let geojson = found.texts.iter().filter(|(_, sample)| sample.count(Form::is_geojson) > 0);
    geojson
        .map(|(name, _)| {
            let text = format!(
                "{name}: strings with GeoJSON, which are the state of no channel: write a field of a hash instead, and publish it"
            );
            let channel = name.trim_end_matches('*').trim_end_matches(|c: char| !c.is_alphanumeric());
            let command = format!("redis-cli HSET {} KEY GEOJSON", quoted(channel));
            Finding::new(Level::Warning, "strings", text).mended_by(command)
        })
        .collect()
}

/// Channels that somebody listens to.
pub(super) fn heard(found: &Examination) -> Option<Finding> {
    if found.unknown.contains_key("channels") {
        return None;
    }
    if found.channels.is_empty() {
        let text = "nobody is subscribed to any; who publishes without being heard cannot be seen";
        return Some(Finding::new(Level::Ok, "channels", text));
    }
    let shown = found.channels.iter().take(SHOWN).map(|(name, subscribers)| {
        let name = name.escape_debug();
        subscribers.map_or_else(|| name.to_string(), |subscribers| format!("{name} ({subscribers})"))
    });
    let mut text = format!("with subscribers: {}", shown.collect::<Vec<_>>().join(", "));
    if found.channels.len() > SHOWN {
        text += &format!(" and {} more", found.channels.len() - SHOWN);
    }
    Some(Finding::new(Level::Ok, "channels", text))
}

fn rule(name: &str, epsg: u32) -> String {
    quoted(&format!("{name}=epsg:{epsg}"))
}

const fn plural(count: usize, ending: &str) -> &str {
    if count == 1 { "" } else { ending }
}

fn kind_plural(kind: &str) -> &'static str {
    if kind.ends_with('h') { "es" } else { "s" }
}

/// What is passed on by default, in bytes.
const LONGEST_MESSAGE: u64 = 1024 * 1024;
/// Channels that are named.
const SHOWN: usize = 12;
