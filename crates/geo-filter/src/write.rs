use std::ops::Range;

use crate::coordinates::{self, Sink, Stop};
use crate::copy::Copy;
use crate::simplify::Kept;
use crate::{Decimals, Document, MapLength, Shape, lexer, number};

/// How the coordinates of a document are written: where, with how many decimals, and how many of them.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'a> {
    numbers: Numbers<'a>,
    /// In which shape lines are measured, and what is no further than this from the rest is left out.
    lines: Option<(&'a Shape, MapLength)>,
}

#[derive(Clone, Copy, Debug)]
enum Numbers<'a> {
    /// Not a byte of them changed.
    AsTheyCame,
    /// The same, but those that have more decimals are rounded.
    Rounded(Decimals),
    /// Those of another shape of the document, rounded.
    Of(&'a Shape, Decimals),
}

impl<'a> Writing<'a> {
    /// As they came.
    #[must_use]
    pub const fn as_they_came() -> Self {
        Self { numbers: Numbers::AsTheyCame, lines: None }
    }

    /// Those of another shape of the same document, rounded to so many decimals.
    #[must_use]
    pub const fn at(shape: &'a Shape, decimals: Decimals) -> Self {
        Self { numbers: Numbers::Of(shape, decimals), lines: None }
    }

    /// With at most so many decimals. A number that has no more stays as it would have been, byte for byte.
    #[must_use]
    pub fn with_at_most(self, decimals: Decimals) -> Self {
        let numbers = match self.numbers {
            Numbers::AsTheyCame => Numbers::Rounded(decimals),
            Numbers::Rounded(fewer) => Numbers::Rounded(fewer.min(decimals)),
            Numbers::Of(shape, fewer) => Numbers::Of(shape, fewer.min(decimals)),
        };
        Self { numbers, ..self }
    }

    /// Without the positions of lines and rings that are no further than `tolerance` from what is left, by Ramer, Douglas and
    /// Peucker. `degrees` is the document's shape in EPSG:4326; distances are those in EPSG:3857, where lines are straight.
    ///
    /// Points stay, and so do the first and the last position of a line. A ring keeps four positions, a line two. What is
    /// left may touch or cross itself, or its neighbours, where it did not before. A line with a longitude beyond ten turns
    /// stays as it is; latitudes beyond 85.06 degrees are taken for that.
    #[must_use]
    pub const fn simplified(self, degrees: &'a Shape, tolerance: MapLength) -> Self {
        Self { lines: Some((degrees, tolerance)), ..self }
    }
}

impl Document {
    /// The payload with its coordinates written like this, and every other byte as it was: see [`rewrite`](Self::rewrite),
    /// which is the same for [`Writing::at`].
    ///
    /// `None` when nothing remains: the shape that is written is withheld, or no feature is left of a collection.
    #[must_use]
    pub fn write(&self, payload: &[u8], members: Option<&[usize]>, writing: &Writing<'_>) -> Option<Vec<u8>> {
        let structure = self.shape().structure();
        let mut keep = self.mask(members);
        let (mut all, mut capacity) = (None, payload.len());
        if let Numbers::Of(shape, _) = writing.numbers {
            for &member in shape.withheld() {
                *keep.get_mut(member)? = false;
            }
            all = Some(shape.positions());
            // A projected number is often longer than the one it replaces.
            capacity += payload.len() / 4;
        }
        if !keep.is_empty() && !keep.contains(&true) {
            return None;
        }
        let kept = writing.lines.and_then(|(degrees, tolerance)| Kept::of(degrees, &keep, tolerance));
        let copy = Copy::new(payload, self.cuts(payload, &keep), capacity);
        let decimals = match writing.numbers {
            Numbers::AsTheyCame => None,
            Numbers::Rounded(decimals) | Numbers::Of(_, decimals) => Some(decimals),
        };
        let mut replace = Replace { copy, decimals, positions: None, kept: None, previous: 0 };
        for member in (0..keep.len()).filter(|&member| keep[member]) {
            for part in structure.parts_of(member) {
                let positions = part.positions.clone();
                replace.positions = match all {
                    Some(all) => Some(all.get(positions.clone())?.iter()),
                    None => None,
                };
                replace.kept = kept.as_ref().map(|kept| kept.within(positions).iter());
                coordinates::walk(payload, part.byte, part.primitive.level(), &mut replace).ok()?;
            }
        }
        Some(replace.copy.finish())
    }
}

/// Copies, but puts the next of the given positions in place of each that is met, or rounds it, or leaves it out.
struct Replace<'a, 'p> {
    copy: Copy<'a>,
    decimals: Option<Decimals>,
    /// The positions that are written; without them, those that are there.
    positions: Option<std::slice::Iter<'p, [f64; 2]>>,
    /// For each position whether it stays; without it, all do.
    kept: Option<std::slice::Iter<'p, bool>>,
    /// The byte behind the position before.
    previous: usize,
}

impl Replace<'_, '_> {
    fn put(&mut self, token: Range<usize>, number: f64, decimals: Decimals) {
        self.copy.up_to(token.start);
        decimals.write(number, &mut self.copy.out);
        self.copy.at = token.end;
    }
}

impl Sink for Replace<'_, '_> {
    type Number = Range<usize>;

    /// The payload was found to be JSON when it was read, so a number goes on to what may stand behind one.
    fn number(json: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
        let end = at + lexer::value_length(json.get(at..)?);
        Some((at..end, end))
    }

    fn position(&mut self, x: Range<usize>, y: Range<usize>, place: Range<usize>) -> Result<(), Stop> {
        let position = match &mut self.positions {
            Some(positions) => Some(positions.next().ok_or(Stop::Malformed)?),
            None => None,
        };
        if let Some(kept) = &mut self.kept {
            let previous = std::mem::replace(&mut self.previous, place.end);
            if !*kept.next().ok_or(Stop::Malformed)? {
                // The separator before it goes with it: the first of a line always stays.
                self.copy.up_to(previous);
                self.copy.at = place.end;
                return Ok(());
            }
        }
        match (position, self.decimals) {
            (Some([first, second]), Some(decimals)) => {
                self.put(x, *first, decimals);
                self.put(y, *second, decimals);
            }
            (None, Some(decimals)) => {
                for token in [x, y] {
                    let text = self.copy.payload.get(token.clone()).unwrap_or_default();
                    let number = number::read(text).map(|(number, _)| number);
                    if let Some(number) = number.filter(|number| !decimals.fit(text) && number.is_finite()) {
                        self.put(token, number, decimals);
                    }
                }
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn end(&mut self, _: u8) {}
}
