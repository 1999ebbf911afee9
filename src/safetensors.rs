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
//! A key may be of any length. An error shows the first 128 bytes of it, and says so where there are more.
//!
//! # Element types
//!
//! A network over `f32` takes F32, F16 and BF16, one over `f64` takes F64 as well: what widens without loss. Tensors of all types of the
//! format may lie in a file beside: an error names the type where such a tensor is asked for.
//!
//! # Values
//!
//! Numbers that are not finite are refused: they are the mark of a training that failed. So are numbers that cannot be, by their
//! [`Bound`](crate::layer::Bound): a [`BatchNorm`](crate::BatchNorm)'s `running_var` below 0, the deviation or range of a scaler that is
//! not above 0, and in a checkpoint a sum or mean of squares below 0. `save` refuses what `load` would.
//!
//! # Files
//!
//! [`Network::load_file`](crate::Network::load_file) and [`Network::save_file`](crate::Network::save_file) name the path in their error, a
//! `FileError`. `save_file` writes a new file beside the old one, `.constnet-<hash of the name>-<random number>.partial`, flushes it
//! to the disk and renames it:
//!
//! - At every moment, and after a crash or a kill, there is the old file as a whole or the new one. Of savers at the same time, the last
//!   one wins.
//! - A symbolic link is followed: what it leads to is replaced, or made.
//! - Only a regular file is replaced, and only one that the process may write to. Devices, pipes, sockets and folders are errors.
//! - The new file has the mode of the old one, its owner where the process may give files away, and its group where the process is in
//!   it; otherwise the group may do what all others may. Access lists, extended attributes and other hard links are not kept.
//! - What a killed saver leaves beside is removed by the next that saves to the same path. A saver that lives holds a lock on its own.
//!
//! # The official reader
//!
//! The crate `safetensors` 0.8 and this one take the same headers and find the same in them, which `tests/format.rs` and a fuzz target
//! check. They differ in three things:
//!
//! - Two tensors of one key are refused. The official reader takes the last one and does not look at where the others lie.
//! - A description is an object and a type is a string, as the format says. The official reader also takes a list of the three
//!   values, and the type as an object of `null`: what serde makes of its structs.
//! - A number in a field that nobody reads may be beyond those of `f64`.
//!
//! # Limits
//!
//! In constants, the compiler stops where an evaluation runs long: some 130 tensors, or a layer of two million weights. Allow
//! `long_running_const_eval` in your crate to go further; the time grows with the square of the number of tensors.
//!
//! A header is at most 100,000,000 bytes long, as the official reader has it. There is no other limit. [`Tensors::parse`] tells what a
//! header costs whose tensors are in no order.
//!
//! A [`LoadError`] is 288 bytes: without a heap it holds the key, and what the file has instead.

pub(crate) mod archive;
#[cfg(feature = "std")]
mod atomic;
mod constant;
mod dtype;
mod error;
#[cfg(feature = "std")]
mod file;
mod hash;
mod header;
mod json;
mod key;
mod layout;
mod listing;
mod malformed;
mod number;
mod order;
pub(crate) mod save;
mod text;

pub(crate) use archive::archive_methods;
pub use archive::{Archive, Entry};
pub(crate) use constant::check_all_used;
pub use constant::{At, File, FromFile, FromTensor, Item, Keys, Root};
pub use dtype::Dtype;
pub use error::{Extents, LoadError, SaveError};
#[cfg(feature = "std")]
pub use file::{Cause, FileError};
pub use header::{Tensors, View};
pub use key::{Key, Names, Wanted};
pub use listing::Listing;
pub use malformed::HeaderError;
pub use number::{Stored, Values, ValuesMut};
pub use text::Text;
