use serde::Serialize;

use crate::{interest::Window, session::name_of};

/// A connection.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Client {
    /// Rises from connection to connection: pages of them follow it.
    pub(crate) id: u64,
    /// Address and port, or `unix`.
    pub(crate) address: String,
    pub(crate) dialect: &'static str,
    pub(crate) age_seconds: f64,
    /// The system of what it is sent, as its subscriptions say; none without any.
    pub(crate) crs: Option<String>,
    /// Where it looks, as its subscriptions say; none if it has none, or looks everywhere.
    pub(crate) viewport: Option<Looking>,
    pub(crate) channels: Channels,
    /// Bytes that wait to be taken by its socket, or are being collected for it.
    pub(crate) waiting_bytes: usize,
    /// Whether its socket is full.
    pub(crate) blocked: bool,
    /// Whether one of its maps is not up to date: new, looking elsewhere or slow.
    pub(crate) behind: bool,
    /// Messages that have left to it.
    pub(crate) delivered: u64,
    /// Messages that had to leave its queue again: newer ones of the same key came, or there was no room.
    pub(crate) dropped: u64,
}

/// What it is subscribed to.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Channels {
    pub(crate) count: usize,
    /// The first few, by name.
    pub(crate) names: Vec<String>,
}

/// A viewport.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Looking {
    /// The system in which the client named it.
    crs: String,
    /// Left, bottom, right, top, as the client named them, in the units of that system.
    corners: [f64; 4],
    /// West, south, east, north, in degrees (EPSG:4326), within the world: more than one, where it goes across the antimeridian. What is
    /// in the viewport is in one of these.
    boxes: Vec<[f64; 4]>,
}

impl From<&Window> for Looking {
    fn from(window: &Window) -> Self {
        let viewport = window.viewport();
        let boxes = window.boxes().iter().map(|bbox| within_world(bbox.to_array()));
        // What is beyond the antimeridian of one is in the other.
        let boxes = boxes.filter(|[west, south, east, north]| west <= east && south <= north);
        Self {
            crs: name_of(viewport.crs).to_string(),
            corners: viewport.corners,
            boxes: boxes.take(MOST_BOXES).collect(),
        }
    }
}

fn within_world([west, south, east, north]: [f64; 4]) -> [f64; 4] {
    [west.max(-180.0), south.max(-90.0), east.min(180.0), north.min(90.0)]
}

/// Two are what a box across the antimeridian has; what projections bend has some more at most.
const MOST_BOXES: usize = 8;

#[cfg(test)]
mod tests {
    use geocast_geo_filter::{Catalogue, Region};
    use geocast_protocol::text::Members;

    use super::*;
    use crate::session::{Naming, Viewport};

    #[test]
    fn boxes_are_within_the_world() {
        let catalogue = Catalogue::load().unwrap();
        let crs = catalogue.crs(4326).unwrap();
        let boxes = |corners: [f64; 4]| {
            let region = Region::from_degrees(corners).unwrap();
            let viewport = Viewport {
                corners,
                region,
                crs,
                members: Members::Whole,
                zoom: None,
                naming: Naming::next(),
            };
            let looking = Looking::from(&Window::new(viewport, None));
            assert_eq!((looking.crs.as_str(), looking.corners), ("EPSG:4326", corners));
            let mut boxes = looking.boxes;
            boxes.sort_by(|one, other| one[0].total_cmp(&other[0]));
            boxes
        };
        assert_eq!(boxes([5.0, 45.0, 11.0, 48.0]), [[5.0, 45.0, 11.0, 48.0]]);
        assert_eq!(
            boxes([176.0, -20.0, -178.0, -16.0]),
            [[-180.0, -20.0, -178.0, -16.0], [176.0, -20.0, 180.0, -16.0]]
        );
        assert_eq!(boxes([-400.0, -100.0, 400.0, 100.0]), [[-180.0, -90.0, 180.0, 90.0]]);
    }
}
