use std::ops::Range;

use crate::coordinates::{self, Sink, Stop};
use crate::number;
use crate::structure::{Part, Primitive, Structure};

/// Collects positions and how they are divided, while a text is read.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    pub(crate) structure: Structure,
    pub(crate) positions: Vec<[f64; 2]>,
    text: &'a str,
    /// The most positions there may be.
    limit: usize,
    /// The level of the part that is being walked.
    level: u8,
}

/// How much there was at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    parts: usize,
    positions: usize,
    lines: usize,
    polygons: usize,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(text: &'a str, limit: usize) -> Self {
        Self { structure: Structure::default(), positions: Vec::new(), text, limit, level: 0 }
    }

    /// Adds the geometry whose `coordinates` value begins at `byte`, and returns the index behind that value.
    /// After a failure, something of it remains until it is [rewound](Self::rewind).
    pub(crate) fn part(&mut self, primitive: Primitive, byte: usize) -> Result<usize, Stop> {
        let mark = self.mark();
        self.level = primitive.level();
        let end = coordinates::walk(self.text.as_bytes(), byte, primitive.level(), self)?;
        self.structure.parts.push(Part {
            primitive,
            byte,
            positions: mark.positions..self.positions.len(),
            lines: mark.lines..self.structure.lines.len(),
            polygons: mark.polygons..self.structure.polygons.len(),
        });
        Ok(end)
    }

    /// Makes what was added since the mark a member of the document. Without a position, it has no geometry.
    pub(crate) fn member(&mut self, mark: Mark) {
        if self.positions.len() == mark.positions {
            self.rewind(mark);
            self.structure.bare = true;
        }
        self.structure.members.push(mark.parts..self.structure.parts.len());
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            parts: self.structure.parts.len(),
            positions: self.positions.len(),
            lines: self.structure.lines.len(),
            polygons: self.structure.polygons.len(),
        }
    }

    /// Forgets what was added since the mark.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.structure.parts.truncate(mark.parts);
        self.positions.truncate(mark.positions);
        self.structure.lines.truncate(mark.lines);
        self.structure.polygons.truncate(mark.polygons);
    }
}

impl Sink for Builder<'_> {
    type Number = f64;

    fn number(json: &[u8], at: usize) -> Option<(f64, usize)> {
        let (number, length) = number::read(json.get(at..)?)?;
        Some((number, at + length))
    }

    fn position(&mut self, x: f64, y: f64, _place: Range<usize>) -> Result<(), Stop> {
        if self.positions.len() == self.limit {
            return Err(Stop::TooMany);
        }
        self.positions.push([x, y]);
        Ok(())
    }

    fn end(&mut self, level: u8) {
        // The lines of a line string or multi-point are its positions: nothing divides them.
        match (self.level, level) {
            (2 | 3, 1) => self.structure.lines.push(self.positions.len()),
            (3, 2) => self.structure.polygons.push(self.structure.lines.len()),
            _ => {}
        }
    }
}
