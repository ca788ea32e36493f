/// What happens to a message for which an [`Outbox`](crate::Outbox) has no room.
///
/// Replies are what a client has asked for and waits for. Where messages are discarded one by one, replies are not among
/// them; one that finds no room even so overflows the outbox, as under [`Close`](Self::Close).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The subscriber is to be closed: everything that has not begun to leave is discarded and nothing is taken any
    /// more.
    Close,
    /// The oldest pushes make room.
    DropOldest,
    /// States make way for newer ones of the same key. Where that is not enough, the oldest pushes are discarded.
    ///
    /// It begins when a quarter of the bound is queued, so that a reader who keeps up gets every state. Different states
    /// are kept up to three quarters of the bound.
    Latest,
}
