use std::sync::LazyLock;

use bytes::Bytes;
use geocast_protocol::{Channel, aiows::PackageType};

use super::{Body, ClientId};

/// A message on its way through the store, from one client to others: who sent it, and whether it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carried<'a> {
    /// Nobody, if it was made of an item of a channel.
    pub(crate) origin: Option<ClientId>,
    pub(crate) package: PackageType,
    pub(crate) body: &'a [u8],
}

impl<'a> Carried<'a> {
    /// One byte for the kind of the message, `t` or `b`, in capitals where sixteen bytes of the sender follow; then the
    /// message.
    pub(super) fn write(origin: Option<ClientId>, body: &Body) -> Bytes {
        let kind = match body {
            Body::Text(_) => TEXT,
            Body::Binary(_) => BINARY,
        };
        match origin {
            Some(client) => [&[kind.to_ascii_uppercase()], &client.to_bytes()[..], body.as_bytes()].concat(),
            None => [&[kind], body.as_bytes()].concat(),
        }
        .into()
    }

    /// What was written; nothing, if somebody else wrote it.
    pub(crate) fn read(published: &'a [u8]) -> Option<Self> {
        let (kind, rest) = published.split_first()?;
        let (origin, body) = if kind.is_ascii_uppercase() {
            let (client, body) = rest.split_first_chunk::<{ ClientId::BYTES }>()?;
            (Some(ClientId::from_bytes(*client)), body)
        } else {
            (None, rest)
        };
        let package = match kind.to_ascii_lowercase() {
            TEXT if std::str::from_utf8(body).is_ok() => PackageType::Text,
            BINARY => PackageType::Bytes,
            _ => return None,
        };
        Some(Self { origin, package, body })
    }
}

/// The channel of what goes to all clients.
pub(super) fn everyone() -> Channel {
    EVERYONE.clone()
}

static EVERYONE: LazyLock<Channel> =
    LazyLock::new(|| Channel::internal("pipeline:all").expect("a short plain name"));

const TEXT: u8 = b't';
const BINARY: u8 = b'b';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let client = ClientId::next();
        for body in [Body::from(""), "é[1]".into(), vec![0, 255].into(), b"text".to_vec().into()] {
            for origin in [None, Some(client)] {
                let written = Carried::write(origin, &body);
                let carried = Carried::read(&written).unwrap();
                assert_eq!((carried.origin, carried.body), (origin, body.as_bytes()));
                assert_eq!(carried.package == PackageType::Text, body.as_text().is_some());
            }
        }
    }

    #[test]
    fn what_others_write_is_left_alone() {
        for published in [&b""[..], b"hello", b"Tshort", b"t\xff", b"B", b"x"] {
            assert_eq!(Carried::read(published), None, "{published:?}");
        }
    }
}
