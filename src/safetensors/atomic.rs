use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Puts a new file in the place of an old one, or leaves the old one as it is.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let name = path.file_name().ok_or(Error::from(ErrorKind::InvalidInput))?;
    let (beside, file) = create_beside(path, name)?;
    let result = fill(file, write).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
        return result;
    }
    sync_folder(path)
}

/// A new file that nobody else has, whoever saves to the same place at the same time.
fn create_beside(path: &Path, name: &OsStr) -> Result<(PathBuf, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let mut beside = name.to_os_string();
        beside.push(std::format!(".{}.{}.partial", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let beside = path.with_file_name(beside);
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (beside, file)),
        }
    }
}

/// Writes a new file and waits until it is on the disk.
fn fill(mut file: File, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let mut block = Block { bytes: [0; 4096], len: 0 };
    let mut result = Ok(());
    write(&mut |bytes| {
        if result.is_ok() {
            result = block.push(bytes, &mut file);
        }
    });
    result?;
    block.flush(&mut file)?;
    file.sync_all()
}

/// The rename itself reaches the disk with its folder; only Unix lets a folder be opened for that.
fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Gathers small pieces, so that each is not a call to the system.
struct Block {
    bytes: [u8; 4096],
    len: usize,
}

impl Block {
    fn push(&mut self, bytes: &[u8], file: &mut File) -> Result<()> {
        if self.len + bytes.len() > self.bytes.len() {
            self.flush(file)?;
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
                Ok(())
            }
            None => file.write_all(bytes),
        }
    }

    fn flush(&mut self, file: &mut File) -> Result<()> {
        file.write_all(&self.bytes[..self.len])?;
        self.len = 0;
        Ok(())
    }
}
