use std::fmt::Write;

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    On,
    Off,
}

/// JSON, which must be valid, for people: indented, but what is short stays in one line. Numbers and the order of members
/// stay as they are; characters that a terminal would obey are escaped.
pub(super) fn pretty(json: &str, colour: Colour) -> String {
    let tokens = tokens(json);
    let mut printer = Printer { tokens: &tokens, at: 0, colour, text: String::with_capacity(json.len() * 2) };
    printer.value(0);
    printer.text.push('\n');
    printer.text
}

#[derive(Debug)]
struct Printer<'a> {
    tokens: &'a [&'a str],
    /// The token that is next.
    at: usize,
    colour: Colour,
    text: String,
}

impl<'a> Printer<'a> {
    fn value(&mut self, depth: usize) {
        match self.peek() {
            "{" | "[" if self.is_short() => self.inline(),
            "{" | "[" => self.broken(depth),
            _ => self.scalar(),
        }
    }

    /// A container with one element per line.
    fn broken(&mut self, depth: usize) {
        self.punctuation();
        while !matches!(self.peek(), "}" | "]" | "") {
            self.line(depth + 1);
            if self.follows(":") {
                self.key();
            }
            self.value(depth + 1);
            if self.peek() == "," {
                self.punctuation();
            }
        }
        self.line(depth);
        self.punctuation();
    }

    /// A container in one line.
    fn inline(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                "{" | "[" => {
                    depth += 1;
                    self.punctuation();
                }
                "}" | "]" => {
                    depth -= 1;
                    self.punctuation();
                }
                "," => {
                    self.punctuation();
                    self.text.push(' ');
                }
                "" => return,
                _ if self.follows(":") => self.key(),
                _ => self.scalar(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether the container that begins here fits into a line.
    fn is_short(&self) -> bool {
        let (mut depth, mut width) = (0, 0);
        for token in &self.tokens[self.at..] {
            width += token.len() + usize::from(matches!(*token, "," | ":"));
            match *token {
                "{" | "[" => depth += 1,
                "}" | "]" => depth -= 1,
                _ => {}
            }
            if width > WIDTH {
                return false;
            }
            if depth == 0 {
                return true;
            }
        }
        true
    }

    fn key(&mut self) {
        let key = self.next();
        self.coloured("34", key);
        self.punctuation();
        self.text.push(' ');
    }

    fn scalar(&mut self) {
        let scalar = self.next();
        let code = match scalar.as_bytes().first() {
            Some(b'"') => "32",
            Some(b't' | b'f' | b'n') => "33",
            _ => "36",
        };
        self.coloured(code, scalar);
    }

    fn coloured(&mut self, code: &str, token: &str) {
        let on = self.colour == Colour::On;
        if on {
            self.text.extend(["\u{1b}[", code, "m"]);
        }
        for c in token.chars() {
            if c.is_control() {
                // DEL and U+0080 to U+009F: the others cannot stand in JSON unescaped.
                let _infallible = write!(self.text, "\\u{:04x}", u32::from(c));
            } else {
                self.text.push(c);
            }
        }
        if on {
            self.text.push_str("\u{1b}[0m");
        }
    }

    fn punctuation(&mut self) {
        let token = self.next();
        self.text.push_str(token);
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    /// The token that is next, nothing at the end.
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or_default()
    }

    fn follows(&self, token: &str) -> bool {
        self.tokens.get(self.at + 1) == Some(&token)
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }
}

/// The tokens of JSON (RFC 8259 §2), without white space.
fn tokens(json: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = json.trim_start();
    while let Some(first) = rest.bytes().next() {
        let length = match first {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => string(rest),
            _ => rest.find(|c: char| c.is_ascii_whitespace() || "{}[],:".contains(c)).unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token);
        rest = behind.trim_start();
    }
    tokens
}

/// The bytes of the string that `text` begins with, quotes included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// What fits into a line.
const WIDTH: usize = 72;

#[cfg(test)]
mod tests {
    use super::{Colour, pretty};

    fn check(json: &str, expected: &str) {
        assert_eq!(pretty(json, Colour::Off), format!("{expected}\n"), "{json}");
    }

    #[test]
    fn what_is_short_stays_in_a_line() {
        check("null", "null");
        check(r#" {"b" : 7.10,"a":[1 ,2, {}]}"#, r#"{"b": 7.10, "a": [1, 2, {}]}"#);
        check("[]", "[]");
        check(r#""a\"b{[\\""#, r#""a\"b{[\\""#);
    }

    #[test]
    fn what_is_long_is_broken_where_it_has_to_be() {
        let coordinates = "[8.123456789,47.123456789]";
        check(
            &format!(r#"{{"type":"LineString","coordinates":[{coordinates},{coordinates},{coordinates}]}}"#),
            r#"{
  "type": "LineString",
  "coordinates": [
    [8.123456789, 47.123456789],
    [8.123456789, 47.123456789],
    [8.123456789, 47.123456789]
  ]
}"#,
        );
    }

    #[test]
    fn a_terminal_gets_colours_from_us_and_nothing_else_from_the_server() {
        assert_eq!(pretty(r#"{"a":1}"#, Colour::On), "{\u{1b}[34m\"a\"\u{1b}[0m: \u{1b}[36m1\u{1b}[0m}\n");
        check("\"\u{9b}31m\u{7f}\"", r#""\u009b31m\u007f""#);
    }

    #[test]
    fn what_is_not_json_does_no_harm() {
        for text in ["", "{", "[", "}", "\"", "\"\\", "{\"a\"", "{\"a\":", "[1,", "]]", ",", "ä{ö"] {
            pretty(text, Colour::On);
        }
    }

    #[test]
    fn it_stays_the_same_json() {
        let json = r#"{"a":[[1,2],[3,{"b":null,"c":"x\ny"}]],"d":true,"e":{"f":[],"g":"0123456789012345678901234567890123456789"}}"#;
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty(json, Colour::Off)).unwrap(), value);
    }
}
