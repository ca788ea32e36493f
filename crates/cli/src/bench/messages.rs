use anyhow::ensure;

use super::{
    engine::{PROBE, STAMP, Stamp},
    load::Content,
    publisher::Publication,
    viewports::{self, Viewports},
};

/// What is published: JSON of a fixed size, with a point somewhere if clients look somewhere.
#[derive(Debug)]
pub(super) struct Messages {
    size: usize,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// All messages are for all clients.
    Nowhere {
        clients: usize,
    },
    Somewhere {
        viewports: Viewports,
        random: fastrand::Rng,
    },
}

impl Messages {
    /// Messages of `size` bytes, for so many clients.
    pub(super) fn new(size: usize, clients: usize, viewports: Option<Viewports>) -> anyhow::Result<Self> {
        let place = match viewports {
            None => Place::Nowhere { clients },
            Some(viewports) => Place::Somewhere { viewports, random: fastrand::Rng::with_seed(SEED) },
        };
        let least = if matches!(place, Place::Nowhere { .. }) { PLAIN } else { FEATURE };
        ensure!(size >= least, "a message takes {least} bytes at least, {size} is too few");
        Ok(Self { size, place })
    }

    /// One that every subscriber has to get, wherever it looks: what has no place passes all viewports.
    pub(super) fn probe(&self) -> Publication {
        plain(self.size, Stamp { sent: 0, number: PROBE }).into()
    }
}

impl Content for Messages {
    fn next(&mut self, stamp: Stamp) -> (Publication, u64) {
        let Self { size, place } = self;
        let (payload, clients) = match place {
            Place::Nowhere { clients } => (plain(*size, stamp), *clients),
            Place::Somewhere { viewports, random } => {
                let point = viewports::point(random);
                (feature(*size, None, point, stamp), viewports.count(point))
            }
        };
        (payload.into(), clients as u64)
    }
}

fn plain(size: usize, stamp: Stamp) -> Vec<u8> {
    let mut out = b"{\"stamp\":\"".to_vec();
    stamp.write(&mut out);
    pad(size, b"\"}", &mut out);
    out
}

/// A point feature of so many bytes, which are at least [`FEATURE`].
pub(super) fn feature(size: usize, id: Option<u32>, [x, y]: [f64; 2], stamp: Stamp) -> Vec<u8> {
    let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
    let head = format!(
        "{{\"type\":\"Feature\",{id}\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{x},{y}]}},\
         \"properties\":{{\"stamp\":\""
    );
    let mut out = head.into_bytes();
    stamp.write(&mut out);
    pad(size, b"\"}}", &mut out);
    out
}

/// Ends the message so that it has `size` bytes.
fn pad(size: usize, end: &[u8], out: &mut Vec<u8>) {
    let between = b"\",\"pad\":\"";
    out.extend_from_slice(between);
    out.resize(out.len().max(size - end.len()), b'x');
    out.extend_from_slice(end);
}

const SEED: u64 = 3;
/// The shortest message of each kind, with the longest coordinates.
const PLAIN: usize = STAMP + 21;
pub(super) const FEATURE: usize = STAMP + 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json_of_the_size_that_was_asked_for() {
        let viewports = Viewports::random("10x10".parse().unwrap(), 100);
        for (size, viewports) in
            [(PLAIN, None), (256, None), (FEATURE, Some(viewports.clone())), (300, Some(viewports))]
        {
            let geographic = viewports.is_some();
            let mut messages = Messages::new(size, 7, viewports).unwrap();
            for number in 1..1000 {
                let (Publication { payload, .. }, clients) = messages.next(Stamp { sent: 12, number });
                assert_eq!(payload.len(), size);
                let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(json["type"] == "Feature", geographic);
                assert!(geographic || clients == 7);
            }
            let json: serde_json::Value = serde_json::from_slice(&messages.probe().payload).unwrap();
            assert!(json.get("geometry").is_none());
        }
        assert!(Messages::new(PLAIN - 1, 1, None).is_err());
    }
}
