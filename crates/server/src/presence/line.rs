use std::{fmt, str::FromStr, sync::Arc};

use geocast_protocol::{Channel, Person};

/// A node, for as long as its process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u64);

/// What a node counts: those of its clients on a channel that are this person, or nobody in particular.
///
/// As text, the channel, and behind a space the person: no channel has a space in its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(crate) channel: Channel,
    pub(crate) person: Option<Arc<Person>>,
}

impl NodeId {
    /// One that no other node has.
    pub(crate) fn draw() -> Self {
        Self(fastrand::u64(..))
    }

    #[cfg(test)]
    pub(super) const fn of(number: u64) -> Self {
        Self(number)
    }
}

/// Hexadecimal digits.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for NodeId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_plain.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.channel.as_str())?;
        match &self.person {
            Some(person) => write!(f, " {person}"),
            None => Ok(()),
        }
    }
}

/// Whatever has been written to a store may be by anybody.
impl FromStr for Line {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (channel, person) = match text.split_once(' ') {
            Some((channel, person)) => (channel, Some(person.parse().map(Arc::new).map_err(drop)?)),
            None => (text, None),
        };
        Ok(Self { channel: channel.parse().map_err(drop)?, person })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_nodes_are_read_as_they_were_written() {
        for text in ["cars", r#"cars {"user":"ada"}"#, r#"a:b {"info":{"name":"A B"}}"#] {
            assert_eq!(text.parse::<Line>().unwrap().to_string(), text);
        }
        for text in ["", " ", "cars ", "cars {}", "ca*rs", r#" {"user":"ada"}"#] {
            assert!(text.parse::<Line>().is_err(), "{text:?}");
        }
        let node = NodeId::draw();
        assert_eq!(node.to_string().parse(), Ok(node));
        for text in ["", "1", "+00000000000000f", "00000000000000000"] {
            assert!(text.parse::<NodeId>().is_err(), "{text:?}");
        }
    }
}
