//! Whether a page shows what a program says.

/// Whether this is what the output ends with: numbers may be others, names of this machine too, lines may be broken elsewhere, and `…`
/// stands for anything.
pub(crate) fn is_shown(expected: &str, said: &str) -> bool {
    let (expected, said) = (without_numbers(expected), without_numbers(said));
    let mut parts: Vec<&str> = expected.split('…').map(str::trim).collect();
    let last = parts.pop().unwrap_or_default();
    let Some(mut rest) = said.strip_suffix(last) else { return false };
    parts.iter().all(|part| {
        let found = rest.find(part);
        rest = found.map_or("", |at| &rest[at + part.len()..]);
        found.is_some()
    })
}

/// In one line, with a zero for each number, versions and addresses among them, and one unit for sizes that are near to another.
fn without_numbers(text: &str) -> String {
    let text = text.replace("localhost", "127.0.0.1").replace("KiB", "MiB");
    let mut plain = String::with_capacity(text.len());
    let mut is_number = false;
    for character in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        let goes_on = character.is_ascii_digit() || (is_number && character == '.');
        if !goes_on {
            plain.push(character);
        } else if !is_number {
            plain.push('0');
        }
        is_number = goes_on;
    }
    plain
}

#[test]
fn what_is_shown_is_compared_but_for_numbers() {
    for (expected, said, right) in [
        ("port = 9000 # here", "first\nport =  12345\n  # here\n", true),
        ("at localhost:6396, up 3 s", "at 127.0.0.1:1, up 0 s", true),
        ("1.1 MiB of 100 MiB", "919.8 KiB of 100.0 MiB", true),
        ("Redis 7.0.15 at", "Redis 8.4 at", true),
        ("begins … and ends", "begins anyhow and ends", true),
        ("begins …", "it begins anyhow", true),
        ("begins … and ends", "and ends", false),
        ("a … b … c", "a c b c", true),
        ("a … b … c", "b a c", false),
        ("ok", "ok, but more", false),
        ("port = nine", "port = 9", false),
    ] {
        assert_eq!(is_shown(expected, said), right, "{expected:?} {said:?}");
    }
}
