use super::dtype::Dtype;
use super::error::HeaderError;
use super::json::{Cursor, MOST_DIMENSIONS, tri};
use super::key::{Key, equal};

/// The tensors of a file, after its header has been checked. Nothing is copied.
///
/// The same code reads constants and run-time bytes. A header that passes describes tensors that lie in the file one after the
/// other, without holes or overlaps, each as long as its shape and type say, each with a key of its own.
#[derive(Debug, Clone, Copy)]
pub struct Tensors<'a> {
    header: &'a [u8],
    data: &'a [u8],
    len: usize,
}

/// One tensor of a file.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    key: &'a [u8],
    /// The type of its elements.
    pub dtype: Dtype,
    extents: [usize; MOST_DIMENSIONS],
    dimensions: usize,
    begin: usize,
    end: usize,
    /// Its elements, little-endian, row by row.
    pub data: &'a [u8],
}

const MOST_TENSORS: usize = 1024;
const LONGEST_HEADER: usize = 128 * 1024;

impl<'a> View<'a> {
    /// Its extents.
    #[must_use]
    pub const fn shape(&self) -> &[usize] {
        self.extents.split_at(self.dimensions).0
    }

    /// Its key, cut at 128 bytes.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key::new(self.key)
    }

    pub(super) const fn raw_key(&self) -> &'a [u8] {
        self.key
    }

    /// Whether it is PyTorch's count of batches, which nothing here needs.
    pub(super) const fn is_passed_over(&self) -> bool {
        const NAME: &[u8] = b"num_batches_tracked";
        if self.key.len() < NAME.len() {
            return false;
        }
        let (path, name) = self.key.split_at(self.key.len() - NAME.len());
        equal(name, NAME) && (path.is_empty() || path[path.len() - 1] == b'.')
    }
}

impl<'a> Tensors<'a> {
    /// Checks the whole header.
    ///
    /// # Errors
    /// For each way in which a file can be broken, one of [`HeaderError`].
    ///
    /// # Cost
    /// The number of tensors times the header's length, to compare each tensor with each other: 0.25 s for the largest header on a
    /// desktop, so bound the length of files from strangers before a small processor reads them.
    pub const fn parse(file: &'a [u8]) -> Result<Self, HeaderError> {
        let Some((len, rest)) = file.split_first_chunk::<8>() else { return Err(HeaderError::TooShort) };
        let len = u64::from_le_bytes(*len);
        if len > LONGEST_HEADER as u64 {
            return Err(HeaderError::HeaderTooLong);
        }
        #[allow(clippy::cast_possible_truncation)]
        let Some((header, data)) = rest.split_at_checked(len as usize) else { return Err(HeaderError::HeaderCut) };
        if core::str::from_utf8(header).is_err() {
            return Err(HeaderError::NotUtf8);
        }
        let mut tensors = Self { header, data, len: 0 };
        // Tensors that do not overlap, and together are as long as the data, leave no hole.
        let mut covered = 0_usize;
        let mut at = 0;
        while let Some((view, next)) = tri!(tensors.next(at)) {
            let mut other_at = next;
            while let Some((other, next)) = tri!(tensors.next(other_at)) {
                if equal(view.key, other.key) {
                    return Err(HeaderError::DuplicateKey);
                }
                if view.begin < other.end && other.begin < view.end {
                    return Err(HeaderError::OverlapOrHole);
                }
                other_at = next;
            }
            covered = covered.saturating_add(view.end - view.begin);
            tensors.len += 1;
            if tensors.len > MOST_TENSORS {
                return Err(HeaderError::TooManyTensors);
            }
            at = next;
        }
        if covered == data.len() { Ok(tensors) } else { Err(HeaderError::OverlapOrHole) }
    }

    /// How many tensors.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tensors, in the order of the header.
    pub fn iter(&self) -> impl Iterator<Item = View<'a>> + use<'a> {
        let (tensors, mut at) = (*self, 0);
        core::iter::from_fn(move || {
            let (view, next) = tensors.next(at).ok()??;
            at = next;
            Some(view)
        })
    }

