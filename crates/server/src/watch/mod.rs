//! Watched hashes: what is written into them becomes pushes of rohrpost, `create`, `update` and `delete`, without anybody
//! publishing anything.
//!
//! The name of a hash says what it is:
//!
//! | Hash | Is | Group |
//! |---|---|---|
//! | `collection:5`, `app:collection:5` | one object of the type before the last colon, its fields are the members | `collection-5`, `app:collection-5` |
//! | `collection-5` | the same, under the name of its group | `collection-5` |
//! | `collection` | a table: each field is the id of an object, each value the object | `collection-<field>` |
//!
//! The pushes are published on the channel of the group, on this node only: every node watches for its own subscribers.

mod change;
mod layout;
mod push;

pub(crate) use change::{Before, Fields};
pub(crate) use layout::Layout;
pub(crate) use push::push;

use change::changes;
