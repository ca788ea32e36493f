use std::collections::BTreeMap;

use geocast_server::{RedisSentinel, SentinelAnswer, SentinelPeer, SentinelView};

use super::replicas::replicas;
use crate::doctor::{
    command_line::sentinel_cli,
    examination::Examination,
    finding::{Finding, Level},
    place::Place,
};

/// What sentinels say, and what is to be thought of it.
pub(super) fn sentinels(place: &Place, found: &Examination) -> Vec<Finding> {
    let Some(service) = place.url.service() else { return Vec::new() };
    let all = &found.sentinels;
    let mut findings: Vec<Finding> = all.iter().map(|sentinel| answer(service, sentinel, all)).collect();
    findings.extend(masters(all));
    findings.extend(master(found));
    let answering = all.iter().filter(|sentinel| sentinel.view().is_some()).count();
    findings.extend(alike(all, |view| quorum(view, service, answering), place));
    findings.extend(alike(all, replicas, place));
    findings.extend(others(all));
    findings
}

/// What is thought of what a sentinel knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Thought {
    pub(super) level: Level,
    pub(super) topic: &'static str,
    pub(super) text: String,
    /// What can be said to each of whom that is thought.
    pub(super) words: Option<Vec<String>>,
}

/// What one of them says.
fn answer(service: &str, sentinel: &RedisSentinel, all: &[RedisSentinel]) -> Finding {
    let address = sentinel.address();
    let is_any_other = all.iter().any(|other| matches!(other.answer, SentinelAnswer::Master(..)));
    // As long as another answers, geocast does without.
    let trouble = if is_any_other { Level::Warning } else { Level::Problem };
    let (level, text) = match &sentinel.answer {
        SentinelAnswer::Nothing(reason) => {
            let said =
                if reason.contains(&address) { reason.clone() } else { format!("{address}: {reason}") };
            let others = if is_any_other { "; geocast asks the others meanwhile" } else { "" };
            (trouble, format!("{said}{others}: start it, or name another in the URL"))
        }
        SentinelAnswer::Unknown(known) if known.is_empty() => (
            trouble,
            format!("{address} does not know {service}: `sentinel monitor {service} HOST PORT QUORUM`"),
        ),
        SentinelAnswer::Unknown(known) => {
            let known = known.join(", ");
            (
                trouble,
                format!("{address} does not know {service}, but {known}: the URL ends with such a name"),
            )
        }
        SentinelAnswer::Master(master, Err(reason)) => {
            let rights = "+sentinel|master +sentinel|replicas +sentinel|sentinels +sentinel|myid";
            let text = format!(
                "{address} names the master {master}, and does not say what else it knows ({reason}): {rights} would let it"
            );
            (Level::Note, text)
        }
        SentinelAnswer::Master(master, Ok(view)) => {
            let known = [count(view.replicas.len(), "replica"), count(view.others.len(), "other sentinel")];
            let text = format!(
                "{address} names the master {master}, and knows {}; quorum {}",
                known.join(" and "),
                view.quorum
            );
            match view.flags.iter().find(|flag| flag.ends_with("_down")) {
                Some(flag) => (Level::Warning, format!("{text}; it misses that master ({flag})")),
                None => (Level::Ok, text),
            }
        }
    };
    Finding::new(level, "sentinel", text)
}

/// That they name different masters.
fn masters(all: &[RedisSentinel]) -> Option<Finding> {
    let mut named: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for sentinel in all {
        if let SentinelAnswer::Master(master, _) = &sentinel.answer {
            named.entry(master).or_default().push(sentinel.address());
        }
    }
    if named.len() < 2 {
        return None;
    }
    let named = named.into_iter().map(|(master, by)| format!("{master} by {}", by.join(", ")));
    let text = format!(
        "they name different masters: {}; while one is being replaced, that goes by within seconds; else some of them cannot \
         reach the others, or watch another service of this name",
        named.collect::<Vec<_>>().join("; ")
    );
    Some(Finding::new(Level::Warning, "master", text))
}

