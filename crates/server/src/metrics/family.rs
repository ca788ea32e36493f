use std::borrow::Cow;

use super::histogram::Reading;

/// A metric with all its samples: those differ in their labels.
#[derive(Debug, Clone)]
pub(super) struct Family {
    /// Without the suffix that counters and infos have.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// A sentence for people, without quotes, backslashes and line breaks.
    pub(super) help: &'static str,
    pub(super) samples: Vec<Sample>,
}

/// What is to be expected of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They only rise, from zero at the start of the process.
    Counter,
    /// They rise and fall.
    Gauge,
    Histogram,
    /// The value is 1, and the labels are what there is to know.
    Info,
}

/// A value and what it is the value of.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: Value,
}

pub(super) type Labels = Vec<(&'static str, Cow<'static, str>)>;

#[derive(Debug, Clone)]
pub(super) enum Value {
    Integer(u64),
    Real(f64),
    Histogram(Reading),
}

impl Family {
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help, samples: Vec::new() }
    }

    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help, samples: Vec::new() }
    }

    pub(super) fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, help, samples: Vec::new() }
    }

    pub(super) fn info(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Info, help, samples: Vec::new() }
    }

    /// With one value and no labels.
    pub(super) fn is(self, value: impl Into<Value>) -> Self {
        self.of([], value)
    }

    /// With one value more.
    pub(super) fn of<const N: usize>(
        mut self,
        labels: [(&'static str, Cow<'static, str>); N],
        value: impl Into<Value>,
    ) -> Self {
        self.samples.push(Sample { labels: labels.into(), value: value.into() });
        self
    }

    /// With one value more for each of these, which are told apart by one label.
    pub(super) fn by<L: Into<Cow<'static, str>>, V: Into<Value>>(
        self,
        label: &'static str,
        values: impl IntoIterator<Item = (L, V)>,
    ) -> Self {
        values.into_iter().fold(self, |family, (name, value)| family.of([(label, name.into())], value))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Integer(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Reading> for Value {
    fn from(reading: Reading) -> Self {
        Self::Histogram(reading)
    }
}
