//! Fan-out without a runtime: who gets an event, each rendering made once and shared, and what a slow reader may cost.
//!
//! The crate knows no sockets, no clock and no message format. The caller says what an [`Interest`] is (a viewport, a
//! tenant, a topic filter), how an event is rendered for it, and where a rendering goes (a [`Sink`]). The [`Hub`] then
//! finds the interests of a channel that an event may concern, asks each once however many subscribers share it, renders
//! each distinct form once, and hands out clones.
//! [`Outbox`] is the sink most callers want: a queue of shared frames, bounded in bytes, that is drained with vectored
//! writes.
//!
//! If you want a ready server, use `geocast-server`; if you only need channels between tasks of one process,
//! `tokio::sync::broadcast` is simpler.
//!
//! ```
//! use geocast_hub::{Everyone, Hub, Interest, Outbox, Overflow, bytes::Bytes};
//!
//! /// Subscribers who only want numbers above a threshold.
//! #[derive(Clone, Debug, PartialEq, Eq, Hash)]
//! struct Above(i64);
//!
//! impl Interest for Above {
//!     type Event = i64;
//!     type Form = ();
//!     type Rendering = Bytes;
//!     type Withheld = &'static str;
//!     type Index = Everyone;
//!
//!     const PASSED_OVER: &'static str = "not asked";
//!
//!     fn decide(&self, event: &i64) -> Result<(), &'static str> {
//!         if *event > self.0 { Ok(()) } else { Err("below the threshold") }
//!     }
//!
//!     fn render(event: &i64, (): &()) -> Result<Bytes, &'static str> {
//!         Ok(Bytes::from(event.to_string()))
//!     }
//!
//!     fn join(renderings: &[Bytes]) -> Bytes {
//!         Bytes::from(renderings.concat())
//!     }
//! }
//!
//! let mut hub: Hub<&str, Above, Outbox> = Hub::new();
//! let low = hub.connect(Outbox::new(1024, Overflow::Close));
//! let high = hub.connect(Outbox::new(1024, Overflow::Close));
//! hub.subscribe(low, &"temperature", Above(0));
//! hub.subscribe(high, &"temperature", Above(30));
//!
//! let fanout = hub.publish(&"temperature", [&21]);
//! assert_eq!(fanout.taken, 1);
//! assert_eq!(fanout.withheld, vec![("below the threshold", 1)]);
//! hub.drain_dirty(|id, _outbox| assert_eq!(id, low));
//! ```
//!
//! # Layout
//!
//! | Module | Holds |
//! |---|---|
//! | `interest` | [`Interest`]: what a subscriber wants and how an event is rendered for it |
//! | `sink` | [`Sink`]: where renderings go |
//! | `outbox` | [`Outbox`]: the bounded queue of shared frames; `outbox/room.rs` for what happens at its bound |
//! | `overflow` | [`Overflow`]: the policies for that |
//! | `tally` | [`Tally`]: what became of what an outbox took |
//! | `id` | [`SubscriberId`] and [`CohortId`]: names, which say nothing of what keeps those that they name |
//! | `index` | [`Index`]: how the interests that may want an event are found |
//! | `audience` | the subscriptions of one channel, in cohorts of equal interest |
//! | `delivery` | events on their way through an audience |
//! | `subscribers` | who is connected, and who has something to write |
//! | `ledger` | what became of the events of one subscription: [`Account`]; of a channel: [`Traffic`] |
//! | `fanout` | [`Fanout`]: what became of one event |
//! | `hub` | [`Hub`]: subscribers and channels |

mod audience;
mod delivery;
mod fanout;
mod hub;
mod id;
mod index;
mod interest;
mod ledger;
mod outbox;
mod overflow;
mod sink;
mod subscribers;
mod tally;
#[cfg(test)]
mod traits;

pub use bytes;
pub use fanout::Fanout;
pub use hub::Hub;
pub use id::{CohortId, SubscriberId};
pub use index::{Everyone, Index};
pub use interest::Interest;
pub use ledger::{Account, Traffic};
pub use outbox::{Outbox, Refused};
pub use overflow::Overflow;
pub use sink::Sink;
pub use tally::Tally;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
