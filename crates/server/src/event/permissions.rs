use parking_lot::Mutex;

use crate::access::{Permitted, RightsNumber};

/// What of an event may be seen with which rights: a map page gives all of its visitors the same, and each looks elsewhere.
#[derive(Debug, Default)]
pub(super) struct Permissions(Mutex<Vec<(RightsNumber, Option<Permitted>)>>);

impl Permissions {
    /// What may be seen with these rights. Of the first few it is judged once; the state of tracked channels keeps it.
    pub(super) fn of(
        &self,
        rights: RightsNumber,
        judge: impl FnOnce() -> Option<Permitted>,
    ) -> Option<Permitted> {
        let known = self.0.lock().iter().find(|(known, _)| *known == rights).map(|(_, seen)| seen.clone());
        if let Some(seen) = known {
            return seen;
        }
        // Not under the lock: it takes up to a tenth of a second, and another worker may ask with other rights.
        let seen = judge();
        let mut known = self.0.lock();
        if known.len() < MOST {
            known.push((rights, seen.clone()));
        }
        seen
    }
}

/// Few, because where everybody has a token of its own nobody profits, and each takes room for as long as the event.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_first_rights_are_judged_once() {
        let (permissions, judged) = (Permissions::default(), Cell::new(0));
        let numbers: Vec<RightsNumber> = (0..=MOST).map(|_| RightsNumber::next()).collect();
        for _ in 0..3 {
            for (index, number) in numbers.iter().enumerate() {
                let expected = (index % 2 == 0).then(|| Permitted::Members(vec![index]));
                let judge = || {
                    judged.set(judged.get() + 1);
                    expected.clone()
                };
                assert_eq!(permissions.of(*number, judge), expected);
            }
        }
        assert_eq!(judged.get(), MOST + 3);
    }
}
