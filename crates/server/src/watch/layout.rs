use geocast_protocol::Channel;

/// What a watched hash is, read off its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout<'a> {
    /// One object, whose members are the fields.
    Object {
        /// The channel of its pushes.
        group: Channel,
        /// Which object of its type.
        id: &'a str,
    },
    /// Many objects of a type, by their ids.
    Table {
        /// The type.
        kind: &'a str,
    },
}

impl<'a> Layout<'a> {
    /// What the hash of this name is; nothing if its group would be no channel.
    pub(crate) fn of(hash: &'a str) -> Option<Self> {
        if let Some((kind, id)) = hash.rsplit_once(':') {
            return Some(Self::Object { group: Self::group(kind, id)?, id });
        }
        match hash.rsplit_once('-') {
            Some((kind, id)) => Some(Self::Object { group: Self::group(kind, id)?, id }),
            None => Some(Self::Table { kind: hash }),
        }
    }

    /// The channel of one object's pushes.
    pub(crate) fn group(kind: &str, id: &str) -> Option<Channel> {
        let is_whole = !kind.is_empty() && !id.is_empty();
        is_whole.then(|| format!("{kind}-{id}").parse().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn a_name_says_what_the_hash_is() {
        let object = |hash: &'static str, group: &str, id: &str| {
            let group = group.parse().expect("a channel");
            assert_eq!(Layout::of(hash), Some(Layout::Object { group, id }), "{hash}");
        };
        object("collection:5", "collection-5", "5");
        object("app:collection:5", "app:collection-5", "5");
        object("my-collection:a-b", "my-collection-a-b", "a-b");
        object("collection-5", "collection-5", "5");
        assert_eq!(Layout::of("collection"), Some(Layout::Table { kind: "collection" }));
        for hash in ["collection:", ":5", "-5", "a b:5"] {
            assert_eq!(Layout::of(hash), None, "{hash}");
        }
    }
}
