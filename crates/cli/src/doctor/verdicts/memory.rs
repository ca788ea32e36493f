use super::server::size;
use crate::doctor::{
    command_line::redis_cli,
    examination::NodeFacts,
    finding::{Finding, Level},
    place::Place,
};

/// How much there is, and what happens when it is full.
pub(super) fn memory(place: &Place, node: &NodeFacts) -> Vec<Finding> {
    let Some(used) = node.number("used_memory") else { return Vec::new() };
    let policy = node.info("maxmemory_policy").unwrap_or("unknown");
    let most = node.number("maxmemory").unwrap_or_default();
    if most == 0 {
        let text =
            format!("{} used, without a bound (maxmemory): it ends where the machine's does", size(used));
        return vec![Finding::new(Level::Note, "memory", text)];
    }
    let mut findings = Vec::new();
    let text = format!("{} of {} used", size(used), size(most));
    let is_full = used.saturating_mul(10) > most.saturating_mul(9);
    findings.push(match is_full {
        true if policy == "noeviction" => {
            Finding::new(Level::Warning, "memory", format!("{text}: soon, nothing can be written any more"))
        }
        true => Finding::new(Level::Warning, "memory", text),
        false => Finding::new(Level::Ok, "memory", text),
    });
    let evicted = node.number("evicted_keys").unwrap_or_default();
    let so_far = if evicted > 0 { format!("; {evicted} keys so far") } else { String::new() };
    findings.push(if policy == "noeviction" {
        Finding::new(Level::Ok, "eviction", "noeviction: state stays when memory is full")
    } else if policy.starts_with("volatile") {
        let text = format!("{policy}: when memory is full, state with a time to live goes before it{so_far}");
        Finding::new(Level::Note, "eviction", text)
    } else {
        let text = format!("{policy}: when memory is full, state goes without a word to any client{so_far}");
        let command = redis_cli(place, node, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        Finding::new(Level::Warning, "eviction", text).mended_by(command)
    });
    findings
}

/// What is left after a restart.
pub(super) fn persistence(node: &NodeFacts) -> Finding {
    let topic = "disk";
    let failed = |name: &str| node.info(name).is_some_and(|status| status != "ok");
    if failed("aof_last_write_status") {
        return Finding::new(
            Level::Problem,
            topic,
            "the last write of the append-only file failed: writing is refused",
        );
    }
    if failed("rdb_last_bgsave_status") {
        let stops = node.config.get("stop-writes-on-bgsave-error").is_some_and(|value| value == "yes");
        let (level, text) = if stops {
            (Level::Problem, "the last snapshot failed, and writing is refused until one succeeds")
        } else {
            (Level::Warning, "the last snapshot failed")
        };
        return Finding::new(level, topic, text);
    }
    let appends = node.info("aof_enabled") == Some("1");
    let snapshots = node.config.get("save").map(|save| !save.is_empty());
    match (appends, snapshots) {
        (true, _) => Finding::new(Level::Ok, topic, "an append-only file is kept"),
        (false, Some(true)) => {
            Finding::new(Level::Ok, topic, "snapshots are kept; what came since the last goes with a crash")
        }
        (false, Some(false)) => {
            Finding::new(Level::Note, topic, "nothing is kept: state is gone after a restart")
        }
        (false, None) => {
            Finding::new(Level::Note, topic, "no append-only file; whether snapshots are kept is not said")
        }
    }
}
