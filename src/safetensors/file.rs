use super::archive::Archive;
use super::error::{LoadError, SaveError};
use super::{atomic, save};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file was not loaded or not saved: which one, and why.
#[derive(Debug)]
pub struct FileError<E> {
    /// The path that was given.
    pub path: PathBuf,
    /// What went wrong.
    pub cause: Cause<E>,
}

/// Why a file was not loaded or not saved.
#[derive(Debug)]
pub enum Cause<E> {
    /// The system could not read or write it.
    Io(io::Error),
    /// What is in it, or would be.
    Content(E),
}

impl FileError<LoadError> {
    pub(crate) fn load(path: &Path, load: impl FnOnce(&[u8]) -> Result<(), LoadError>) -> Result<(), Self> {
        let result = std::fs::read(path).map_err(Cause::Io).and_then(|file| load(&file).map_err(Cause::Content));
        result.map_err(|cause| Self { path: path.to_path_buf(), cause })
    }
}

impl FileError<SaveError> {
    pub(crate) fn save(path: &Path, archive: &dyn Archive) -> Result<(), Self> {
        let checked = save::check(archive).map_err(Cause::Content);
        let result =
            checked.and_then(|()| atomic::replace(path, |write| save::write(archive, write)).map_err(Cause::Io));
        result.map_err(|cause| Self { path: path.to_path_buf(), cause })
    }
}

impl<E: fmt::Display> fmt::Display for FileError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.cause {
            Cause::Io(error) => error.fmt(f),
            Cause::Content(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for FileError<E> {}
