use std::hint::black_box;

/// Does the work that a case is about: the only part of the process whose instructions count, with all that it calls.
///
/// Its name is what [`SYMBOL`] looks for. It is not generic and not inlined, so that there is one of it.
#[inline(never)]
pub(crate) fn counted_by_the_gate(work: &mut dyn FnMut()) {
    work();
    // Something to do afterwards: were the work the last thing, the call would become a jump that never returns here.
    black_box(());
}

/// What valgrind is told to look for, however the compiler decorates names.
pub(crate) const SYMBOL: &str = "*counted_by_the_gate*";
