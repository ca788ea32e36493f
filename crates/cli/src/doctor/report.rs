use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use geocast_protocol::Channel;
use serde::Serialize;

use super::{
    Scope,
    examination::{Examination, HashFacts},
    extent::Meaning,
    finding::{Finding, Level},
    groups::grouped,
    place::Place,
    verdicts,
};
use crate::{colour, shell_words::quoted, wrapped::wrapped};

/// All that is said.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Without the password.
    redis: String,
    findings: Vec<Finding>,
    /// Hashes that can be the state of channels, by pattern.
    hashes: BTreeMap<String, HashFacts>,
    /// Channels with the number of their subscribers.
    channels: BTreeMap<String, Option<u64>>,
    /// What to type, if the Redis could be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    serve: Option<String>,
    #[serde(skip)]
    has_password: bool,
}

impl Report {
    pub(super) fn new(place: &Place, scope: &Scope, found: &Examination) -> Self {
        let hashes = found.hashes.iter().filter(|(_, facts)| facts.sample.is_state());
        Self {
            redis: place.url.to_string(),
            findings: verdicts::all(place, scope, found),
            hashes: hashes.map(|(name, facts)| (name.clone(), facts.clone())).collect(),
            channels: found.channels.clone(),
            serve: (!found.nodes.is_empty()).then(|| serve(place, scope, found)),
            has_password: place.url.has_password(),
        }
    }

    /// The worst of what was found.
    pub(super) fn worst(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// For people: a line for each finding, and what to type below it.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let is_coloured = colour::is_wanted(&io::stdout());
        for Finding { level, topic, text, command } in &self.findings {
            let colour = match level {
                Level::Ok => "\x1b[32m",
                Level::Note => "\x1b[36m",
                Level::Warning => "\x1b[33m",
                Level::Problem => "\x1b[31m",
            };
            let (on, off) = if is_coloured { (colour, "\x1b[0m") } else { ("", "") };
            let lines = wrapped(text, WIDTH);
            writeln!(out, "{on}{:<9}{off}{topic:<11}{}", level.name(), lines.join("\n                    "))?;
            if let Some(command) = command {
                writeln!(out, "{:20}  {command}", "")?;
            }
        }
        let Some(serve) = &self.serve else { return Ok(()) };
        writeln!(out, "\nWhat fits:\n  {serve}")?;
        if self.has_password {
            writeln!(
                out,
                "with the whole URL of Redis in GEOCAST_REDIS, so that no list of processes shows its password."
            )?;
        }
        Ok(())
    }
}

/// The line that serves what was found.
fn serve(place: &Place, scope: &Scope, found: &Examination) -> String {
    let states = || found.hashes.iter().filter(|(_, facts)| facts.sample.is_state());
    let mut patterns: BTreeSet<String> = states().map(|(name, _)| name.clone()).collect();
    let heard = found.channels.keys().map(String::as_str).filter(|name| name.parse::<Channel>().is_ok());
    let heard = grouped(heard).into_keys().filter(|name| !patterns.contains(name)).collect::<Vec<_>>();
    patterns.extend(heard);
    let channels = match &scope.names {
        Some(names) => names.iter().collect::<Vec<_>>().join(","),
        None if patterns.is_empty() && found.is_bounded => "PATTERNS".to_owned(),
        None if patterns.is_empty() => "*".to_owned(),
        None => patterns.into_iter().collect::<Vec<_>>().join(","),
    };
    let mut line = "geocast serve".to_owned();
    if !place.url.has_password() {
        let nature = found.nodes.first().and_then(|node| node.nature.as_ref());
        let instead = nature.and_then(|nature| nature.instead_of(&place.url));
        line += &format!(" --redis {}", quoted(&instead.unwrap_or_else(|| place.url.clone()).to_string()));
    }
    place.for_geocast().for_each(|word| line += &format!(" {}", quoted(&word)));
    line += &format!(" --channels {}", quoted(&channels));
    let systems = states().filter_map(|(name, facts)| match facts.sample.extent?.meaning() {
        Meaning::Metres { epsg, .. } => Some(format!("{name}=epsg:{epsg}")),
        _ => None,
    });
    let systems = systems.collect::<Vec<_>>().join(",");
    if !systems.is_empty() {
        line += &format!(" --channel-crs {}", quoted(&systems));
    }
    line
}

/// Characters of a line, behind level and topic.
const WIDTH: usize = 80;
