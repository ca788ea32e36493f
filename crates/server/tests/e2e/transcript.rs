//! Conversations that a page shows, read so that they can be replayed.
//!
//! A block that begins with ```` ```transcript /path … ```` is a conversation on connections of its own; what stands behind
//! the path is for whoever replays it.
//!
//! | Line | Means |
//! |---|---|
//! | `> text`, `a> text` | the client, or the client of that letter, sends a text frame |
//! | `< text`, `a< text` | the server sends one; `…` stands for anything |
//! | any other | is for whoever replays it |

/// A conversation.
#[derive(Debug)]
pub(crate) struct Transcript<'a> {
    pub(crate) path: &'a str,
    /// The words behind the path.
    pub(crate) options: Vec<&'a str>,
    pub(crate) lines: Vec<Line<'a>>,
}

/// A line of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Sent { client: char, text: &'a str },
    Received { client: char, pattern: &'a str },
    Other(&'a str),
}

impl<'a> Transcript<'a> {
    /// All transcripts of a page, in order.
    pub(crate) fn all(page: &'a str) -> Vec<Self> {
        let mut transcripts = Vec::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            if let Some(info) = line.strip_prefix(OPENING) {
                transcripts.push(Self::read(info, lines.by_ref().take_while(|line| *line != "```")));
            }
        }
        transcripts
    }

    /// One, of what stands behind the word `transcript`, and of its lines.
    pub(crate) fn read(info: &'a str, lines: impl Iterator<Item = &'a str>) -> Self {
        let mut words = info.split_whitespace();
        let path = words.next().expect("a transcript has a path");
        Self { path, options: words.collect(), lines: lines.map(Line::read).collect() }
    }

    /// The letters of its clients, in order.
    pub(crate) fn clients(&self) -> Vec<char> {
        let mut clients: Vec<char> = self.lines.iter().filter_map(Line::client).collect();
        clients.sort_unstable();
        clients.dedup();
        clients
    }
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let (client, rest) = match line.strip_prefix(|letter: char| letter.is_ascii_lowercase()) {
            Some(rest) => (line.chars().next().unwrap_or(ALONE), rest),
            None => (ALONE, line),
        };
        if let Some(text) = rest.strip_prefix("> ") {
            Self::Sent { client, text }
        } else if let Some(pattern) = rest.strip_prefix("< ") {
            Self::Received { client, pattern }
        } else {
            Self::Other(line)
        }
    }

    fn client(&self) -> Option<char> {
        match self {
            Self::Sent { client, .. } | Self::Received { client, .. } => Some(*client),
            Self::Other(_) => None,
        }
    }
}

/// Whether a text is what a pattern says, in which `…` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut ends = !pattern.contains('…') && rest.is_empty();
    for part in parts {
        let Some(place) = (if part.is_empty() { Some(rest.len()) } else { rest.rfind(part) }) else {
            return false;
        };
        rest = &rest[place + part.len()..];
        ends = rest.is_empty();
    }
    ends
}

/// What a block begins with.
pub(crate) const OPENING: &str = "```transcript ";
/// The client where there is but one.
const ALONE: char = ' ';

#[test]
fn a_pattern_leaves_out_what_it_says() {
    for (pattern, text, expected) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a…c", "abbc", true),
        ("a…c", "abbcd", false),
        ("a…", "abc", true),
        ("…c", "abc", true),
        ("a…b…c", "a1b2c", true),
        ("a…b…c", "a1c", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn lines_are_told_apart() {
    let sent = |client, text| Line::Sent { client, text };
    let received = |client, pattern| Line::Received { client, pattern };
    for (line, expected) in [
        ("> a> b", sent(' ', "a> b")),
        ("a> b", sent('a', "b")),
        ("< …", received(' ', "…")),
        ("b< > c", received('b', "> c")),
        ("* PUBLISH a b", Line::Other("* PUBLISH a b")),
        ("ab> c", Line::Other("ab> c")),
        ("", Line::Other("")),
    ] {
        assert_eq!(Line::read(line), expected, "{line}");
    }
}
