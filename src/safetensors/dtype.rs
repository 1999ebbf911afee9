use super::key::equal;
use core::fmt;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // The names are the format's own.
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    F8E4M3,
    F8E5M2,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl Dtype {
    const ALL: [(&'static str, Self, usize); 15] = [
        ("F64", Self::F64, 8),
        ("F32", Self::F32, 4),
        ("F16", Self::F16, 2),
        ("BF16", Self::BF16, 2),
        ("F8_E4M3", Self::F8E4M3, 1),
        ("F8_E5M2", Self::F8E5M2, 1),
        ("I64", Self::I64, 8),
        ("I32", Self::I32, 4),
        ("I16", Self::I16, 2),
        ("I8", Self::I8, 1),
        ("U64", Self::U64, 8),
        ("U32", Self::U32, 4),
        ("U16", Self::U16, 2),
        ("U8", Self::U8, 1),
        ("BOOL", Self::Bool, 1),
    ];

    /// The format's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Bytes of one element.
    #[must_use]
    pub const fn size(self) -> usize {
        Self::ALL[self as usize].2
    }

    pub(super) const fn from_name(name: &[u8]) -> Option<Self> {
        let mut i = 0;
        while i < Self::ALL.len() {
            if equal(name, Self::ALL[i].0.as_bytes()) {
                return Some(Self::ALL[i].1);
            }
            i += 1;
        }
        None
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
