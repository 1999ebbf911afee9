//! The MNIST files, as `examples/data/fetch_mnist.sh` brings them.

#[path = "idx.rs"]
mod idx;

use constnet::Class;
use std::error::Error;
use std::path::Path;
use std::{fs, io};

/// 28 rows of 28 pixels.
pub(crate) type Pixels = [[u8; 28]; 28];

/// Reads one part of MNIST, `train` or `t10k`: images, as the network takes them, and labels.
pub(crate) fn load<X>(part: &str, image: impl Fn(&Pixels) -> X) -> Result<(Vec<X>, Vec<Class<10>>), Box<dyn Error>> {
    let images = read(&format!("{part}-images-idx3-ubyte"), |file| {
        Ok(idx::images::<28, 28>(file)?.iter().map(&image).collect())
    })?;
    let labels = read(&format!("{part}-labels-idx1-ubyte"), |file| {
        idx::labels(file)?.iter().map(|&label| Ok(Class::new(label.into())?)).collect()
    })?;
    Ok((images, labels))
}

/// Reads a file beside the other data of the examples. Every error names it.
fn read<T>(name: &str, parse: impl Fn(&[u8]) -> Result<T, Box<dyn Error>>) -> Result<T, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name);
    match fs::read(&path) {
        Ok(file) => parse(&file).map_err(|error| format!("{}: {error}", path.display()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{} is missing: examples/data/fetch_mnist.sh fetches it", path.display()).into())
        }
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}
