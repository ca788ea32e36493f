use std::sync::{Arc, OnceLock};

use geocast_geo_filter::{Document, Properties};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::properties::Column;

/// What the features of an event say of themselves: each property is read when somebody first asks for it.
#[derive(Debug, Default)]
pub(super) struct Features {
    places: OnceLock<Option<Places>>,
    /// The properties that were asked for so far, in the order of asking. Clients choose their names, so only so many are
    /// kept, and the others are read each time: those who ask for them have a filter that nearly nobody else has.
    columns: Mutex<Vec<(Box<str>, Arc<Column>)>>,
}

#[derive(Debug)]
struct Places {
    properties: Properties,
    is_deletion: bool,
}

/// The members of a feature that matter here.
#[derive(Deserialize)]
struct Deletion<'a> {
    #[serde(borrow, default)]
    deleted: Option<&'a RawValue>,
}

impl Features {
    /// How many there are; `None` if the payload is no feature, and for what says that there is no feature any more.
    pub(super) fn count(&self, document: &Document, payload: &[u8]) -> Option<usize> {
        let places = self.places(document, payload)?;
        (!places.is_deletion).then(|| places.properties.members())
    }

    /// The values of a property.
    pub(super) fn column(&self, name: &str, document: &Document, payload: &[u8]) -> Arc<Column> {
        let Some(Places { properties, .. }) = self.places(document, payload) else { return Arc::default() };
        let read = || Arc::new(Column::read(&properties.values(payload, name)));
        // Whoever comes second while a property is being read waits for the first, which is shorter than reading it again.
        let mut columns = self.columns.lock();
        if let Some((_, column)) = columns.iter().find(|(known, _)| **known == *name) {
            return Arc::clone(column);
        }
        if columns.len() == MOST_COLUMNS {
            drop(columns);
            return read();
        }
        let column = read();
        columns.push((name.into(), Arc::clone(&column)));
        column
    }

    fn places(&self, document: &Document, payload: &[u8]) -> Option<&Places> {
        let read = || {
            let properties = document.properties(payload)?;
            let is_deletion = !document.is_collection() && !properties.has_any() && is_deletion(payload);
            Some(Places { properties, is_deletion })
        };
        self.places.get_or_init(read).as_ref()
    }
}

fn is_deletion(feature: &[u8]) -> bool {
    let read = serde_json::from_slice::<Deletion<'_>>(feature);
    read.is_ok_and(|Deletion { deleted }| deleted.is_some_and(|deleted| deleted.get() == "true"))
}

/// Twice as many as clients usually filter by, all together.
const MOST_COLUMNS: usize = 16;
