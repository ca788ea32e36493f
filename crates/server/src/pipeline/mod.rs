//! Filters: what a server does with messages, put together from small parts by name.
//!
//! [`Filters`] are run one after the other on each of four occasions, the chains of [`Chain`]. A [`Filter`] sees a
//! [`Context`] and says what is to be done; it does nothing by itself, so all of this runs without a socket or a store.

#[cfg(doctest)]
#[doc = include_str!("../../../../docs/filters.md")]
struct Page;

mod action;
mod body;
mod budget;
mod built_in;
mod carried;
mod chain;
mod client_id;
mod consumer;
mod context;
mod dialect;
mod filter;
mod filters;
mod group;
mod member;
mod printer;
mod script;
mod step;

pub use action::Action;
pub use body::Body;
pub use built_in::BuiltIn;
pub(crate) use carried::Carried;
pub use chain::Chain;
pub use client_id::ClientId;
pub(crate) use consumer::Consumer;
pub use context::Context;
pub(crate) use dialect::Pipeline;
pub use filter::{Filter, FilterError};
pub use filters::{Filters, FiltersError, Outcome};
pub use group::{Group, GroupError};
pub use member::Member;
pub use script::{Script, ScriptError};

/// Bytes of the stack of threads that run filters. Lists within lists may be many thousand layers deep before a script
/// is stopped, and letting go of them takes a call for each. What is not used costs no memory.
pub(crate) const STACK: usize = 64 * 1024 * 1024;
