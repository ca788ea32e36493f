//! Who is subscribed to a channel, on all nodes of a store: for channels of [`Settings::presence`](crate::Settings::presence).
//!
//! | File | Holds |
//! |---|---|
//! | `line` | what a node says: so many of its clients on a channel are this person, or nobody in particular |
//! | `tally`, `room` | one of them, and all of a channel, as the lines of all nodes have it |
//! | `roster` | all channels |
//! | `neighbour`, `voice` | which lines another node has said, and which this one has |
//! | `exchange` | what a node says to the others and hears from them, free of sockets and clocks |
//! | `directory` | the same for connections: a seat for each subscription, which it leaves when it is dropped |
//! | `fitting` | how many people are named where there is little room |
//! | `keeper` | the task that speaks with the store and has changes told |
//!
//! Nothing here is on the way of a message: a roster is touched when a subscription begins and ends, and by the keeper. What a
//! node says is absolute ("three of mine"), so hearing it twice, or in part again after an interruption, changes nothing.
//!
//! Over Redis, a node keeps its lines in a hash, and every change in a stream that the others read four times a second through
//! the pool; who is alive is a sorted set by the clock of Redis. What was said is numbered, so whatever Redis lost shows as another
//! number, and the node says everything again; a reader whose last entry is not in the stream reads everything again. So no message
//! has to arrive, and the clocks of nodes do not matter. Entries are people (what the token names and what the client says), not
//! connections: who moves between nodes has not left. Notifications are replies, sent by a list of their own, not by the hub: they
//! are not among the events that are accounted for.

mod directory;
mod exchange;
mod fitting;
mod keeper;
mod line;
mod neighbour;
mod roll;
mod room;
mod roster;
mod tally;
mod voice;

pub(crate) use directory::{Presence, Seat, covers};
pub(crate) use exchange::{Answer, Call, News};
pub(crate) use fitting::fitting;
pub(crate) use keeper::Keeper;
pub(crate) use line::{Line, NodeId};
pub(crate) use roll::Roll;
pub(crate) use roster::MOST_NODES;

use exchange::Exchange;
use room::{Change, Room};
use roster::Roster;
use tally::Tally;

#[cfg(test)]
mod tests;
