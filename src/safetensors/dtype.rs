use super::text::Text;
use core::fmt;

/// The type of a tensor's elements. Networks take few of them; the others may lie in a file beside.
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
    F8E8M0,
    F8E4M3Fnuz,
    F8E5M2Fnuz,
    F6E2M3,
    F6E3M2,
    F4,
    C64,
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
    const ALL: [(&'static str, Self, usize); 22] = [
        ("F64", Self::F64, 64),
        ("F32", Self::F32, 32),
        ("F16", Self::F16, 16),
        ("BF16", Self::BF16, 16),
        ("F8_E4M3", Self::F8E4M3, 8),
        ("F8_E5M2", Self::F8E5M2, 8),
        ("F8_E8M0", Self::F8E8M0, 8),
        ("F8_E4M3FNUZ", Self::F8E4M3Fnuz, 8),
        ("F8_E5M2FNUZ", Self::F8E5M2Fnuz, 8),
        ("F6_E2M3", Self::F6E2M3, 6),
        ("F6_E3M2", Self::F6E3M2, 6),
        ("F4", Self::F4, 4),
        ("C64", Self::C64, 64),
        ("I64", Self::I64, 64),
        ("I32", Self::I32, 32),
        ("I16", Self::I16, 16),
        ("I8", Self::I8, 8),
        ("U64", Self::U64, 64),
        ("U32", Self::U32, 32),
        ("U16", Self::U16, 16),
        ("U8", Self::U8, 8),
        ("BOOL", Self::Bool, 8),
    ];

    /// The format's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Bits of one element: in some types several elements share a byte.
    #[must_use]
    pub const fn bits(self) -> usize {
        Self::ALL[self as usize].2
    }

    pub(super) const fn from_name(name: Text<'_>) -> Option<Self> {
        let mut i = 0;
        while i < Self::ALL.len() {
            if name.is(Self::ALL[i].0.as_bytes()) {
                return Some(Self::ALL[i].1);
            }
            i += 1;
        }
        None
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
