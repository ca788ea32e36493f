use geocast_geo_filter::Bbox;
use geocast_protocol::{ChangeKind, Channel, LeaveReason};

use super::Mirror;
use crate::{
    connection::Frame,
    interest::{Bounds, Sight},
    rendering,
};

/// What a subscriber that is up to date is told when it looks elsewhere, found at the edges alone: what is far inside both
/// boxes, or outside of both, is not touched. None where the boxes cannot be compared, or where that is more than so many
/// bytes.
pub(crate) fn pan(
    channel: &Channel,
    mirror: &Mirror,
    before: &Sight,
    after: &Sight,
    room: usize,
) -> Option<Vec<Frame>> {
    let (old, new) = before.pans_to(after)?;
    let strips: Vec<Bbox> = outside(old, new).chain(outside(new, old)).collect();
    let (mut frames, mut left) = (Vec::new(), room);
    let bounds = Bounds { boxes: &strips, for_points_alone: false };
    mirror.visit(Some(bounds), |entry| {
        if left == 0 {
            return;
        }
        let frame = match (before.shows(&entry.event).is_ok(), after.shows(&entry.event).is_ok()) {
            (true, false) => Some(rendering::leave(channel, &entry.key, LeaveReason::Viewport, after)),
            (false, true) => {
                let told = (ChangeKind::Enter, after.format().unwrap_or_default());
                let form = after.change(ChangeKind::Enter, &entry.event);
                rendering::change(&entry.event, None, told, &form).ok()
            }
            _ => None,
        };
        if let Some(frame) = frame {
            left = left.saturating_sub(frame.bytes().len());
            frames.push(frame);
        }
    });
    (left > 0).then_some(frames)
}

/// What of a box is not well inside another one, as at most four boxes.
fn outside(bbox: &Bbox, other: &Bbox) -> impl Iterator<Item = Bbox> {
    let [left, bottom, right, top] = bbox.to_array();
    let [l, b, r, t] = other.to_array();
    // What is nearly at an edge is looked at as well: bounds are exact to less than this.
    let (l, b, r, t) = (l + MARGIN, b + MARGIN, r - MARGIN, t - MARGIN);
    let is_apart = l > r || b > t || l > right || r < left || b > top || t < bottom;
    let all = is_apart.then_some([left, bottom, right, top]);
    let strips = [
        (l >= left).then_some([left, bottom, l, top]),
        (r <= right).then_some([r, bottom, right, top]),
        (b >= bottom).then_some([left, bottom, right, b]),
        (t <= top).then_some([left, t, right, top]),
    ];
    let strips = if is_apart { [None; 4] } else { strips };
    all.into_iter().chain(strips.into_iter().flatten()).filter_map(|strip| Bbox::try_from(strip).ok())
}

/// In degrees: some ten centimetres.
const MARGIN: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bbox() -> impl Strategy<Value = Bbox> {
        let edges = (-180.0..170.0, -90.0..80.0, 0.0..20.0, 0.0..20.0);
        edges.prop_map(|(x, y, width, height): (f64, f64, f64, f64)| {
            Bbox::try_from([x, y, x + width, y + height]).expect("a box")
        })
    }

    /// A box near another one.
    fn pair() -> impl Strategy<Value = (Bbox, Bbox)> {
        let moves = (-25.0..25.0, -25.0..25.0, 0.1..3.0_f64);
        prop_oneof![
            (bbox(), bbox()),
            (bbox(), moves).prop_map(|(old, (x, y, zoom))| {
                let [left, bottom, right, top] = old.to_array();
                let (width, height) = ((right - left) * zoom, (top - bottom) * zoom);
                let new = [left + x, bottom + y, left + x + width, bottom + y + height];
                (old, Bbox::try_from(new).expect("a box"))
            }),
            bbox().prop_map(|same| (same, same)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_in_one_box_alone_is_in_a_strip((old, new) in pair(), x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            for (one, other) in [(&old, &new), (&new, &old)] {
                let [left, bottom, right, top] = one.to_array();
                let point = [left + x * (right - left), bottom + y * (top - bottom)];
                if !other.contains_point(point) && one.contains_point(point) {
                    prop_assert!(outside(one, other).any(|strip| strip.contains_point(point)), "{point:?}");
                }
            }
        }

        #[test]
        fn what_is_well_inside_both_is_in_none((old, new) in pair(), x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            let [left, bottom, right, top] = old.to_array();
            let point = [left + x * (right - left), bottom + y * (top - bottom)];
            let well = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
                .iter()
                .map(|[dx, dy]| [point[0] + 2.0 * MARGIN * dx, point[1] + 2.0 * MARGIN * dy])
                .all(|near| old.contains_point(near) && new.contains_point(near));
            if well {
                prop_assert!(!outside(&old, &new).chain(outside(&new, &old)).any(|strip| strip.contains_point(point)));
            }
        }
    }
}
