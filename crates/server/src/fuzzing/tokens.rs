use std::time::Duration;

use geocast_protocol::envelope::Timestamp;

use crate::access::fuzzing::{self, SECRET};

/// Reads a token as a stranger would send it, and one of the same header and claims that is signed with a key of the server.
///
/// The input is the header and the claims with a line break between them; without one, it is a whole token.
///
/// # Panics
/// When something does not hold; the message says what.
pub fn tokens(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let now = Timestamp::since_epoch(Duration::from_secs(1_000_000));
    let Some((header, claims)) = input.split_once('\n') else {
        check(fuzzing::read(input, now), now);
        return;
    };
    let (sound, forged) = (fuzzing::sign(header, claims, SECRET), fuzzing::sign(header, claims, b"another"));
    check(fuzzing::read(&sound, now), now);
    assert!(fuzzing::read(&forged, now).is_err(), "{forged}: the signature is not that of a key");
    let (signed, _) = sound.rsplit_once('.').expect("a token has three parts");
    assert!(fuzzing::read(&format!("{signed}."), now).is_err(), "{signed}: there is no signature");
}

/// What is accepted is not over; what is refused is told shortly and printably.
fn check(outcome: Result<Option<Timestamp>, String>, now: Timestamp) {
    match outcome {
        Ok(expires) => assert!(expires.is_none_or(|expires| now < expires)),
        Err(said) => {
            // A hundred characters of a stranger's, each written with ten at most.
            assert!(said.len() <= 2_000, "{said}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::smoke::smoke;

    #[test]
    fn the_law_holds_near_the_seeds() {
        smoke("tokens", super::tokens);
    }
}
