use std::str::FromStr;

use geocast_protocol::{Channel, Crs};
use thiserror::Error;

use crate::{PatternError, Patterns};

/// Something that an operator says of some channels, written as `PATTERN=value`, such as `vehicles*=train_id`.
#[derive(Debug, Clone)]
pub struct ChannelRule<T> {
    channels: Patterns,
    value: T,
}

/// What is no rule for channels.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChannelRuleError {
    /// There is no `=`.
    #[error("`{0}` has no value: write PATTERN=value, such as vehicles*=value")]
    NoValue(String),
    /// The pattern cannot be read.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The value cannot be read.
    #[error("`{value}`: {reason}")]
    Value {
        /// What stands behind the `=`.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl<T> ChannelRule<T> {
    /// The value of the first rule that is about a channel.
    pub(crate) fn find<'a>(rules: &'a [Self], channel: &Channel) -> Option<&'a T> {
        rules.iter().find(|rule| rule.channels.matches(channel.as_str())).map(|rule| &rule.value)
    }

    /// The same rule with another value.
    pub(crate) fn try_map<U, E>(&self, change: impl FnOnce(&T) -> Result<U, E>) -> Result<ChannelRule<U>, E> {
        Ok(ChannelRule { channels: self.channels.clone(), value: change(&self.value)? })
    }

    /// Reads a rule whose value is read by `parse`.
    ///
    /// # Errors
    /// There is no `=`, or one of its sides cannot be read.
    pub fn parse<E: ToString>(
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Self, ChannelRuleError> {
        let (pattern, value) =
            text.rsplit_once('=').ok_or_else(|| ChannelRuleError::NoValue(text.to_owned()))?;
        let channels = Patterns::new([pattern])?;
        let value = parse(value).map_err(|reason| ChannelRuleError::Value {
            value: value.to_owned(),
            reason: reason.to_string(),
        })?;
        Ok(Self { channels, value })
    }
}

impl FromStr for ChannelRule<Box<str>> {
    type Err = ChannelRuleError;

    fn from_str(text: &str) -> Result<Self, ChannelRuleError> {
        Self::parse(text, |value| if value.is_empty() { Err("it is empty") } else { Ok(value.into()) })
    }
}

impl FromStr for ChannelRule<Crs> {
    type Err = ChannelRuleError;

    fn from_str(text: &str) -> Result<Self, ChannelRuleError> {
        Self::parse(text, str::parse::<Crs>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rules: Vec<ChannelRule<Box<str>>> =
            ["cars=a", "c*=b"].map(|text| text.parse().expect("a rule")).into();
        let find = |channel: &str| ChannelRule::find(&rules, &channel.parse().expect("a channel")).cloned();
        assert_eq!([find("cars"), find("cats"), find("dogs")], [Some("a".into()), Some("b".into()), None]);
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for (text, message) in [
            ("cars", "`cars` has no value: write PATTERN=value, such as vehicles*=value"),
            ("cars=", "``: it is empty"),
        ] {
            assert_eq!(text.parse::<ChannelRule<Box<str>>>().unwrap_err().to_string(), message);
        }
    }
}
