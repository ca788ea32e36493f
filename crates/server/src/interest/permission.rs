use super::{Sight, Window, Withheld};
use crate::{
    Event,
    access::{Permitted, Rights},
    session::Fault,
};

impl Sight {
    /// What of an event the rights of these subscribers let them see, if they are limited. It is decided before what they look at, so that
    /// neither a count nor a reason says where something is that they may not see.
    pub(super) fn permitted(&self, event: &Event) -> Result<Option<Permitted>, Withheld> {
        let Some(rights) = &self.rights else { return Ok(None) };
        if !rights.admit(self.window.as_deref()) {
            return Err(Withheld::Access);
        }
        rights.see(event).map(Some).ok_or(Withheld::Access)
    }

    /// Whether the rights let a window be looked at.
    pub(crate) fn check(&self, window: &Window) -> Result<(), Fault> {
        let Some(rights) = &self.rights else { return Ok(()) };
        rights.check_area(window.bounds().boxes).map_err(Fault::from)
    }

    /// Whether the rights let two sights be seen that differ in nothing else than their windows.
    pub(super) fn both_admitted(&self, other: &Self) -> bool {
        let is_admitted =
            |sight: &Self| sight.rights.as_ref().is_none_or(|rights| rights.admit(sight.window.as_deref()));
        self.rights == other.rights && is_admitted(self) && is_admitted(other)
    }
}

impl Rights {
    /// Whether what is in a window may be seen, or all of the world without one.
    fn admit(&self, window: Option<&Window>) -> bool {
        match window {
            None => !self.need_viewport(),
            Some(window) => self.check_area(window.bounds().boxes).is_ok(),
        }
    }
}
