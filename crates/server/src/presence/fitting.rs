use geocast_protocol::Person;

/// How many of these, one after the other, fit into so many bytes of JSON.
pub(crate) fn fitting<'a>(people: impl Iterator<Item = &'a Person>, bytes: usize) -> usize {
    let mut left = bytes;
    let fits = |person: &&Person| {
        let needed = person.to_string().len() + BESIDES;
        let is_fitting = needed <= left;
        left = left.saturating_sub(needed);
        is_fitting
    };
    people.take_while(fits).count()
}

/// A comma, and how many connections somebody has.
const BESIDES: usize = r#","connections":18446744073709551615,"#.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_named_as_there_is_room_for() {
        let people: Vec<Person> =
            ["ada", "bob"].iter().filter_map(|user| Person::new(Some(user), None)).collect();
        let each = r#"{"user":"ada"}"#.len() + BESIDES;
        for (bytes, expected) in [(0, 0), (each - 1, 0), (each, 1), (2 * each - 1, 1), (2 * each, 2)] {
            assert_eq!(fitting(people.iter(), bytes), expected, "{bytes} bytes");
        }
        // What has no room is not passed over for what has.
        let long = Person::new(Some(&"x".repeat(200)), None);
        assert_eq!(fitting(long.iter().chain(&people), 2 * each), 0);
    }
}
