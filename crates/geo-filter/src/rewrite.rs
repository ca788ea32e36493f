use std::ops::Range;

use crate::coordinates::{self, Sink, Stop};
use crate::{Decimals, Document, Shape, cut, elements, lexer};

impl Document {
    /// The payload with its coordinates replaced by those of `shape`, rounded to `decimals`.
    ///
    /// Only the first two numbers of each position change. Every other byte stays: further numbers of a
    /// position, white space, the order of keys, foreign members, and also a `bbox` member (RFC 7946 §5),
    /// which then still speaks of the source's coordinate system.
    ///
    /// Of a FeatureCollection only `members` are kept, or all for `None`; members that the shape withholds
    /// are always cut out. `payload` must be the bytes this document was read from and `shape` one of its
    /// own; with others the result is of no use, but nothing panics.
    ///
    /// A document without any position comes back as it is.
    ///
    /// `None` when nothing remains: the document is withheld, or no feature is left of a collection.
    #[must_use]
    pub fn rewrite(
        &self,
        payload: &[u8],
        shape: &Shape,
        members: Option<&[usize]>,
        decimals: Decimals,
    ) -> Option<Vec<u8>> {
        let structure = self.shape().structure();
        let mut keep = self.mask(members);
        for &member in shape.withheld() {
            *keep.get_mut(member)? = false;
        }
        if !keep.is_empty() && !keep.contains(&true) {
            return None;
        }
        let mut copy = Copy { payload, at: 0, cuts: self.cuts(payload, &keep), out: Vec::new() };
        // A projected number is often longer than the one it replaces.
        copy.out.reserve(payload.len() + payload.len() / 4);
        let mut replace = Replace { copy, positions: [].iter(), decimals };
        for member in (0..keep.len()).filter(|&member| keep[member]) {
            for part in structure.parts_of(member) {
                replace.positions = shape.positions().get(part.positions.clone())?.iter();
                coordinates::walk(payload, part.byte, part.primitive.level(), &mut replace).ok()?;
            }
        }
        Some(replace.copy.finish())
    }

    /// The payload of a FeatureCollection with the features of `members` alone, not a byte of them changed.
    /// Any other payload comes back as it is. `payload` must be the bytes this document was read from.
    #[must_use]
    pub fn trim(&self, payload: &[u8], members: &[usize]) -> Vec<u8> {
        let cuts = self.cuts(payload, &self.mask(Some(members)));
        Copy { payload, at: 0, cuts, out: Vec::with_capacity(payload.len()) }.finish()
    }

    /// A FeatureCollection of the features of `collection` and nothing else: without its other members, such as `bbox`, which
    /// speak of features that may have been cut out of it. `collection` is what [`rewrite`](Self::rewrite) or
    /// [`trim`](Self::trim) made of the payload of a collection.
    #[must_use]
    pub fn features_alone(collection: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(collection.len());
        out.extend_from_slice(br#"{"type":"FeatureCollection","features":["#);
        for (index, feature) in elements::features(collection).into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(collection.get(feature).unwrap_or_default());
        }
        out.extend_from_slice(b"]}");
        out
    }

    /// For each member whether it is kept. What is not a collection is kept always.
    fn mask(&self, members: Option<&[usize]>) -> Vec<bool> {
        let structure = self.shape().structure();
        let Some(members) = members.filter(|_| structure.collection) else {
            return vec![true; structure.members.len()];
        };
        let mut keep = vec![false; structure.members.len()];
        for &member in members {
            if let Some(keep) = keep.get_mut(member) {
                *keep = true;
            }
        }
        keep
    }

    /// The byte ranges to leave out so that only the kept features remain, last first.
    fn cuts(&self, payload: &[u8], keep: &[bool]) -> Vec<Range<usize>> {
        if keep.iter().all(|&keep| keep) {
            return Vec::new();
        }
        let elements = elements::features(payload);
        let mut cuts = cut::cuts(&elements, |index| keep.get(index).is_some_and(|&keep| keep));
        cuts.reverse();
        cuts
    }
}

/// Copies the payload from front to back, without what is cut.
struct Copy<'a> {
    payload: &'a [u8],
    at: usize,
    /// Last first, so that the next one can be popped.
    cuts: Vec<Range<usize>>,
    out: Vec<u8>,
}

impl Copy<'_> {
    fn up_to(&mut self, end: usize) {
        if self.cuts.is_empty() && self.little(end) {
            return;
        }
        while let Some(cut) = self.cuts.pop_if(|cut| cut.start < end) {
            self.out.extend_from_slice(self.payload.get(self.at..cut.start).unwrap_or_default());
            self.at = cut.end;
        }
        self.out.extend_from_slice(self.payload.get(self.at..end).unwrap_or_default());
        self.at = end;
    }

    /// Copies what is no longer than a block: as a whole block, of which the surplus is dropped, because a copy of
    /// constant length costs a tenth of one that is not. Between two numbers there is seldom more than a comma.
    fn little(&mut self, end: usize) -> bool {
        const BLOCK: usize = 16;
        let length = end.saturating_sub(self.at);
        let Some(block) = self.payload.get(self.at..).and_then(|rest| rest.first_chunk::<BLOCK>()) else {
            return false;
        };
        if length > BLOCK || end < self.at {
            return false;
        }
        let wanted = self.out.len() + length;
        self.out.extend_from_slice(block);
        self.out.truncate(wanted);
        self.at = end;
        true
    }

    fn finish(mut self) -> Vec<u8> {
        self.up_to(self.payload.len());
        self.out
    }
}

/// Copies, but puts the next of the given positions in place of each that is met.
struct Replace<'a, 'p> {
    copy: Copy<'a>,
    positions: std::slice::Iter<'p, [f64; 2]>,
    decimals: Decimals,
}

impl Sink for Replace<'_, '_> {
    type Number = Range<usize>;

    /// The payload was found to be JSON when it was read, so a number goes on to what may stand behind one.
    fn number(json: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
        let end = at + lexer::value_length(json.get(at..)?);
        Some((at..end, end))
    }

    fn position(&mut self, x: Range<usize>, y: Range<usize>) -> Result<(), Stop> {
        let position = self.positions.next().ok_or(Stop::Malformed)?;
        for (token, number) in [x, y].into_iter().zip(position) {
            self.copy.up_to(token.start);
            self.decimals.write(*number, &mut self.copy.out);
            self.copy.at = token.end;
        }
        Ok(())
    }

    fn end(&mut self, _: u8) {}
}
