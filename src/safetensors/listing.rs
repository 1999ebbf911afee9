use super::header::Tensors;
use super::key::Wanted;
use super::text::copy;
use crate::layer::Path;
use core::fmt::{self, Write};

/// What a file has where a key is missing: as many of its keys as fit in 128 bytes.
///
/// Most often the same tensors have the names of a module's fields, which [`Names`](super::Names) translates; or one of the two networks
/// has a tuple where the other has the layer alone, and then the file's key for that tensor stands here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    bytes: [u8; Self::LEN],
    len: usize,
    /// How many keys did not fit.
    more: usize,
    comma: Option<Comma>,
}

/// A comma that makes a layer a tuple of one, `(Dense<64, 10>,)`, and that one of two networks lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comma {
    /// The network that wrote the file has none.
    InNetwork,
    /// The network that is loaded has none.
    InFile,
}

impl Comma {
    /// The question to ask, after the file's key for the tensor.
    pub(super) const fn question(self) -> [&'static str; 2] {
        match self {
            Self::InNetwork => ["was it saved by a network whose layers are not a tuple, `(", ")` without a comma?"],
            Self::InFile => ["was it saved by a network whose layers are a tuple, `(", ",)` with a comma?"],
        }
    }

    /// Which of the two, if the file has the tensor under the key of one of them; `path` is item 0 of where the layer stands.
    pub(super) const fn find<'a>(
        tensors: &Tensors<'_>,
        wanted: &Wanted<'a>,
        path: &'a Path<'a>,
    ) -> Option<(Self, Wanted<'a>)> {
        if let Path::Item { of, index: 0 } = wanted.path() {
            let other = wanted.at(of);
            if tensors.find(&other, &mut 0).is_some() {
                return Some((Self::InNetwork, other));
            }
        }
        let other = wanted.at(path);
        if tensors.find(&other, &mut 0).is_some() { Some((Self::InFile, other)) } else { None }
    }
}

impl Listing {
    const LEN: usize = 128;

    pub(super) fn new(tensors: &Tensors<'_>, wanted: &Wanted<'_>) -> Self {
        let mut listing = Self { bytes: [0; Self::LEN], len: 0, more: 0, comma: None };
        if let Some((comma, key)) = Comma::find(tensors, wanted, &wanted.path().item(0)) {
            listing.comma = Some(comma);
            listing.add(&key);
        } else {
            tensors.iter().for_each(|view| listing.add(&view.key()));
        }
        listing
    }

    /// Adds a key, whole or not at all. Once one did not fit, none does.
    fn add(&mut self, key: &dyn fmt::Display) {
        let len = self.len;
        if self.more > 0 || write!(self, "{}`{key}`", if len > 0 { " " } else { "" }).is_err() {
            self.len = len;
            self.more += 1;
        }
    }
}

impl fmt::Write for Listing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        copy(place, text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.bytes.get(..self.len).and_then(|keys| core::str::from_utf8(keys).ok()).unwrap_or_default();
        match (self.comma, keys) {
            (Some(comma), keys) => {
                let [question, end] = comma.question();
                let keys = if keys.is_empty() { "the same with another path" } else { keys };
                write!(f, ", which has {keys}: {question}Dense<64, 10>{end}")
            }
            (None, "") if self.more == 0 => f.write_str(", which has no tensors"),
            (None, "") => write!(f, ", which has {} others", self.more),
            (None, keys) => {
                write!(f, ", which has {keys}")?;
                if self.more == 0 { Ok(()) } else { write!(f, " and {} more", self.more) }
            }
        }
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({self})")
    }
}
