use std::ops::Range;

/// The byte ranges to leave out so that of some elements, which are divided by separators, only those that are kept remain;
/// ascending. A separator goes with the element behind it, so that white space survives.
pub(crate) fn cuts(elements: &[Range<usize>], is_kept: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut from = elements.first().map_or(0, |first| first.start);
    let mut previous: Option<usize> = None;
    for (index, element) in elements.iter().enumerate().filter(|(index, _)| is_kept(*index)) {
        // The first element that stays takes the place of the first there was; each further one keeps the separator
        // before it.
        let to = match (previous, index.checked_sub(1).and_then(|before| elements.get(before))) {
            (Some(_), Some(before)) => before.end,
            _ => element.start,
        };
        if from < to {
            cuts.push(from..to);
        }
        from = element.end;
        previous = Some(index);
    }
    if let Some(last) = elements.last().filter(|last| from < last.end) {
        cuts.push(from..last.end);
    }
    cuts
}
