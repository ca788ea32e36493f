use std::ops::Range;

use crate::coordinates::{self, Sink, Stop};
use crate::copy::Copy;
use crate::structure::Structure;
use crate::{Document, MapLength, Shape, lexer};

impl Shape {
    /// Whether another shape, both in EPSG:4326, is at the same place as far as can be told on a map whose points are squares
    /// of this length: it has the same geometries with as many positions, and each of them lies in the square that it lay in
    /// here. So a chain of shapes each of which is still at the place of the one before is within one and the same squares,
    /// and two of the chain are never further from each other than a square's diagonal.
    ///
    /// Squares begin at longitude and latitude zero. Only the first two numbers of positions count.
    #[must_use]
    pub fn is_still_at(&self, other: &Self, square: MapLength) -> bool {
        let square_of = |position: &[f64; 2]| {
            MapLength::place(*position).map(|metres| (metres / square.metres()).floor())
        };
        self.structure().is_divided_like(other.structure())
            && self.positions().len() == other.positions().len()
            && self.positions().iter().zip(other.positions()).all(|(here, there)| {
                here == there || {
                    let (here, there) = (square_of(here), square_of(there));
                    here == there && here.iter().all(|number| number.is_finite())
                }
            })
    }
}

impl Structure {
    /// Whether positions are divided in the same way, wherever in a payload they stand.
    fn is_divided_like(&self, other: &Self) -> bool {
        let is_like = |(one, other): (&crate::structure::Part, &crate::structure::Part)| {
            (one.primitive, &one.positions, &one.lines, &one.polygons)
                == (other.primitive, &other.positions, &other.lines, &other.polygons)
        };
        self.parts.len() == other.parts.len()
            && (self.collection, &self.members, &self.lines, &self.polygons)
                == (other.collection, &other.members, &other.lines, &other.polygons)
            && self.parts.iter().zip(&other.parts).all(is_like)
    }
}

impl Document {
    /// The payload without its coordinates, and of the properties of its features with those alone whose names are kept; with
    /// all of them where nothing says which: what can differ between two payloads at the same place. `payload` must be
    /// the bytes this document was read from.
    #[must_use]
    pub fn without_place(&self, payload: &[u8], is_kept: Option<impl Fn(&str) -> bool>) -> Vec<u8> {
        let parts = self.shape().structure().parts.iter();
        let place =
            |byte: usize, level| Some(byte..coordinates::walk(payload, byte, level, &mut Nothing).ok()?);
        let mut cuts: Vec<Range<usize>> =
            parts.filter_map(|part| place(part.byte, part.primitive.level())).collect();
        if let Some(is_kept) = is_kept
            && let Some(properties) = self.properties(payload)
        {
            cuts.extend(properties.cuts(payload, is_kept));
        }
        cuts.sort_unstable_by_key(|cut| std::cmp::Reverse(cut.start));
        Copy::new(payload, cuts, payload.len()).finish()
    }
}

/// Walks to the end.
struct Nothing;

impl Sink for Nothing {
    type Number = ();

    /// The payload was found to be JSON when it was read.
    fn number(json: &[u8], at: usize) -> Option<((), usize)> {
        Some(((), at + lexer::value_length(json.get(at..)?)))
    }

    fn position(&mut self, (): (), (): (), _place: Range<usize>) -> Result<(), Stop> {
        Ok(())
    }

    fn end(&mut self, _: u8) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;

    fn read(payload: &str) -> Document {
        Document::read(payload.as_bytes(), &Limits::default()).expect("within limits")
    }

    /// About one degree at the equator.
    fn degree() -> MapLength {
        MapLength::try_from(111_319.490_793).expect("a length")
    }

