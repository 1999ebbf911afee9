//! Weights in and out, in the format of [safetensors](https://huggingface.co/docs/safetensors): at compile time, where a wrong
//! file fails the build, and at run time.
//!
//! # At compile time
//!
//! ```
//! use constnet::{Dense, Network, Relu, Vector};
//!
//! type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
//!
//! struct Weights;
//! impl constnet::safetensors::File for Weights {
//!     const BYTES: &'static [u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/weights/digits.safetensors"));
//! }
//! static NET: Digits = Digits::from_file::<Weights>();
//! # assert!(NET.layers.0.weight[(0, 0)] != 0.0);
//! ```
//!
//! A tensor that is missing, of another shape or of another element type is an error of the build, in `cargo check` as well:
//! ``0.weight is [10, 31], Dense<32, 10> needs [10, 32]``. A `static` in flash takes no RAM, and nothing is parsed on the device.
//!
//! # At run time
//!
//! [`Network::load`](crate::Network::load) and [`Network::save`](crate::Network::save) work on bytes of the caller's, without a
//! heap. A file is checked as a whole before the first parameter is touched.
//!
//! # Keys
//!
//! They are those of PyTorch's `nn.Sequential`: `0.weight`, `2.bias`; in a tuple of tuples `1.0.weight`. A
//! [`Residual`](crate::Residual) adds nothing to the key of what is inside. [`Names`] translates for models whose fields have
//! other names.
//!
//! PyTorch's `num_batches_tracked` is passed over: a [`BatchNorm`](crate::BatchNorm) does not count batches.
//!
//! # Element types
//!
//! A network over `f32` takes F32, F16 and BF16, one over `f64` takes F64 as well: what widens without loss. Numbers that are not
//! finite are refused: they are the mark of a training that failed.
//!
//! # Limits
//!
//! In constants, the compiler stops where an evaluation runs long: some 90 tensors, or a layer of two million weights. Allow
//! `long_running_const_eval` in your crate to go further; the time grows with the square of the number of tensors.
//!
//! A header of up to 128 KiB with up to 1,024 tensors of up to 8 dimensions, keys without escapes, of up to 128 bytes.

pub(crate) mod archive;
#[cfg(feature = "std")]
mod atomic;
mod constant;
mod dtype;
mod error;
#[cfg(feature = "std")]
mod file;
mod header;
mod json;
mod key;
mod listing;
mod number;
mod order;
pub(crate) mod save;
mod text;

pub(crate) use archive::archive_methods;
pub use archive::{Archive, Entry};
pub(crate) use constant::check_all_used;
pub use constant::{At, File, FromFile, FromTensor, Item, Keys, Root};
pub use dtype::Dtype;
pub use error::{Extents, HeaderError, LoadError, SaveError};
#[cfg(feature = "std")]
pub use file::{Cause, FileError};
pub use header::{Tensors, View};
pub use key::{Key, Names, Wanted};
pub use listing::Listing;
pub use number::{Stored, Values, ValuesMut};
pub use text::Text;
