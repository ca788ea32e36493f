use rhai::{Engine, EvalAltResult, ImmutableString};

use super::engine::MOST_STRING;

type Done = Result<(), Box<EvalAltResult>>;

/// Takes the place of the language's own `replace`, which makes its outcome before anybody looks how long it is: of two
/// texts within their bound, gigabytes.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("replace", |text: &mut ImmutableString, old: &str, new: &str| replace(text, old, new))
        .register_fn("replace", |text: &mut ImmutableString, old: &str, new: char| {
            replace(text, old, new.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |text: &mut ImmutableString, old: char, new: &str| {
            replace(text, old.encode_utf8(&mut [0; 4]), new)
        })
        .register_fn("replace", |text: &mut ImmutableString, old: char, new: char| {
            replace(text, old.encode_utf8(&mut [0; 4]), new.encode_utf8(&mut [0; 4]))
        });
}

fn replace(text: &mut ImmutableString, old: &str, new: &str) -> Done {
    if text.is_empty() {
        return Ok(());
    }
    let found = text.matches(old).count();
    let length = text.len() - found * old.len() + found * new.len();
    if length > MOST_STRING {
        return Err(format!("a text of {length} bytes would be longer than {MOST_STRING}").into());
    }
    *text = text.replace(old, new).into();
    Ok(())
}
