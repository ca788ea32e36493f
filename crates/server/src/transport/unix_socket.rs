use std::{
    fs::{self, File},
    io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::{
    fs::{Access, FlockOperation, access, flock},
    io::Errno,
};
use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;

/// A unix socket that is listened on. Owner and group may connect (mode 0660); its file is removed with it.
#[derive(Debug)]
pub struct UnixSocket {
    /// Goes before the listener, for whose time nobody takes it for stale and no other file is given its inode.
    file: SocketFile,
    listener: UnixListener,
}

/// Why a unix socket cannot be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnixSocketError {
    /// Somebody else listens.
    #[error("somebody listens on {0} already")]
    InUse(PathBuf),
    /// The file is there and is not replaced.
    #[error("{0} is there and is no socket")]
    NoSocket(PathBuf),
    /// The path is longer than an address can be.
    #[error("the path {0} is too long for a unix socket, which can have 107 bytes")]
    TooLong(PathBuf),
    /// The system refused.
    #[error("cannot listen on {}", .path.display())]
    Io {
        /// The socket's path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The file of a socket, removed when dropped, unless another one has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl UnixSocket {
    /// Listens on a path. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// [`UnixSocketError`]
    pub fn bind(path: impl Into<PathBuf>) -> Result<Self, UnixSocketError> {
        let path = path.into();
        let Ok(address) = SockAddr::unix(&path) else { return Err(UnixSocketError::TooLong(path)) };
        // Two servers that find the same stale socket must not remove each other's new one.
        let _alone = lock_folder(&path).map_err(|error| refused(&path, error))?;
        match listen(&path, &address) {
            Ok(socket) => Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                remove_stale(&path)?;
                listen(&path, &address).map_err(|error| refused(&path, error))
            }
            Err(error) => Err(refused(&path, error)),
        }
    }

    /// Whether it could be [bound](Self::bind), as far as that can be known while nothing is changed: who listens is connected to,
    /// and nothing is made or removed.
    ///
    /// # Errors
    /// [`UnixSocketError`]
    pub fn examine(path: &Path) -> Result<(), UnixSocketError> {
        if SockAddr::unix(path).is_err() {
            return Err(UnixSocketError::TooLong(path.to_owned()));
        }
        let folder = folder_of(path);
        access(folder, Access::WRITE_OK).map_err(|error| refused(path, error.into()))?;
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(refused(path, error)),
            Ok(_) => is_stale(path),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }

    pub(super) fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // Somebody may have removed it in this very moment.
            let _gone: io::Result<()> = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

fn listen(path: &Path, address: &SockAddr) -> io::Result<UnixSocket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(address)?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path)? };
    // Before it listens: nobody connects who may not.
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    socket.listen(BACKLOG)?;
    Ok(UnixSocket { listener: socket.into(), file })
}

/// Keeps other servers from binding in the same folder until it is dropped, and leaves nothing behind.
#[expect(clippy::disallowed_methods, reason = "a server that is about to listen serves nobody yet")]
fn lock_folder(path: &Path) -> io::Result<File> {
    let folder = File::open(folder_of(path))?;
    for _ in 0..LOCK_ATTEMPTS {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(folder),
            Err(Errno::WOULDBLOCK) => thread::sleep(LOCK_PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    // Whoever holds it for so long is no server that binds.
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another program keeps its folder locked"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Removes a socket on which nobody listens.
fn remove_stale(path: &Path) -> Result<(), UnixSocketError> {
    is_stale(path)?;
    fs::remove_file(path).map_err(|error| refused(path, error))
}

/// Whether it is a socket on which nobody listens.
fn is_stale(path: &Path) -> Result<(), UnixSocketError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| refused(path, error))?;
    if !metadata.file_type().is_socket() {
        return Err(UnixSocketError::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(UnixSocketError::InUse(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // Full, or not ours to connect to: somebody may well listen.
        Err(error) => Err(refused(path, error)),
    }
}

fn refused(path: &Path, source: io::Error) -> UnixSocketError {
    UnixSocketError::Io { path: path.to_owned(), source }
}

/// Reading and writing, which connecting takes, for owner and group.
const MODE: u32 = 0o660;

/// Connections that may wait to be accepted: as many as Linux allows by default.
const BACKLOG: i32 = 4096;

/// Binding takes much less than a millisecond.
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket on which nobody listens any more. Nobody ever has: a process that another test starts has what is open here for a
    /// moment, so that one that is closed here may still be listened on there.
    fn leave_behind(path: &Path) {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(path).unwrap()).unwrap();
    }

    #[test]
    fn it_is_for_owner_and_group_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(matches!(UnixSocket::bind(&path), Err(UnixSocketError::InUse(_))));
        UnixStream::connect(&path).expect("the attempt to bind has changed nothing");
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_successor_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        leave_behind(&path);
        let first = UnixSocket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = UnixSocket::bind(&path).unwrap();
        drop(first);
        UnixStream::connect(&path).expect("the second one goes on");
        drop(second);
    }

    #[test]
    fn looking_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        UnixSocket::examine(&path).expect("nobody has it");
        assert!(!path.exists());
        leave_behind(&path);
        UnixSocket::examine(&path).expect("it would be replaced");
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        let socket = UnixSocket::bind(&path).unwrap();
        assert!(matches!(UnixSocket::examine(&path), Err(UnixSocketError::InUse(_))));
        drop(socket);
        fs::write(&path, "important").unwrap();
        assert!(matches!(UnixSocket::examine(&path), Err(UnixSocketError::NoSocket(_))));
        let nowhere = folder.path().join("missing/socket");
        assert!(matches!(UnixSocket::examine(&nowhere), Err(UnixSocketError::Io { .. })));
    }

    #[test]
    fn of_many_that_find_a_stale_socket_one_listens() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..50 {
            let path = folder.path().join(format!("socket{round}"));
            leave_behind(&path);
            let bound: Vec<_> = thread::scope(|scope| {
                let binding: Vec<_> = (0..4).map(|_| scope.spawn(|| UnixSocket::bind(&path))).collect();
                binding.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(bound.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{bound:?}");
            UnixStream::connect(&path).expect("the one that listens is the one that is there");
        }
    }

    #[test]
    fn a_folder_that_stays_locked_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let held = File::open(folder.path()).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        let error = UnixSocket::bind(folder.path().join("socket")).unwrap_err();
        assert!(matches!(error, UnixSocketError::Io { .. }), "{error}");
        drop(held);
        UnixSocket::bind(folder.path().join("socket")).expect("it is free now");
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "important").unwrap();
        let error = UnixSocket::bind(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is there and is no socket", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "important");
        let long = folder.path().join("x".repeat(120));
        assert!(matches!(UnixSocket::bind(long), Err(UnixSocketError::TooLong(_))));
        let nowhere = folder.path().join("missing/socket");
        assert!(matches!(UnixSocket::bind(nowhere), Err(UnixSocketError::Io { .. })));
    }
}
