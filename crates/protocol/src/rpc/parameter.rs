//! Values of parameters: how each is read, written and described.

use std::str::FromStr;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    ChangeFormat, Channel, Crs, Info, Json, Number, Offset, OffsetError, Pixels, Precision, Word,
    json::text_of, text::Members,
};

use super::Corners;

/// A type that a parameter can have.
pub(super) trait Field: Sized {
    /// The JSON Schema (draft 7) of what [`Field::read`] takes.
    const SCHEMA: &'static str;
    /// Whether the parameter must be given.
    const REQUIRED: bool = true;
    /// Whether `null` is a value and not an absence.
    const NULL_IS_A_VALUE: bool = false;

    /// Reads the value, or says what is wrong with it.
    fn read(raw: &RawValue) -> Result<Self, String>;

    /// The value where none was given.
    fn absent() -> Option<Self> {
        None
    }

    /// The value as JSON, unless it is absent.
    fn json(&self) -> Option<String>;
}

impl<T: Field> Field for Option<T> {
    const SCHEMA: &'static str = T::SCHEMA;
    const REQUIRED: bool = false;
    const NULL_IS_A_VALUE: bool = true;

    fn read(raw: &RawValue) -> Result<Self, String> {
        if raw.get() == "null" && !T::NULL_IS_A_VALUE { Ok(None) } else { T::read(raw).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn json(&self) -> Option<String> {
        self.as_ref().and_then(Field::json)
    }
}

impl Field for Channel {
    const SCHEMA: &'static str = r#"{"type":"string","minLength":1,"maxLength":255}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        from_text(raw)
    }

    fn json(&self) -> Option<String> {
        print(self)
    }
}

impl Field for Word {
    const SCHEMA: &'static str = r#"{"type":"string","minLength":1,"maxLength":1024}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        from_text(raw)
    }

    fn json(&self) -> Option<String> {
        print(self)
    }
}

impl Field for Crs {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[Ee][Pp][Ss][Gg]:[1-9][0-9]{0,5}$"}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        from_text(raw)
    }

    fn json(&self) -> Option<String> {
        print(self)
    }
}

impl Field for Json {
    const SCHEMA: &'static str = "{}";
    const NULL_IS_A_VALUE: bool = true;

    fn read(raw: &RawValue) -> Result<Self, String> {
        Ok(Self::part(raw))
    }

    fn json(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Info {
    const SCHEMA: &'static str = r#"{"type":"object"}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        Self::try_from(&Json::part(raw)).map_err(|error| error.to_string())
    }

    fn json(&self) -> Option<String> {
        Some(self.as_str().to_owned())
    }
}

impl Field for bool {
    const SCHEMA: &'static str = r#"{"type":"boolean"}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        raw.get().parse().map_err(|_refused| "must be true or false".to_owned())
    }

    fn json(&self) -> Option<String> {
        print(self)
    }
}

impl Field for u32 {
    const SCHEMA: &'static str = r#"{"type":"integer","minimum":0,"maximum":4294967295}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        integer(raw, Self::MAX.into())
            .and_then(|number| Self::try_from(number).map_err(|error| error.to_string()))
    }

    fn json(&self) -> Option<String> {
        print(self)
    }
}

impl Field for Offset {
    const SCHEMA: &'static str = concat!(
        r#"{"type":["integer","string"],"minimum":0,"maximum":18446744073709551615,"#,
        r#""pattern":"^[0-9]{1,20}(-[0-9]{1,20})?$"}"#
    );

    fn read(raw: &RawValue) -> Result<Self, String> {
        match text_of(raw) {
            Some(text) => text.parse().map_err(|error: OffsetError| error.to_string()),
            None => integer(raw, u64::MAX).map(Self::Number),
        }
    }

    fn json(&self) -> Option<String> {
        let mut json = Vec::new();
        self.write_json(&mut json);
        String::from_utf8(json).ok()
    }
}

impl Field for Number {
    const SCHEMA: &'static str = r#"{"type":"number"}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        // What JSON calls a number is one here as well; other values begin with a character that no number has.
        raw.get().parse().map_err(|_refused| "must be a finite number".to_owned())
    }

    fn json(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Precision {
    const SCHEMA: &'static str = r#"{"type":"integer","minimum":0,"maximum":15}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        let number = integer(raw, Self::MAX.into())?;
        Self::try_from(number).map_err(|error| error.to_string())
    }

    fn json(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Pixels {
    const SCHEMA: &'static str = r#"{"type":"number","minimum":0.01,"maximum":256}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        let refused = || format!("must be a number from {} to {}", Self::MIN, Self::MAX);
        let number = Number::read(raw).map_err(|_reason| refused())?;
        Self::try_from(number).map_err(|_error| refused())
    }

    fn json(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for Members {
    const SCHEMA: &'static str = r#"{"enum":["whole","inside"]}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        match text_of(raw).as_deref() {
            Some("whole") => Ok(Self::Whole),
            Some("inside") => Ok(Self::Inside),
            _ => Err("must be \"whole\" or \"inside\"".to_owned()),
        }
    }

    fn json(&self) -> Option<String> {
        print(self.as_str())
    }
}

impl Field for ChangeFormat {
    const SCHEMA: &'static str = r#"{"enum":["changes","maplibre"]}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        let format = text_of(raw).and_then(|text| text.parse().ok());
        format.ok_or_else(|| "must be \"changes\" or \"maplibre\"".to_owned())
    }

    fn json(&self) -> Option<String> {
        print(self.as_str())
    }
}

impl Field for Corners {
    const SCHEMA: &'static str = r#"{"type":"array","items":{"type":"number"},"minItems":4,"maxItems":4}"#;

    fn read(raw: &RawValue) -> Result<Self, String> {
        let refused = || "must be [left, bottom, right, top], four finite numbers".to_owned();
        let corners: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_error| refused())?;
        let corners: Vec<Number> =
            corners.into_iter().map(Number::read).collect::<Result<_, _>>().map_err(|_reason| refused())?;
        let [left, bottom, right, top] = corners[..] else { return Err(refused()) };
        Ok(Self { left, bottom, right, top })
    }

    fn json(&self) -> Option<String> {
        let Self { left, bottom, right, top } = self;
        Some(format!("[{left},{bottom},{right},{top}]"))
    }
}

fn from_text<T: FromStr<Err: ToString>>(raw: &RawValue) -> Result<T, String> {
    let text = text_of(raw).ok_or_else(|| "must be a string".to_owned())?;
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A whole number, which JSON may also write as `5.0` or `5e0`.
fn integer(raw: &RawValue, most: u64) -> Result<u64, String> {
    let json = raw.get();
    let whole = |number: f64| (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
    let number = json.parse().ok().or_else(|| {
        let number = json.parse().ok().filter(|number| whole(*number))?;
        Some(number as u64)
    });
    number.filter(|number| *number <= most).ok_or_else(|| format!("must be a whole number from 0 to {most}"))
}

fn print<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    Some(serde_json::to_string(value).expect("texts and numbers are JSON"))
}

/// Up to here every whole number is a float of its own: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;
