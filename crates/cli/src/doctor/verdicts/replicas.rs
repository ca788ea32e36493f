use std::collections::BTreeMap;

use geocast_server::{ReplicaObstacle, SentinelReplica, SentinelView};

use super::sentinels::{Thought, sorted};
use crate::doctor::finding::Level;

/// Whether there is one to take the place of the master.
pub(super) fn replicas(view: &SentinelView) -> Thought {
    let mut able = Vec::new();
    let mut kept: BTreeMap<&ReplicaObstacle, Vec<&str>> = BTreeMap::new();
    for SentinelReplica { address, obstacle } in &view.replicas {
        match obstacle {
            Some(obstacle) => kept.entry(obstacle).or_default().push(address),
            None => able.push(address.as_str()),
        }
    }
    let able = sorted(able);
    let reasons = kept.into_iter().map(|(why, names)| format!("{} {}", sorted(names), reason(why)));
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let (level, text) = if view.replicas.is_empty() {
        let text = "there is none: nobody takes the place of a master that is lost; start one with `replicaof HOST PORT`";
        (Level::Warning, text.to_owned())
    } else if able.is_empty() {
        (Level::Warning, format!("none can take the place of the master: {reasons}"))
    } else if reasons.is_empty() {
        (Level::Ok, format!("{able} can take the place of the master"))
    } else {
        (Level::Note, format!("{able} can take the place of the master; {reasons}"))
    };
    Thought { level, topic: "replicas", text, words: None }
}

/// What is said of replicas that this keeps.
fn reason(obstacle: &ReplicaObstacle) -> String {
    match obstacle {
        ReplicaObstacle::Lost => "cannot be reached".to_owned(),
        ReplicaObstacle::Unheard => {
            "cannot be reached, and could not since it was listed, as a master that was replaced \
             cannot until it is back"
                .to_owned()
        }
        ReplicaObstacle::Unasked => {
            "was listed a moment ago, as after a failover, and is not asked yet".to_owned()
        }
        ReplicaObstacle::Priority => "must not (replica-priority 0)".to_owned(),
        ReplicaObstacle::Master => {
            "said last that it is a master, as one that was replaced does when it is back: sentinels \
             make a replica of it within half a minute"
                .to_owned()
        }
        ReplicaObstacle::Rival => {
            "said last that it is a master, while the sentinels miss theirs: they make a replica of it again \
             when that one comes back"
                .to_owned()
        }
        ReplicaObstacle::Promoted => "is taking the place of the master now".to_owned(),
        ReplicaObstacle::Elsewhere(other) => format!("follows {other}, not the master"),
        ReplicaObstacle::Unsynced => {
            "follows the master and has not synced with it (INFO replication says why, and its log)"
                .to_owned()
        }
        // What is added to the library later.
        other => format!("is kept from it ({other:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_held_against_who_may_take_over() {
        let replica = |address: &str, obstacle| SentinelReplica { address: address.to_owned(), obstacle };
        let able = replica("r:1", None);
        let lost = replica("r:2", Some(ReplicaObstacle::Lost));
        let stays = replica("r:3", Some(ReplicaObstacle::Priority));
        let other = ReplicaObstacle::Elsewhere("r:9".to_owned());
        for (all, level, expected) in [
            (vec![], Level::Warning, "there is none"),
            (vec![able.clone()], Level::Ok, "r:1 can take the place"),
            (
                vec![stays.clone(), lost.clone()],
                Level::Warning,
                "r:2 cannot be reached; r:3 must not (replica-priority 0)",
            ),
            (
                vec![able, lost.clone(), stays],
                Level::Note,
                "r:1 can take the place of the master; r:2 cannot be reached",
            ),
            (
                vec![lost, replica("r:4", Some(ReplicaObstacle::Lost))],
                Level::Warning,
                "master: r:2, r:4 cannot be reached",
            ),
            (
                vec![replica("r:2", Some(ReplicaObstacle::Unheard))],
                Level::Warning,
                "r:2 cannot be reached, and could not since it was listed, as a master that was replaced",
            ),
            (
                vec![replica("r:2", Some(ReplicaObstacle::Master))],
                Level::Warning,
                "r:2 said last that it is a master",
            ),
            (
                vec![
                    replica("r:2", Some(ReplicaObstacle::Rival)),
                    replica("r:1", Some(ReplicaObstacle::Rival)),
                ],
                Level::Warning,
                "r:1, r:2 said last that it is a master, while",
            ),
            (
                vec![replica("r:2", Some(ReplicaObstacle::Promoted))],
                Level::Warning,
                "r:2 is taking the place",
            ),
            (vec![replica("r:2", None), replica("r:1", None)], Level::Ok, "r:1, r:2 can take"),
            (
                vec![replica("r:2", Some(ReplicaObstacle::Unasked))],
                Level::Warning,
                "r:2 was listed a moment ago",
            ),
            (
                vec![replica("r:2", Some(ReplicaObstacle::Unsynced))],
                Level::Warning,
                "r:2 follows the master and has not synced",
            ),
            (vec![replica("r:2", Some(other))], Level::Warning, "r:2 follows r:9, not the master"),
        ] {
            let Thought { level: found, text, .. } = replicas(&SentinelView {
                id: None,
                quorum: 2,
                flags: Vec::new(),
                replicas: all,
                others: Vec::new(),
            });
            assert_eq!(found, level, "{text}");
            assert!(text.contains(expected), "{text}");
        }
    }
}
