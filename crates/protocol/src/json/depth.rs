//! How deep a document nests, before anything is built from it.

use super::Json;

/// Whether arrays and objects nest deeper than [`Json::MAX_DEPTH`].
pub(crate) fn is_too_deep(text: &[u8]) -> bool {
    is_deeper(text, Json::MAX_DEPTH)
}

/// Whether arrays and objects nest deeper than `limit`.
///
/// One pass without recursion, so that a hostile document costs its length and no stack. What is no JSON gets some
/// answer, and is for the reader behind this to refuse.
pub(crate) fn is_deeper(text: &[u8], limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for &byte in text {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_open_at_once() {
        let check = |text: &str, expected| assert_eq!(is_too_deep(text.as_bytes()), expected, "{text:?}");
        check("", false);
        check(&format!("{}{}", "[".repeat(32), "]".repeat(32)), false);
        check(&format!("{}{}", "[".repeat(33), "]".repeat(33)), true);
        check(&r#"{"a":["#.repeat(17), true);
        check(&"[]".repeat(1000), false);
        check(&format!("[\"{}\"]", "[".repeat(1000)), false);
        check(&format!(r#"["\"{}"]"#, "[".repeat(1000)), false);
        check(&format!(r#"["\\",{}"#, "[".repeat(32)), true);
        check(&"]".repeat(1000), false);
        check(&"[".repeat(1_000_000), true);
    }
}
