use std::sync::Arc;

use geocast_protocol::{
    Number,
    rpc::{PropertyFilter, PropertyTest, Scalar},
};

use super::Value;
use crate::Event;

/// What features' properties must be for a client to see the feature: all of it, and a property that is not there is nothing.
///
/// Filters that say the same are equal, in whatever order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PropertyFilters(Arc<[Rule]>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Rule {
    name: Box<str>,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Test {
    /// Ascending, each once.
    AnyOf(Box<[Accepted<Box<str>>]>),
    /// Closed.
    Range { min: Option<Finite>, max: Option<Finite> },
}

/// A value that passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Accepted<S> {
    Null,
    Boolean(bool),
    Number(Finite),
    Text(S),
    /// A string that is this, or a number or boolean that is written so.
    Written(S),
}

/// The bits of a finite number, of which the zero is positive. Their order is of no meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Finite(u64);

impl PropertyFilters {
    /// The most filters of one client.
    pub const MAX: usize = PropertyFilter::MAX;

    /// Filters as JSON-RPC has them. Of several filters for one property, all must pass.
    pub fn new<'a>(filters: impl IntoIterator<Item = &'a PropertyFilter>) -> Self {
        Self::of(filters.into_iter().map(|PropertyFilter { name, test }| {
            let test = match test {
                PropertyTest::AnyOf(values) => Test::any_of(values.iter().map(Accepted::from)),
                PropertyTest::Range { min, max } => {
                    Test::Range { min: min.map(Finite::from), max: max.map(Finite::from) }
                }
            };
            Rule { name: name.as_str().into(), test }
        }))
    }

    /// Filters by texts: each lets pass a string that equals one of its texts, and a number or boolean that is written so.
    pub fn written<N: AsRef<str>, T: AsRef<str>>(
        filters: impl IntoIterator<Item = (N, impl IntoIterator<Item = T>)>,
    ) -> Self {
        Self::of(filters.into_iter().map(|(name, texts)| {
            let texts = texts.into_iter().map(|text| Accepted::Written(text.as_ref().into()));
            Rule { name: name.as_ref().into(), test: Test::any_of(texts) }
        }))
    }

    fn of(rules: impl Iterator<Item = Rule>) -> Self {
        let mut rules: Vec<Rule> = rules.collect();
        rules.sort_unstable();
        rules.dedup();
        Self(rules.into())
    }

    /// How many there are; without any, everything passes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As JSON-RPC has them. A text that also lets numbers pass is a text there.
    pub(crate) fn to_wire(&self) -> Vec<PropertyFilter> {
        let wire = self.0.iter().map(|Rule { name, test }| {
            let test = match test {
                Test::AnyOf(accepted) => PropertyTest::AnyOf(accepted.iter().map(Scalar::from).collect()),
                Test::Range { min, max } => PropertyTest::Range {
                    min: min.and_then(Finite::number),
                    max: max.and_then(Finite::number),
                },
            };
            PropertyFilter { name: name.to_string(), test }
        });
        wire.collect()
    }

    /// The members of an event that pass, ascending. `None` if it is no feature, of which nothing can be asked.
    pub(crate) fn matching(&self, event: &Event) -> Option<Vec<usize>> {
        let mut passing: Vec<usize> = (0..event.features()?).collect();
        for Rule { name, test } in &*self.0 {
            if passing.is_empty() {
                break;
            }
            let is_passing =
                |member, value: &Value| passing.binary_search(&member).is_ok() && test.accepts(value);
            passing = event.column(name).members(is_passing);
        }
        Some(passing)
    }
}

impl Default for PropertyFilters {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Test {
    fn any_of(accepted: impl Iterator<Item = Accepted<Box<str>>>) -> Self {
        let mut accepted: Vec<_> = accepted.collect();
        accepted.sort_unstable();
        accepted.dedup();
        Self::AnyOf(accepted.into())
    }

    fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Range { min, max }, Value::Number { value, .. }) => {
                min.is_none_or(|min| min.value() <= *value) && max.is_none_or(|max| *value <= max.value())
            }
            (Self::Range { .. }, _) | (_, Value::Other) => false,
            (Self::AnyOf(_), Value::Null) => self.has(&Accepted::Null),
            (Self::AnyOf(_), Value::Boolean(value)) => {
                let written = if *value { "true" } else { "false" };
                self.has(&Accepted::Boolean(*value)) || self.has(&Accepted::Written(written))
            }
            (Self::AnyOf(_), Value::Number { value, written }) => {
                self.has(&Accepted::Number((*value).into())) || self.has(&Accepted::Written(written))
            }
            (Self::AnyOf(_), Value::Text(text)) => {
                self.has(&Accepted::Text(text)) || self.has(&Accepted::Written(text))
            }
        }
    }

    fn has(&self, sought: &Accepted<&str>) -> bool {
        let Self::AnyOf(accepted) = self else { return false };
        accepted.binary_search_by(|item| item.as_ref().cmp(sought)).is_ok()
    }
}

impl Accepted<Box<str>> {
    fn as_ref(&self) -> Accepted<&str> {
        match self {
            Self::Null => Accepted::Null,
            Self::Boolean(value) => Accepted::Boolean(*value),
            Self::Number(value) => Accepted::Number(*value),
            Self::Text(text) => Accepted::Text(text),
            Self::Written(text) => Accepted::Written(text),
        }
    }
}

impl From<&Scalar> for Accepted<Box<str>> {
    fn from(scalar: &Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => Self::Boolean(*value),
            Scalar::Number(number) => Self::Number((*number).into()),
            Scalar::Text(text) => Self::Text(text.as_str().into()),
        }
    }
}

impl From<&Accepted<Box<str>>> for Scalar {
    fn from(accepted: &Accepted<Box<str>>) -> Self {
        match accepted {
            Accepted::Null => Self::Null,
            Accepted::Boolean(value) => Self::Boolean(*value),
            Accepted::Number(number) => number.number().map_or(Self::Null, Self::Number),
            Accepted::Text(text) | Accepted::Written(text) => Self::Text(text.to_string()),
        }
    }
}

impl Finite {
    fn value(self) -> f64 {
        f64::from_bits(self.0)
    }

    fn number(self) -> Option<Number> {
        self.value().try_into().ok()
    }
}

impl From<f64> for Finite {
    fn from(value: f64) -> Self {
        // Adding zero makes the two zeros one.
        Self((value + 0.0).to_bits())
    }
}

impl From<Number> for Finite {
    fn from(number: Number) -> Self {
        number.value().into()
    }
}

#[cfg(test)]
mod tests;
