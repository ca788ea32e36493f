use std::str::FromStr;

use globset::{Glob, GlobSet, GlobSetBuilder};
use thiserror::Error;

use super::excerpt;

/// Names to be matched, as configuration gives them: separated by commas, `*` for any characters, `?` for one.
///
/// Patterns come from configuration only. What a client says is matched against them and is never one itself.
#[derive(Debug, Clone)]
pub struct Patterns {
    written: Vec<String>,
    set: GlobSet,
}

/// A pattern that is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It cannot be read.
    #[error("invalid pattern `{pattern}`")]
    Syntax {
        /// As it was written; what cannot be printed is escaped, and what is long is cut short.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// It has a space in it, as nothing has that is matched.
    #[error("pattern `{0}` has a space in it, and no name has: commas separate patterns")]
    Space(String),
}

impl Patterns {
    /// Reads patterns one by one.
    ///
    /// # Errors
    /// [`PatternError`] names the one that cannot be read.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(patterns: I) -> Result<Self, PatternError> {
        let written: Vec<String> = patterns.into_iter().map(Into::into).collect();
        let mut builder = GlobSetBuilder::new();
        for pattern in &written {
            builder.add(Glob::new(pattern).map_err(|source| refused(pattern, source))?);
        }
        let set = builder.build().map_err(|source| refused(&written.join(","), source))?;
        Ok(Self { written, set })
    }

    /// `/`, `/ws` and `/ws/`.
    pub fn text_paths() -> Self {
        Self::new(["/", "/ws", "/ws/"]).expect("these patterns are plain names")
    }

    /// Whether any pattern matches the whole of `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.set.is_match(name)
    }

    /// The patterns as they were written.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(String::as_str)
    }
}

impl FromStr for Patterns {
    type Err = PatternError;

    fn from_str(list: &str) -> Result<Self, PatternError> {
        let patterns = list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        // An operator who writes one has forgotten a comma.
        if let Some(pattern) = patterns.clone().find(|pattern| pattern.contains(char::is_whitespace)) {
            return Err(PatternError::Space(excerpt(pattern.as_bytes())));
        }
        Self::new(patterns)
    }
}

fn refused(pattern: &str, source: globset::Error) -> PatternError {
    PatternError::Syntax { pattern: excerpt(pattern.as_bytes()), source }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    fn check(patterns: &str, name: &str, expected: bool) {
        let patterns: Patterns = patterns.parse().expect("readable patterns");
        assert_eq!(patterns.matches(name), expected, "{patterns:?} on {name:?}");
    }

    #[test]
    fn whole_names_are_matched() {
        check("vehicles,news_*", "vehicles", true);
        check("vehicles, news_*", "news_sport", true);
        check("vehicles", "vehicles2", false);
        check("vehicles", "my vehicles", false);
        check("*", "anything/at:all", true);
        check("", "", false);
        check("", "vehicles", false);
        check("a?", "ab", true);
        check("/tracker-ws/*", "/tracker-ws/v1/", true);
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_named() {
        let error = "ok,[z".parse::<Patterns>().expect_err("an open class");
        assert_eq!(error.to_string(), "invalid pattern `[z`");
        let error = "\u{7f}[\u{1b}".parse::<Patterns>().expect_err("an open class");
        assert_eq!(error.to_string(), r"invalid pattern `\u{7f}[\u{1b}`");
        for (list, pattern) in [("a b", "a b"), ("a, b\tc ,d", r"b\tc"), ("a,b\u{a0}c", r"b\u{a0}c")] {
            let error = list.parse::<Patterns>().expect_err("a space");
            let said =
                format!("pattern `{pattern}` has a space in it, and no name has: commas separate patterns");
            assert_eq!(error.to_string(), said);
        }
    }
}
