/// Whether arrays and objects nest deeper than `limit`. The text must be valid JSON.
pub(crate) fn exceeds(json: &[u8], limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = string_end(json, at),
            _ => {}
        }
    }
    false
}

/// The index behind the closing quote of the string whose contents begin at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_nests_and_not_what_stands_in_strings() {
        for (json, depth) in [
            ("1", 0),
            ("[]", 1),
            ("[[],[],{}]", 2),
            (r#"{"a":[{"b":1}],"c":2}"#, 3),
            (r#"["[[[[", "\"[[[", "\\", []]"#, 2),
        ] {
            assert!(!exceeds(json.as_bytes(), depth), "{json}");
            assert!(depth == 0 || exceeds(json.as_bytes(), depth - 1), "{json}");
        }
    }
}
