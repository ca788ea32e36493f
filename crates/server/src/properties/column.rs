use super::Value;

/// The values of one property in an event: of each member that has it, ascending. A member is a feature, with its number in a
/// collection.
#[derive(Debug, Default)]
pub(crate) struct Column(Box<[(usize, Value)]>);

impl Column {
    /// Takes values as they are written, of members ascending.
    pub(crate) fn read(written: &[(usize, &str)]) -> Self {
        Self(written.iter().map(|(member, json)| (*member, Value::read(json))).collect())
    }

    /// The members of which it is true.
    pub(crate) fn members(&self, mut is_true: impl FnMut(usize, &Value) -> bool) -> Vec<usize> {
        let members = self.0.iter().filter(|(member, value)| is_true(*member, value));
        members.map(|(member, _)| *member).collect()
    }
}
