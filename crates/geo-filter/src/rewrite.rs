use std::ops::Range;

use crate::copy::Copy;
use crate::{Decimals, Document, Shape, Writing, cut, elements};

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
        self.write(payload, members, &Writing::at(shape, decimals))
    }

    /// The payload of a FeatureCollection with the features of `members` alone, not a byte of them changed.
    /// Any other payload comes back as it is. `payload` must be the bytes this document was read from.
    #[must_use]
    pub fn trim(&self, payload: &[u8], members: &[usize]) -> Vec<u8> {
        let cuts = self.cuts(payload, &self.mask(Some(members)));
        Copy::new(payload, cuts, payload.len()).finish()
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
    pub(crate) fn mask(&self, members: Option<&[usize]>) -> Vec<bool> {
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
    pub(crate) fn cuts(&self, payload: &[u8], keep: &[bool]) -> Vec<Range<usize>> {
        if keep.iter().all(|&keep| keep) {
            return Vec::new();
        }
        let elements = elements::features(payload);
        let mut cuts = cut::cuts(&elements, |index| keep.get(index).is_some_and(|&keep| keep));
        cuts.reverse();
        cuts
    }
}
