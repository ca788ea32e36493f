use geocast_server::{PathProjection, Patterns};
use thiserror::Error;

/// A pattern that no request path has.
#[derive(Debug, Error)]
#[error("`{0}` is the path of no request: paths begin with a slash, such as /{0}")]
struct Slashless(String);

type Invalid = Box<dyn std::error::Error + Send + Sync>;

/// Patterns of request paths.
pub(super) fn patterns(text: &str) -> Result<Patterns, Invalid> {
    let patterns: Patterns = text.parse()?;
    patterns.iter().try_for_each(check)?;
    Ok(patterns)
}

/// A pattern of request paths with a coordinate system.
pub(super) fn projection(text: &str) -> Result<PathProjection, Invalid> {
    let projection = text.parse()?;
    text.split('=').take(1).try_for_each(check)?;
    Ok(projection)
}

/// A pattern may begin with something that stands for a slash, or for several characters.
fn check(pattern: &str) -> Result<(), Slashless> {
    if pattern.starts_with(['/', '*', '?', '[', '{']) { Ok(()) } else { Err(Slashless(pattern.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::{patterns, projection};

    #[test]
    fn paths_begin_with_a_slash_or_with_what_stands_for_one() {
        for (text, said) in [
            ("/,/ws", None),
            ("*", None),
            ("?ws", None),
            ("/ws,ws2", Some("`ws2` is the path of no request: paths begin with a slash, such as /ws2")),
            ("/a b", Some("pattern `/a b` has a space in it, and no name has: commas separate patterns")),
        ] {
            assert_eq!(patterns(text).err().map(|error| error.to_string()).as_deref(), said, "{text}");
        }
        assert!(projection("/x*=epsg:3857").is_ok());
        let error = projection("x=epsg:3857").unwrap_err().to_string();
        assert_eq!(error, "`x` is the path of no request: paths begin with a slash, such as /x");
    }
}
