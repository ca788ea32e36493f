use std::sync::atomic::{AtomicU64, Ordering};

use geocast_geo_filter::{KnownCrs, Region};
use geocast_protocol::{Channel, Crs, Number, text::Members};

use super::{ChannelAccount, Sent, Wishes};

/// What a client looks at and in which coordinates it wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The system of what is sent.
    pub output: KnownCrs,
    /// Without one, everything is sent.
    pub viewport: Option<Viewport>,
    /// What it wishes of features besides their place.
    pub wishes: Wishes,
}

/// A box, in the system it was given in: a later projection does not move it.
#[derive(Debug, Clone, PartialEq)]
pub struct Viewport {
    /// The box as it was given: left, bottom, right, top, in the units of its system.
    pub corners: [f64; 4],
    /// What it means.
    pub region: Region,
    /// The system of the box.
    pub crs: KnownCrs,
    /// What is sent of a collection that is partly inside.
    pub members: Members,
    /// The map's zoom level, if it was said: pixels are counted at it, and it is told again.
    pub zoom: Option<Number>,
    /// Where it was said.
    pub(crate) naming: Naming,
}

/// One of all the times that clients have named a box: each is judged, and refused, for itself, also if it is the same box again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Naming(u64);

impl Naming {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a server believes about a client.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What it is subscribed to.
    pub channels: &'a [Channel],
    /// What it looks at.
    pub view: &'a View,
    /// How many messages it did not get, by reason: the sum of what the accounts say, and of what the connection lost.
    pub withheld: &'a [(&'a str, u64)],
    /// What has become of the events of each channel.
    pub accounts: &'a [ChannelAccount],
    /// What has become of all events that were granted.
    pub sent: Sent,
}

impl View {
    pub(crate) fn new(output: KnownCrs) -> Self {
        Self { output, viewport: None, wishes: Wishes::default() }
    }

    /// Takes the viewport of another view, and the wishes that came with it.
    pub(crate) fn look_as(&mut self, other: &Self) {
        self.viewport.clone_from(&other.viewport);
        self.wishes.clone_from(&other.wishes);
    }
}

/// The name of a system on the wire.
pub(crate) fn name_of(crs: KnownCrs) -> Crs {
    Crs::try_from(crs.code()).expect("the catalogue holds codes that can be asked for, and no others")
}
