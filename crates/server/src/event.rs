mod features;
mod key;
mod native;
mod permissions;
mod track_key;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use geocast_geo_filter::{Document, Kind, KnownCrs, Limits, ReadError, Shape, Transform};
use geocast_protocol::{
    Channel, Offset,
    aiows::{self, PackageType},
    envelope::Timestamp,
};
use parking_lot::Mutex;

pub(crate) use key::Key;
pub(crate) use native::Native;
pub(crate) use track_key::{TrackKey, Tracked};

use self::{features::Features, native::Normalised, permissions::Permissions};
use crate::{
    Place,
    access::{Permitted, RightsNumber},
    clock,
    intake::Input,
    interest::Withheld,
    pipeline::{Carried, ClientId},
    properties::Column,
};

/// A message, or a value of the state, with all that is computed from it: each thing at most once per node.
#[derive(Debug)]
pub struct Event {
    channel: Channel,
    payload: Bytes,
    /// What the publisher said that it is, where it said so.
    package: Option<PackageType>,
    /// The client that sent it to others, where it did.
    origin: Option<ClientId>,
    number: u64,
    received: Timestamp,
    /// Where it stands in the history of its channel, if there is one.
    offset: Option<Offset>,
    document: Result<Document, Withheld>,
    /// As it was published, if that was in another system.
    native: Option<Box<Native>>,
    /// Empty until somebody needs it.
    key: OnceLock<Option<Key>>,
    /// Empty until somebody tracks its channel.
    tracked: OnceLock<Option<Tracked>>,
    features: Features,
    permissions: Permissions,
    /// The shape in the first few coordinate systems that somebody asked for.
    projections: Mutex<Vec<(u32, Arc<Shape>)>>,
}

impl Event {
    /// Reads what was published; `number` tells it from all other events of this node.
    #[cfg(test)]
    pub(crate) fn new(channel: Channel, published: Bytes, number: u64, limits: &Limits) -> Self {
        Self::read(channel, published, number, limits, None)
    }

    /// The same, in a coordinate system that is not EPSG:4326: coordinates are projected, once for all.
    pub(crate) fn read(
        channel: Channel,
        published: Bytes,
        number: u64,
        limits: &Limits,
        input: Option<&Input>,
    ) -> Self {
        let (origin, package, payload) =
            match channel.is_internal().then(|| Carried::read(&published)).flatten() {
                Some(Carried { origin, package, body }) => (origin, Some(package), published.slice_ref(body)),
                None => match aiows::unmark(&published) {
                    (None, _) => (None, None, published),
                    (package, payload) => (None, package, published.slice_ref(payload)),
                },
            };
        let document = document(package, &payload, limits).map_err(|error| Withheld::from(&error));
        let Normalised { payload, document, native } = match (document, input) {
            (Ok(document), Some(input)) if document.kind() == Kind::Geographic => {
                Normalised::new(payload, document, input, limits)
            }
            (document, _) => Normalised { payload, document, native: None },
        };
        let projections = native.iter().map(|native| (native.crs().code(), native.shape())).collect();
        Self {
            channel,
            payload,
            package,
            origin,
            number,
            received: clock::timestamp(),
            offset: None,
            document,
            native: native.map(Box::new),
            key: OnceLock::new(),
            tracked: OnceLock::new(),
            features: Features::default(),
            permissions: Permissions::default(),
            projections: Mutex::new(projections),
        }
    }

    /// The same with a place in the history of its channel.
    pub(crate) fn at(self, place: Option<Place>) -> Self {
        match place {
            Some(Place { offset, published }) => Self { offset: Some(offset), received: published, ..self },
            None => self,
        }
    }

    /// Whether subscribers can be sent what is to be published: an event of it is withheld from nobody for its form.
    ///
    /// # Errors
    /// It is JSON that is nested too deeply or has too many positions.
    pub(crate) fn check(published: &[u8], limits: &Limits) -> Result<(), ReadError> {
        Self::looked_into(published, limits).map(drop)
    }

