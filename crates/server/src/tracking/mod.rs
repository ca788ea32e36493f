//! Tracked subscriptions: the client has on its map exactly what of a channel's state is in its viewport.
//!
//! A worker keeps a [`Mirror`] of the state of each channel that somebody tracks, which is as old as the events that the
//! worker has published. Who is up to date follows it through the hub: what an event changes for a viewport is decided by
//! the state before it and after it, once per cohort, and nothing is remembered of any client. Who is not up to date
//! (a new subscriber, one that looks elsewhere, one that reads too slowly) is *behind*: then it is known what the client
//! has, [`Behind`], and it is sent the difference when there is room for it.
//!
//! | Module | Holds |
//! |---|---|
//! | `awaited` | [`Awaited`]: whether a worker waits for the state, and when it asks again |
//! | `mirror` | [`Mirror`]: the state of a channel, by key and by place |
//! | `place` | where something is, for a tree of places |
//! | `behind` | [`Behind`]: a client that is not up to date |
//! | `versions` | [`Versions`]: what such a client has |
//! | `channel` | [`TrackedChannel`]: a mirror with those who are behind |
//! | `catch_up` | what is sent to one that is behind |
//! | `pan` | what is sent to one that looks elsewhere and is up to date |
//! | `rules` | [`ChannelRule`]: what an operator says of a channel |

mod awaited;
mod behind;
mod catch_up;
mod channel;
mod mirror;
mod pan;
mod place;
mod rules;
mod versions;

pub(crate) use awaited::Awaited;
pub(crate) use behind::Behind;
pub(crate) use catch_up::Source;
pub(crate) use channel::TrackedChannel;
pub(crate) use mirror::Bound;
use mirror::Mirror;
pub(crate) use pan::pan;
pub use rules::{ChannelRule, ChannelRuleError};
use versions::{Memory, Versions};
