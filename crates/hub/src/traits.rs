//! What users of this crate's types count on, and what a field that is added could take away unseen.

use std::{error::Error, fmt::Debug, hash::Hash};

use bytes::Bytes;

use crate::{
    Account, CohortId, Everyone, Fanout, Hub, Interest, Outbox, Overflow, Refused, SubscriberId, Tally,
    Traffic,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Anything;

impl Interest for Anything {
    type Event = Bytes;
    type Form = ();
    type Rendering = Bytes;
    type Withheld = ();
    type Index = Everyone;

    const PASSED_OVER: () = ();

    fn decide(&self, _: &Bytes) -> Result<(), ()> {
        Ok(())
    }

    fn render(event: &Bytes, (): &()) -> Result<Bytes, ()> {
        Ok(event.clone())
    }

    fn join(renderings: &[Bytes]) -> Bytes {
        Bytes::from(renderings.concat())
    }
}

fn is_sent<T: Send + Debug>() {}
fn is_shared<T: Send + Sync + Debug>() {}
fn is_value<T: Clone + PartialEq + Send + Sync + Debug>() {}
fn is_name<T: Copy + Ord + Hash + Send + Sync + Debug>() {}
fn is_error<T: Error + Clone + PartialEq + Send + Sync + 'static>() {}

#[test]
fn types_are_what_users_count_on() {
    // It counts in cells, so a hub belongs to one thread at a time; another one may be given it.
    is_sent::<Hub<String, Anything, Outbox>>();
    is_shared::<Outbox>();
    is_shared::<Everyone>();
    is_value::<Account<&str>>();
    is_value::<Fanout<&str>>();
    is_value::<Overflow>();
    is_value::<Tally>();
    is_value::<Traffic>();
    is_name::<SubscriberId>();
    is_name::<CohortId>();
    is_error::<Refused>();
}

#[test]
fn ids_tell_each_other_apart_and_are_not_used_again() {
    let mut hub: Hub<&str, Anything, Outbox> = Hub::new();
    let first = hub.connect(Outbox::new(64, Overflow::Close));
    let second = hub.connect(Outbox::new(64, Overflow::Close));
    hub.disconnect(first);
    let third = hub.connect(Outbox::new(64, Overflow::Close));
    assert!(first != second && first != third && second != third, "{first:?} {second:?} {third:?}");
    assert!(hub.sink(first).is_none(), "{first:?} has gone");
    assert!(format!("{first:?}").starts_with("SubscriberId("), "{first:?}");
}