    /// The same, and what it is, in the system that it comes in.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub(crate) fn looked_into(published: &[u8], limits: &Limits) -> Result<Document, ReadError> {
        let (package, payload) = aiows::unmark(published);
        document(package, payload, limits)
    }

    /// The key by which tracked subscriptions know what is published, if it is a feature that has one. What is not
    /// [in order](Self::check) may be nested too deeply to be read.
    pub(crate) fn tracked_as(published: &Bytes, property: Option<&str>) -> Option<TrackKey> {
        let (_, payload) = aiows::unmark(published);
        Some(Tracked::read(&published.slice_ref(payload), property)?.key)
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// What was published, in EPSG:4326 if it has a place in the world.
    pub(crate) fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// What was published, if it came in this system and that is not EPSG:4326.
    pub(crate) fn native(&self, crs: KnownCrs) -> Option<&Native> {
        self.native.as_deref().filter(|native| native.crs() == crs)
    }

    /// What kind of thing the payload is.
    pub(crate) fn kind(&self) -> Kind {
        match (self.package, &self.document) {
            (Some(PackageType::Bytes), _) => Kind::Binary,
            (_, Ok(document)) => document.kind(),
            (_, Err(_)) => Kind::Json,
        }
    }

    /// The client whose message it is.
    pub(crate) fn origin(&self) -> Option<ClientId> {
        self.origin
    }

    /// Its number among the events of this node.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Where it stands in the history of its channel, if there is one.
    pub(crate) fn offset(&self) -> Option<Offset> {
        self.offset
    }

    pub(crate) fn received(&self) -> Timestamp {
        self.received
    }

    /// What the payload is, or why nobody gets it.
    pub(crate) fn document(&self) -> Result<&Document, Withheld> {
        self.document.as_ref().map_err(|reason| *reason)
    }

    /// The document, if it has a place in the world.
    pub(crate) fn geography(&self) -> Option<&Document> {
        self.document.as_ref().ok().filter(|_| self.kind() == Kind::Geographic)
    }

    /// Finds out what it is the state of, so that [`key`](Self::key) knows.
    pub(crate) fn identify(&self) {
        self.key.get_or_init(|| {
            // A document that is refused may be nested too deeply to be read again.
            self.document.as_ref().ok()?;
            match self.kind() {
                Kind::Geographic | Kind::Json => Key::read(&self.channel, &self.payload),
                Kind::Text | Kind::Binary => None,
            }
        });
    }

    /// What it is the state of, if that is known and it is one.
    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.get()?.as_ref()
    }

    /// What it says of which feature, if it is one that can be tracked. `property` is the key of those without an id: the
    /// same whenever it is asked for.
    pub(crate) fn tracked(&self, property: Option<&str>) -> Option<&Tracked> {
        let read = || {
            // A document that is refused may be nested too deeply to be read again.
            self.document.as_ref().ok()?;
            match self.kind() {
                Kind::Geographic | Kind::Json => Tracked::read(&self.payload, property),
                Kind::Text | Kind::Binary => None,
            }
        };
        self.tracked.get_or_init(read).as_ref()
    }

    /// Whether it may be a feature: a glance, without reading anything.
    pub(crate) fn may_have_properties(&self) -> bool {
        matches!(self.kind(), Kind::Geographic | Kind::Json)
    }

    /// How many features it has that filters can judge; `None` if it is no feature, and for a notice that one was deleted.
    pub(crate) fn features(&self) -> Option<usize> {
        // What its publisher says is no JSON is no feature either.
        let document = self.document.as_ref().ok().filter(|_| self.may_have_properties())?;
        self.features.count(document, &self.payload)
    }

    /// The values of a property of its features.
    pub(crate) fn column(&self, name: &str) -> Arc<Column> {
        let document = self.document.as_ref().ok();
        document.map(|document| self.features.column(name, document, &self.payload)).unwrap_or_default()
    }

    /// What of it may be seen with these rights, which are asked unless they have been before.
    pub(crate) fn permitted(
        &self,
        rights: RightsNumber,
        judge: impl FnOnce() -> Option<Permitted>,
    ) -> Option<Permitted> {
        self.permissions.of(rights, judge)
    }

    /// The coordinates in another system.
    ///
    /// Whoever comes second while they are being computed waits for the first, which is shorter than computing them
    /// again. Clients choose the systems, and state is shared by all who ask for it, so only so many are kept.
    pub(crate) fn projected(&self, document: &Document, transform: &Transform) -> Arc<Shape> {
        let target = transform.to().code();
        let mut projections = self.projections.lock();
        if let Some((_, shape)) = projections.iter().find(|(code, _)| *code == target) {
            return Arc::clone(shape);
        }
        if projections.len() == MOST_PROJECTIONS {
            drop(projections);
            return Arc::new(transform.shape(document.shape()));
        }
        let shape = Arc::new(transform.shape(document.shape()));
        projections.push((target, Arc::clone(&shape)));
        shape
    }
}

