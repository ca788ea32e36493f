use std::hint::black_box;
use std::io::IoSlice;

use geocast_geo_filter::{Bbox, Document, Limits};
use geocast_hub::{Hub, Outbox, Overflow};
use geocast_protocol::Channel;

use crate::sight::{Event, Sight};

/// Subscribers of one channel behind the hub, which shares one frame between all who get a message.
#[derive(Debug)]
pub struct Shared {
    hub: Hub<Channel, Sight, Outbox>,
    channel: Channel,
}

impl Shared {
    /// A subscriber for each window: left, bottom, right, top in degrees, or none to see everything.
    ///
    /// # Panics
    /// When a window is not a box.
    #[must_use]
    pub fn new(channel: Channel, windows: &[Option<[f64; 4]>]) -> Self {
        let mut hub = Hub::new();
        for window in windows {
            let id = hub.connect(Outbox::new(1 << 20, Overflow::Close));
            let bbox = window.map(|edges| Bbox::try_from(edges).expect("a box"));
            hub.subscribe(id, &channel, Sight(bbox));
        }
        Self { hub, channel }
    }

    /// Reads messages for their place, as is done once on arrival.
    ///
    /// # Panics
    /// When a payload is beyond the limits of geometry.
    pub fn read(&self, payloads: impl Iterator<Item = String>) -> Vec<Event> {
        let read = |payload: String| {
            let document = Document::read(payload.as_bytes(), &Limits::default());
            let document = document.expect("it is within the limits");
            Event { channel: self.channel.clone(), payload, document }
        };
        payloads.map(read).collect()
    }

    /// Publishes messages in one go.
    pub fn publish(&mut self, events: &[Event]) {
        black_box(self.hub.publish(&self.channel, events));
    }

    /// What writes to sockets would take, without the writes: the bytes that left. As in the server, a part that is alone
    /// takes the plain write, several take the vectored one.
    pub fn drain(&mut self) -> usize {
        let mut left = 0;
        self.hub.drain_dirty(|_, outbox| {
            while !outbox.is_empty() {
                let written = match outbox.only() {
                    Some(only) => black_box(only).len(),
                    None => vectored(outbox),
                };
                outbox.advance(written);
                left += written;
            }
        });
        left
    }
}

fn vectored(outbox: &Outbox) -> usize {
    let mut slices = [IoSlice::new(&[]); 128];
    let filled = outbox.fill(&mut slices);
    black_box(&slices[..filled]).iter().map(|slice| slice.len()).sum()
}
