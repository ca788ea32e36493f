//! Changes as MapLibre takes them: `GeoJSONSource.updateData(diff)`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Change, ChangeKind};
use crate::{
    envelope::Content,
    json::{Members, string},
};

/// The members of a feature that a diff names one by one.
#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow, default)]
    geometry: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

impl Change<'_> {
    /// Appends it as a `GeoJSONSourceDiff`: `{"add":[…]}`, `{"update":[…]}` or `{"remove":[…]}`.
    ///
    /// An update names the whole new geometry and all properties, because what the map has is not known here. A feature
    /// that has no geometry cannot be drawn: it is removed instead. MapLibre tells features apart by their member `id`, or
    /// by a property if the page sets `promoteId`; the key is either.
    pub fn write_diff(&self, out: &mut Vec<u8>) {
        let (ChangeKind::Enter | ChangeKind::Update, Content::Json(bytes)) = (self.kind, self.feature) else {
            return self.write_removal(out);
        };
        let Ok(feature) = serde_json::from_slice::<Feature<'_>>(bytes) else {
            return self.write_removal(out);
        };
        let Some(geometry) = feature.geometry.map(RawValue::get).filter(|geometry| *geometry != "null")
        else {
            return self.write_removal(out);
        };
        if self.kind == ChangeKind::Enter {
            out.extend_from_slice(br#"{"add":["#);
            out.extend_from_slice(bytes);
        } else {
            out.extend_from_slice(br#"{"update":[{"id":"#);
            out.extend_from_slice(self.key.as_bytes());
            out.extend_from_slice(br#","newGeometry":"#);
            out.extend_from_slice(geometry.as_bytes());
            out.extend_from_slice(br#","removeAllProperties":true,"addOrUpdateProperties":["#);
            write_properties(feature.properties, out);
            out.extend_from_slice(b"]}");
        }
        out.extend_from_slice(b"]}");
    }

    fn write_removal(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"remove":["#);
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(b"]}");
    }
}

fn write_properties(properties: Option<&RawValue>, out: &mut Vec<u8>) {
    let members =
        properties.and_then(|properties| serde_json::from_str::<Members<'_>>(properties.get()).ok());
    for (position, (name, value)) in members.iter().flat_map(Members::iter).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"key":"#);
        string(out, name);
        out.extend_from_slice(br#","value":"#);
        out.extend_from_slice(value.get().as_bytes());
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::super::LeaveReason;
    use super::*;

    fn diff(kind: ChangeKind, feature: &str) -> String {
        let mut out = Vec::new();
        Change { kind, key: "7", feature: Content::Json(feature.as_bytes()) }.write_diff(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn each_kind_of_change_has_its_list() {
        let feature = r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[1.0,2]},"properties":{"a":1.50,"b":"\u0041"}}"#;
        assert_eq!(diff(ChangeKind::Enter, feature), format!(r#"{{"add":[{feature}]}}"#));
        assert_eq!(
            diff(ChangeKind::Update, feature),
            concat!(
                r#"{"update":[{"id":7,"newGeometry":{"type":"Point","coordinates":[1.0,2]},"removeAllProperties":true,"#,
                r#""addOrUpdateProperties":[{"key":"a","value":1.50},{"key":"b","value":"\u0041"}]}]}"#
            )
        );
        assert_eq!(diff(ChangeKind::Leave(LeaveReason::Moved), "null"), r#"{"remove":[7]}"#);
    }

    #[test]
    fn what_has_no_geometry_is_removed() {
        for feature in [r#"{"type":"Feature","id":7,"geometry":null}"#, r#"{"type":"Feature","id":7}"#] {
            assert_eq!(diff(ChangeKind::Update, feature), r#"{"remove":[7]}"#);
            assert_eq!(diff(ChangeKind::Enter, feature), r#"{"remove":[7]}"#);
        }
        let bare =
            r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[1,2]},"properties":null}"#;
        assert!(diff(ChangeKind::Update, bare).ends_with(r#""addOrUpdateProperties":[]}]}"#));
    }
}
