use crate::Limits;
use crate::builder::{Builder, Mark};
use crate::geo_type::GeoType;
use crate::key::Name;
use crate::lexer::Lexer;

/// Reads the usual document in a single pass: positions are read where they stand, and all else is stepped over.
///
/// `None` for whatever is out of the ordinary: not JSON, beyond a limit, malformed coordinates, duplicated members,
/// escapes in names, geometry where it does not belong. The careful way (`Outline`) then says
/// what it is. The two agree on every document that this one accepts, which a test holds them to.
pub(crate) fn read<'a>(text: &'a str, limits: &Limits) -> Option<Builder<'a>> {
    let mut reader =
        Reader { lexer: Lexer::new(text, limits.depth), builder: Builder::new(text, limits.vertices) };
    let mark = reader.builder.mark();
    let found = reader.value(Place::Document)?;
    if !reader.lexer.is_at_end() {
        return None;
    }
    match found {
        Found::Geometry | Found::Feature => reader.builder.member(mark),
        Found::Features => reader.builder.structure.collection = true,
        Found::Other => {}
    }
    Some(reader.builder)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    builder: Builder<'a>,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Document,
    Features,
    Feature,
    Geometry,
    Geometries,
}

/// What a value turned out to be. Its parts have been added to the builder; `Other` has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Geometry,
    Feature,
    Features,
    Other,
}

impl Reader<'_> {
    fn value(&mut self, place: Place) -> Option<Found> {
        match (self.lexer.peek()?, place) {
            (b'{', Place::Document | Place::Feature | Place::Geometry) => self.object(place),
            (b'[', Place::Features) => self.features(),
            (b'[', Place::Geometries) => self.geometries(),
            (b'"', _) => match self.lexer.string()? {
                (contents, true) => decoded(contents).map(|_| Found::Other),
                (_, false) => Some(Found::Other),
            },
            _ => self.lexer.skip().map(|()| Found::Other),
        }
    }

    fn features(&mut self) -> Option<Found> {
        let mut more = self.lexer.open(b']')?;
        while more {
            let mark = self.builder.mark();
            self.value(Place::Feature)?;
            self.builder.member(mark);
            more = self.lexer.more(b']')?;
        }
        Some(Found::Features)
    }

    fn geometries(&mut self) -> Option<Found> {
        let mut more = self.lexer.open(b']')?;
        while more {
            if self.value(Place::Geometry)? != Found::Geometry {
                return None;
            }
            more = self.lexer.more(b']')?;
        }
        Some(Found::Geometry)
    }

    fn object(&mut self, place: Place) -> Option<Found> {
        let mark = self.builder.mark();
        let mut kind = None;
        let mut typed = false;
        let mut content = Content::Nothing;
        let mut more = self.lexer.open(b'}')?;
        while more {
            let name = match self.lexer.key()? {
                (name, false) => Name::of(name),
                (name, true) => undecoded(name)?,
            };
            let is_in_place = match name {
                Name::Type => {
                    if typed {
                        return None;
                    }
                    typed = true;
                    kind = self.kind()?;
                    more = self.lexer.more(b'}')?;
                    continue;
                }
                Name::Properties | Name::Other => {
                    self.lexer.skip()?;
                    more = self.lexer.more(b'}')?;
                    continue;
                }
                Name::Coordinates | Name::Geometries => place.can_be(Place::Geometry),
                Name::Geometry => place.can_be(Place::Feature),
                Name::Features => place == Place::Document,
            };
            if !is_in_place || content != Content::Nothing {
                return None;
            }
            content = self.content(name, kind, typed)?;
            more = self.lexer.more(b'}')?;
        }
        self.judge(place, kind, content, mark)
    }

    /// The value of a `type` member, if it is one of GeoJSON's.
    fn kind(&mut self) -> Option<Option<GeoType>> {
        if self.lexer.peek()? != b'"' {
            self.lexer.skip()?;
            return Some(None);
        }
        match self.lexer.string()? {
            (_, true) => None,
            (name, false) => Some(GeoType::named(name)),
        }
    }

    fn content(&mut self, name: Name, kind: Option<GeoType>, typed: bool) -> Option<Content> {
        Some(match name {
            Name::Geometry => Content::Geometry(self.value(Place::Geometry)?),
            Name::Geometries => Content::Geometries(self.value(Place::Geometries)?),
            Name::Features => Content::Features(self.value(Place::Features)?),
            Name::Coordinates | Name::Type | Name::Properties | Name::Other => {
                self.lexer.peek()?;
                let start = self.lexer.at;
                match kind {
                    Some(GeoType::Primitive(primitive)) => {
                        self.walk(primitive, start)?;
                        Content::Walked
                    }
                    _ => {
                        self.lexer.skip()?;
                        if typed { Content::Foreign } else { Content::Coordinates(start) }
                    }
                }
            }
        })
    }

    /// Reads the coordinates that begin at `start`, and goes on behind them.
    fn walk(&mut self, primitive: crate::structure::Primitive, start: usize) -> Option<()> {
        if self.lexer.depth <= usize::from(primitive.level()) {
            return None;
        }
        self.lexer.at = self.builder.part(primitive, start).ok()?;
        Some(())
    }

    /// What an object is, once all its members are known.
    fn judge(&mut self, place: Place, kind: Option<GeoType>, content: Content, mark: Mark) -> Option<Found> {
        let found = match (kind, content) {
            (Some(GeoType::Primitive(_)), Content::Walked) => Found::Geometry,
            (Some(GeoType::Primitive(primitive)), Content::Coordinates(start)) => {
                let end = self.lexer.at;
                self.lexer.depth = self.lexer.depth.checked_sub(1)?;
                self.walk(primitive, start)?;
                self.lexer.depth += 1;
                self.lexer.at = end;
                Found::Geometry
            }
            (Some(GeoType::GeometryCollection), Content::Geometries(Found::Geometry)) => Found::Geometry,
            (Some(GeoType::FeatureCollection), Content::Features(Found::Features)) => Found::Features,
            (Some(GeoType::Feature), Content::Geometry(Found::Geometry)) => Found::Feature,
            (Some(GeoType::Feature), _) if place.can_be(Place::Feature) => Found::Feature,
            _ => Found::Other,
        };
        // Geometry or features that this object's type does not ask for must not stay behind.
        let used = matches!(
            (found, content),
            (Found::Geometry | Found::Features, _) | (Found::Feature, Content::Geometry(Found::Geometry))
        );
        let added = self.builder.mark() != mark || matches!(content, Content::Features(Found::Features));
        (used || !added).then_some(found)
    }
}

/// A name with escapes in it. One that means something to us is left to the careful way.
fn undecoded(name: &[u8]) -> Option<Name> {
    // What cannot be decoded is no name of ours.
    let name = decoded(name).unwrap_or_default();
    matches!(Name::of(name.as_bytes()), Name::Properties | Name::Other).then_some(Name::Other)
}

/// The text of a string, from what is between its quotes. `None` for a lone surrogate: the lexer has seen to the rest.
fn decoded(contents: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", contents, b"\""].concat()).ok()
}

/// The one member of an object that may hold geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    /// Coordinates that were read at once, as the type was known.
    Walked,
    /// Where coordinates begin, of a type to be seen.
    Coordinates(usize),
    /// Coordinates of what has none.
    Foreign,
    Geometry(Found),
    Geometries(Found),
    Features(Found),
}

impl Place {
    /// Whether an object here can be what stands at `wanted`: a document can be anything.
    fn can_be(self, wanted: Self) -> bool {
        self == wanted || self == Self::Document
    }
}
