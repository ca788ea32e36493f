use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use geocast_protocol::Channel;
use redb::{DatabaseError, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::{DataError, State, journal::Changes};

/// State on disk: one file, changed by whole transactions, so that it is at any time as one of them left it.
#[derive(Debug)]
pub(super) struct Database {
    folder: PathBuf,
    /// None after a failure: the library refuses everything then until the file is opened again.
    file: Option<redb::Database>,
}

impl Database {
    /// Opens the file in a folder, or makes both. Nobody else can have it at the same time.
    pub(super) fn open(folder: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let folder = folder.to_owned();
        let file = match guarded(|| open(&folder)) {
            Ok(opened) => opened.map_err(|error| refused(&folder, error.into()))?,
            Err(reason) => return Err(DataError::Damaged { folder, reason }),
        };
        let database = Self { folder, file: Some(file) };
        guarded(|| database.check_format()).unwrap_or_else(|reason| Err(database.damaged(reason)))?;
        Ok(database)
    }

    /// All that is in it.
    pub(super) fn load(&self, limit: usize) -> Result<State, DataError> {
        guarded(|| self.read(limit)).unwrap_or_else(|reason| Err(self.damaged(reason)))
    }

    fn read(&self, limit: usize) -> Result<State, DataError> {
        match &self.file {
            Some(file) => read(file, &self.folder, limit),
            None => Ok(State::default()),
        }
    }

    /// Writes changes, all or none; they are on disk when this returns.
    pub(super) fn write(&mut self, changes: &Changes) -> Result<(), redb::Error> {
        let written = guarded(|| self.write_all(changes));
        let written = written.unwrap_or_else(|reason| Err(redb::Error::Corrupted(reason)));
        if written.is_err() {
            self.file = None;
        }
        written
    }

    fn write_all(&mut self, changes: &Changes) -> Result<(), redb::Error> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(open(&self.folder)?),
        };
        let writing = file.begin_write()?;
        let mut table = writing.open_table(STATE)?;
        for ((channel, key), change) in changes {
            let place = (channel.as_str(), &**key);
            match &change.value {
                Some(value) => drop(table.insert(place, &**value)?),
                None => drop(table.remove(place)?),
            }
        }
        drop(table);
        writing.commit()?;
        Ok(())
    }

    fn damaged(&self, reason: String) -> DataError {
        DataError::Damaged { folder: self.folder.clone(), reason }
    }

    fn check_format(&self) -> Result<(), DataError> {
        let Some(file) = &self.file else { return Ok(()) };
        let found = format(file).map_err(|error| refused(&self.folder, error))?;
        if found == FORMAT {
            return Ok(());
        }
        Err(DataError::Version { folder: self.folder.clone(), found, expected: FORMAT })
    }
}

/// What the file in a folder has, without a byte of it being changed; `None` if whoever had it last did not close it.
pub(super) fn look_into(folder: &Path, limit: usize) -> Result<Option<State>, DataError> {
    let look = || {
        let file = match redb::Builder::new().set_cache_size(CACHE).open_read_only(folder.join(FILE)) {
            Err(DatabaseError::RepairAborted) => return Ok(None),
            file => file.map_err(|error| refused(folder, error.into()))?,
        };
        let found = noted_format(&file).map_err(|error| refused(folder, error))?;
        match found {
            Some(found) if found != FORMAT => {
                Err(DataError::Version { folder: folder.to_owned(), found, expected: FORMAT })
            }
            _ => read(&file, folder, limit).map(Some),
        }
    };
    guarded(look).unwrap_or_else(|reason| Err(DataError::Damaged { folder: folder.to_owned(), reason }))
}

fn read(file: &impl ReadableDatabase, folder: &Path, limit: usize) -> Result<State, DataError> {
    let mut state = State::default();
    let refused = |error: redb::Error| refused(folder, error);
    let reading = file.begin_read().map_err(|error| refused(error.into()))?;
    let table = match reading.open_table(STATE) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(state),
        table => table.map_err(|error| refused(error.into()))?,
    };
    for entry in table.iter().map_err(|error| refused(error.into()))? {
        let (place, value) = entry.map_err(|error| refused(error.into()))?;
        let (channel, key) = place.value();
        let channel: Channel = channel
            .parse()
            .map_err(|error| DataError::Damaged { folder: folder.to_owned(), reason: format!("{error}") })?;
        let value = Bytes::copy_from_slice(value.value());
        if state.set(&channel, key, value, limit).is_err() {
            return Err(DataError::TooLarge { folder: folder.to_owned(), limit });
        }
    }
    Ok(state)
}

/// The form in which a file says that it keeps its state.
fn noted_format(file: &impl ReadableDatabase) -> Result<Option<u64>, redb::Error> {
    match file.begin_read()?.open_table(ABOUT) {
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        table => Ok(table?.get("format")?.map(|format| format.value())),
    }
}

fn open(folder: &Path) -> Result<redb::Database, DatabaseError> {
    redb::Builder::new().set_cache_size(CACHE).create(folder.join(FILE))
}

/// The library panics on some files that have been damaged; the reason is what it says then.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        said.or_else(|| panic.downcast_ref().copied()).unwrap_or("it cannot be read").to_owned()
    })
}

/// The form in which a file keeps its state: this one's, if it is new.
fn format(file: &redb::Database) -> Result<u64, redb::Error> {
    let writing = file.begin_write()?;
    let mut table = writing.open_table(ABOUT)?;
    let found = table.get("format")?.map(|format| format.value());
    if found.is_none() {
        table.insert("format", FORMAT)?;
    }
    drop(table);
    writing.commit()?;
    Ok(found.unwrap_or(FORMAT))
}

fn refused(folder: &Path, error: redb::Error) -> DataError {
    let folder = folder.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen => DataError::InUse { folder },
        redb::Error::Io(source) if !DAMAGE.contains(&source.kind()) => DataError::Io { folder, source },
        error => DataError::Damaged { folder, reason: error.to_string() },
    }
}

pub(super) const FILE: &str = "geocast.redb";

/// Values by channel and key.
const STATE: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("state");

/// What is true of the whole file.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// To be raised whenever an older version would read the file wrongly.
const FORMAT: u64 = 1;

/// What reading a file comes to that is not as it should be.
const DAMAGE: [io::ErrorKind; 3] =
    [io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput, io::ErrorKind::UnexpectedEof];

/// Bytes of the file that are kept in memory. It is read once, at the start, and written in small parts.
const CACHE: usize = 16 * 1024 * 1024;
