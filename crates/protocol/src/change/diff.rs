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
    /// Appends it as a `GeoJSONSourceDiff`: `{"add":[…]}`, `{"update":[…]}`, `{"remove":[…]}`, or a removal with an addition.
    ///
    /// An update names the whole new geometry and all properties, because what the map has is not known here. What an update
    /// cannot say, that a feature has no geometry any more or another id, is a removal with an addition, which a map does
    /// in this order. MapLibre tells features apart by their member `id`, or by a property if the page sets `promoteId`; the
    /// key is either.
    pub fn write_diff(&self, out: &mut Vec<u8>) {
        let feature = match (self.kind, self.feature) {
            (ChangeKind::Enter | ChangeKind::Update, Content::Json(feature)) => feature,
            _ => &[],
        };
        out.push(b'{');
        match (self.kind, geometry_and_properties(feature)) {
            (ChangeKind::Leave(_), _) => self.write_removal(out),
            (ChangeKind::Enter, _) => write_addition(feature, out),
            (ChangeKind::Update, Some((geometry, properties))) if self.former.is_none() => {
                self.write_update(geometry, properties, out);
            }
            (ChangeKind::Update, _) => {
                self.write_removal(out);
                out.push(b',');
                write_addition(feature, out);
            }
        }
        out.push(b'}');
    }

    fn write_update(&self, geometry: &RawValue, properties: Option<&RawValue>, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""update":[{"id":"#);
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(br#","newGeometry":"#);
        out.extend_from_slice(geometry.get().as_bytes());
        out.extend_from_slice(br#","removeAllProperties":true,"addOrUpdateProperties":["#);
        write_properties(properties, out);
        out.extend_from_slice(b"]}]");
    }

    fn write_removal(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""remove":["#);
        out.extend_from_slice(self.former.unwrap_or(self.key).as_bytes());
        out.push(b']');
    }
}

fn write_addition(feature: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#""add":["#);
    out.extend_from_slice(feature);
    out.push(b']');
}

/// The members of a feature that an update names, if it has a geometry.
fn geometry_and_properties(feature: &[u8]) -> Option<(&RawValue, Option<&RawValue>)> {
    let Feature { geometry, properties } = serde_json::from_slice(feature).ok()?;
    Some((geometry.filter(|geometry| geometry.get() != "null")?, properties))
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
        let feature = Content::Json(feature.as_bytes());
        Change { kind, key: "7", former: None, feature }.write_diff(&mut out);
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
    fn what_an_update_cannot_say_is_a_removal_with_an_addition() {
        for feature in [r#"{"type":"Feature","id":7,"geometry":null}"#, r#"{"type":"Feature","id":7}"#] {
            assert_eq!(diff(ChangeKind::Update, feature), format!(r#"{{"remove":[7],"add":[{feature}]}}"#));
            assert_eq!(diff(ChangeKind::Enter, feature), format!(r#"{{"add":[{feature}]}}"#));
        }
        let bare =
            r#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[1,2]},"properties":null}"#;
        assert!(diff(ChangeKind::Update, bare).ends_with(r#""addOrUpdateProperties":[]}]}"#));
        let mut out = Vec::new();
        let (former, feature) = (Some(r#""7""#), Content::Json(bare.as_bytes()));
        Change { kind: ChangeKind::Update, key: "7", former, feature }.write_diff(&mut out);
        assert_eq!(
            String::from_utf8(out).expect("JSON is text"),
            format!(r#"{{"remove":["7"],"add":[{bare}]}}"#)
        );
    }
}
