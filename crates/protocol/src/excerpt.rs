//! What an error may quote of a hostile input.

/// The beginning of `value`, fit for a log line and for a JSON message.
///
/// Control, format and combining characters, quotes and backslashes are written as Rust's debug escapes, and
/// what goes beyond [`MAX_CHARS`] characters is replaced by an ellipsis, so that the result stays below 400 bytes
/// whatever a client sends.
pub(crate) fn excerpt(value: &str) -> String {
    let mut chars = value.chars();
    let mut shown: String = chars.by_ref().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Long enough to recognise a word by, short enough that ten of them fit a log line.
const MAX_CHARS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escaped_and_shortened() {
        let check = |value: &str, expected: &str| assert_eq!(excerpt(value), expected, "{value:?}");
        check("", "");
        check("vehicles", "vehicles");
        check("a\"b\\c", r#"a\"b\\c"#);
        check("a\r\n\0", r"a\r\n\0");
        check("\u{202e}evil", r"\u{202e}evil");
        check(&"x".repeat(32), &"x".repeat(32));
        check(&"x".repeat(33), &format!("{}…", "x".repeat(32)));
        assert!(excerpt(&"\u{10fffe}".repeat(10_000)).len() < 400);
    }
}
