use geocast_geo_filter::Bbox;
use geocast_protocol::{ChangeFormat, ChangeKind, LeaveReason};

use super::{Bounds, Detail, Form, Sight, Withheld};
use crate::{
    Event,
    happening::{After, Turn},
};

/// What a tracked subscriber is told at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tracking {
    /// Every change, as it happens.
    Following(ChangeFormat),
    /// Nothing, because what it has been told is not yet, or no longer, all that it should know. It is told the
    /// difference later.
    Behind,
}

impl Sight {
    /// The sight of a tracked subscriber that is told nothing: the same for all of them.
    pub(crate) fn behind(&self) -> Self {
        Self { tracking: Some(Tracking::Behind), ..Self::of_everything(self.dialect.clone()) }
    }

    /// Where in the source's system all is that is shown; none where that may be anything.
    pub(crate) fn bounds(&self) -> Option<Bounds<'_>> {
        self.window.as_ref().map(|window| window.bounds())
    }

    /// The boxes of two sights, if they are exact and all that tells the sights apart.
    pub(crate) fn pans_to<'a>(&'a self, other: &'a Self) -> Option<(&'a Bbox, &'a Bbox)> {
        let is_another = self.deflate != other.deflate || self.wishes != other.wishes;
        if is_another || !self.renders_like(other) || !self.both_admitted(other) {
            return None;
        }
        self.window.as_ref()?.pans_to(other.window.as_ref()?)
    }

    /// Whether what both show looks the same in both.
    pub(crate) fn renders_like(&self, other: &Self) -> bool {
        self.output_code() == other.output_code()
            && self.wishes.fields == other.wishes.fields
            && self.wishes.thinning == other.wishes.thinning
            && self.dialect == other.dialect
            && self.tracking == other.tracking
    }

    /// Whether a feature is among those that a tracked subscriber has.
    pub(crate) fn shows(&self, event: &Event) -> Result<(), Withheld> {
        // What is told of a key is told whole.
        if self.select(event)?.alone {
            return Err(Withheld::Access);
        }
        let Some(document) = event.geography() else { return Ok(()) };
        match &self.output {
            Some(transform) if event.projected(document, transform).is_withheld() => {
                Err(Withheld::Unprojectable)
            }
            _ => Ok(()),
        }
    }

    /// How a tracked subscriber is told of changes, if it is told of any.
    pub(crate) fn format(&self) -> Option<ChangeFormat> {
        match self.tracking {
            Some(Tracking::Following(format)) => Some(format),
            Some(Tracking::Behind) | None => None,
        }
    }

    /// The form of a change that a tracked subscriber is told by an event.
    pub(crate) fn change(&self, kind: ChangeKind, event: &Event) -> Form {
        let format = self.format().unwrap_or_default();
        let (output, fields, detail) = match kind {
            ChangeKind::Leave(_) => (None, None, Detail::ALL),
            _ => (self.output.clone(), self.wishes.fields.clone(), self.detail(event)),
        };
        let (dialect, deflate, change) = (self.dialect.clone(), self.deflate, Some((kind, format)));
        Form {
            output,
            members: None,
            alone: false,
            fields,
            detail,
            dialect,
            deflate,
            is_numbered: false,
            change,
        }
    }

    /// What a tracked subscriber is told of a change, decided by what it was shown before and is shown now.
    pub(super) fn follow(&self, event: &Event, turn: &Turn) -> Result<Form, Withheld> {
        let former = turn.before.as_deref();
        let before = former.map_or(Err(Withheld::Outside), |former| self.shows(former));
        let kind = match (before, turn.after) {
            (_, After::Same) => return Err(Withheld::Replaced),
            (_, After::Untracked) => return Err(Withheld::Untracked),
            (Ok(()), After::Gone(reason)) => ChangeKind::Leave(reason),
            (Err(reason), After::Gone(_)) => return Err(reason),
            (before, After::Here) => match (before, self.shows(event)) {
                (Err(_), Ok(())) => ChangeKind::Enter,
                (Ok(()), Ok(())) if former.is_some_and(|former| self.need_not_see(former, event)) => {
                    return Err(Withheld::Still);
                }
                (Ok(()), Ok(())) => ChangeKind::Update,
                (Ok(()), Err(Withheld::Access)) => ChangeKind::Leave(LeaveReason::Access),
                (Ok(()), Err(Withheld::Filtered)) => ChangeKind::Leave(LeaveReason::Filtered),
                (Ok(()), Err(_)) => ChangeKind::Leave(LeaveReason::Moved),
                (Err(_), Err(reason)) => return Err(reason),
            },
        };
        Ok(self.change(kind, event))
    }
}
