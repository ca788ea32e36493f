use geocast_protocol::{Channel, Word};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::{epochs::Witness, streams::EntryId};

/// What this node has last seen of histories, so that it is noticed when a Redis does not have it any more, whoever follows them
/// then.
#[derive(Debug, Default)]
pub(super) struct Witnesses(Mutex<FxHashMap<Channel, Witness>>);

impl Witnesses {
    /// An entry is in the history of this epoch.
    pub(super) fn saw(&self, channel: &Channel, entry: EntryId, epoch: &Word) {
        let mut all = self.0.lock();
        if let Some(known) = all.get_mut(channel) {
            match known.epoch.as_ref() {
                Some(before) if before == epoch => known.entry = known.entry.map(|known| known.max(entry)),
                Some(before) if before > epoch => {}
                _ => *known = Witness { entry: Some(entry), epoch: Some(epoch.clone()) },
            }
            return;
        }
        if all.len() >= MOST {
            // Those that are known to be lost come last.
            let oldest = all.iter().min_by_key(|(_, known)| (known.entry.is_none(), known.entry));
            let oldest = oldest.map(|(channel, _)| channel.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        all.insert(channel.clone(), Witness { entry: Some(entry), epoch: Some(epoch.clone()) });
    }

    /// The history of this epoch has lost some.
    pub(super) fn lost(&self, channel: &Channel, epoch: Option<Word>) -> Witness {
        let lost = Witness { entry: None, epoch };
        self.0.lock().insert(channel.clone(), lost.clone());
        lost
    }

    /// The history of a channel is that of this epoch. True if another had been seen, which is over then.
    pub(super) fn confirmed(&self, channel: &Channel, epoch: &Word) -> bool {
        let mut all = self.0.lock();
        let is_over = all.get(channel).is_some_and(|known| known.epoch.as_ref() < Some(epoch));
        if is_over {
            all.remove(channel);
        }
        is_over
    }

    pub(super) fn of(&self, channel: &Channel) -> Witness {
        self.0.lock().get(channel).cloned().unwrap_or(Witness::NONE)
    }

    pub(super) fn all(&self) -> Vec<(Channel, Witness)> {
        self.0.lock().iter().map(|(channel, known)| (channel.clone(), known.clone())).collect()
    }
}

/// Channels that are remembered. Those that somebody listens to are looked after anyway.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        text.parse().expect("a word")
    }

    #[test]
    fn the_last_entry_of_the_last_epoch_counts() {
        let (witnesses, a) = (Witnesses::default(), "a".parse().expect("a channel"));
        let of = || witnesses.of(&a).entry;
        assert_eq!(witnesses.of(&a), Witness::NONE);
        for (entry, epoch, expected) in [(5, "t1", 5), (4, "t1", 5), (2, "t2", 2), (9, "t1", 2)] {
            witnesses.saw(&a, (entry, 0), &word(epoch));
            assert_eq!(of(), Some((expected, 0)), "{entry} in {epoch}");
        }
        witnesses.lost(&a, Some(word("t2")));
        witnesses.saw(&a, (3, 0), &word("t2"));
        assert_eq!(of(), None, "until it begins anew");
        assert!(!witnesses.confirmed(&a, &word("t1")), "an answer that was late");
        assert!(!witnesses.confirmed(&a, &word("t2")));
        assert!(witnesses.confirmed(&a, &word("t3")));
        assert!(!witnesses.confirmed(&a, &word("t3")));
        assert_eq!(witnesses.of(&a), Witness::NONE);
    }

    #[test]
    fn the_oldest_make_room() {
        let (witnesses, epoch) = (Witnesses::default(), word("t1"));
        let channel = |number: u64| format!("c{number}").parse().expect("a channel");
        witnesses.lost(&channel(0), Some(epoch.clone()));
        (1..=MOST as u64).for_each(|number| witnesses.saw(&channel(number), (number, 0), &epoch));
        assert_eq!(witnesses.all().len(), MOST);
        assert_eq!(witnesses.of(&channel(1)), Witness::NONE);
        assert_eq!(witnesses.of(&channel(0)).entry, None);
    }
}
