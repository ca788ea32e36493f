mod detail;
mod permission;
mod selection;
mod sight_index;
mod still;
mod tracking;
mod window;

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use geocast_geo_filter::{KnownCrs, ReadError, Transform};
use geocast_hub::Interest;
use geocast_protocol::{ChangeFormat, ChangeKind};

pub(crate) use detail::Detail;
use selection::Selection;
pub(crate) use sight_index::SightIndex;
pub(crate) use tracking::Tracking;
pub(crate) use window::{Bounds, Window};

use crate::{
    Count, Event, Happening,
    access::Held,
    connection::Frame,
    deflate::Deflate,
    dialect::AnyDialect,
    happening::{After, Turn},
    pipeline::ClientId,
    properties::Fields,
    rendering,
    session::{View, Wishes},
};

/// What one subscription wants: a part of the world, in a coordinate system.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Into the system of what is sent; none where that is the source's.
    pub(crate) output: Option<Arc<Transform>>,
    pub(crate) window: Option<Arc<Window>>,
    pub(crate) wishes: Wishes,
    /// To what of the world the subscriber is limited, if it is.
    pub(crate) rights: Held,
    pub(crate) dialect: AnyDialect,
    /// Who is spared what it has itself sent.
    pub(crate) reader: Option<ClientId>,
    /// How what is sent is compressed, if it is.
    pub(crate) deflate: Option<Deflate>,
    /// Whether its subscriber is told where messages stand in the history of their channel.
    pub(crate) is_numbered: bool,
    /// What its subscriber is told of keys, if it is told what enters and leaves.
    pub(crate) tracking: Option<Tracking>,
}

/// What distinguishes the renderings of one event.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    output: Option<Arc<Transform>>,
    /// The features of a collection that are sent; all of them where there is no list.
    members: Option<Vec<usize>>,
    /// The properties of features that are sent; all of them where there is no list.
    fields: Option<Fields>,
    detail: Detail,
    /// Whether nothing else of a collection is sent than its features, as the rest speaks of others.
    alone: bool,
    dialect: AnyDialect,
    deflate: Option<Deflate>,
    is_numbered: bool,
    /// What is told of a key, and how.
    change: Option<(ChangeKind, ChangeFormat)>,
}

/// Why an event is kept from a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// No part of it is in the viewport.
    Outside,
    /// Its properties are not what the subscriber asked for.
    Filtered,
    /// The subscriber's token does not let it see it.
    Access,
    /// It has no finite coordinates in the subscriber's system.
    Unprojectable,
    /// Its JSON is nested too deeply.
    TooDeep,
    /// It has too many positions.
    TooManyVertices,
    /// It is the subscriber's own.
    Own,
    /// A newer state of the same key comes in its place.
    Replaced,
    /// It has moved less than the subscriber wants to be told, and nothing else that it is sent of it has changed.
    Still,
    /// Its channel is tracked, and has as many keys, or as much state, as is allowed.
    Untracked,
    /// There was no room for it.
    Slow,
}

impl Sight {
    /// All there is, as it is.
    pub(crate) fn of_everything(dialect: AnyDialect) -> Self {
        let wishes = Wishes::default();
        let (reader, deflate, tracking) = (None, None, None);
        Self {
            output: None,
            window: None,
            wishes,
            rights: None,
            dialect,
            reader,
            deflate,
            is_numbered: false,
            tracking,
        }
    }

    /// What a client has said to see this; `source` is the system that data comes in.
    pub(crate) fn view(&self, source: KnownCrs) -> View {
        let output = self.output.as_ref().map_or(source, |transform| transform.to());
        let viewport = self.window.as_ref().map(|window| window.viewport().clone());
        View { output, viewport, wishes: self.wishes.clone() }
    }

    /// Whether these subscribers get an event for itself, and in which form.
    pub(crate) fn show(&self, event: &Event) -> Result<Form, Withheld> {
        event.document()?;
        if self.reader.is_some() && self.reader == event.origin() {
            return Err(Withheld::Own);
        }
        let (dialect, deflate) = (self.dialect.clone(), self.deflate);
        let Selection { members, alone } = self.select(event)?;
        let output = event.geography().and_then(|_| self.output.clone());
        let fields = self.wishes.fields.clone().filter(|_| event.may_have_properties());
        let detail = self.detail(event);
        Ok(Form {
            output,
            members,
            alone,
            fields,
            detail,
            dialect,
            deflate,
            is_numbered: self.is_numbered,
            change: None,
        })
    }

    /// The system of what is sent, if that is not the source's.
    fn output_code(&self) -> Option<u32> {
        self.output.as_ref().map(|transform| transform.to().code())
    }
}

