use std::fmt::Debug;

/// What a subscriber wants of a channel, and how an event is rendered for it.
///
/// The hub calls [`decide`](Self::decide) once per candidate and event, and [`render`](Self::render) once per distinct
/// form and event.
pub trait Interest: Debug {
    /// What is published.
    type Event;
    /// What distinguishes one rendering of an event from another: a dialect, a coordinate system, a set of fields.
    type Form: PartialEq;
    /// A finished rendering, cheap to clone.
    type Rendering: Clone;
    /// Why an event is kept from a subscriber.
    type Withheld: Copy + PartialEq + Debug;

    /// Whether this subscriber gets the event, and in which form.
    ///
    /// # Errors
    /// The reason for which the event is withheld; it is counted in [`Fanout`](crate::Fanout).
    fn decide(&self, event: &Self::Event) -> Result<Self::Form, Self::Withheld>;

    /// Makes the rendering that all subscribers of this form share.
    ///
    /// # Errors
    /// The reason for which nobody gets the event in this form.
    fn render(event: &Self::Event, form: &Self::Form) -> Result<Self::Rendering, Self::Withheld>;
}
