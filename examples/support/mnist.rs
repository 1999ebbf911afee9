//! The MNIST files, as `examples/data/fetch.sh` brings them.

#[path = "fetched.rs"]
mod fetched;
#[path = "idx.rs"]
mod idx;

use constnet::Class;
use fetched::read;
use std::error::Error;

/// 28 rows of 28 pixels.
pub(crate) type Pixels = [[u8; 28]; 28];

/// Reads one part of MNIST, `train` or `t10k`: images, as the network takes them, and labels.
pub(crate) fn load<X>(part: &str, image: impl Fn(&Pixels) -> X) -> Result<(Vec<X>, Vec<Class<10>>), Box<dyn Error>> {
    let images = read("mnist", &format!("{part}-images-idx3-ubyte"), |file| {
        Ok(idx::images::<28, 28>(file)?.iter().map(&image).collect())
    })?;
    let labels = read("mnist", &format!("{part}-labels-idx1-ubyte"), |file| {
        idx::labels(file)?.iter().map(|&label| Ok(Class::new(label.into())?)).collect()
    })?;
    Ok((images, labels))
}
