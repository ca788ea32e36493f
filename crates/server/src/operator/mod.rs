//! What an operator is shown of a running server: who is connected and looks where, what goes over channels, who is slow, how the
//! store is, what went wrong last.
//!
//! Nothing is counted for it per message and subscriber. When somebody asks, each worker looks at what it holds anyway, some at
//! a time, with a turn for messages in between. One question is answered at a time, and few in a second, however many ask.
//!
//! | Module | Holds |
//! |---|---|
//! | `desk` | [`Desk`]: where questions are answered |
//! | `card` | [`Card`]: who a client is |
//! | `report` | [`Report`]: what is answered, as it is written |
//! | `client` | [`Client`]: a connection in it |
//! | `traffic` | [`ChannelTraffic`]: a channel in it |
//! | `troubles` | [`Troubles`]: what went wrong last |

mod card;
mod client;
mod desk;
mod report;
mod traffic;
mod troubles;

pub(crate) use card::Card;
pub(crate) use client::{Client, Looking};
pub(crate) use desk::{Desk, Question};
pub(crate) use traffic::{ChannelTraffic, Traffics};
pub use troubles::{TroubleLevel, Troubles};
