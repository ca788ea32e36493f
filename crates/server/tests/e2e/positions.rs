//! Places, and where they are in other systems.
//!
//! The constants are what pyproj 3.7.2 (PROJ 9.5.1) printed for
//! `Transformer.from_crs(4326, n, always_xy=True).transform(longitude, latitude)`.

use serde_json::Value;

/// A place in longitude and latitude, degrees, and in EPSG:3857 and EPSG:2056, metres, x first.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) degrees: [f64; 2],
    pub(crate) mercator: [f64; 2],
    pub(crate) swiss: [f64; 2],
}

pub(crate) const BERN: Place = Place {
    degrees: [7.44, 46.95],
    mercator: [828217.0115019553, 5933916.615134278],
    swiss: [2600104.109499608, 1199879.6282376593],
};

pub(crate) const ZURICH: Place = Place {
    degrees: [8.55, 47.37],
    mercator: [951781.6462824891, 6002677.997532714],
    swiss: [2683941.5303450297, 1247167.393043294],
};

pub(crate) const GENEVA: Place = Place {
    degrees: [6.0, 46.0],
    mercator: [667916.9447596414, 5780349.220256354],
    swiss: [2488547.6550144, 1095295.3769932452],
};

pub(crate) const ULM: Place = Place {
    degrees: [10.0, 48.0],
    mercator: [1113194.9079327357, 6106854.834885074],
    swiss: [2791144.300591532, 1319746.5749594825],
};

/// Whether a position is that one: to a millimetre in metres, and to a ten-millionth of a degree.
pub(crate) fn is_close(position: &Value, expected: [f64; 2]) -> bool {
    let numbers = position.as_array().map(Vec::as_slice).unwrap_or_default();
    let close = |number: &Value, expected: f64| {
        let tolerance = if expected.abs() > 1e3 { 1e-3 } else { 1e-7 };
        number.as_f64().is_some_and(|number| (number - expected).abs() <= tolerance)
    };
    numbers.len() >= 2 && close(&numbers[0], expected[0]) && close(&numbers[1], expected[1])
}

/// Fails if a position is not that one.
#[track_caller]
pub(crate) fn assert_close(position: &Value, expected: [f64; 2]) {
    assert!(is_close(position, expected), "{position} is not {expected:?}");
}
