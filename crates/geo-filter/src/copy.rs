use std::ops::Range;

/// Copies the payload from front to back, without what is cut.
pub(crate) struct Copy<'a> {
    pub(crate) payload: &'a [u8],
    /// What is before this has been copied, or is left out.
    pub(crate) at: usize,
    /// Last first, so that the next one can be popped.
    cuts: Vec<Range<usize>>,
    pub(crate) out: Vec<u8>,
}

impl<'a> Copy<'a> {
    /// Leaves out `cuts`, which are last first.
    pub(crate) fn new(payload: &'a [u8], cuts: Vec<Range<usize>>, capacity: usize) -> Self {
        Self { payload, at: 0, cuts, out: Vec::with_capacity(capacity) }
    }

    /// Copies on to this byte of the payload.
    pub(crate) fn up_to(&mut self, end: usize) {
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

    /// All of it, to the end of the payload.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.up_to(self.payload.len());
        self.out
    }
}