/// Whether the one that geocast takes is a master.
fn master(found: &Examination) -> Option<Finding> {
    let names = |sentinel: &&RedisSentinel| matches!(sentinel.answer, SentinelAnswer::Master(..));
    let answering = found.sentinels.iter().filter(names).count();
    if answering == 0 {
        return None;
    }
    if let Some(reason) = &found.failure {
        let text = format!("{reason}: geocast waits for it, or until they name another");
        return Some(Finding::new(Level::Problem, "master", text));
    }
    let address = &found.nodes.first()?.address;
    let by = |sentinel: &&RedisSentinel| matches!(&sentinel.answer, SentinelAnswer::Master(master, _) if master == address);
    let by = found.sentinels.iter().filter(by).count();
    let text =
        format!("{address} says that it is one (ROLE), as {by} of {} sentinels do", found.sentinels.len());
    Some(Finding::new(Level::Ok, "master", text))
}

/// What is thought of each, once for all of whom the same is thought.
fn alike(all: &[RedisSentinel], thought: impl Fn(&SentinelView) -> Thought, place: &Place) -> Vec<Finding> {
    let mut alike: Vec<(Thought, Vec<&RedisSentinel>)> = Vec::new();
    for sentinel in all {
        let Some(view) = sentinel.view() else { continue };
        let thought = thought(view);
        match alike.iter_mut().find(|(known, _)| *known == thought) {
            Some((_, by)) => by.push(sentinel),
            None => alike.push((thought, vec![sentinel])),
        }
    }
    let is_unanimous = alike.len() == 1;
    let finding = |(Thought { level, topic, text, words }, by): (Thought, Vec<&RedisSentinel>)| {
        let addresses: Vec<String> = by.iter().map(|sentinel| sentinel.address()).collect();
        let text = if is_unanimous { text } else { format!("{}: {text}", addresses.join(", ")) };
        let finding = Finding::new(level, topic, text);
        match words {
            Some(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                finding.mended_by(sentinel_cli(place, &by[0].host_and_port, &words))
            }
            None => finding,
        }
    };
    alike.into_iter().map(finding).collect()
}

/// Whether they can make another master, of whom so many answer here.
fn quorum(view: &SentinelView, service: &str, answering: usize) -> Thought {
    let (known, quorum) = (view.others.len() + 1, view.quorum);
    let reached = view.others.iter().filter(|other| other.is_reached).count() + 1;
    let majority = known / 2 + 1;
    // As many as the quorum says have to miss the master, and a majority has to choose who makes another.
    let needed = quorum.max(majority);
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    let (level, text, words) = if known < answering {
        let are = if known == 1 { "is" } else { "are" };
        let text = format!(
            "{answering} answer, and only {known} {are} known here, itself included: they have not met yet, which takes some \
             seconds, or cannot reach each other (firewalls, `sentinel announce-ip`); none replaces a master until they do"
        );
        (Level::Problem, text, None)
    } else if quorum > known {
        let text = format!(
            "{quorum} have to agree that a master is gone (quorum), and {}: none is ever replaced; start more, or say to each",
            if known == 1 { "there is one alone".to_owned() } else { format!("there are {known}") }
        );
        let fitting = majority.to_string();
        (Level::Problem, text, words(&["SENTINEL", "SET", service, "quorum", &fitting]))
    } else if reached < needed {
        let lost = names(view.others.iter().filter(|other| !other.is_reached));
        let are = if reached == 1 { "is" } else { "are" };
        let begin = format!(
            "{needed} of {known} have to be there to replace a master, and {reached} {are}: start {lost} again"
        );
        // RESET forgets who is not there, but changes nothing of how many have to agree. It forgets the replicas as well, of which
        // only the master tells again.
        let is_whole =
            !view.flags.iter().any(|flag| flag.ends_with("_down") || flag == "failover_in_progress");
        let text = if !is_whole {
            format!(
                "{begin}; if they are gone for good, start others in their place, and SENTINEL RESET {service} only once there is a \
                 master: it makes sentinels forget the replicas too"
            )
        } else if reached < quorum {
            format!(
                "{begin}; if they are gone for good, start others in their place, and when there are {quorum} to agree (quorum), \
                 not before, say to each"
            )
        } else {
            format!("{begin}, or, if they are gone for good, say to each")
        };
        (Level::Problem, text, is_whole.then(|| words(&["SENTINEL", "RESET", service])).flatten())
    } else if known == 1 {
        let text = "there is one alone: nobody replaces a master that is lost with it; three on machines of their own are usual";
        (Level::Note, text.to_owned(), None)
    } else if needed == known {
        let text = format!(
            "all {known} have to be there to replace a master: lost with one of them, it stays lost; three with a quorum of 2 \
             are usual"
        );
        (Level::Note, text, None)
    } else {
        let margin = if reached == needed { ": lost with one more of them, it stays lost" } else { "" };
        let text =
            format!("{needed} of {known} have to be there to replace a master, and {reached} are{margin}");
        (if margin.is_empty() { Level::Ok } else { Level::Warning }, text, None)
    };
    Thought { level, topic: "quorum", text, words }
}

