use std::collections::HashMap;

use geocast_geo_filter::Kind;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::Event;

/// Whether something that has no geometry can be sent to whoever may see a part of the world alone: whether no coordinate can
/// be in it. That is so for what has no digit, be it text or JSON, and for the notice that a feature was deleted.
pub(super) fn may_pass(event: &Event) -> bool {
    match event.kind() {
        // With digits as far as anybody knows.
        Kind::Geographic | Kind::Binary => false,
        Kind::Json | Kind::Text => {
            let payload = event.payload();
            std::str::from_utf8(payload).is_ok_and(|text| !text.chars().any(char::is_numeric))
                || is_notice(payload)
        }
    }
}

fn is_notice(payload: &[u8]) -> bool {
    // A list would be taken for the members in their order.
    payload.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<Notice>(payload).is_ok_and(|notice| notice.is_one())
}

/// That a feature was deleted, and nothing else about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    r#type: String,
    id: Option<Value>,
    #[serde(rename = "geometry")]
    _geometry: Option<Nothing>,
    properties: Option<HashMap<String, IgnoredAny>>,
    deleted: bool,
}

/// What no value is.
#[derive(Deserialize)]
enum Nothing {}

impl Notice {
    fn is_one(&self) -> bool {
        self.r#type == "Feature"
            && self.deleted
            && self.id.as_ref().is_none_or(|id| id.is_string() || id.is_number())
            && self.properties.as_ref().is_none_or(HashMap::is_empty)
    }
}
