use std::collections::BTreeMap;
use std::fmt;

/// What was counted beside what was expected.
#[derive(Debug)]
pub(crate) struct Comparison {
    rows: Vec<Row>,
    tolerance: Tolerance,
}

/// How far a count may be from what was expected, in percent of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tolerance {
    more: f64,
    fewer: f64,
}

#[derive(Debug)]
struct Row {
    name: String,
    expected: Option<u64>,
    counted: Option<u64>,
}

/// Why a row does not pass.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    More(f64),
    Fewer(f64),
    NotExpected,
    NotCounted,
}

impl Tolerance {
    /// The same code by the same compiler counts the same, to the instruction, in every run. Elsewhere in a function a
    /// change may shift what is inlined or kept in registers, by a percent or two.
    pub(crate) const SAME_COMPILER: Self = Self { more: 3.0, fewer: 3.0 };

    /// Another compiler makes other code: only what is far off is a fault of ours. What it saves is welcome.
    pub(crate) const OTHER_COMPILER: Self = Self { more: 25.0, fewer: f64::INFINITY };
}

impl Comparison {
    pub(crate) fn new(
        expected: &BTreeMap<String, u64>,
        counted: &BTreeMap<String, u64>,
        tolerance: Tolerance,
    ) -> Self {
        let mut names: Vec<_> = expected.keys().chain(counted.keys()).collect();
        names.sort();
        names.dedup();
        let row = |name: &String| Row {
            name: name.clone(),
            expected: expected.get(name).copied(),
            counted: counted.get(name).copied(),
        };
        Self { rows: names.into_iter().map(row).collect(), tolerance }
    }

    /// What does not pass, in a line each. Nothing if all does.
    pub(crate) fn faults(&self) -> Vec<String> {
        let line = |row: &Row| Some(format!("{}: {}", row.name, row.fault(self.tolerance)?));
        self.rows.iter().filter_map(line).collect()
    }
}

impl Row {
    fn percent(&self) -> Option<f64> {
        let (expected, counted) = (self.expected? as f64, self.counted? as f64);
        Some(100.0 * (counted - expected) / expected)
    }

    fn fault(&self, tolerance: Tolerance) -> Option<Fault> {
        match (self.expected, self.counted, self.percent()) {
            (None, _, _) => Some(Fault::NotExpected),
            (_, None, _) => Some(Fault::NotCounted),
            (_, _, Some(percent)) if percent > tolerance.more => Some(Fault::More(percent)),
            (_, _, Some(percent)) if -percent > tolerance.fewer => Some(Fault::Fewer(-percent)),
            _ => None,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:>14} {:>14} {:>10}", "instructions", "expected", "counted", "change")?;
        let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        for row in &self.rows {
            let change = row.percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.2} %"));
            let mark = if row.fault(self.tolerance).is_some() { "  <--" } else { "" };
            let (expected, counted) = (number(row.expected), number(row.counted));
            writeln!(f, "{:<28} {expected:>14} {counted:>14} {change:>10}{mark}", row.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::More(percent) => write!(f, "{percent:.2} % more instructions than expected"),
            Self::Fewer(percent) => {
                write!(
                    f,
                    "{percent:.2} % fewer instructions than expected: the table hides how good it is now"
                )
            }
            Self::NotExpected => f.write_str("is counted, but not in the table"),
            Self::NotCounted => f.write_str("is in the table, but no longer counted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(expected: Option<u64>, counted: Option<u64>, tolerance: Tolerance) -> Vec<String> {
        let table = |count: Option<u64>| count.map(|count| ("case".to_owned(), count)).into_iter().collect();
        Comparison::new(&table(expected), &table(counted), tolerance).faults()
    }

    #[test]
    fn what_is_beyond_the_tolerance_is_a_fault() {
        let (same, other) = (Tolerance::SAME_COMPILER, Tolerance::OTHER_COMPILER);
        for (expected, counted, tolerance, fault) in [
            (Some(1000), Some(1000), same, None),
            (Some(1000), Some(1030), same, None),
            (Some(1000), Some(1031), same, Some("case: 3.10 % more instructions than expected")),
            (Some(1000), Some(970), same, None),
            (
                Some(1000),
                Some(969),
                same,
                Some("case: 3.10 % fewer instructions than expected: the table hides how good it is now"),
            ),
            (Some(1000), Some(1250), other, None),
            (Some(1000), Some(1251), other, Some("case: 25.10 % more instructions than expected")),
            (Some(1000), Some(1), other, None),
            (Some(0), Some(1), same, Some("case: inf % more instructions than expected")),
            (None, Some(1000), other, Some("case: is counted, but not in the table")),
            (Some(1000), None, other, Some("case: is in the table, but no longer counted")),
        ] {
            let found = faults(expected, counted, tolerance);
            assert_eq!(found, fault.into_iter().collect::<Vec<_>>(), "{expected:?} {counted:?}");
        }
    }

    #[test]
    fn the_faulty_row_is_marked() {
        let table = |first, second| [("a".to_owned(), first), ("b".to_owned(), second)].into();
        let shown = Comparison::new(&table(100, 200), &table(100, 300), Tolerance::SAME_COMPILER).to_string();
        let marked: Vec<_> = shown.lines().filter(|line| line.ends_with("<--")).collect();
        assert_eq!(marked.len(), 1, "{shown}");
        assert!(marked[0].starts_with('b') && marked[0].contains("+50.00 %"), "{shown}");
    }
}
