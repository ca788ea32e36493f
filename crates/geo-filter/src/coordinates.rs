use std::ops::Range;

use crate::lexer;

/// What happens to the positions of a `coordinates` member while it is walked.
pub(crate) trait Sink {
    /// What a number of a position is taken for.
    type Number;

    /// The number that begins at `at`, and the index behind it. `None` when there is none.
    fn number(json: &[u8], at: usize) -> Option<(Self::Number, usize)>;

    /// A position: its first and second number, and where it stands, brackets included.
    fn position(&mut self, x: Self::Number, y: Self::Number, place: Range<usize>) -> Result<(), Stop>;

    /// An array of positions (level 1), of those (level 2), … has ended.
    fn end(&mut self, level: u8);
}

/// Why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// These are not the coordinates of that geometry type.
    Malformed,
    /// The limit of positions was passed.
    TooMany,
}

/// Walks the value of a `coordinates` member that lies at `at` in `json`, and returns the index behind it. What it
/// accepts is JSON if the sink accepts numbers of JSON only. `level` is the number of arrays around a position: 0 for a point, 3 for a multi-polygon.
///
/// A position has two or more elements (RFC 7946 §3.1.1); all beyond the second may be numbers or `null` and
/// are passed over. An empty array in place of a point's position has no position (§3.1 lets empty coordinates
/// stand for a null geometry).
pub(crate) fn walk(json: &[u8], at: usize, level: u8, sink: &mut impl Sink) -> Result<usize, Stop> {
    let mut walk = Walk { json, at };
    if level == 0 {
        walk.expect(b'[')?;
        let start = walk.at - 1;
        if walk.peek() == Some(b']') {
            return Ok(walk.at + 1);
        }
        walk.position(start, sink)?;
    } else {
        walk.array(level, sink)?;
    }
    Ok(walk.at)
}

struct Walk<'a> {
    json: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn array<S: Sink>(&mut self, level: u8, sink: &mut S) -> Result<(), Stop> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            sink.end(level);
            return Ok(());
        }
        loop {
            if level == 1 {
                self.expect(b'[')?;
                self.position(self.at - 1, sink)?;
            } else {
                self.array(level - 1, sink)?;
            }
            match self.next() {
                Some(b',') => {}
                Some(b']') => break,
                _ => return Err(Stop::Malformed),
            }
        }
        sink.end(level);
        Ok(())
    }

    /// The rest of a position, behind its opening bracket, which is at `start`.
    fn position<S: Sink>(&mut self, start: usize, sink: &mut S) -> Result<(), Stop> {
        let x = self.number::<S>()?;
        self.expect(b',')?;
        let y = self.number::<S>()?;
        loop {
            match self.next() {
                Some(b',') => match self.peek() {
                    Some(b'n') => self.null()?,
                    _ => self.step_over_number()?,
                },
                Some(b']') => break,
                _ => return Err(Stop::Malformed),
            }
        }
        sink.position(x, y, start..self.at)
    }

    fn number<S: Sink>(&mut self) -> Result<S::Number, Stop> {
        self.peek();
        let (number, end) = S::number(self.json, self.at).ok_or(Stop::Malformed)?;
        self.at = end;
        Ok(number)
    }

    fn step_over_number(&mut self) -> Result<(), Stop> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        self.at += lexer::number_length(rest).ok_or(Stop::Malformed)?;
        Ok(())
    }

    fn null(&mut self) -> Result<(), Stop> {
        let word = b"null";
        if !self.json.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Stop::Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.next() == Some(wanted) { Ok(()) } else { Err(Stop::Malformed) }
    }

    /// The next byte that is not white space, consumed.
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// The next byte that is not white space, not consumed.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Trace(String);

    impl Sink for Trace {
        type Number = Range<usize>;

        fn number(json: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
            let end = at + lexer::number_length(json.get(at..)?)?;
            Some((at..end, end))
        }

        fn position(&mut self, x: Range<usize>, y: Range<usize>, place: Range<usize>) -> Result<(), Stop> {
            self.0 += &format!("{}[{}-{} {}-{}]{};", place.start, x.start, x.end, y.start, y.end, place.end);
            Ok(())
        }

        fn end(&mut self, level: u8) {
            self.0 += &format!("end{level};");
        }
    }

    fn check(json: &str, level: u8, expected: Result<&str, Stop>) {
        assert!(json.parse::<serde_json::Value>().is_ok(), "{json} must be JSON: the walk relies on it");
        let mut trace = Trace::default();
        let result = walk(json.as_bytes(), 0, level, &mut trace).map(|_| trace.0.as_str());
        assert_eq!(result, expected, "{json}");
    }

    #[test]
    fn finds_the_numbers_at_every_level() {
        check("[1,-2.5e3]", 0, Ok("0[1-2 3-9]10;"));
        check(" [ 1 ,\t2 , 3, 4 ] ", 0, Ok("1[3-4 7-8]17;"));
        check("[1,2,null]", 0, Ok("0[1-2 3-4]10;"));
        check("[]", 0, Ok(""));
        check("[]", 1, Ok("end1;"));
        check("[[1,2],[3,4]]", 1, Ok("1[2-3 4-5]6;7[8-9 10-11]12;end1;"));
        check("[[[1,2]],[]]", 2, Ok("2[3-4 5-6]7;end1;end1;end2;"));
        check("[[[[1,2]]]]", 3, Ok("3[4-5 6-7]8;end1;end2;end3;"));
    }

    #[test]
    fn says_when_the_shape_is_wrong() {
        for (json, level) in [
            ("[1]", 0),
            ("[1,\"2\"]", 0),
            ("[1,2,\"3\"]", 0),
            ("[1,2,[3]]", 0),
            ("[null,1]", 0),
            ("[[1,2]]", 0),
            ("{}", 0),
            ("\"[1,2]\"", 0),
            ("[1,2]", 1),
            ("[[]]", 1),
            ("[[1,2],3]", 1),
            ("null", 1),
            ("[[[1,2]]]", 1),
            ("[[1,2]]", 2),
            ("[{}]", 3),
        ] {
            check(json, level, Err(Stop::Malformed));
        }
    }
}
