use std::{fmt::Debug, hash::Hash};

use crate::Index;

/// What a subscriber wants of a channel, and how an event is rendered for it.
///
/// Subscribers with equal interests form a cohort: for a cohort the hub calls [`decide`](Self::decide) once per event,
/// and [`render`](Self::render) once per distinct form and event for all cohorts of a channel.
pub trait Interest: Clone + Debug + Eq + Hash {
    /// What is published.
    type Event;
    /// What distinguishes one rendering of an event from another: a dialect, a coordinate system, a set of fields.
    type Form: PartialEq;
    /// A finished rendering, cheap to clone.
    type Rendering: Clone;
    /// Why an event is kept from a subscriber.
    type Withheld: Copy + PartialEq + Debug;
    /// How the interests that may want an event are found.
    type Index: Index<Self>;

    /// The reason that is counted for those whom the index did not name.
    const PASSED_OVER: Self::Withheld;

    /// Whether these subscribers get the event, and in which form.
    ///
    /// # Errors
    /// The reason for which the event is withheld; it is counted in [`Fanout`](crate::Fanout).
    fn decide(&self, event: &Self::Event) -> Result<Self::Form, Self::Withheld>;

    /// Makes the rendering that all subscribers of this form share.
    ///
    /// # Errors
    /// The reason for which nobody gets the event in this form.
    fn render(event: &Self::Event, form: &Self::Form) -> Result<Self::Rendering, Self::Withheld>;

    /// Lays renderings end to end, in this order, for a cohort that gets all of them.
    fn join(renderings: &[Self::Rendering]) -> Self::Rendering;
}
