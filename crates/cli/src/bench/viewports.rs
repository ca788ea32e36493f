use std::{rc::Rc, str::FromStr};

use thiserror::Error;

/// Which part of the world each client looks at, in EPSG:4326. The same for the same size and number of clients.
#[derive(Debug, Clone)]
pub(super) struct Viewports {
    size: ViewportSize,
    boxes: Rc<[[f64; 4]]>,
}

/// Width and height in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ViewportSize {
    width: f64,
    height: f64,
}

/// What is no size of viewports.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no size in degrees such as random:10x10; at most 360x{HIGHEST}")]
pub(crate) struct ViewportSizeError(String);

impl Viewports {
    /// For so many clients, somewhere.
    pub(super) fn random(size: ViewportSize, clients: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(SEED);
        let ViewportSize { width, height } = size;
        let boxes = (0..clients).map(|_| {
            let left = degrees(&mut random, -180.0, 180.0 - width);
            let bottom = degrees(&mut random, -LATITUDE, LATITUDE - height);
            [left, bottom, left + width, bottom + height]
        });
        Self { size, boxes: boxes.collect() }
    }

    /// What tells the server about it. Clients beyond the number that was given look where no message ever is.
    pub(super) fn command(&self, index: usize) -> String {
        command(self.boxes.get(index).copied().unwrap_or_else(|| self.aside(index)))
    }

    /// Left, bottom, right and top of each.
    pub(super) fn boxes(&self) -> &[[f64; 4]] {
        &self.boxes
    }

    /// How many clients look at this point. A point on the edge is inside.
    pub(super) fn count(&self, [x, y]: [f64; 2]) -> usize {
        self.boxes.iter().filter(|bbox| contains(bbox, [x, y])).count()
    }

    fn aside(&self, index: usize) -> [f64; 4] {
        let mut random = fastrand::Rng::with_seed(SEED + index as u64);
        let left = degrees(&mut random, -180.0, 180.0 - self.size.width);
        let bottom = degrees(&mut random, LATITUDE + 1.0, 89.0);
        [left, bottom, left + self.size.width, 90.0_f64.min(bottom + self.size.height)]
    }
}

/// What tells a server to look there.
pub(super) fn command([left, bottom, right, top]: [f64; 4]) -> String {
    format!("BBOX {left} {bottom} {right} {top}")
}

/// A point on the edge is inside.
pub(super) fn contains([left, bottom, right, top]: &[f64; 4], [x, y]: [f64; 2]) -> bool {
    *left <= x && x <= *right && *bottom <= y && y <= *top
}

/// A point that messages may be at.
pub(super) fn point(random: &mut fastrand::Rng) -> [f64; 2] {
    [degrees(random, -180.0, 180.0), degrees(random, -LATITUDE, LATITUDE)]
}

/// A point that messages are never at, and nobody looks at.
pub(super) fn point_aside(random: &mut fastrand::Rng) -> [f64; 2] {
    [degrees(random, -180.0, 180.0), degrees(random, LATITUDE + 1.0, 89.0)]
}

/// A point at most so many degrees away, in each direction, that messages may be at.
pub(super) fn point_near(random: &mut fastrand::Rng, [x, y]: [f64; 2], step: f64) -> [f64; 2] {
    let mut near = |from: f64, most: f64| degrees(random, (from - step).max(-most), (from + step).min(most));
    [near(x, 180.0), near(y, LATITUDE)]
}

/// With five decimals, about a metre, as trackers send it.
fn degrees(random: &mut fastrand::Rng, from: f64, to: f64) -> f64 {
    random.i64((from * 1e5) as i64..=(to * 1e5) as i64) as f64 / 1e5
}

impl FromStr for ViewportSize {
    type Err = ViewportSizeError;

    fn from_str(text: &str) -> Result<Self, ViewportSizeError> {
        let side = |side: &str, most: f64| side.parse().ok().filter(|side| *side > 0.0 && *side <= most);
        let size = text.strip_prefix("random:").unwrap_or(text);
        let sides = size.split_once('x').and_then(|(width, height)| {
            Some(Self { width: side(width, 360.0)?, height: side(height, HIGHEST)? })
        });
        sides.ok_or_else(|| ViewportSizeError(text.to_owned()))
    }
}

/// Width and height of what messages are in, in degrees.
pub(super) const WORLD: [f64; 2] = [360.0, 2.0 * LATITUDE];

const SEED: u64 = 1;
/// Messages are no farther than that from the equator, in degrees.
const LATITUDE: f64 = 80.0;
const HIGHEST: f64 = 2.0 * LATITUDE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let size = |width, height| Ok(ViewportSize { width, height });
        assert_eq!("random:10x10".parse(), size(10.0, 10.0));
        assert_eq!("0.5x160".parse(), size(0.5, 160.0));
        for text in ["", "10", "random:", "0x1", "-1x1", "NaNx1", "361x1", "1x161", "1x1x1"] {
            assert_eq!(text.parse::<ViewportSize>(), Err(ViewportSizeError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn some_look_at_a_point_and_those_aside_never_do() {
        let viewports = Viewports::random("random:10x10".parse().unwrap(), 1000);
        let mut random = fastrand::Rng::with_seed(2);
        let mut hits = 0;
        for _ in 0..1000 {
            let point = point(&mut random);
            hits += viewports.count(point);
            for index in [1000, 1001, 5000] {
                let [_, bottom, ..] = viewports.aside(index);
                assert!(point[1] < bottom, "{point:?} is seen by {index}");
            }
        }
        // 100 of 350 × 150 square degrees, and less near the edges: between one and two of a thousand.
        assert!((1000..2500).contains(&hits), "{hits}");
    }
}
