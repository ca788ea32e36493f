use bytes::Bytes;
use geocast_geo_filter::{AxisOrder, Catalogue, KnownCrs, Limits, Transform, TransformError};
use geocast_protocol::{Channel, Crs};
use thiserror::Error;

use crate::{ChannelRule, Event};

/// How what is published becomes an event: what it may cost, and which coordinate system it comes in.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    limits: Limits,
    inputs: Vec<ChannelRule<Option<Input>>>,
}

/// A coordinate system that payloads come in, which is not EPSG:4326.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) crs: KnownCrs,
    /// Into EPSG:4326.
    pub(crate) transform: Transform,
}

/// Why payloads cannot come in a coordinate system.
#[derive(Debug, Error)]
pub(crate) enum IntakeError {
    #[error("coordinate reference system `{0}` is not known")]
    Unknown(Crs),
    #[error(transparent)]
    Transform(#[from] TransformError),
}

impl Intake {
    /// Makes the transforms, which takes up to 60 ms each.
    pub(crate) fn new(
        limits: Limits,
        rules: &[ChannelRule<Crs>],
        order: AxisOrder,
        catalogue: &Catalogue,
    ) -> Result<Self, IntakeError> {
        let known = |crs: Crs| catalogue.crs(crs.code()).ok_or(IntakeError::Unknown(crs));
        let source = known(Crs::WGS84)?;
        let input = |crs: &Crs| {
            let crs = known(*crs)?;
            if crs == source {
                return Ok(None);
            }
            let transform = Transform::new(crs, source, AxisOrder::Xy)?.reading(order);
            Ok(Some(Input { crs, transform }))
        };
        let inputs = rules.iter().map(|rule| rule.try_map(input)).collect::<Result<_, IntakeError>>()?;
        Ok(Self { limits, inputs })
    }

    /// Reads what was published; `number` tells it from all other events of this node.
    pub(crate) fn event(&self, channel: Channel, published: Bytes, number: u64) -> Event {
        let input = ChannelRule::find(&self.inputs, &channel).and_then(Option::as_ref);
        let input = input.filter(|_| !channel.is_internal());
        Event::read(channel, published, number, &self.limits, input)
    }
}

impl From<Limits> for Intake {
    /// Everything comes in EPSG:4326.
    fn from(limits: Limits) -> Self {
        Self { limits, inputs: Vec::new() }
    }
}
