//! The parameters of one call, on their way to becoming fields.

use serde_json::value::RawValue;

use crate::{
    excerpt::excerpt,
    json::{Members, text_of},
};

use super::{Error, Method, parameter::Field};

/// The values that a call gives, in the order of its method's parameters.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    method: &'static Method,
    values: Vec<Option<&'a RawValue>>,
    taken: usize,
}

impl<'a> Arguments<'a> {
    /// Sorts `params`, which are an array or an object, or are absent.
    pub(super) fn read(method: &'static Method, params: Option<&'a RawValue>) -> Result<Self, Error> {
        let unreadable = |error: serde_json::Error| Error::Parse { reason: error.to_string() };
        let mut values = match params {
            None => Vec::new(),
            Some(raw) if raw.get().starts_with('[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(unreadable)?;
                values.into_iter().map(Some).collect()
            }
            Some(raw) => by_name(method, &serde_json::from_str(raw.get()).map_err(unreadable)?)?,
        };
        let (found, most) = (values.len(), method.params.len());
        if found > most {
            return Err(Error::SurplusParameters { method: method.name, most, found });
        }
        values.resize(most, None);
        Ok(Self { method, values, taken: 0 })
    }

    /// The value of the next parameter. The fields of a call are read in the order of the table.
    pub(super) fn next<T: Field>(&mut self) -> Result<T, Error> {
        let at = self.taken;
        self.taken += 1;
        let parameter = self.method.params.get(at).map_or("", |parameter| parameter.name);
        match self.values.get(at).copied().flatten() {
            Some(raw) => T::read(raw).map_err(|reason| bad(parameter, raw, reason)),
            None => T::absent().ok_or(Error::MissingParameter { parameter }),
        }
    }
}

fn by_name<'a>(method: &'static Method, given: &Members<'a>) -> Result<Vec<Option<&'a RawValue>>, Error> {
    let known = |name: &str| method.params.iter().any(|parameter| parameter.name == name);
    match given.iter().find(|(name, _)| !known(name)) {
        Some((name, _)) => Err(Error::UnknownParameter { method: method.name, parameter: excerpt(name) }),
        None => Ok(method.params.iter().map(|parameter| given.value(parameter.name)).collect()),
    }
}

fn bad(parameter: &'static str, raw: &RawValue, reason: String) -> Error {
    // A string is quoted without its quotes, which the excerpt would escape.
    let value = text_of(raw).map_or_else(|| excerpt(raw.get()), |text| excerpt(&text));
    Error::BadParameter { parameter, value, reason }
}
