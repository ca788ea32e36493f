use geocast_server::{RedisNature, missing_key_events};

use crate::doctor::{
    Scope,
    command_line::redis_cli,
    examination::NodeFacts,
    finding::{Finding, Level},
    place::Place,
};

impl NodeFacts {
    /// What INFO says under this name.
    pub(super) fn info(&self, name: &str) -> Option<&str> {
        self.info.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same as a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.info(name)?.parse().ok()
    }
}

/// That it answers, and what it is.
pub(super) fn is_there(node: &NodeFacts) -> Finding {
    let version = node.info("valkey_version").or_else(|| node.info("redis_version"));
    let name = if node.info("valkey_version").is_some() { "Valkey" } else { "Redis" };
    let mut said = match version {
        Some(version) => format!("{name} {version} at {}", node.address),
        None => format!("{} answers, but does not say what it is", node.address),
    };
    for (name, value) in
        [("", node.info("redis_mode")), ("", node.info("role")), ("user ", node.user.as_deref())]
    {
        if let Some(value) = value {
            said += &format!(", {name}{value}");
        }
    }
    if let Some(seconds) = node.number("uptime_in_seconds") {
        said += &format!(", up {}", time(seconds));
    }
    said += &format!(", answers in {:.1} ms", node.latency.as_secs_f64() * 1000.0);
    let finding = |level| Finding::new(level, "redis", said.clone());
    if node.info("loading") == Some("1") {
        return Finding { text: format!("{said}; it is still reading its data"), ..finding(Level::Problem) };
    }
    if version.is_some_and(|version| before(version, (6, 2))) && name == "Redis" {
        return Finding { text: format!("{said}; 6.2 or later is expected"), ..finding(Level::Warning) };
    }
    if node.latency.as_millis() > SLOW {
        return Finding {
            text: format!("{said}; above a second, /ready says 503"),
            ..finding(Level::Warning)
        };
    }
    if name == "Redis" && version.is_some_and(|version| has_no_shards(node.info("redis_mode"), version)) {
        let text = format!(
            "{said}; a cluster before 7.0 has no SSUBSCRIBE: it is heard with SUBSCRIBE alone, which misses nothing, and \
             --redis-publish sharded needs 7.0"
        );
        return Finding { text, ..finding(Level::Ok) };
    }
    finding(Level::Ok)
}

/// Whether it is a cluster in whose shards nothing can be published.
fn has_no_shards(mode: Option<&str>, version: &str) -> bool {
    mode == Some("cluster") && before(version, (7, 0))
}

/// Whether it may be written to.
pub(super) fn role(place: &Place, node: &NodeFacts) -> Option<Finding> {
    if let Some(nature @ RedisNature::Sentinel(_)) = &node.nature {
        return Some(Finding::new(Level::Problem, "role", nature.remark(&place.url)?));
    }
    if node.info("role") != Some("slave") {
        return None;
    }
    let of = match (node.info("master_host"), node.info("master_port")) {
        (Some(host), Some(port)) => format!(" of {host}:{port}"),
        _ => String::new(),
    };
    let text = format!(
        "a replica{of}: nothing can be published through geocast here; name its master, or its sentinels with \
         redis+sentinel://HOST:26379/SERVICE"
    );
    Some(Finding::new(Level::Problem, "role", text))
}

/// Whether others have taken all places.
pub(super) fn clients(node: &NodeFacts) -> Option<Finding> {
    let most = node.config.get("maxclients").and_then(|most| most.parse::<u64>().ok());
    let (connected, most) = (node.number("connected_clients")?, most.or_else(|| node.number("maxclients"))?);
    let refused = node.number("rejected_connections").unwrap_or_default();
    let text = format!("{connected} of {most} connections taken");
    if connected * 10 > most * 9 {
        return Some(Finding::new(Level::Warning, "clients", format!("{text}: geocast may find none free")));
    }
    let text = if refused > 0 { format!("{text}; {refused} were refused since it runs") } else { text };
    Some(Finding::new(if refused > 0 { Level::Note } else { Level::Ok }, "clients", text))
}

/// How much may wait for a subscriber, as geocast is one.
pub(super) fn buffers(place: &Place, node: &NodeFacts) -> Option<Finding> {
    let limits = node.config.get("client-output-buffer-limit")?;
    let mut words = limits.split_whitespace().skip_while(|word| *word != "pubsub").skip(1);
    let mut number = || words.next()?.parse::<u64>().ok();
    let (hard, soft, seconds) = (number()?, number()?, number()?);
    let topic = "buffer";
    if hard == 0 && soft == 0 {
        let text = "what waits for a subscriber has no bound: one that hangs takes all memory";
        return Some(Finding::new(Level::Note, topic, text));
    }
    let text =
        format!("a subscriber is cut off when {} wait for it, or {} for {seconds} s", size(hard), size(soft));
    let tight = [hard, soft].into_iter().any(|bound| (1..LEAST_BUFFER).contains(&bound));
    if !tight {
        return Some(Finding::new(Level::Ok, topic, text));
    }
    let text = format!("{text}: geocast would be, by a few large messages, and its clients be told of a gap");
    let command = redis_cli(
        place,
        node,
        &["CONFIG", "SET", "client-output-buffer-limit", "pubsub 33554432 8388608 60"],
    );
    Some(Finding::new(Level::Warning, topic, text).mended_by(command))
}

/// Whether writes are told, which watched hashes need.
pub(super) fn notifications(place: &Place, scope: &Scope, node: &NodeFacts) -> Finding {
    let topic = "events";
    let level = if scope.watches { Level::Warning } else { Level::Ok };
    let Some(current) = node.config.get("notify-keyspace-events") else {
        let text =
            "whether writes are told (notify-keyspace-events) is not said; --watch needs it to be Ehgxe";
        return Finding::new(if scope.watches { Level::Warning } else { Level::Note }, topic, text);
    };
    match missing_key_events(current) {
        None => Finding::new(Level::Ok, topic, format!("writes are told ({current}), as --watch needs it")),
        Some(needed) => {
            let text = if scope.watches {
                "writes are not told, and there are hashes to be watched"
            } else {
                "writes are not told, which only --watch would need"
            };
            let command = redis_cli(place, node, &["CONFIG", "SET", "notify-keyspace-events", &needed]);
            Finding::new(level, topic, text).mended_by(command)
        }
    }
}

/// A number of bytes, for people.
pub(super) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let bytes_in = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes_in(1024)),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes_in(1_048_576)),
        _ => format!("{:.1} GiB", bytes_in(1_073_741_824)),
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn before(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(second)) => (first, second) < (major, minor),
        _ => false,
    }
}

/// Milliseconds that an answer may take until it is worth a word.
const SLOW: u128 = 250;
/// Bytes: some messages of the greatest length that is passed on, 1 MiB.
const LEAST_BUFFER: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::{before, has_no_shards, size, time};

    #[test]
    fn figures_are_for_people() {
        assert_eq!(
            ["6.0.16", "6.2.0", "7.0", "255.255.255", "x"].map(|v| before(v, (6, 2))),
            [true, false, false, false, false]
        );
        assert!(has_no_shards(Some("cluster"), "6.2.14"));
        assert!(!has_no_shards(Some("cluster"), "7.0.0") && !has_no_shards(Some("standalone"), "6.2.14"));
        assert_eq!(
            [512, 1536, 33_554_432, 3 << 30].map(size),
            ["512 bytes", "1.5 KiB", "32.0 MiB", "3.0 GiB"]
        );
        assert_eq!([5, 300, 7200, 200_000].map(time), ["5 s", "5 min", "2 h", "2 days"]);
    }
}
