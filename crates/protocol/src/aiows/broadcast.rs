//! Many packages for many channels.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::{
    Channel, ChannelError, Json, JsonError,
    excerpt::excerpt,
    json::{Members, is_too_deep, text_of},
};

use super::{ChannelNames, Package};

/// What is to be published in one go: `{"channel":[package,…],…}`, each package an object with one member: `text`,
/// `json`, `bytes` (a string whose characters U+0000 to U+00FF are the bytes) or `base64` (RFC 4648 §4, with padding).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// The packages in the order in which they stand, each with its channel.
    pub packages: Vec<(Channel, Package)>,
}

impl Broadcast {
    /// Reads a body as a whole: either everything is in order, or there is nothing.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, for a log: a client is told [`Reply::BadRequest`](super::Reply::BadRequest).
    pub fn read(body: &[u8], names: ChannelNames) -> Result<Self, BroadcastError> {
        if is_too_deep(body) {
            return Err(JsonError::TooDeep.into());
        }
        let syntax = |error: serde_json::Error| JsonError::Syntax { reason: error.to_string() };
        let raw: &RawValue = serde_json::from_slice(body).map_err(syntax)?;
        if !raw.get().starts_with('{') {
            return Err(BroadcastError::NotAnObject);
        }
        let channels: Members<'_> = serde_json::from_str(raw.get()).map_err(syntax)?;
        let mut packages = Vec::new();
        for (name, list) in channels.iter() {
            let channel = names
                .channel(name)
                .map_err(|source| BroadcastError::Channel { channel: excerpt(name), source })?;
            let list: Vec<&RawValue> = serde_json::from_str(list.get())
                .map_err(|_error| BroadcastError::NotAList { channel: excerpt(name) })?;
            for (at, package) in list.into_iter().enumerate() {
                let package = read(package).map_err(|fault| BroadcastError::Package {
                    channel: excerpt(name),
                    at,
                    fault,
                })?;
                packages.push((channel.clone(), package));
            }
        }
        Ok(Self { packages })
    }
}

/// Why a body is no [`Broadcast`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// It is no JSON, or nests too deep.
    #[error("the broadcast is not JSON: {0}")]
    Json(#[from] JsonError),
    /// It is another JSON value than an object.
    #[error("the broadcast is not an object")]
    NotAnObject,
    /// A name is that of no channel.
    #[error("channel `{channel}`: {source}")]
    Channel {
        /// The name, escaped and shortened.
        channel: String,
        /// What is wrong with it.
        source: ChannelError,
    },
    /// What stands under a channel is no list.
    #[error("channel `{channel}` has no list of packages")]
    NotAList {
        /// The channel's name, escaped and shortened.
        channel: String,
    },
    /// A package is none.
    #[error("package {at} of channel `{channel}`: {fault}")]
    Package {
        /// The channel's name, escaped and shortened.
        channel: String,
        /// Which package of the channel, counted from zero.
        at: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
}

fn read(raw: &RawValue) -> Result<Package, &'static str> {
    let members: Members<'_> = serde_json::from_str(raw.get()).map_err(|_error| "it is not an object")?;
    let mut members = members.iter();
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        return Err("it has not exactly one member");
    };
    let text = || text_of(value).ok_or("its value is not a text");
    match name {
        "text" => Ok(Package::Text(text()?.into_owned())),
        "json" => Ok(Package::Json(Json::part(value))),
        "bytes" => text()?
            .chars()
            .map(|character| u8::try_from(character).map_err(|_error| "a character is beyond U+00FF"))
            .collect::<Result<_, _>>()
            .map(Package::Bytes),
        "base64" => {
            let bytes = STANDARD.decode(text()?.as_bytes()).map_err(|_error| "its value is not base64")?;
            Ok(Package::Bytes(bytes))
        }
        _ => Err("its member is none of text, json, bytes and base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Result<&[(&str, Package)], &str>) {
        let found = Broadcast::read(body.as_bytes(), ChannelNames::AsWritten);
        let expected = expected.map(|packages| {
            packages
                .iter()
                .map(|(name, package)| (name.parse().unwrap(), package.clone()))
                .collect::<Vec<_>>()
        });
        assert_eq!(
            found.map(|broadcast| broadcast.packages).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned),
            "{body}"
        );
    }

    #[test]
    fn reads_every_kind_of_package() {
        check("{}", Ok(&[]));
        check(r#"{"a":[]}"#, Ok(&[]));
        check(
            r#"{"room:1":[{"text":"Hi all"}],"user:22":[{"json":{"notification": 7.10}}],
                "v":[{"bytes":"\u00031\u0000\u00ffÿ"},{"base64":"/wA="}],"\u0061":[{"text":"{}"}],"a":[{"json":null}]}"#,
            Ok(&[
                ("room:1", Package::Text("Hi all".into())),
                ("user:22", Package::Json(r#"{"notification": 7.10}"#.parse().unwrap())),
                ("v", Package::Bytes(vec![3, b'1', 0, 255, 255])),
                ("v", Package::Bytes(vec![255, 0])),
                ("a", Package::Text("{}".into())),
                ("a", Package::Json("null".parse().unwrap())),
            ]),
        );
    }

    #[test]
    fn one_fault_refuses_all() {
        let fault = |package: &str, expected: &str| {
            check(
                &format!(r#"{{"a":[{{"text":"fine"}},{package}]}}"#),
                Err(&format!("package 1 of channel `a`: {expected}")),
            );
        };
        fault("5", "it is not an object");
        fault("{}", "it has not exactly one member");
        fault(r#"{"text":"a","json":1}"#, "it has not exactly one member");
        fault(r#"{"text":"a","text":"b"}"#, "it has not exactly one member");
        fault(r#"{"Text":"a"}"#, "its member is none of text, json, bytes and base64");
        fault(r#"{"text":5}"#, "its value is not a text");
        fault(r#"{"text":"\ud800"}"#, "its value is not a text");
        fault(r#"{"bytes":[1,2]}"#, "its value is not a text");
        fault(r#"{"bytes":"Ā"}"#, "a character is beyond U+00FF");
        fault(r#"{"base64":"_w"}"#, "its value is not base64");
        check("", Err("the broadcast is not JSON: EOF while parsing a value at line 1 column 0"));
        check("[]", Err("the broadcast is not an object"));
        check(r#"{"a":{"text":"b"}}"#, Err("channel `a` has no list of packages"));
        check(
            r#"{"a":[{"text":"b"}],"a b":[]}"#,
            Err("channel `a b`: character ' ' at byte 1 of the channel name is not allowed"),
        );
        check(&"[".repeat(33), Err("the broadcast is not JSON: JSON is nested deeper than 32 levels"));
        assert!(Broadcast::read(b"{\"a\xff\":[]}", ChannelNames::Folded).is_err());
    }

    #[test]
    fn names_are_folded_where_that_is_wished() {
        let body = br#"{"":[{"text":"x"}],"Room_1":[{"text":"y"}]}"#;
        let broadcast = Broadcast::read(body, ChannelNames::Folded).unwrap();
        let names: Vec<_> = broadcast.packages.iter().map(|(channel, _)| channel.as_str()).collect();
        assert_eq!(names, ["__all__", "room:1"]);
    }
}
