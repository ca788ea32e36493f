/// Who a client is, as far as it matters for what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(super) key: PresentedKey,
}

/// What has become of the publish key that a client presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PresentedKey {
    None,
    Wrong,
    Right,
}

impl Identity {
    #[cfg(any(test, fuzzing))]
    /// Somebody who has presented nothing.
    pub(crate) const ANYBODY: Self = Self { key: PresentedKey::None };
}