/// That there are more than are named.
fn others(all: &[RedisSentinel]) -> Option<Finding> {
    let view = all.iter().filter_map(RedisSentinel::view).max_by_key(|view| view.others.len())?;
    let known = view.others.len() + 1;
    if known <= all.len() {
        return None;
    }
    let is_named = |other: &&SentinelPeer| {
        all.iter().any(|sentinel| {
            let id = sentinel.view().and_then(|view| view.id.as_deref());
            id == Some(&other.id) || sentinel.address() == other.address
        })
    };
    let others = names(view.others.iter().filter(|other| !is_named(other)));
    let text =
        format!("the URL names {} of {known}: with {others} too, geocast needs any one of them", all.len());
    Some(Finding::new(Level::Note, "sentinels", text))
}

fn names<'a>(peers: impl Iterator<Item = &'a SentinelPeer>) -> String {
    sorted(peers.map(|peer| peer.address.as_str()).collect())
}

/// Sentinels tell of others in an order of their own each.
pub(super) fn sorted(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.join(", ")
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str, is_reached: bool) -> SentinelPeer {
        SentinelPeer { address: address.to_owned(), id: address.to_owned(), is_reached }
    }

    fn view(quorum: usize, others: &[bool]) -> SentinelView {
        let others = others.iter().enumerate();
        let others = others.map(|(number, &is_reached)| peer(&format!("s:{number}"), is_reached));
        SentinelView {
            id: None,
            quorum,
            flags: vec!["master".to_owned()],
            replicas: Vec::new(),
            others: others.collect(),
        }
    }

    #[test]
    fn a_quorum_is_held_against_who_is_there() {
        for (quorum, others, level, expected) in [
            (2, &[true, true][..], Level::Ok, "2 of 3 have to be there to replace a master, and 3 are"),
            (2, &[true, false], Level::Warning, "and 2 are: lost with one more of them"),
            (
                2,
                &[false, false],
                Level::Problem,
                "and 1 is: start s:0, s:1 again; if they are gone for good, start others in their place, and when there are 2 to \
                 agree (quorum), not before, say to each",
            ),
            (
                2,
                &[true, false, false, false],
                Level::Problem,
                "3 of 5 have to be there to replace a master, and 2 are: start s:1, s:2, s:3 again, or, if they are gone for good, say",
            ),
            // One misses the master, but two of three have to choose.
            (1, &[false, false], Level::Problem, "2 of 3 have to be there to replace a master, and 1 is"),
            (
                4,
                &[true, true],
                Level::Problem,
                "4 have to agree that a master is gone (quorum), and there are 3",
            ),
            (2, &[], Level::Problem, "and there is one alone"),
            (1, &[], Level::Note, "there is one alone"),
            (1, &[true], Level::Note, "all 2 have to be there"),
            (3, &[true, true], Level::Note, "all 3 have to be there"),
        ] {
            let Thought { level: found, text, words, .. } = super::quorum(&view(quorum, others), "map", 1);
            assert_eq!(found, level, "{quorum} {others:?}: {text}");
            assert!(text.contains(expected), "{text}");
            assert_eq!(words.is_some(), level == Level::Problem, "{text}");
        }
    }

    #[test]
    fn sentinels_that_have_not_met_are_told_apart_from_one_alone() {
        let Thought { level, text, words, .. } = quorum(&view(2, &[]), "map", 3);
        assert_eq!((level, words), (Level::Problem, None), "{text}");
        assert!(text.contains("3 answer, and only 1 is known here"), "{text}");
    }
    #[test]
    fn replicas_are_not_forgotten_while_there_is_no_master() {
        for flag in ["s_down", "o_down", "failover_in_progress"] {
            let view = SentinelView {
                flags: vec!["master".to_owned(), flag.to_owned()],
                ..view(2, &[false, false])
            };
            let Thought { level, text, words, .. } = quorum(&view, "map", 1);
            assert_eq!((level, words), (Level::Problem, None), "{text}");
            assert!(text.contains("SENTINEL RESET map only once there is a master"), "{text}");
        }
    }
}
