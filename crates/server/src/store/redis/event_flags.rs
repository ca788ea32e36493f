//! What Redis has to be set to, so that it says what is written (`notify-keyspace-events` in its documentation).

/// What is to be set instead of `current`, if that does not suffice.
pub(super) fn missing(current: &str) -> Option<String> {
    // `A` stands for all kinds of events, but not for how they are told.
    let covers = |flag: char| current.contains(flag) || (flag != 'E' && current.contains('A'));
    let missing: String = NEEDED.chars().filter(|flag| !covers(*flag)).collect();
    (!missing.is_empty()).then(|| format!("{current}{missing}"))
}

/// The channels on which Redis tells the names of hashes in this database that may have changed.
pub(super) fn channels(database: u32) -> impl Iterator<Item = String> {
    EVENTS.iter().map(move |event| format!("__keyevent@{database}__:{event}"))
}

/// Told by event: writes into hashes, and what ends a key: commands, its time, want of memory.
pub(super) const NEEDED: &str = "Ehgxe";

/// The events after which a hash may be another.
const EVENTS: [&str; 14] = [
    "hset",
    "hdel",
    "hincrby",
    "hincrbyfloat",
    "hexpired",
    "del",
    "expired",
    "evicted",
    "rename_from",
    "rename_to",
    "copy_to",
    "restore",
    "move_from",
    "move_to",
];

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_missing_is_added_to_what_is_there() {
        let check = |current: &str, expected: Option<&str>| {
            assert_eq!(missing(current).as_deref(), expected, "{current:?}");
        };
        check("", Some("Ehgxe"));
        check("KA", Some("KAE"));
        check("AE", None);
        check("AKE", None);
        check("KEh", Some("KEhgxe"));
        check("ghExe", None);
        check("Eh$", Some("Eh$gxe"));
    }
}
