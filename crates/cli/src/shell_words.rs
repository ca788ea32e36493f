//! What people are told to type, as a shell takes it.

use std::ffi::OsStr;

/// A word.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// This program, as it was called: who did so by a path may have it nowhere else.
pub(crate) fn this_program() -> String {
    called(std::env::args_os().next().as_deref())
}

fn called(name: Option<&OsStr>) -> String {
    let name = name.and_then(OsStr::to_str).filter(|name| !name.is_empty());
    name.filter(|name| !name.contains(char::is_control)).map_or_else(|| "geocast".to_owned(), quoted)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_takes_them() {
        assert_eq!(quoted("a-b:1"), "a-b:1");
        assert_eq!(quoted("it's *"), "'it'\\''s *'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_program_is_called_as_it_was() {
        for (name, expected) in [
            (Some(&b"geocast"[..]), "geocast"),
            (Some(b"target/release/geocast"), "target/release/geocast"),
            (Some(b"/my programs/geocast"), "'/my programs/geocast'"),
            (Some(b""), "geocast"),
            (Some(b"a\nb"), "geocast"),
            (Some(b"\xff"), "geocast"),
            (None, "geocast"),
        ] {
            assert_eq!(called(name.map(OsStr::from_bytes)), expected, "{name:?}");
        }
    }
}