    /// The tensor with this key.
    #[must_use]
    pub const fn get(&self, key: &str) -> Option<View<'a>> {
        let mut at = 0;
        while let Ok(Some((view, next))) = self.next(at) {
            if equal(view.key, key.as_bytes()) {
                return Some(view);
            }
            at = next;
        }
        None
    }

    /// The `i`-th tensor in the order of the header.
    pub(super) const fn nth(&self, mut i: usize) -> Option<View<'a>> {
        let mut at = 0;
        while let Ok(Some((view, next))) = self.next(at) {
            if i == 0 {
                return Some(view);
            }
            i -= 1;
            at = next;
        }
        None
    }

    /// The next tensor after a place in the header, which is 0 or what the call before gave; and the place after it.
    const fn next(&self, at: usize) -> Result<Option<(View<'a>, usize)>, HeaderError> {
        let mut cursor = Cursor { text: self.header, at };
        let mut is_first = at == 0;
        if is_first {
            tri!(cursor.expect(b'{'));
        }
        loop {
            cursor.skip_space();
            if cursor.take(b'}') {
                cursor.skip_space();
                return if cursor.at == cursor.text.len() { Ok(None) } else { Err(cursor.malformed()) };
            }
            if !is_first {
                tri!(cursor.expect(b','));
            }
            is_first = false;
            let key = tri!(cursor.string());
            tri!(cursor.expect(b':'));
            if equal(key, b"__metadata__") {
                tri!(cursor.metadata());
            } else if contains_backslash(key) {
                return Err(cursor.malformed());
            } else {
                let view = tri!(self.view(key, &mut cursor));
                return Ok(Some((view, cursor.at)));
            }
        }
    }

    /// Reads the description of a tensor: its three fields, in any order.
    const fn view(&self, key: &'a [u8], cursor: &mut Cursor<'a>) -> Result<View<'a>, HeaderError> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        tri!(cursor.expect(b'{'));
        let mut fields = 0;
        while fields < 3 {
            if fields > 0 {
                tri!(cursor.expect(b','));
            }
            let field = tri!(cursor.string());
            tri!(cursor.expect(b':'));
            let at = cursor.at;
            if equal(field, b"dtype") && dtype.is_none() {
                dtype = Dtype::from_name(tri!(cursor.string()));
                if dtype.is_none() {
                    return Err(HeaderError::UnknownDtype { at });
                }
            } else if equal(field, b"shape") && shape.is_none() {
                shape = Some(tri!(cursor.numbers()));
            } else if equal(field, b"data_offsets") && offsets.is_none() {
                offsets = Some(tri!(cursor.numbers()));
            } else {
                return Err(cursor.malformed());
            }
            fields += 1;
        }
        tri!(cursor.expect(b'}'));
        let (Some(dtype), Some((extents, dimensions)), Some((offsets, 2))) = (dtype, shape, offsets) else {
            return Err(cursor.malformed());
        };
        let [begin, end, ..] = offsets;
        if begin > end {
            return Err(HeaderError::ReversedOffsets);
        }
        if end > self.data.len() {
            return Err(HeaderError::DataCut);
        }
        let mut bytes = Some(dtype.size());
        let mut i = 0;
        while i < dimensions {
            bytes = match bytes {
                Some(bytes) => bytes.checked_mul(extents[i]),
                None => None,
            };
            i += 1;
        }
        match bytes {
            Some(bytes) if bytes == end - begin => {}
            _ => return Err(HeaderError::LengthMismatch),
        }
        let data = self.data.split_at(end).0.split_at(begin).1;
        Ok(View { key, dtype, extents, dimensions, begin, end, data })
    }
}

const fn contains_backslash(text: &[u8]) -> bool {
    let mut i = 0;
    while i < text.len() {
        if text[i] == b'\\' {
            return true;
        }
        i += 1;
    }
    false
}
