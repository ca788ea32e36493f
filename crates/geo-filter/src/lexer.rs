/// Steps through JSON, and gives up (`None`) at the first byte that is not JSON or nests too deeply.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    json: &'a [u8],
    pub(crate) at: usize,
    /// How many more arrays and objects may be opened within the current one.
    pub(crate) depth: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, depth: usize) -> Self {
        // What nests is followed by recursion, and any stack carries this much.
        Self { json: text.as_bytes(), at: 0, depth: depth.min(127) }
    }

    /// The next byte that is not white space, not consumed.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Whether only white space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Enters an array or object whose first byte is next, and says whether it has an element.
    pub(crate) fn open(&mut self, close: u8) -> Option<bool> {
        self.depth = self.depth.checked_sub(1)?;
        self.at += 1;
        if self.peek()? == close {
            self.leave();
            return Some(false);
        }
        Some(true)
    }

    /// Behind an element: whether another one follows. If not, the array or object has been left.
    pub(crate) fn more(&mut self, close: u8) -> Option<bool> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                Some(true)
            }
            byte if byte == close => {
                self.leave();
                Some(false)
            }
            _ => None,
        }
    }

    fn leave(&mut self) {
        self.at += 1;
        self.depth += 1;
    }

    /// A member's name and its colon: what is between the quotes, and whether there is an escape in it.
    pub(crate) fn key(&mut self) -> Option<(&'a [u8], bool)> {
        let name = self.string()?;
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some(name)
    }

    /// A string: what is between the quotes, and whether there is an escape in it.
    pub(crate) fn string(&mut self) -> Option<(&'a [u8], bool)> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at += plain(self.json.get(self.at..)?);
            match self.json.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some((self.json.get(start..self.at - 1)?, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.json.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.json.get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    /// Steps over any value.
    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => {
                let mut more = self.open(b'}')?;
                while more {
                    self.key()?;
                    self.skip()?;
                    more = self.more(b'}')?;
                }
                Some(())
            }
            b'[' => {
                let mut more = self.open(b']')?;
                while more {
                    self.skip()?;
                    more = self.more(b']')?;
                }
                Some(())
            }
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => {
                self.at += number_length(self.json.get(self.at..)?)?;
                Some(())
            }
        }
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.json.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }
}

/// The length of the JSON number (RFC 8259 §6) that the text begins with.
pub(crate) fn number_length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
    };
    let mut at = usize::from(*text.first()? == b'-');
    match digits(at) {
        0 => return None,
        count if count > 1 && text.get(at) == Some(&b'0') => return None,
        count => at += count,
    }
    if text.get(at) == Some(&b'.') {
        let count = digits(at + 1);
        if count == 0 {
            return None;
        }
        at += 1 + count;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        let count = digits(at);
        if count == 0 {
            return None;
        }
        at += count;
    }
    Some(at)
}

/// How many bytes there are before white space, a comma or a closing bracket: the length of a number in an array, if
/// the text is JSON.
pub(crate) fn value_length(text: &[u8]) -> usize {
    let mut passed = 0;
    while let Some(Ok(bytes)) = text.get(passed..passed + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(bytes);
        let comma = zero_byte(word ^ (ONES * u64::from(b',')));
        let bracket = zero_byte(word ^ (ONES * u64::from(b']')));
        let flagged = (comma | bracket | below(word, b' ' + 1)) & HIGHS;
        if flagged != 0 {
            return passed + flagged.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    let rest = text.get(passed..).unwrap_or_default();
    passed + rest.iter().position(|byte| matches!(byte, b',' | b']' | 0..=b' ')).unwrap_or(rest.len())
}

/// How many bytes, in steps of eight, can be passed over in a string: none is a quote, a backslash or a control
/// character. One word is looked at at a time.
fn plain(text: &[u8]) -> usize {
    let mut passed = 0;
    for bytes in text.chunks_exact(8) {
        let word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        let quote = zero_byte(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_byte(word ^ (ONES * u64::from(b'\\')));
        let flagged = (quote | backslash | below(word, b' ')) & HIGHS;
        if flagged != 0 {
            return passed + flagged.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    passed
}

// Both are the well-known tests for a zero byte and for a byte below a bound of at most 128, in the high bit of each
// byte. They may flag a byte behind one that is truly flagged, never one before it.

const fn zero_byte(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * bound as u64) & !word
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_numbers() {
        for (text, length) in [
            ("0", Some(1)),
            ("-0.50]", Some(5)),
            ("12,", Some(2)),
            ("1e5", Some(3)),
            ("1.5E-10 ", Some(7)),
            ("01", None),
            ("-", None),
            ("1.", None),
            (".5", None),
            ("1e", None),
            ("+1", None),
            ("", None),
            ("NaN", None),
        ] {
            assert_eq!(number_length(text.as_bytes()), length, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 20_000 }, ..ProptestConfig::default() })]

        #[test]
        fn knows_where_a_number_in_an_array_ends(text in "[-0-9.eE+]{0,20}", behind in "|[,\\] \t\n\r][ -~é]{0,12}") {
            prop_assert_eq!(value_length(format!("{text}{behind}").as_bytes()), text.len());
        }

        #[test]
        fn accepts_the_strings_that_are_json(text in "\"[a\\x00-\\x20\"\\\\u09fn/é\\u{10ffff}]{0,20}\"") {
            let mut lexer = Lexer::new(&text, 1);
            let accepted = lexer.skip().is_some() && lexer.is_at_end();
            prop_assert_eq!(accepted, serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn accepts_the_values_that_are_json(text in "[\\[\\]{},:\"a0-1e.\\- tnul]{1,9}") {
            let mut lexer = Lexer::new(&text, 32);
            let accepted = lexer.skip().is_some() && lexer.is_at_end();
            prop_assert_eq!(accepted, serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
        }
    }
}