/// Reads a payload without its mark. What its publisher says is no JSON is not looked into.
fn document(package: Option<PackageType>, payload: &[u8], limits: &Limits) -> Result<Document, ReadError> {
    let opaque = matches!(package, Some(PackageType::Text | PackageType::Bytes));
    Document::read(if opaque { &[] } else { payload }, limits)
}

/// More than the maps of one operator are usually in; each takes about as much as the coordinates themselves.
const MOST_PROJECTIONS: usize = 8;

#[cfg(test)]
mod tests {
    use geocast_geo_filter::{AxisOrder, Catalogue};

    use super::*;

    #[test]
    fn what_the_first_systems_need_is_kept() {
        let catalogue = Catalogue::load().expect("PROJ has its database");
        let crs = |code| catalogue.crs(code).expect("a system that PROJ knows");
        let point = Bytes::from_static(br#"{"type":"Point","coordinates":[8.5,47.4]}"#);
        let event = Event::new("map".parse().expect("a channel"), point, 1, &Limits::default());
        let document = event.document().expect("a document");
        for number in 0..MOST_PROJECTIONS + 2 {
            let zone = crs(32601 + u32::try_from(number).expect("a few"));
            let transform = Transform::new(crs(4326), zone, AxisOrder::Xy).expect("there is a way");
            let (first, again) =
                (event.projected(document, &transform), event.projected(document, &transform));
            assert_eq!(Arc::ptr_eq(&first, &again), number < MOST_PROJECTIONS, "{number}");
            assert_eq!(format!("{first:?}"), format!("{again:?}"));
        }
    }

    /// What an event of this is shown as, whether it has a key, and what a publisher is told.
    fn check(published: &[u8], kind: Kind, payload: &[u8], keyed: bool, accepted: bool) {
        let limits = Limits::default().with_depth(32);
        let shown = String::from_utf8_lossy(published);
        let channel = "map".parse().expect("a channel");
        let event = Event::new(channel, Bytes::copy_from_slice(published), 1, &limits);
        event.identify();
        assert_eq!(event.document().is_ok(), accepted, "{shown}");
        assert_eq!(Event::check(published, &limits).is_ok(), accepted, "{shown}");
        assert_eq!((event.kind(), &**event.payload()), (kind, payload), "{shown}");
        assert_eq!(event.key().is_some(), keyed, "{shown}");
        assert_eq!(event.geography().is_some(), kind == Kind::Geographic, "{shown}");
    }

    #[test]
    fn marks_decide_what_a_payload_is() {
        let feature =
            br#"{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}"#;
        let deep = [[b'['; 40], [b']'; 40]].concat();
        check(feature, Kind::Geographic, feature, true, true);
        check(&deep, Kind::Json, &deep, false, false);
        for payload in [&feature[..], &deep, b"7", b"plain", b""] {
            check(&[aiows::TEXT_MARK, payload].concat(), Kind::Text, payload, false, true);
            check(&[aiows::BYTES_MARK, payload].concat(), Kind::Binary, payload, false, true);
        }
        check(b"\xffbytes\n\xfe", Kind::Binary, b"\xfe", false, true);
    }

    #[test]
    fn a_mark_for_text_before_something_else_is_none() {
        for published in [&b"\xfftext\n\xfe"[..], b"\xfftext\n\xffbytes\n7", b"\xfftext"] {
            check(published, Kind::Binary, published, false, true);
        }
    }
}
