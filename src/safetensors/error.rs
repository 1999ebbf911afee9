use super::dtype::Dtype;
use super::key::Key;
use super::listing::Listing;
use super::malformed::HeaderError;
use crate::layer::Bound;
use core::fmt;

/// A file was not loaded. The network is as it was.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LoadError {
    /// The file is broken.
    Header(HeaderError),
    /// The file lacks a tensor.
    Missing {
        /// The key that was looked for.
        key: Key,
        /// What the file has.
        file: Listing,
    },
    /// A tensor has another shape than the network's.
    Shape {
        /// Its key.
        key: Key,
        /// Its shape in the file.
        found: Extents,
        /// The shape of the network's tensor.
        needed: Extents,
    },
    /// A tensor's elements do not widen to the network's scalar.
    Dtype {
        /// Its key.
        key: Key,
        /// Its type in the file.
        found: Dtype,
        /// The type of the network's scalar.
        needed: Dtype,
    },
    /// A tensor holds a number that is infinite or NaN.
    NotFinite {
        /// Its key.
        key: Key,
    },
    /// A tensor holds a number that it cannot have, such as a variance below 0.
    OutOfBound {
        /// Its key.
        key: Key,
        /// The first such number.
        value: f64,
        /// What it must be.
        bound: Bound,
    },
    /// The file holds a tensor that the network has no place for.
    Unexpected {
        /// Its key.
        key: Key,
    },
}

/// Weights were not saved: `load` would refuse the file.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SaveError {
    /// A tensor holds a number that is infinite or NaN.
    NotFinite {
        /// Its key.
        key: Key,
    },
    /// A tensor holds a number that it cannot have, such as a variance below 0, or the deviation 0 of a scaler that was never fitted.
    OutOfBound {
        /// Its key.
        key: Key,
        /// The first such number.
        value: f64,
        /// What it must be.
        bound: Bound,
    },
    /// Two tensors have this key, or a tensor has the format's own, `__metadata__`. No layer of the crate has such.
    DuplicateKey {
        /// The key.
        key: Key,
    },
    /// A tensor's shape and order do not fit its numbers. No layer of the crate has such.
    LengthMismatch {
        /// Its key.
        key: Key,
    },
    /// The keys and shapes take more than the 100,000,000 bytes that a reader takes.
    HeaderTooLong,
    /// A trainer has accumulated a gradient that it has not applied: a checkpoint is taken between steps.
    BetweenBatches,
    /// The buffer is too small.
    BufferTooSmall {
        /// How many bytes it must have.
        needed: usize,
    },
}

/// The extents of a tensor; of more than 8, the first 8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extents {
    extents: [usize; 8],
    dimensions: usize,
}

impl Extents {
    pub(super) fn new(shape: &[usize], dimensions: usize) -> Self {
        let mut extents = [0; 8];
        for (extent, &value) in extents.iter_mut().zip(shape) {
            *extent = value;
        }
        Self { extents, dimensions }
    }

    /// As a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[usize] {
        self.extents.get(..self.dimensions).unwrap_or(&self.extents)
    }
}

impl fmt::Debug for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dimensions <= self.extents.len() {
            return self.as_slice().fmt(f);
        }
        let mut list = f.debug_list();
        list.entries(self.as_slice());
        list.finish_non_exhaustive()
    }
}

impl From<HeaderError> for LoadError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Missing { key, file } => write!(f, "tensor `{key}` is missing from the file{file}"),
            Self::Shape { key, found, needed } => {
                write!(f, "tensor `{key}` is {found:?}, the network needs {needed:?}")
            }
            Self::Dtype { key, found, needed } => {
                write!(f, "tensor `{key}` is {found}, which does not widen to the network's {needed}")
            }
            Self::NotFinite { key } => write!(f, "tensor `{key}` holds a number that is not finite"),
            Self::OutOfBound { key, value, bound } => {
                write!(f, "tensor `{key}` holds {value:?}, and must be {bound}")
            }
            Self::Unexpected { key } => write!(f, "the network has no place for tensor `{key}`"),
        }
    }
}

impl core::error::Error for LoadError {}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { key } => write!(f, "tensor `{key}` holds a number that is not finite"),
            Self::OutOfBound { key, value, bound } => {
                write!(f, "tensor `{key}` holds {value:?}, and must be {bound}")
            }
            Self::DuplicateKey { key } => write!(f, "key `{key}` is another tensor's already, or the format's own"),
            Self::LengthMismatch { key } => write!(f, "tensor `{key}` has another shape or order than its numbers"),
            Self::HeaderTooLong => write!(f, "the header would be longer than 100,000,000 bytes"),
            Self::BetweenBatches => {
                write!(f, "a gradient is accumulated and not applied: `apply` it before a checkpoint")
            }
            Self::BufferTooSmall { needed } => write!(f, "the buffer is too small: {needed} bytes are needed"),
        }
    }
}

impl core::error::Error for SaveError {}
