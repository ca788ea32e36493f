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

/// JSON without white space between its parts.
pub(crate) fn compact(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let keeps = |character: &char| {
        if is_text {
            is_text = *character != '"' || is_escaped;
            is_escaped = *character == '\\' && !is_escaped;
            return true;
        }
        is_text = *character == '"';
        !matches!(character, ' ' | '\t' | '\r' | '\n')
    };
    json.chars().filter(keeps).collect()
}

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is JSON and a Vec takes every byte");
}
