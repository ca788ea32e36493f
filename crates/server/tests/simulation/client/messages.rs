//! What a subscription to messages has to bring.

/// A client's subscription to the messages of a channel, as it knows it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Messages {
    /// The place of the last message that came, among all that the store took.
    last: Option<usize>,
    next: Next,
}

/// Which message is to come next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    /// None: the client is not subscribed.
    #[default]
    Nothing,
    /// Any: it was not yet said that the subscription is in force. Until then some may come that were on their way to an earlier
    /// one, and nothing follows from them.
    Any,
    /// One up to this place: what was published from there on comes.
    UpTo(usize),
    /// This one.
    Exactly(usize),
}

impl Messages {
    /// The client is about to ask. Who asks again while it is subscribed is promised nothing less.
    pub(crate) fn ask(&mut self) {
        if self.next == Next::Nothing {
            *self = Self { last: None, next: Next::Any };
        }
    }

    /// It was told that the subscription is in force, when so many messages had been published.
    pub(crate) fn begin(&mut self, published: usize) {
        if self.next == Next::Any {
            self.next = Next::UpTo(published);
        }
    }

    /// It was told that messages may have been missed. Before a subscription is in force that is no promise either.
    pub(crate) fn gap(&mut self, published: usize) -> Result<(), String> {
        if self.next == Next::Nothing {
            return Err("told of a gap without a subscription".to_owned());
        }
        if self.next != Next::Any {
            self.next = Next::UpTo(published);
        }
        Ok(())
    }

    /// It was told that it is not subscribed any more.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }

    /// Whether something is promised.
    pub(crate) fn is_in_force(&self) -> bool {
        !matches!(self.next, Next::Nothing | Next::Any)
    }

    /// A message came, that stands at this place.
    pub(crate) fn receive(&mut self, place: usize) -> Result<(), String> {
        let next = self.next;
        if next != Next::Any {
            self.next = Next::Exactly(place + 1);
        }
        if let Some(last) = self.last.replace(place)
            && place <= last
        {
            return Err(format!("message {place} came behind {last}"));
        }
        match next {
            Next::Nothing => {
                self.next = Next::Nothing;
                Err(format!("message {place} without a subscription"))
            }
            Next::Exactly(next) if place != next => {
                Err(format!("message {place} came in the place of {next}"))
            }
            Next::UpTo(latest) if place > latest => {
                Err(format!("message {place} was the first, and {latest} was promised"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing comes any more, and so many messages have been published. True if something was promised.
    pub(crate) fn check(&self, published: usize) -> Result<bool, String> {
        match self.next {
            Next::Exactly(next) | Next::UpTo(next) if next < published => {
                Err(format!("message {next} never came, of {published}"))
            }
            Next::Exactly(_) | Next::UpTo(_) => Ok(true),
            Next::Nothing | Next::Any => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_before_an_acknowledgement_and_all_of_it_behind() {
        let mut messages = Messages::default();
        messages.ask();
        for place in [3, 5] {
            assert_eq!(messages.receive(place), Ok(()));
            assert_eq!(messages.gap(place), Ok(()));
        }
        assert!(messages.receive(5).is_err(), "again");
        for (first, next, is_right) in [(8, 9, true), (8, 10, false), (9, 10, false), (7, 9, false)] {
            let mut messages = messages;
            messages.begin(8);
            let came = [first, next].map(|place| messages.receive(place));
            assert_eq!(came.iter().all(Result::is_ok), is_right, "{first}, {next}: {came:?}");
        }
    }
}
