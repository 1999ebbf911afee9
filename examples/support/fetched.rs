//! Files that are not part of the repository: `examples/data/fetch.sh` brings them.

use std::error::Error;
use std::path::Path;
use std::{fs, io};

/// Reads a file of the data `set`. Every error names it, and a missing one says what fetches it.
pub(crate) fn read<T>(
    set: &str,
    name: &str,
    parse: impl Fn(&[u8]) -> Result<T, Box<dyn Error>>,
) -> Result<T, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name);
    match fs::read(&path) {
        Ok(file) => parse(&file).map_err(|error| format!("{}: {error}", path.display()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{} is missing: `sh examples/data/fetch.sh {set}` fetches it", path.display()).into())
        }
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}
