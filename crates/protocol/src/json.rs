//! JSON that is passed on as it was written.

mod depth;
mod members;
mod object;
mod value;

pub use value::{Json, JsonError};

pub(crate) use depth::{is_deeper, is_too_deep};
pub(crate) use members::Members;
pub(crate) use object::Object;
pub(crate) use value::{is_falsy, text_of};

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is JSON and a Vec takes every byte");
}
