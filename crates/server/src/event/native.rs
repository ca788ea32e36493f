use std::sync::Arc;

use bytes::Bytes;
use geocast_geo_filter::{Decimals, Document, KnownCrs, Limits, ReadError, Shape, Writing};

use crate::{intake::Input, interest::Withheld};

/// What was published, in the system that it came in.
#[derive(Debug)]
pub(crate) struct Native {
    crs: KnownCrs,
    payload: Bytes,
    document: Document,
}

/// A payload and its document in EPSG:4326, and as they came, where nothing of that is withheld.
pub(super) struct Normalised {
    pub(super) payload: Bytes,
    pub(super) document: Result<Document, Withheld>,
    pub(super) native: Option<Native>,
}

impl Native {
    /// The system.
    pub(crate) fn crs(&self) -> KnownCrs {
        self.crs
    }

    /// The coordinates.
    pub(super) fn shape(&self) -> Arc<Shape> {
        Arc::new(self.document.shape().map(|position| position))
    }

    /// The payload as it was published, or what of it are these members.
    pub(crate) fn shown(&self, members: Option<&[usize]>) -> Bytes {
        match members {
            None => self.payload.clone(),
            Some(members) => self.document.trim(&self.payload, members).into(),
        }
    }

    /// The same with its coordinates written like this; none if nothing remains.
    pub(crate) fn written(&self, members: Option<&[usize]>, writing: &Writing<'_>) -> Option<Vec<u8>> {
        self.document.write(&self.payload, members, writing)
    }
}

impl Normalised {
    /// Projects a payload that came in another system. What EPSG:4326 cannot express is cut out.
    pub(super) fn new(payload: Bytes, document: Document, input: &Input, limits: &Limits) -> Self {
        let shape = input.transform.shape(document.shape());
        let Some(projected) = document.rewrite(&payload, &shape, None, Decimals::DEGREES) else {
            return Self { payload, document: Err(Withheld::Unprojectable), native: None };
        };
        let projected = Bytes::from(projected);
        let read = Document::read(&projected, limits).map_err(|error: ReadError| Withheld::from(&error));
        // What is projected from here on does not suffer from what was rounded here.
        let read = read.map(|document| document.at(&shape));
        let is_whole = shape.withheld().is_empty();
        let native = is_whole.then_some(Native { crs: input.crs, payload, document });
        Self { payload: projected, document: read, native }
    }
}
