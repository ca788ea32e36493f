use std::cell::Cell;

/// How many edges may still be looked at. Who runs out of it is told of no more edges, and what was found out then is void.
#[derive(Debug)]
pub(super) struct Effort(Cell<usize>);

impl Effort {
    pub(super) const fn of(looks: usize) -> Self {
        Self(Cell::new(looks))
    }

    /// For what is bounded otherwise.
    pub(super) const fn endless() -> Self {
        Self::of(usize::MAX)
    }

    /// Takes so many looks away. False if there were not as many.
    pub(super) fn spend(&self, looks: usize) -> bool {
        self.0.set(self.0.get().saturating_sub(looks));
        !self.is_spent()
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}
