use core::fmt;

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is shorter than the 8 bytes that tell the header's length.
    TooShort,
    /// The header's length is above 100,000,000 bytes.
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
    /// An element type that the format does not have, at this byte of the header.
    UnknownDtype {
        /// Counted from the header's first byte.
        at: usize,
    },
    /// Two tensors of one key, or `__metadata__` twice.
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
            Self::HeaderTooLong => "the header is longer than 100,000,000 bytes: is this a safetensors file?",
            Self::HeaderCut => "the file ends before its header does",
            Self::NotUtf8 => "the header is not UTF-8",
            Self::Malformed { .. } => "the header is malformed",
            Self::NumberTooLarge { .. } => "a number in the header is too large",
            Self::UnknownDtype { .. } => "the header names an unknown element type",
            Self::DuplicateKey => "the header has the same key twice",
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
            Self::Malformed { at } | Self::NumberTooLarge { at } | Self::UnknownDtype { at } => {
                write!(f, ", at byte {at} of the header")
            }
            _ => Ok(()),
        }
    }
}

impl core::error::Error for HeaderError {}
