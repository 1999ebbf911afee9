use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

/// Puts a new file in the place of an old one, or leaves the old one as it is.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let name = path.file_name().ok_or(Error::from(ErrorKind::InvalidInput))?;
    let mut beside = name.to_os_string();
    beside.push(std::format!(".{}.partial", std::process::id()));
    let beside = path.with_file_name(beside);
    let result = fill(&beside, write).and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
        return result;
    }
    sync_folder(path)
}

/// Writes a new file and waits until it is on the disk.
fn fill(path: &Path, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
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
