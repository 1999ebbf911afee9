use super::dtype::Dtype;
use super::key::Key;
use core::fmt;

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is shorter than the 8 bytes that tell the header's length.
    TooShort,
    /// The header's length is above 128 KiB.
    HeaderTooLong,
    /// The file ends before its header does.
    HeaderCut,
    /// The header is not UTF-8.
    NotUtf8,
    /// The header is not the JSON that it should be, at this byte of it.
    Malformed {
        /// Counted from the header's first byte.
        at: usize,
    },
    /// A number is too large, at this byte of the header.
    NumberTooLarge {
        /// Counted from the header's first byte.
        at: usize,
    },
    /// An element type that is not known, at this byte of the header.
    UnknownDtype {
        /// Counted from the header's first byte.
        at: usize,
    },
    /// More than 8 dimensions, at this byte of the header.
    TooManyDimensions {
        /// Counted from the header's first byte.
        at: usize,
    },
    /// More than 1,024 tensors.
    TooManyTensors,
    /// Two tensors of one key.
    DuplicateKey,
    /// A tensor ends before it begins.
    ReversedOffsets,
    /// The file ends before its last tensor does.
    DataCut,
    /// A tensor's offsets do not hold as many bytes as its shape and type.
    LengthMismatch,
    /// Tensors overlap, or bytes belong to none.
    OverlapOrHole,
}

impl HeaderError {
    /// The sentence, for constants too.
    pub(crate) const fn sentence(&self) -> &'static str {
        match self {
            Self::TooShort => "the file is too short to be safetensors",
            Self::HeaderTooLong => "the header is longer than 128 KiB: is this a safetensors file?",
            Self::HeaderCut => "the file ends before its header does",
            Self::NotUtf8 => "the header is not UTF-8",
            Self::Malformed { .. } => "the header is malformed",
            Self::NumberTooLarge { .. } => "a number in the header is too large",
            Self::UnknownDtype { .. } => "the header names an unknown element type",
            Self::TooManyDimensions { .. } => "a tensor has more than 8 dimensions",
            Self::TooManyTensors => "the file holds more than 1,024 tensors",
            Self::DuplicateKey => "two tensors have the same key",
            Self::ReversedOffsets => "a tensor ends before it begins",
            Self::DataCut => "the file ends before its tensors do: is it cut short?",
            Self::LengthMismatch => "a tensor's offsets do not fit its shape and type",
            Self::OverlapOrHole => "tensors overlap, or bytes belong to none",
        }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())?;
        match self {
            Self::Malformed { at }
            | Self::NumberTooLarge { at }
            | Self::UnknownDtype { at }
            | Self::TooManyDimensions { at } => write!(f, ", at byte {at} of the header"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for HeaderError {}

/// A file was not loaded. The network is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The file is broken.
    Header(HeaderError),
    /// The file lacks a tensor.
    Missing {
        /// The key that was looked for.
        key: Key,
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
    /// The file holds a tensor that the network has no place for.
    Unexpected {
        /// Its key.
        key: Key,
    },
    /// The file could not be read.
    #[cfg(feature = "std")]
    Io(std::io::ErrorKind),
}

/// Weights were not saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveError {
    /// A tensor holds a number that is infinite or NaN: `load` would refuse it.
    NotFinite {
        /// Its key.
        key: Key,
    },
    /// A trainer has accumulated a gradient that it has not applied: a checkpoint is taken between steps.
    BetweenBatches,
    /// The buffer is too small.
    BufferTooSmall {
        /// How many bytes it must have.
        needed: usize,
    },
    /// The file could not be written; one that was there before still is.
    #[cfg(feature = "std")]
    Io(std::io::ErrorKind),
}

/// The extents of a tensor, up to 8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extents {
    extents: [usize; 8],
    dimensions: usize,
}

impl Extents {
    pub(super) fn new(shape: &[usize]) -> Self {
        let mut extents = [0; 8];
        for (extent, &value) in extents.iter_mut().zip(shape) {
            *extent = value;
        }
        Self { extents, dimensions: shape.len().min(8) }
    }

    /// As a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[usize] {
        &self.extents[..self.dimensions]
    }
}

impl fmt::Debug for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
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
            Self::Missing { key } => write!(f, "tensor `{key}` is missing from the file"),
            Self::Shape { key, found, needed } => {
                write!(f, "tensor `{key}` is {found:?}, the network needs {needed:?}")
            }
            Self::Dtype { key, found, needed } => {
                write!(f, "tensor `{key}` is {found}, which does not widen to the network's {needed}")
            }
            Self::NotFinite { key } => write!(f, "tensor `{key}` holds a number that is not finite"),
            Self::Unexpected { key } => write!(f, "the network has no place for tensor `{key}`"),
            #[cfg(feature = "std")]
            Self::Io(kind) => write!(f, "the file could not be read: {kind}"),
        }
    }
}

impl core::error::Error for LoadError {}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { key } => write!(f, "tensor `{key}` holds a number that is not finite"),
            Self::BetweenBatches => {
                write!(f, "a gradient is accumulated and not applied: `apply` it before a checkpoint")
            }
            Self::BufferTooSmall { needed } => write!(f, "the buffer is too small: {needed} bytes are needed"),
            #[cfg(feature = "std")]
            Self::Io(kind) => write!(f, "the file could not be written: {kind}"),
        }
    }
}

impl core::error::Error for SaveError {}
