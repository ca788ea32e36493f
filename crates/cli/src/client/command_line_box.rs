use std::{fmt, str::FromStr};

use geocast_geo_filter::{Bbox as PlainBox, Region, RegionError};
use geocast_protocol::{
    Crs, Number,
    text::{Bbox, Members},
};
use thiserror::Error;

/// A box as it is typed: `left,bottom,right,top`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CommandLineBox([Number; 4]);

/// What is no box.
#[derive(Debug, Error)]
#[error("{0:?} is not a box: four numbers left,bottom,right,top such as 5.9,45.8,10.5,47.8")]
pub(crate) struct BoxError(String);

impl CommandLineBox {
    /// All of the world, in EPSG:4326.
    pub(super) fn world() -> Self {
        "-180,-90,180,90".parse().expect("it is a box")
    }

    /// Fails where it can be seen without a server that it is no box in this system. Of most systems only the server knows how
    /// their axes go.
    pub(crate) fn check(self, crs: Crs) -> Result<(), RegionError> {
        let [left, bottom, right, top] = self.0.map(f64::from);
        match crs.code() {
            4326 => drop(Region::from_degrees([left, bottom, right, top])?),
            // Its boxes may go across the antimeridian as well: left and right have no order.
            3857 => drop(PlainBox::try_from([left, bottom, left, top])?),
            _ => {}
        }
        Ok(())
    }

    /// The box meant in this system, whatever the output is in.
    pub(super) fn viewport(self, crs: Crs) -> Bbox {
        let Self([left, bottom, right, top]) = self;
        Bbox {
            left,
            bottom,
            right,
            top,
            zoom: None,
            crs: Some(crs),
            members: Members::Whole,
            fields: Vec::new(),
            precision: None,
            tolerance: None,
            min_move: None,
            properties: Vec::new(),
        }
    }
}

impl FromStr for CommandLineBox {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self, BoxError> {
        let numbers =
            text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<Number>>>();
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers.map(Self).ok_or_else(|| BoxError(text.to_owned()))
    }
}

impl fmt::Display for CommandLineBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([left, bottom, right, top]) = self;
        write!(f, "{left},{bottom},{right},{top}")
    }
}

#[cfg(test)]
mod tests {
    use geocast_protocol::{Crs, text::Command};

    use super::CommandLineBox;

    #[test]
    fn four_numbers_are_a_box_in_its_own_system() {
        let bbox: CommandLineBox = "-5.9,45.8, 10.5,47.8".parse().unwrap();
        let viewport = Command::Bbox(Some(bbox.viewport(Crs::WGS84)));
        assert_eq!(viewport.to_string(), "BBOX -5.9 45.8 10.5 47.8 crs=EPSG:4326");
        assert_eq!(bbox.to_string(), "-5.9,45.8,10.5,47.8");
    }

    #[test]
    fn what_is_no_box_in_a_system_is_seen_where_its_axes_are_known() {
        for (text, crs, is_right) in [
            ("5.9,45.8,10.5,47.8", 4326, true),
            ("176,-20,-178,-16", 4326, true),
            ("-180,-90,180,90", 4326, true),
            ("5.9,47.8,10.5,45.8", 4326, false),
            ("0,91,1,92", 4326, false),
            ("600000,5700000,700000,5800000", 4326, false),
            ("600000,5700000,700000,5800000", 3857, true),
            ("20000000,1,-20000000,2", 3857, true),
            ("600000,5800000,700000,5700000", 3857, false),
            ("1,2,3,1", 2056, true),
        ] {
            let bbox: CommandLineBox = text.parse().unwrap();
            let crs = format!("EPSG:{crs}").parse().unwrap();
            assert_eq!(bbox.check(crs).is_ok(), is_right, "{text} in {crs}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "1,2,3", "1,2,3,4,5", "1 2 3 4", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "1,2,3,"] {
            assert!(text.parse::<CommandLineBox>().is_err(), "{text}");
        }
    }
}
