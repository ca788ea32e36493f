//! Wishes that concern features' properties.

use serde_json::value::RawValue;

use crate::{
    Number, json,
    json::{Members, Object, text_of},
};

use super::parameter::Field;

/// What one property of a feature must be, for the feature to pass.
///
/// On the wire a member of `properties`: the property's name with a scalar, a list of scalars, or a range such as
/// `{"min":0,"max":30}`.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyFilter {
    /// The property's name, as it stands in features; not empty.
    pub name: String,
    /// What its value must be.
    pub test: PropertyTest,
}

/// What a property's value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyTest {
    /// One of these; of an empty list, nothing is.
    AnyOf(Vec<Scalar>),
    /// A number in a closed range; a side that is `None` is open.
    Range {
        /// The least number that passes.
        min: Option<Number>,
        /// The greatest number that passes.
        max: Option<Number>,
    },
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A finite number.
    Number(Number),
    /// A string.
    Text(String),
}

impl PropertyFilter {
    /// The most filters of one client: more than a feature usually has properties, and few enough to ask all of them for
    /// each feature.
    pub const MAX: usize = 64;

    /// Reads filters that are written as the member `properties` of a `viewport` call is: an object of at most
    /// [`MAX`](Self::MAX) members.
    ///
    /// # Errors
    /// [`PropertyFilterError`] says what they are to be.
    ///
    /// ```
    /// # use geocast_protocol::rpc::PropertyFilter;
    /// let filters = PropertyFilter::read_all(r#"{"line":["S1","S2"],"delay":{"min":5}}"#)?;
    /// assert_eq!(filters.len(), 2);
    /// # Ok::<(), geocast_protocol::rpc::PropertyFilterError>(())
    /// ```
    pub fn read_all(json: &str) -> Result<Vec<Self>, PropertyFilterError> {
        let raw = serde_json::from_str(json).map_err(|error| PropertyFilterError(error.to_string()))?;
        Vec::read(raw).map_err(PropertyFilterError)
    }
}

/// What is wrong with filters for properties.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PropertyFilterError(String);

impl Field for Vec<PropertyFilter> {
    const SCHEMA: &'static str = concat!(
        r#"{"type":"object","additionalProperties":{"anyOf":["#,
        r#"{"type":["string","number","boolean","null"]},"#,
        r#"{"type":"array","items":{"type":["string","number","boolean","null"]}},"#,
        r#"{"type":"object","properties":{"min":{"type":["number","null"]},"max":{"type":["number","null"]}},"#,
        r#""additionalProperties":false}]},"propertyNames":{"minLength":1},"maxProperties":64}"#
    );

    fn read(raw: &RawValue) -> Result<Self, String> {
        let members: Members<'_> =
            serde_json::from_str(raw.get()).map_err(|_error| "must be an object".to_owned())?;
        let members = members.iter();
        if members.len() > PropertyFilter::MAX {
            return Err(format!(
                "has {} members, at most {} are allowed",
                members.len(),
                PropertyFilter::MAX
            ));
        }
        let mut filters = Self::with_capacity(members.len());
        for (name, value) in members {
            if name.is_empty() {
                return Err("the name of a property must not be empty".to_owned());
            }
            // Of a name that stands there twice, the last counts.
            filters.retain(|filter| filter.name != name);
            filters.push(PropertyFilter { name: name.to_owned(), test: test(value)? });
        }
        Ok(filters)
    }

    fn json(&self) -> Option<String> {
        Some(print(self))
    }
}

impl Field for Vec<String> {
    const SCHEMA: &'static str = r#"{"type":"array","items":{"type":"string","minLength":1},"maxItems":64}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        let refused = || "must be an array of names of properties".to_owned();
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_error| refused())?;
        if items.len() > PropertyFilter::MAX {
            return Err(format!("has {} items, at most {} are allowed", items.len(), PropertyFilter::MAX));
        }
        let names = items.into_iter().map(|item| text_of(item).filter(|name| !name.is_empty()));
        names.map(|name| name.map(Into::into).ok_or_else(refused)).collect()
    }

    fn json(&self) -> Option<String> {
        Some(serde_json::to_string(self).expect("texts are JSON"))
    }
}

/// The filters as they stand on the wire.
pub(super) fn print(filters: &[PropertyFilter]) -> String {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    for PropertyFilter { name, test } in filters {
        write(object.member(name), test);
    }
    object.end();
    String::from_utf8(out).expect("is made of texts")
}

fn test(raw: &RawValue) -> Result<PropertyTest, String> {
    if raw.get().starts_with('{') {
        return range(raw);
    }
    if !raw.get().starts_with('[') {
        return Ok(PropertyTest::AnyOf(vec![scalar(raw)?]));
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    Ok(PropertyTest::AnyOf(items.into_iter().map(scalar).collect::<Result<_, _>>()?))
}

fn range(raw: &RawValue) -> Result<PropertyTest, String> {
    let members: Members<'_> = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    if members.iter().any(|(name, _)| !matches!(name, "min" | "max")) {
        return Err("a range has the members min and max".to_owned());
    }
    let side = |name| match members.value(name) {
        Some(raw) => Option::<Number>::read(raw).map_err(|reason| format!("{name} {reason}")),
        None => Ok(None),
    };
    Ok(PropertyTest::Range { min: side("min")?, max: side("max")? })
}

fn scalar(raw: &RawValue) -> Result<Scalar, String> {
    match raw.get() {
        "null" => Ok(Scalar::Null),
        "true" => Ok(Scalar::Boolean(true)),
        "false" => Ok(Scalar::Boolean(false)),
        text if text.starts_with('"') => {
            let text = text_of(raw).ok_or_else(|| "a text must be Unicode".to_owned())?;
            Ok(Scalar::Text(text.into_owned()))
        }
        _ => Number::read(raw).map(Scalar::Number).map_err(|_reason| {
            "the values of a property are texts, finite numbers, booleans or null".to_owned()
        }),
    }
}

fn write(out: &mut Vec<u8>, test: &PropertyTest) {
    match test {
        PropertyTest::AnyOf(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                match item {
                    Scalar::Null => out.extend_from_slice(b"null"),
                    Scalar::Boolean(value) => out.extend_from_slice(value.to_string().as_bytes()),
                    Scalar::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
                    Scalar::Text(text) => json::string(out, text),
                }
            }
            out.push(b']');
        }
        PropertyTest::Range { min, max } => {
            let side =
                |side: &Option<Number>| side.map_or_else(|| "null".to_owned(), |side| side.to_string());
            out.extend_from_slice(format!(r#"{{"min":{},"max":{}}}"#, side(min), side(max)).as_bytes());
        }
    }
}