/// Two sights are equal if they show the same in the same form.
impl PartialEq for Sight {
    fn eq(&self, other: &Self) -> bool {
        self.output_code() == other.output_code()
            && self.dialect == other.dialect
            && self.reader == other.reader
            && self.deflate == other.deflate
            && self.is_numbered == other.is_numbered
            && self.tracking == other.tracking
            && self.rights == other.rights
            && self.window == other.window
            && self.wishes == other.wishes
    }
}

impl Eq for Sight {}

impl Hash for Sight {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.output_code(), &self.window, &self.wishes, &self.rights, &self.dialect).hash(state);
        (self.reader, self.deflate, self.is_numbered, self.tracking).hash(state);
    }
}

impl Form {
    pub(crate) fn output(&self) -> Option<&Transform> {
        self.output.as_deref()
    }

    pub(crate) fn dialect(&self) -> &AnyDialect {
        &self.dialect
    }

    pub(crate) fn deflate(&self) -> Option<Deflate> {
        self.deflate
    }

    /// Whether the place in the history is part of it.
    pub(crate) fn is_numbered(&self) -> bool {
        self.is_numbered
    }

    pub(crate) fn change(&self) -> Option<(ChangeKind, ChangeFormat)> {
        self.change
    }

    pub(crate) fn members(&self) -> Option<&[usize]> {
        self.members.as_deref()
    }

    pub(crate) fn fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }

    /// How much of the coordinates is sent.
    pub(crate) fn detail(&self) -> Detail {
        self.detail
    }

    /// Whether of a collection the features are sent alone.
    pub(crate) fn alone(&self) -> bool {
        self.alone
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        let target = |form: &Self| form.output.as_ref().map(|transform| transform.to());
        target(self) == target(other)
            && self.members == other.members
            && self.fields == other.fields
            && self.detail == other.detail
            && self.alone == other.alone
            && self.dialect == other.dialect
            && self.deflate == other.deflate
            && self.is_numbered == other.is_numbered
            && self.change == other.change
    }
}

impl Interest for Sight {
    type Event = Happening;
    type Form = Form;
    type Rendering = Frame;
    type Withheld = Withheld;
    type Index = SightIndex;

    const PASSED_OVER: Withheld = Withheld::Outside;

    fn decide(&self, happening: &Happening) -> Result<Form, Withheld> {
        match (self.tracking, happening.turn()) {
            (None, _) => self.show(happening),
            (Some(_), Some(Turn { after: After::Untracked, .. })) => Err(Withheld::Untracked),
            (Some(Tracking::Behind), _) => Err(Withheld::Replaced),
            (Some(Tracking::Following(_)), None) => self.show(happening),
            (Some(Tracking::Following(_)), Some(turn)) => self.follow(happening, turn),
        }
    }

    fn render(happening: &Happening, form: &Form) -> Result<Frame, Withheld> {
        match form.change() {
            Some(told) => rendering::change(happening, happening.former_key(), told, form),
            None => rendering::push(happening, form),
        }
    }

    fn join(frames: &[Frame]) -> Frame {
        Frame::join(frames)
    }
}

impl Withheld {
    /// Its stable name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            // Whoever can move a box must not learn from a count where something is that it may not see.
            Self::Outside | Self::Access => "outside",
            Self::Filtered => "filtered",
            Self::Unprojectable => "unprojectable",
            Self::TooDeep => "too_deep",
            Self::TooManyVertices => "too_many_vertices",
            Self::Own => "own",
            Self::Replaced => "replaced",
            Self::Still => "still",
            Self::Untracked => "untracked",
            Self::Slow => "slow",
        }
    }
}

impl From<&ReadError> for Withheld {
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::TooManyVertices { .. } => Self::TooManyVertices,
            // What else may come to be refused while a document is read lies in how it is built.
            _ => Self::TooDeep,
        }
    }
}

impl From<Withheld> for Count {
    fn from(reason: Withheld) -> Self {
        match reason {
            Withheld::Outside => Self::WithheldOutside,
            Withheld::Filtered => Self::WithheldFiltered,
            Withheld::Access => Self::WithheldAccess,
            Withheld::Unprojectable => Self::WithheldUnprojectable,
            Withheld::TooDeep => Self::WithheldTooDeep,
            Withheld::TooManyVertices => Self::WithheldTooManyVertices,
            Withheld::Own => Self::WithheldOwn,
            Withheld::Replaced => Self::WithheldReplaced,
            Withheld::Still => Self::WithheldStill,
            Withheld::Untracked => Self::WithheldUntracked,
            Withheld::Slow => Self::WithheldSlow,
        }
    }
}

#[cfg(test)]
mod tests;
