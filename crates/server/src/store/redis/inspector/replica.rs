use std::{collections::HashMap, net::IpAddr};

use super::sentinel::{address, flags, is_reached};

/// A replica that a sentinel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelReplica {
    /// Its host and port.
    pub address: String,
    /// What keeps it from taking the place of the master, if anything does.
    pub obstacle: Option<ReplicaObstacle>,
}

/// What keeps a replica from taking the place of its master, as a sentinel knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReplicaObstacle {
    /// It is not reached any more.
    Lost,
    /// It is not reached, and has not been since the sentinel lists it, and there has been another master before: so it is of one
    /// that was replaced, until it is back, and of other replicas that were gone by then.
    Unheard,
    /// It was listed a moment ago, as after a failover, and has not said yet how it is.
    Unasked,
    /// It never takes over (`replica-priority 0`).
    Priority,
    /// It is the one that is taking the place of the master.
    Promoted,
    /// It said last that it is a master: so it is of one that was replaced and is back, until sentinels have made a replica of it.
    Master,
    /// The same, while the master is missed: until that one is back, nobody makes a replica of it.
    Rival,
    /// It follows another, of this host and port, and has no connection to that.
    Elsewhere(String),
    /// It follows the master, and has no connection to it: it has not synced, or not yet.
    Unsynced,
}

/// What concerns all replicas of a master.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed<'a>(pub(super) &'a HashMap<String, String>);

impl Followed<'_> {
    /// What a sentinel says of one of them.
    pub(super) fn by(self, said: &HashMap<String, String>) -> SentinelReplica {
        let address = address(word(said, "ip"), word(said, "port").parse().unwrap_or_default());
        SentinelReplica { address, obstacle: self.obstacle(said) }
    }

    fn obstacle(self, said: &HashMap<String, String>) -> Option<ReplicaObstacle> {
        // What a sentinel has once heard of a replica it forgets when there is another master, and when it starts.
        let is_known = !word(said, "runid").is_empty();
        if !is_reached(said) {
            let was_another = !matches!(word(self.0, "config-epoch"), "" | "0");
            let is_unheard = !is_known && was_another;
            return Some(if is_unheard { ReplicaObstacle::Unheard } else { ReplicaObstacle::Lost });
        }
        if word(said, "slave-priority") == "0" {
            return Some(ReplicaObstacle::Priority);
        }
        if !is_known {
            return Some(ReplicaObstacle::Unasked);
        }
        if flags(said).any(|flag| flag == "promoted") {
            return Some(ReplicaObstacle::Promoted);
        }
        let is_missed = !is_reached(self.0);
        if word(said, "role-reported") == "master" {
            return Some(if is_missed { ReplicaObstacle::Rival } else { ReplicaObstacle::Master });
        }
        if word(said, "master-link-status") != "err" || is_missed && !self.was_lost_before(said) {
            return None;
        }
        let (host, port) = (word(said, "master-host"), word(said, "master-port"));
        Some(if self.is_elsewhere(host, port) {
            ReplicaObstacle::Elsewhere(address(host, port.parse().unwrap_or_default()))
        } else {
            ReplicaObstacle::Unsynced
        })
    }

    /// Whether a replica followed the master no more long before that was missed: nobody follows one that is missed, and sentinels
    /// pass over those alone (sentinelSelectSlave in Redis' `sentinel.c`).
    fn was_lost_before(self, said: &HashMap<String, String>) -> bool {
        let number = |said, name| word(said, name).parse::<u64>().unwrap_or_default();
        let bound = number(self.0, "down-after-milliseconds").saturating_mul(10);
        number(said, "master-link-down-time") > bound.saturating_add(number(self.0, "s-down-time"))
    }

    /// Whether that is certainly not the master: a name may be that of an address.
    fn is_elsewhere(self, host: &str, port: &str) -> bool {
        let (Ok(ip), Ok(ours)) = (host.parse::<IpAddr>(), word(self.0, "ip").parse::<IpAddr>()) else {
            return false;
        };
        ip != ours || port != word(self.0, "port")
    }
}

fn word<'a>(said: &'a HashMap<String, String>, name: &str) -> &'a str {
    said.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(all: &[(&str, &str)]) -> HashMap<String, String> {
        all.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn what_keeps_a_replica_is_read_from_what_sentinels_say() {
        use ReplicaObstacle::{
            Elsewhere, Lost, Master, Priority, Promoted, Rival, Unasked, Unheard, Unsynced,
        };

        let followed = |flags, epoch| {
            said(&[("ip", "10.0.0.1"), ("port", "7"), ("flags", flags), ("config-epoch", epoch)])
        };
        let (first, second) = (followed("master", "0"), followed("master", "1"));
        let mut missed = followed("master,s_down", "1");
        missed.extend(said(&[("down-after-milliseconds", "1000"), ("s-down-time", "500")]));
        let replica = |more: &[(&str, &str)]| {
            let mut all = said(&[
                ("ip", "::1"),
                ("port", "7"),
                ("runid", "ab"),
                ("flags", "slave"),
                ("slave-priority", "100"),
                ("role-reported", "slave"),
                ("master-link-status", "err"),
                ("master-host", "10.0.0.1"),
                ("master-port", "7"),
            ]);
            all.extend(said(more));
            all
        };
        let gone = ("flags", "s_down,slave,disconnected");
        for (master, more, expected) in [
            (&first, &[("master-link-status", "ok")][..], None),
            (&first, &[gone], Some(Lost)),
            (&second, &[gone], Some(Lost)),
            (&second, &[gone, ("runid", "")], Some(Unheard)),
            // There was no other master: it has been gone since the sentinel began.
            (&first, &[gone, ("runid", "")], Some(Lost)),
            (&second, &[("runid", ""), ("master-host", "?"), ("master-port", "0")], Some(Unasked)),
            (&second, &[("slave-priority", "0"), ("master-link-status", "ok")], Some(Priority)),
            (&second, &[("role-reported", "master"), ("master-host", "?")], Some(Master)),
            (&second, &[], Some(Unsynced)),
            (&second, &[("master-host", "one.test")], Some(Unsynced)),
            (&second, &[("master-port", "8")], Some(Elsewhere("10.0.0.1:8".to_owned()))),
            (&second, &[("master-host", "10.0.0.2")], Some(Elsewhere("10.0.0.2:7".to_owned()))),
            (&second, &[("flags", "slave,promoted"), ("role-reported", "master")], Some(Promoted)),
            (&missed, &[], None),
            (&missed, &[("master-link-down-time", "10500")], None),
            (&missed, &[("master-link-down-time", "10501")], Some(Unsynced)),
            (
                &missed,
                &[("master-link-down-time", "10501"), ("master-port", "8")],
                Some(Elsewhere("10.0.0.1:8".to_owned())),
            ),
            (&missed, &[("role-reported", "master"), ("master-host", "?")], Some(Rival)),
            (&missed, &[("slave-priority", "0")], Some(Priority)),
        ] {
            let found = Followed(master).by(&replica(more));
            assert_eq!((found.address.as_str(), &found.obstacle), ("[::1]:7", &expected), "{more:?}");
        }
    }
}
