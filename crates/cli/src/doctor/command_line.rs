use super::{examination::NodeFacts, place::Place};
use crate::shell_words::quoted;

/// What says this to a node: `redis-cli` asks for the password itself.
pub(super) fn redis_cli(place: &Place, node: &NodeFacts, words: &[&str]) -> String {
    let url = &place.url;
    let mut line = "redis-cli".to_owned();
    match &node.host_and_port {
        Some((host, port)) => line += &format!(" -h {} -p {port}", quoted(host)),
        None => line += &format!(" -s {}", quoted(&node.address)),
    }
    if url.is_tls() {
        line += " --tls";
        place.for_redis_cli().for_each(|word| line += &format!(" {}", quoted(&word)));
    }
    if url.database() != 0 {
        line += &format!(" -n {}", url.database());
    }
    if let Some(user) = url.user() {
        // Who may not see how Redis is set may not set it either.
        line +=
            &format!(" --user {}", if node.config.is_empty() { "ADMIN".to_owned() } else { quoted(user) });
    }
    if url.has_password() {
        line += " --askpass";
    }
    for word in words {
        line += " ";
        line += &quoted(word);
    }
    line
}

/// The same for a sentinel.
pub(super) fn sentinel_cli(place: &Place, (host, port): &(String, u16), words: &[&str]) -> String {
    let mut line = format!("redis-cli -h {} -p {port}", quoted(host));
    if place.url.is_tls() {
        line += " --tls";
        place.for_redis_cli().for_each(|word| line += &format!(" {}", quoted(&word)));
    }
    if place.url.has_sentinel_password() {
        line += " --askpass";
    }
    for word in words {
        line += &format!(" {}", quoted(word));
    }
    line
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::{NodeFacts, Place, redis_cli, sentinel_cli};
    use crate::arguments::RedisOptions;

    #[test]
    fn a_node_is_spoken_to_as_the_url_says() {
        let node = |address: &str, host_and_port| NodeFacts {
            address: address.to_owned(),
            host_and_port,
            info: BTreeMap::new(),
            latency: Duration::ZERO,
            config: BTreeMap::new(),
            user: None,
            nature: None,
        };
        let check = |url: &str, expected: &str| {
            let options = RedisOptions { redis_ca: Some("a b.pem".into()), ..RedisOptions::default() };
            let place = Place::new(url.parse().unwrap(), &options);
            let there = node("h:7", Some(("h".to_owned(), 7)));
            assert_eq!(redis_cli(&place, &there, &["CONFIG", "SET", "a b"]), expected);
        };
        check("redis://h:7", "redis-cli -h h -p 7 CONFIG SET 'a b'");
        check(
            "rediss://me:secret@h:7/2",
            "redis-cli -h h -p 7 --tls --cacert 'a b.pem' -n 2 --user ADMIN --askpass CONFIG SET 'a b'",
        );
        let place = Place::new("/run/r.sock".parse().unwrap(), &RedisOptions::default());
        assert_eq!(redis_cli(&place, &node("/run/r.sock", None), &["PING"]), "redis-cli -s /run/r.sock PING");
        let url = "rediss+sentinel://:secret@h:7/map?sentinel_password=other";
        let place = Place::new(url.parse().unwrap(), &RedisOptions::default());
        let line = sentinel_cli(&place, &("h".to_owned(), 7), &["SENTINEL", "RESET", "map"]);
        assert_eq!(line, "redis-cli -h h -p 7 --tls --askpass SENTINEL RESET map");
    }
}
