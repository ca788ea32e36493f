/// The value of a property, as far as it can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number {
        /// Infinite where it is beyond the range of `f64`.
        value: f64,
        /// As it stands in the payload.
        written: Box<str>,
    },
    Text(Box<str>),
    /// A list, an object, or a string that is no Unicode.
    Other,
}

impl Value {
    /// Reads a JSON value.
    pub(crate) fn read(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'"') => {
                serde_json::from_str::<String>(json).map_or(Self::Other, |text| Self::Text(text.into()))
            }
            Some(b'-' | b'0'..=b'9') => {
                json.parse().map_or(Self::Other, |value| Self::Number { value, written: json.into() })
            }
            _ => Self::Other,
        }
    }
}
