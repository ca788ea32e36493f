use std::sync::Arc;

/// The names of the only properties of features that a client is sent.
///
/// Lists of the same names are equal, in whatever order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fields(Arc<[String]>);

impl Fields {
    /// Whether a property of this name is sent.
    pub(crate) fn contain(&self, name: &str) -> bool {
        self.0.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }
}

impl<S: Into<String>> FromIterator<S> for Fields {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn order_and_repetition_do_not_matter() {
        let fields: Fields = ["b", "a", "é"].into_iter().collect();
        assert_eq!(fields, ["é", "a", "b", "a"].into_iter().collect());
        assert_eq!(fields.names(), ["a", "b", "é"]);
        assert!(fields.contain("é") && fields.contain("a") && !fields.contain("") && !fields.contain("c"));
    }
}
