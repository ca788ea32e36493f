use std::{fs, io, path::Path};

use rustix::fs::{Access, access};

use super::{
    DataError, DataSettings,
    database::{FILE, look_into},
};

/// What there is in a data folder, for who wants to know before a server uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataState {
    /// Nothing yet: the server makes the folder, or the file in it.
    New,
    /// State.
    Kept {
        /// Keys of all channels together.
        keys: usize,
        /// Bytes of keys and values.
        bytes: usize,
    },
    /// State that was not closed in order. The server finds out what it is when it opens it.
    Unclosed,
}

impl DataSettings {
    /// Looks at the folder and changes nothing: neither is made what is not there, nor opened for writing what is. `limit` are the
    /// bytes of keys and values that the store may hold.
    ///
    /// # Errors
    /// [`DataError`], as a server that uses the folder has it, as far as can be known without writing.
    pub fn examine(&self, limit: usize) -> Result<DataState, DataError> {
        let folder = &self.folder;
        let refused = |source| DataError::Io { folder: folder.clone(), source };
        let file = folder.join(FILE);
        match fs::metadata(&file) {
            Ok(metadata) if metadata.len() > 0 => {}
            Ok(_) => return writable(&file).map(|()| DataState::New).map_err(refused),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return may_be_made(folder).map(|()| DataState::New).map_err(refused);
            }
            Err(error) => return Err(refused(error)),
        }
        writable(&file).map_err(refused)?;
        Ok(match look_into(folder, limit)? {
            Some(state) => DataState::Kept { keys: state.keys(), bytes: state.bytes() },
            None => DataState::Unclosed,
        })
    }
}

/// Whether the last folder on the way that is there lets something be made in it.
fn may_be_made(folder: &Path) -> io::Result<()> {
    for folder in folder.ancestors() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => return writable(folder),
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn writable(path: &Path) -> io::Result<()> {
    Ok(access(path, Access::WRITE_OK)?)
}