    #[test]
    fn what_stays_in_its_squares_is_still_there() {
        let line = |coordinates: &str| format!(r#"{{"type":"LineString","coordinates":{coordinates}}}"#);
        for (before, after, is_still) in [
            ("[[0.1,0.1],[5.1,5.1]]", "[[0.1,0.1],[5.1,5.1]]", true),
            ("[[0.1,0.1],[5.1,5.1]]", "[[0.9, 0.9, 77],[5.1,5.1]]", true),
            ("[[0.1,0.1],[5.1,5.1]]", "[[0.9,0.9],[4.9,5.1]]", false),
            ("[[0.1,0.1],[5.1,5.1]]", "[[0.1,0.1],[5.1,5.1],[5.1,5.1]]", false),
            ("[[-0.1,0.1],[5.1,5.1]]", "[[0.1,0.1],[5.1,5.1]]", false),
            ("[[1e300,0.1],[5.1,5.1]]", "[[2e300,0.1],[5.1,5.1]]", false),
            ("[[1e999,0.1],[5.1,5.1]]", "[[1e999,0.1],[5.1,5.1]]", true),
            ("[[1e999,0.1],[5.1,5.1]]", "[[-1e999,0.1],[5.1,5.1]]", false),
        ] {
            let (one, other) = (read(&line(before)), read(&line(after)));
            assert_eq!(one.shape().is_still_at(other.shape(), degree()), is_still, "{before} {after}");
            assert_eq!(other.shape().is_still_at(one.shape(), degree()), is_still, "{after} {before}");
        }
        for (one, other) in [
            (
                r#"{"type":"MultiPoint","coordinates":[[1,1],[2,2]]}"#,
                r#"{"type":"LineString","coordinates":[[1,1],[2,2]]}"#,
            ),
            (
                r#"{"type":"MultiLineString","coordinates":[[[1,1],[2,2]],[[1,1],[2,2],[3,3]]]}"#,
                r#"{"type":"MultiLineString","coordinates":[[[1,1],[2,2],[1,1]],[[2,2],[3,3]]]}"#,
            ),
        ] {
            assert!(!read(one).shape().is_still_at(read(other).shape(), degree()));
        }
    }

    #[test]
    fn what_is_no_place_is_left() {
        let payload = r#"{"type":"Feature", "id":7,"geometry":{"coordinates" : [ 5.0, 5 ] ,"type":"Point"},"properties":{"a":1,"b":[2]}}"#;
        let rest = |is_kept: Option<&dyn Fn(&str) -> bool>| {
            String::from_utf8(read(payload).without_place(payload.as_bytes(), is_kept)).expect("a text")
        };
        let expected = |properties: &str| {
            format!(
                r#"{{"type":"Feature", "id":7,"geometry":{{"coordinates" :  ,"type":"Point"}},"properties":{properties}}}"#
            )
        };
        assert_eq!(rest(None), expected(r#"{"a":1,"b":[2]}"#));
        assert_eq!(rest(Some(&|name| name == "b")), expected(r#"{"b":[2]}"#));
        assert_eq!(rest(Some(&|_| false)), expected("{}"));
        let text = "no JSON";
        assert_eq!(read(text).without_place(text.as_bytes(), None::<fn(&str) -> bool>), text.as_bytes());
    }

    proptest! {
        #[test]
        fn a_chain_stays_within_a_diagonal(
            steps in prop::collection::vec((-0.3..0.3_f64, -0.3..0.3_f64), 1..40), start in (-170.0..170.0_f64, -80.0..80.0_f64),
        ) {
            let point = |[x, y]: [f64; 2]| read(&format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#));
            let mut shown = [start.0, start.1];
            let mut here = shown;
            for (x, y) in steps {
                let next = [here[0] + x, here[1] + y];
                if !point(here).shape().is_still_at(point(next).shape(), degree()) {
                    shown = next;
                }
                here = next;
                let ([x, y], [shown_x, shown_y]) = (MapLength::place(here), MapLength::place(shown));
                prop_assert!((x - shown_x).hypot(y - shown_y) <= degree().metres() * 2_f64.sqrt());
            }
        }
    }
}
