use anyhow::ensure;

use super::{
    engine::{PROBE, STAMP, Stamp},
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

    /// Appends one, and returns how many clients have to get it.
    pub(super) fn write(&mut self, stamp: Stamp, out: &mut Vec<u8>) -> usize {
        let Self { size, place } = self;
        match place {
            Place::Nowhere { clients } => {
                plain(*size, stamp, out);
                *clients
            }
            Place::Somewhere { viewports, random } => {
                let point = viewports::point(random);
                feature(*size, point, stamp, out);
                viewports.count(point)
            }
        }
    }

    /// Appends one that every subscriber has to get, wherever it looks: what has no place passes all viewports.
    pub(super) fn write_probe(&self, out: &mut Vec<u8>) {
        plain(self.size, Stamp { sent: 0, number: PROBE }, out);
    }
}

fn plain(size: usize, stamp: Stamp, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"{\"stamp\":\"");
    stamp.write(out);
    pad(start, size, b"\"}", out);
}

fn feature(size: usize, [x, y]: [f64; 2], stamp: Stamp, out: &mut Vec<u8>) {
    let start = out.len();
    let head = format!(
        "{{\"type\":\"Feature\",\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{x},{y}]}},\
         \"properties\":{{\"stamp\":\""
    );
    out.extend_from_slice(head.as_bytes());
    stamp.write(out);
    pad(start, size, b"\"}}", out);
}

/// Ends the message that began at `start` so that it has `size` bytes.
fn pad(start: usize, size: usize, end: &[u8], out: &mut Vec<u8>) {
    let between = b"\",\"pad\":\"";
    out.extend_from_slice(between);
    out.resize(out.len().max(start + size - end.len()), b'x');
    out.extend_from_slice(end);
}

const SEED: u64 = 3;
/// The shortest message of each kind, with the longest coordinates.
const PLAIN: usize = STAMP + 21;
const FEATURE: usize = STAMP + 120;

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
                let mut out = Vec::new();
                let clients = messages.write(Stamp { sent: 12, number }, &mut out);
                assert_eq!(out.len(), size);
                let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
                assert_eq!(json["type"] == "Feature", geographic);
                assert!(geographic || clients == 7);
            }
            let mut probe = Vec::new();
            messages.write_probe(&mut probe);
            let json: serde_json::Value = serde_json::from_slice(&probe).unwrap();
            assert!(json.get("geometry").is_none());
        }
        assert!(Messages::new(PLAIN - 1, 1, None).is_err());
    }
}
