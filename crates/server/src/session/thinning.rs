use std::sync::Arc;

use geocast_geo_filter::{Decimals, MapLength};
use geocast_protocol::{Number, Pixels, Precision, text};

use super::{Fault, FaultKind};

/// How much less than all there is a client is sent of coordinates and of movements, as its map does not show more.
///
/// Few ask for it, and each connection keeps what it looks at more than once: so it takes the room of a pointer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Thinning(Option<Arc<Asked>>);

/// Something of it is there.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Asked {
    precision: Option<Precision>,
    tolerance: Option<Length>,
    min_move: Option<Length>,
}

/// A length on the screen, and on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Length {
    pixels: Pixels,
    on_map: MapLength,
}

impl Thinning {
    /// At most so many decimals, lines no further than `tolerance` from where they are, and nothing that moves less than
    /// `min_move`, on a map at this zoom level.
    ///
    /// A level between two whole ones counts as the upper one, so that those who ask for the same at about the same level
    /// share what is made for it.
    ///
    /// # Errors
    /// [`FaultKind::InvalidZoom`]: there are pixels, and no zoom level from -2 to 30.
    pub fn new(
        zoom: Option<Number>,
        precision: Option<Precision>,
        tolerance: Option<Pixels>,
        min_move: Option<Pixels>,
    ) -> Result<Self, Fault> {
        let length = |pixels: Option<Pixels>| pixels.map(|pixels| Length::new(pixels, zoom)).transpose();
        let asked = Asked { precision, tolerance: length(tolerance)?, min_move: length(min_move)? };
        let is_something = asked.precision.is_some() || asked.tolerance.is_some() || asked.min_move.is_some();
        Ok(Self(is_something.then(|| Arc::new(asked))))
    }

    /// What a BBOX asks for.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn read(bbox: &text::Bbox) -> Result<Self, Fault> {
        Self::new(bbox.zoom, bbox.precision, bbox.tolerance, bbox.min_move)
    }

    /// How many decimals coordinates have at most, if that is limited.
    #[must_use]
    pub fn precision(&self) -> Option<Precision> {
        self.0.as_ref()?.precision
    }

    /// How far lines may be from where they are, on the screen.
    #[must_use]
    pub fn tolerance(&self) -> Option<Pixels> {
        self.0.as_ref()?.tolerance.map(|length| length.pixels)
    }

    /// How far something moves at least before it is told, on the screen.
    #[must_use]
    pub fn min_move(&self) -> Option<Pixels> {
        self.0.as_ref()?.min_move.map(|length| length.pixels)
    }

    /// How many decimals coordinates have at most.
    pub(crate) fn decimals(&self) -> Option<Decimals> {
        self.precision().and_then(|precision| Decimals::try_from(precision.digits()).ok())
    }

    /// How far lines may be from where they are, on the map.
    pub(crate) fn tolerance_on_map(&self) -> Option<MapLength> {
        self.0.as_ref()?.tolerance.map(|length| length.on_map)
    }

    /// The squares that something has to leave before it is told.
    pub(crate) fn square(&self) -> Option<MapLength> {
        self.0.as_ref()?.min_move.map(|length| length.on_map)
    }
}

impl Length {
    fn new(pixels: Pixels, zoom: Option<Number>) -> Result<Self, Fault> {
        let [min, max] = LEVELS;
        let Some(zoom) = zoom else {
            let message = format!(
                "`tolerance` and `min_move` are pixels at a zoom level: one from {min} to {max} has to be given"
            );
            return Err(Fault::new(FaultKind::InvalidZoom, message).of("null"));
        };
        let refused = || {
            let message = format!(
                "zoom level {zoom} is not from {min} to {max}, as `tolerance` and `min_move` need it"
            );
            Fault::new(FaultKind::InvalidZoom, message).of(zoom.to_string())
        };
        if !(min..=max).contains(&zoom.value()) {
            return Err(refused());
        }
        let on_map = MapLength::of_pixels(pixels.value(), zoom.value().ceil()).map_err(|_error| refused())?;
        Ok(Self { pixels, on_map })
    }
}

/// The zoom levels that maps have: at -2 the world is as wide as a thumb, at 30 a pixel is a tenth of a millimetre.
const LEVELS: [f64; 2] = [-2.0, 30.0];

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: f64) -> Number {
        number.try_into().expect("is finite")
    }

    fn at(zoom: Option<f64>, tolerance: f64) -> Result<f64, String> {
        let tolerance = number(tolerance).try_into().ok();
        let thinning = Thinning::new(zoom.map(number), None, tolerance, None);
        let length = thinning.map(|thinning| thinning.tolerance_on_map().expect("a length").metres());
        length.map_err(|fault| format!("{}: {fault}", fault.kind.code()))
    }

    #[test]
    fn pixels_need_a_zoom_level() {
        let world = std::f64::consts::TAU * 6_378_137.0;
        for (zoom, pixels, metres) in [
            (-2.0, 256.0, 4.0 * world),
            (-1.5, 64.0, world / 2.0),
            (0.0, 1.0, world / 256.0),
            (9.0, 1.0, world / 256.0 / 512.0),
            (8.1, 1.0, world / 256.0 / 512.0),
            (30.0, 0.01, world / 25_600.0 / 1_073_741_824.0),
        ] {
            let found = at(Some(zoom), pixels).expect("a level");
            assert!((found / metres - 1.0).abs() < 1e-12, "{pixels} at {zoom}: {found}");
        }
        for (zoom, message) in [
            (
                None,
                "invalid_zoom: `tolerance` and `min_move` are pixels at a zoom level: one from -2 to 30 has to be given",
            ),
            (
                Some(30.5),
                "invalid_zoom: zoom level 30.5 is not from -2 to 30, as `tolerance` and `min_move` need it",
            ),
            (
                Some(-2.1),
                "invalid_zoom: zoom level -2.1 is not from -2 to 30, as `tolerance` and `min_move` need it",
            ),
        ] {
            assert_eq!(at(zoom, 1.0), Err(message.to_owned()));
        }
        assert_eq!(Thinning::new(None, None, None, None), Ok(Thinning::default()));
        assert!(Thinning::new(Some(number(99.0)), "5".parse().ok(), None, None).is_ok());
    }
}
