//! What a client asks.

use std::fmt;

use serde_json::value::RawValue;

use crate::{
    Channel, Json, JsonError,
    excerpt::excerpt,
    json::{Members, is_too_deep, text_of},
};

use super::{Error, Id, Token};

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What the reply repeats.
    pub id: Id,
    /// Who asks, for this request alone, where that was said. Of a [`Body::Custom`] it is left to its handler what an
    /// `auth_jwt` that is no text means: none, here.
    pub token: Option<Token>,
    /// What is asked.
    pub body: Body,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// `ping`: asks for a sign of life.
    Ping {
        /// What the reply repeats.
        data: Option<Json>,
    },
    /// `subscribe` with data `{"type":…,"id":…}`.
    Subscribe {
        /// The channel `<type>-<id>`.
        group: Channel,
    },
    /// `unsubscribe` with data `{"type":…,"id":…}`.
    Unsubscribe {
        /// The channel `<type>-<id>`.
        group: Channel,
    },
    /// Another type, for a handler of the server's own. Without one, [`Request::unknown_type`] is the answer.
    Custom {
        /// The type.
        kind: String,
        /// The request as it came, with all its members.
        request: RawRequest,
    },
}

/// A request as it came. Its debug form does not show it, because it may carry a token.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRequest(Json);

impl RawRequest {
    /// The whole request as JSON, an object.
    #[must_use]
    pub const fn json(&self) -> &Json {
        &self.0
    }

    /// The member `data`, if there is one.
    #[must_use]
    pub fn data(&self) -> Option<Json> {
        let members: Members<'_> = serde_json::from_str(self.0.as_str()).ok()?;
        members.value("data").map(Json::part)
    }
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRequest({} bytes)", self.0.as_str().len())
    }
}

impl Request {
    /// Reads one text frame, with the reference's checks in the reference's order. Never panics, and takes time in
    /// proportion to the length of the frame. A binary frame is [`Error::Empty`] to the reference.
    ///
    /// # Errors
    ///
    /// What is wrong, which is also the reply ([`Error::to_reply`]).
    pub fn read(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        if is_too_deep(text.as_bytes()) {
            return Err(Error::Undecodable { reason: JsonError::TooDeep.to_string() });
        }
        let undecodable = |error: serde_json::Error| Error::Undecodable { reason: error.to_string() };
        let raw: &RawValue = serde_json::from_str(text).map_err(undecodable)?;
        if !raw.get().starts_with('{') {
            return Err(Error::NotAnObject);
        }
        let members: Members<'_> = serde_json::from_str(raw.get()).map_err(undecodable)?;
        let kind = members.value("type").ok_or(Error::Missing { field: "type" })?;
        let id = Id::from(Json::part(members.value("id").ok_or(Error::Missing { field: "id" })?));
        let Some(name) = text_of(kind) else {
            return Err(Error::UnknownType { id, kind: Json::part(kind) });
        };
        let fault = |reason| Error::Bad { id: id.clone(), kind: Json::part(kind), reason };
        let token = || members.value("auth_jwt").map_or(Ok(None), token);
        let data = members.value("data");
        if !BUILT_IN.contains(&&*name) {
            // An unknown type comes before all that is wrong besides, and which are known is not known here.
            let body = Body::Custom { kind: name.into_owned(), request: RawRequest(Json::part(raw)) };
            return Ok(Self { id, token: token().unwrap_or_default(), body });
        }
        let token = token().map_err(fault)?;
        let body = match &*name {
            "subscribe" => Body::Subscribe { group: group(data).map_err(fault)? },
            "unsubscribe" => Body::Unsubscribe { group: group(data).map_err(fault)? },
            _ => Body::Ping { data: data.map(Json::part) },
        };
        Ok(Self { id, token, body })
    }

    /// The request's type as it stands on the wire.
    #[must_use]
    pub fn kind(&self) -> &str {
        match &self.body {
            Body::Ping { .. } => "ping",
            Body::Subscribe { .. } => "subscribe",
            Body::Unsubscribe { .. } => "unsubscribe",
            Body::Custom { kind, .. } => kind,
        }
    }

    /// That nobody handles the request's type.
    #[must_use]
    pub fn unknown_type(&self) -> Error {
        let kind = serde_json::to_string(self.kind()).expect("a text is JSON");
        Error::UnknownType { id: self.id.clone(), kind: kind.parse().expect("a text is JSON") }
    }
}

fn token(raw: &RawValue) -> Result<Option<Token>, String> {
    if raw.get() == "null" {
        return Ok(None);
    }
    let text = text_of(raw).ok_or_else(|| "Field 'auth_jwt' must be a string.".to_owned())?;
    Ok((!text.is_empty()).then(|| Token::new(&text)))
}

/// The channel that `{"type":…,"id":…}` means.
fn group(data: Option<&RawValue>) -> Result<Channel, String> {
    let data = data.ok_or_else(|| "Missing required field 'data'.".to_owned())?;
    let members: Members<'_> =
        serde_json::from_str(data.get()).map_err(|_error| "Field 'data' must be an object.".to_owned())?;
    let member =
        |name: &str| members.value(name).ok_or_else(|| format!("Missing required field 'data.{name}'."));
    let kind = text_of(member("type")?).ok_or_else(|| "Field 'data.type' must be a string.".to_owned())?;
    let raw = member("id")?;
    let id = match raw.get().as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Some(raw.get().into()),
        _ => text_of(raw),
    };
    let id = id.ok_or_else(|| "Field 'data.id' must be a number or a string.".to_owned())?;
    let name = format!("{kind}-{id}");
    name.parse().map_err(|error| format!("Group '{}' is not valid: {error}.", excerpt(&name)))
}

/// The types that are read here.
const BUILT_IN: [&str; 3] = ["ping", "subscribe", "unsubscribe"];
