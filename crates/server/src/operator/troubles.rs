use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use crate::clock;

/// What went wrong last, for an operator to see: a hundred lines of a log, of those that warn or tell of an error. Clones share it.
///
/// Whoever writes the log notes them here, and hands it to the [server](crate::Builder::troubles).
///
/// ```
/// use geocast_server::{TroubleLevel, Troubles};
///
/// let troubles = Troubles::default();
/// troubles.note(TroubleLevel::Warn, "the store is away\nfor now");
/// assert_eq!(troubles.total(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    latest: VecDeque<Trouble>,
    total: u64,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleLevel {
    /// Something is to be looked at.
    Warn,
    /// Something does not work.
    Error,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Trouble {
    /// In milliseconds since 1970.
    pub(crate) at: f64,
    pub(crate) level: TroubleLevel,
    /// One line: control characters in it, which strangers may have sent, are written as escapes.
    pub(crate) text: String,
}

impl Troubles {
    /// Notes something that has just been logged. Of a long text, the first 500 characters are kept.
    pub fn note(&self, level: TroubleLevel, text: &str) {
        let trouble = Trouble { at: clock::timestamp().millis(), level, text: one_line(text) };
        let mut ring = self.0.lock();
        ring.total += 1;
        if ring.latest.len() == MOST {
            ring.latest.pop_front();
        }
        ring.latest.push_back(trouble);
    }

    /// How much went wrong since the start.
    pub fn total(&self) -> u64 {
        self.0.lock().total
    }

    /// The latest first.
    pub(crate) fn latest(&self) -> Vec<Trouble> {
        self.0.lock().latest.iter().rev().cloned().collect()
    }
}

impl Serialize for TroubleLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// The beginning of a text that strangers may have a part in, on one line that reads as it is.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut characters = text.trim_end_matches(['\r', '\n', ' ']).chars();
    for character in characters.by_ref().take(LONGEST) {
        if character.is_control() || turns(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// Whether a character changes the direction in which others are shown, or breaks a line, without being a control character.
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Lines that are kept.
const MOST: usize = 100;

/// Characters of a line that are kept.
const LONGEST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_hundred_are_kept() {
        let troubles = Troubles::default();
        for number in 0..250 {
            troubles.note(TroubleLevel::Error, &format!("trouble {number}"));
        }
        let latest = troubles.latest();
        assert_eq!((latest.len(), troubles.total()), (100, 250));
        assert_eq!((&*latest[0].text, &*latest[99].text), ("trouble 249", "trouble 150"));
        assert!(latest[0].at >= latest[99].at && latest[99].at > 1e12);
    }

    #[test]
    fn a_line_is_what_it_looks_like() {
        for (text, expected) in [
            ("Zürich is away\n", "Zürich is away"),
            ("a\n2026-11-21 ERROR forged\r\t\u{1b}[31m", "a\\n2026-11-21 ERROR forged\\r\\t\\u{1b}[31m"),
            ("\u{202e}txet\u{2028}", "\\u{202e}txet\\u{2028}"),
        ] {
            assert_eq!(one_line(text), expected);
        }
        let long = one_line(&"ä".repeat(LONGEST + 1));
        assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST + 1, true));
        assert_eq!(one_line(&"ä".repeat(LONGEST)).chars().count(), LONGEST);
    }
}
