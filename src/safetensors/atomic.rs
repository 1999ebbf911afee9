//! A file that is replaced as a whole.
//!
//! The crates that do this for others each lack a rule that weights need: `tempfile` gives the new file the mode 0600 and replaces a
//! link, `atomicwrites` keeps neither mode nor owner, `atomic-write-file` does not follow links; and all leave a file behind where
//! the process is killed. `std` has all that it takes.

use super::hash::Hash;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::string::String;

/// Puts a new file in the place of an old one, or leaves the old one as it is.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let path = &follow(path)?;
    let old = writable(path)?;
    let prefix = prefix(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    remove_dead(folder, &prefix);
    let (beside, file) = create(folder, &prefix, old.as_ref())?;
    let filled = fill(&file, write).and_then(|()| match &old {
        Some(old) => keep(&file, old),
        None => Ok(()),
    });
    let result = filled.and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
        return result;
    }
    // The rename itself reaches the disk with its folder; only Unix lets a folder be opened for that, and not every folder or file system
    // does. The new file is in its place by now, so that is no error.
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Where the links end that a path begins. What is there need not exist.
fn follow(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_path_buf();
    // As many as Linux follows.
    for _ in 0..40 {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(Error::other("too many symbolic links, one after the other"))
}

/// What is known of the file that is there, if one is: a regular one that this process may write.
fn writable(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.is_file() => Err(Error::new(ErrorKind::InvalidInput, "this is not a regular file")),
        Ok(_) => OpenOptions::new().write(true).open(path)?.metadata().map(Some),
    }
}

/// How the names begin of files beside this one. They are short however long its own is, and those of another file begin otherwise.
fn prefix(path: &Path) -> Result<String> {
    let name =
        path.file_name().ok_or(Error::new(ErrorKind::InvalidInput, "the path does not end in the name of a file"))?;
    let Hash(hash) = Hash::EMPTY.bytes(name.as_encoded_bytes());
    Ok(std::format!(".constnet-{hash:016x}-"))
}

/// Removes what savers of this file have left beside it that are dead: a saver holds a lock for as long as it lives. An error is no
/// reason not to save.
fn remove_dead(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(SUFFIX));
        if is_ours
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

const SUFFIX: &str = ".partial";

/// A new file that nobody else has, whoever saves to the same place at the same time, and its lock.
fn create(folder: &Path, prefix: &str, old: Option<&Metadata>) -> Result<(PathBuf, File)> {
    loop {
        // Every `RandomState` has keys of its own.
        let name = std::format!("{prefix}{:016x}{SUFFIX}", RandomState::new().build_hasher().finish());
        let beside = folder.join(OsString::from(name));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Until it has the mode of the old file, only its owner may read it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if old.is_some() { 0o600 } else { 0o666 });
        let _ = old;
        let file = match options.open(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            result => result?,
        };
        match file.try_lock() {
            // Before the lock, another saver may have taken the file for one that a dead saver has left.
            Ok(()) if !beside.exists() => {}
            Err(TryLockError::WouldBlock) => {}
            // Where the system has no locks, nobody removes anything.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok((beside, file)),
        }
    }
}

/// Writes a file.
fn fill(file: &File, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let mut block = Block { bytes: [0; 4096], len: 0 };
    let mut result = Ok(());
    write(&mut |bytes| {
        if result.is_ok() {
            result = block.push(bytes, file);
        }
    });
    result?;
    block.flush(file)
}

/// Gives a file the owner, the group and the mode of the old one. Where the process may not give it that owner it stays the
/// process's; where it may not give it that group, the mode lets the group do what it lets all others do.
#[cfg(unix)]
fn keep(file: &File, old: &Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let new = file.metadata()?;
    let mut mode = old.mode() & 0o7777;
    if new.uid() != old.uid() && fchown(file, Some(old.uid()), None).is_err() {
        mode &= 0o777;
    }
    if new.gid() != old.gid() && fchown(file, None, Some(old.gid())).is_err() {
        mode = mode & 0o707 | (mode & 0o007) << 3;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Gives a file the permissions of the old one.
#[cfg(not(unix))]
fn keep(file: &File, old: &Metadata) -> Result<()> {
    file.set_permissions(old.permissions())
}

/// Gathers small pieces, so that each is not a call to the system.
struct Block {
    bytes: [u8; 4096],
    len: usize,
}

impl Block {
    fn push(&mut self, bytes: &[u8], file: &File) -> Result<()> {
        if self.len + bytes.len() > self.bytes.len() {
            self.flush(file)?;
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
                Ok(())
            }
            None => (&*file).write_all(bytes),
        }
    }

    fn flush(&mut self, mut file: &File) -> Result<()> {
        file.write_all(self.bytes.get(..self.len).unwrap_or_default())?;
        self.len = 0;
        Ok(())
    }
}
