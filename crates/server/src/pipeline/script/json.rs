use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map};
use serde_json::{Number, Value};

/// Replaces the language's own `parse_json` and `to_json`, of which the one reads a message as a program and cannot be
/// caught, and the other writes what is not JSON.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("parse_json", |text: &str| -> Result<Dynamic, Box<EvalAltResult>> {
            // Depth is bounded by serde_json, at 128, and size by that of strings.
            serde_json::from_str(text).map(from_json).map_err(|error| format!("not JSON: {error}").into())
        })
        .register_fn("to_json", |map: &mut Map| object(map).to_string())
        .register_fn("to_json", |array: &mut Array| list(array).to_string());
}

fn from_json(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(yes) => yes.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(float)) => float.into(),
            (None, None) => Dynamic::UNIT,
        },
        Value::String(text) => text.into(),
        Value::Array(items) => items.into_iter().map(from_json).collect::<Array>().into(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name.into(), from_json(value)));
            members.collect::<Map>().into()
        }
    }
}

/// What JSON has no word for is its text, and what is no number is null.
fn to_json(value: &Dynamic) -> Value {
    if value.is_unit() {
        Value::Null
    } else if let Ok(yes) = value.as_bool() {
        Value::Bool(yes)
    } else if let Ok(integer) = value.as_int() {
        Value::Number(integer.into())
    } else if let Ok(float) = value.as_float() {
        Number::from_f64(float).map_or(Value::Null, Value::Number)
    } else if let Some(map) = value.read_lock::<Map>() {
        object(&map)
    } else if let Some(array) = value.read_lock::<Array>() {
        list(&array)
    } else if let Some(text) = value.read_lock::<ImmutableString>() {
        Value::String(text.as_str().to_owned())
    } else {
        Value::String(value.to_string())
    }
}

fn object(map: &Map) -> Value {
    Value::Object(map.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect())
}

fn list(array: &Array) -> Value {
    Value::Array(array.iter().map(to_json).collect())
}
