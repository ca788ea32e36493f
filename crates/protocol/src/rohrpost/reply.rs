//! What a request is answered.

use crate::{
    Channel, Json,
    json::{self, is_falsy},
};

use super::Id;

/// The answer to one request: `id`, `type`, and `data` or `error`, in this order; what is empty is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply(Vec<u8>);

impl Reply {
    /// `pong`, with what the ping carried: an object as it is, another value as `{"data":…}`, what is empty not at all.
    #[must_use]
    pub fn pong(id: &Id, data: Option<&Json>) -> Self {
        let mut reply = Self::new(Some(id), Some(r#""pong""#));
        if let Some(data) = data.map(Json::as_str).filter(|data| !is_falsy(data)) {
            reply.data(data);
        }
        reply
    }

    /// That a subscription is in force.
    #[must_use]
    pub fn subscribed(id: &Id, group: &Channel) -> Self {
        Self::group(id, r#""subscribe""#, group)
    }

    /// That a subscription is over.
    #[must_use]
    pub fn unsubscribed(id: &Id, group: &Channel) -> Self {
        Self::group(id, r#""unsubscribe""#, group)
    }

    /// That the client may not do this: the error `ACCESS_DENIED`.
    #[must_use]
    pub fn denied(id: &Id, kind: &str) -> Self {
        Self::failed(id, kind, "ACCESS_DENIED")
    }

    /// That a request of the type `kind` could not be carried out.
    #[must_use]
    pub fn failed(id: &Id, kind: &str, error: &str) -> Self {
        Self::failed_as(Some(id), Some(&quoted(kind)), error)
    }

    /// What a handler of the server's own answers to a request of the type `kind`. Data is wrapped as that of a ping is.
    #[must_use]
    pub fn handled(id: &Id, kind: &str, data: Option<&Json>) -> Self {
        let mut reply = Self::new(Some(id), Some(&quoted(kind)));
        if let Some(data) = data.map(Json::as_str).filter(|data| !is_falsy(data)) {
            reply.data(data);
        }
        reply
    }

    /// The answer as compact JSON without a line end.
    #[must_use]
    pub fn to_vec(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    /// An error; `kind` is the type as JSON.
    pub(super) fn failed_as(id: Option<&Id>, kind: Option<&str>, error: &str) -> Self {
        let mut reply = Self::new(id, kind);
        reply.member("error");
        json::string(&mut reply.0, error);
        reply
    }

    fn new(id: Option<&Id>, kind: Option<&str>) -> Self {
        let mut reply = Self(vec![b'{']);
        for (name, value) in [("id", id.and_then(Id::as_json)), ("type", kind)] {
            if let Some(value) = value {
                reply.member(name);
                reply.0.extend_from_slice(value.as_bytes());
            }
        }
        reply
    }

    fn group(id: &Id, kind: &str, group: &Channel) -> Self {
        let mut reply = Self::new(Some(id), Some(kind));
        reply.member("data");
        reply.0.extend_from_slice(br#"{"group":"#);
        json::string(&mut reply.0, group.as_str());
        reply.0.push(b'}');
        reply
    }

    fn data(&mut self, data: &str) {
        self.member("data");
        if data.starts_with('{') {
            self.0.extend_from_slice(data.as_bytes());
        } else {
            self.0.extend_from_slice(br#"{"data":"#);
            self.0.extend_from_slice(data.as_bytes());
            self.0.push(b'}');
        }
    }

    fn member(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        json::string(&mut self.0, name);
        self.0.push(b':');
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}
