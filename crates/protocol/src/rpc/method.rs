//! What the table of methods says of each.

/// A method that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it does, for people.
    pub summary: &'static str,
    /// Its parameters in the order of their positions; those that must be given come first.
    pub params: &'static [Parameter],
    /// The JSON Schema (draft 7) of its result.
    pub result: &'static str,
    /// A result, as JSON.
    pub result_example: &'static str,
}

/// A parameter of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it means, for people.
    pub summary: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// The JSON Schema (draft 7) of its value. An optional parameter may be `null` as well, which is its absence.
    pub schema: &'static str,
    /// A value, as JSON.
    pub example: &'static str,
}
