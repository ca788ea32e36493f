//! From a frame to calls.

use serde_json::value::RawValue;

use crate::json::{Members, is_too_deep, text_of};

use super::{Call, Error, Id};

/// What one text frame says.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// One call; also what is to be answered like one: a frame that is no JSON, an empty array, too many calls.
    Single(Box<Request>),
    /// An array of calls, at least one. The replies go back as one array ([`batch`](super::batch)).
    Batch(Vec<Request>),
}

impl Frame {
    /// How many calls an array may have, unless a server says otherwise.
    pub const MAX_CALLS: usize = 50;

    /// Reads a frame. Never panics, and takes time in proportion to the length of the frame.
    ///
    /// Of an array with more than `max_calls` items none is read.
    #[must_use]
    pub fn read(text: &str, max_calls: usize) -> Self {
        let refused = |error| Self::Single(Box::new(Request::invalid(Id::null(), error)));
        if is_too_deep(text.as_bytes()) {
            return refused(Error::TooDeep);
        }
        let raw: &RawValue = match serde_json::from_str(text) {
            Ok(raw) => raw,
            Err(error) => return refused(Error::Parse { reason: error.to_string() }),
        };
        if !raw.get().starts_with('[') {
            return Self::Single(Box::new(Request::read(raw)));
        }
        match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(calls) if calls.is_empty() => refused(Error::EmptyBatch),
            Ok(calls) if calls.len() > max_calls => {
                refused(Error::BatchTooLong { calls: calls.len(), most: max_calls })
            }
            Ok(calls) => Self::Batch(calls.into_iter().map(Request::read).collect()),
            Err(error) => refused(Error::Parse { reason: error.to_string() }),
        }
    }

    /// Whether a frame of a connection that speaks several dialects is meant for this one: it begins like an object or
    /// an array, as no command of the text dialect does.
    #[must_use]
    pub fn begins(text: &str) -> bool {
        text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(['{', '['])
    }
}

/// One call and how it is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What the reply repeats. Without one, it is a notification: it is carried out, and nothing is answered, not even
    /// an error.
    pub id: Option<Id>,
    /// What is to be done, or what is wrong with it.
    pub call: Result<Call, Error>,
}

impl Request {
    fn invalid(id: Id, error: Error) -> Self {
        Self { id: Some(id), call: Err(error) }
    }

    fn read(raw: &RawValue) -> Self {
        if !raw.get().starts_with('{') {
            return Self::invalid(Id::null(), Error::NotAnObject);
        }
        let members: Members<'_> = match serde_json::from_str(raw.get()) {
            Ok(members) => members,
            // It was read before as a whole: only a name that is half a surrogate pair fails now.
            Err(error) => return Self::invalid(Id::null(), Error::Parse { reason: error.to_string() }),
        };
        let given = members.value("id");
        let id = given.and_then(Id::read);
        if given.is_some() && id.is_none() {
            let error = Error::BadMember { member: "id", expected: "a string, a number or null" };
            return Self::invalid(Id::null(), error);
        }
        match Self::parts(&members) {
            Ok((method, params)) => Self { id, call: Call::read(&method, params) },
            Err(error) => Self::invalid(id.unwrap_or_else(Id::null), error),
        }
    }

    /// The method's name and its parameters, if the rest of the request is in order.
    fn parts<'a>(members: &Members<'a>) -> Result<(String, Option<&'a RawValue>), Error> {
        if members.value("jsonrpc").and_then(text_of).as_deref() != Some("2.0") {
            return Err(Error::BadMember { member: "jsonrpc", expected: "\"2.0\"" });
        }
        let method = members.value("method").and_then(text_of);
        let method = method.ok_or(Error::BadMember { member: "method", expected: "a string" })?;
        let params = members.value("params");
        if params.is_some_and(|params| !params.get().starts_with(['[', '{'])) {
            return Err(Error::BadMember { member: "params", expected: "an array or an object" });
        }
        Ok((method.into_owned(), params))
    }
}
