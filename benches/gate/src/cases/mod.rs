//! What is counted.

use crate::counted::counted_by_the_gate;

mod fanout;
mod hit;

/// Work whose instructions are counted in a process of its own.
pub(crate) struct Case {
    /// How the table names it.
    pub(crate) name: &'static str,
    /// Prepares the work, does it, and checks what came out.
    pub(crate) run: fn(),
}

/// In the order of the table.
pub(crate) const CASES: &[Case] = &[
    Case { name: "fanout to 1", run: || fanout::everybody(1) },
    Case { name: "fanout to 100", run: || fanout::everybody(100) },
    Case { name: "fanout to 1000", run: || fanout::everybody(1_000) },
    Case { name: "fanout to 1000 viewports", run: fanout::few_in_view },
    Case { name: "fanout to 10000 elsewhere", run: fanout::nobody },
    Case { name: "fanout burst of 100 to 100", run: fanout::burst },
    Case { name: "read point", run: hit::read_point },
    Case { name: "read polygon", run: hit::read_polygon },
    Case { name: "hit point", run: || hit::hit("point") },
    Case { name: "hit line", run: || hit::hit("line") },
    Case { name: "hit polygon", run: || hit::hit("polygon") },
];

/// Counts work that has been done before, so that queues have the capacity and tables the size that they have in a server
/// that has been running for a while.
fn warm_then_counted(mut work: impl FnMut()) {
    work();
    counted_by_the_gate(&mut work);
}

/// Names are arguments and keys of the table.
#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_differ() {
        let names: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
    }

    /// Each checks its own result, so that a case which does nothing cannot pass for one that is quick.
    #[test]
    fn cases_run() {
        for case in CASES {
            (case.run)();
        }
    }
}
