//! Loading and saving of whatever consists of tensors: a network, a scaler, a checkpoint.

use super::dtype::Dtype;
use super::error::{Extents, LoadError};
use super::header::{Tensors, View};
use super::key::{Key, Names, Wanted};
use super::layout::file_index;
use super::listing::Listing;
use super::number::{Values, ValuesMut, read_f32, read_f64, read_u64};
use crate::layer::{Bound, Parameter, Path, Role};
use core::fmt;

/// What consists of tensors.
pub trait Archive {
    /// Calls `f` with each tensor, always in the same order.
    fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>));

    /// The same, to write to.
    fn entries_mut(&mut self, f: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>));

    /// Whether its tensors are all of its state at this moment.
    fn is_complete(&self) -> bool {
        true
    }
}

/// Nothing to save.
impl Archive for () {
    fn entries(&self, _: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {}
    fn entries_mut(&mut self, _: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {}
}

/// A tensor of an [`Archive`]: a section, such as `optimizer.first.`, and a parameter in it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Stands before the parameter's own key.
    pub section: [&'a str; 2],
    /// Its path, name and shape.
    pub parameter: &'a Parameter<'a>,
    /// What its numbers must be.
    pub bound: Bound,
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.section;
        write!(f, "{first}{second}{}", self.parameter)
    }
}

impl<'e> Entry<'e> {
    /// A parameter of a network, with the bound of its role.
    pub(crate) const fn of(section: [&'e str; 2], parameter: &'e Parameter<'e>) -> Self {
        Self { section, parameter, bound: parameter.role.bound() }
    }

    /// The key that a file should have it under.
    pub(super) const fn wanted<'a>(&'a self, names: &Names<'a>) -> Wanted<'a> {
        Wanted::new(*names, self.section, &self.parameter.path, self.parameter.name)
    }
}

/// Reads a whole archive, after all of the file has been checked.
pub(crate) fn load(archive: &mut dyn Archive, file: &[u8], names: &Names<'_>) -> Result<(), LoadError> {
    let tensors = Tensors::parse(file)?;
    check(archive, &tensors, names)?;
    // Each search goes on from the tensor that the one before found: in a file of the same order, all are one pass.
    let mut at = 0;
    archive.entries_mut(&mut |entry, values| {
        if let Some(View { dtype, data, .. }) = tensors.find(&entry.wanted(names), &mut at) {
            let place = |i| file_index(entry.parameter, i);
            match values {
                ValuesMut::F32(values) => fill(values, |i| read_f32(dtype, data, place(i))),
                ValuesMut::F64(values) => fill(values, |i| read_f64(dtype, data, place(i))),
                ValuesMut::U64(values) => fill(values, |i| read_u64(data, place(i))),
            }
        }
    });
    Ok(())
}

fn fill<T>(values: &mut [T], f: impl Fn(usize) -> T) {
    for (i, value) in values.iter_mut().enumerate() {
        *value = f(i);
    }
}

/// An error unless every tensor of the archive is in the file and can be read, and the file has no other under the prefix.
fn check(archive: &dyn Archive, tensors: &Tensors<'_>, names: &Names<'_>) -> Result<(), LoadError> {
    let (mut at, mut used, mut is_in_order) = (0, 0, true);
    let mut result = Ok(());
    archive.entries(&mut |entry, values| {
        if result.is_ok() {
            let before = at;
            result = check_entry(tensors, names, entry, values, &mut at).map(|view| {
                is_in_order &= at > before;
                used += usize::from(!view.is_passed_over());
            });
        }
    });
    result?;
    let ours =
        || tensors.iter().filter(|view| view.key().starts_with(names.prefix.as_bytes()) && !view.is_passed_over());
    // In one order, no two entries have used the same tensor.
    if is_in_order && used == ours().count() {
        return Ok(());
    }
    for view in ours() {
        let mut is_used = false;
        archive.entries(&mut |entry, _| is_used = is_used || entry.wanted(names).is(view.key()));
        if !is_used {
            return Err(LoadError::Unexpected { key: Key::of(view.key()) });
        }
    }
    Ok(())
}

/// The tensor of an entry, if it can be read.
fn check_entry<'a>(
    tensors: &Tensors<'a>,
    names: &Names<'_>,
    entry: &Entry<'_>,
    values: Values<'_>,
    at: &mut usize,
) -> Result<View<'a>, LoadError> {
    let wanted = entry.wanted(names);
    let Some(view) = tensors.find(&wanted, at) else {
        return Err(LoadError::Missing { key: wanted.key(), file: Listing::new(tensors, &wanted) });
    };
    let key = || wanted.key();
    let shape = entry.parameter.shape;
    if !view.has_shape(shape) {
        let (found, needed) = (Extents::new(view.shape(), view.dimensions()), Extents::new(shape, shape.len()));
        return Err(LoadError::Shape { key: key(), found, needed });
    }
    if !values.takes(view.dtype) {
        return Err(LoadError::Dtype { key: key(), found: view.dtype, needed: values.dtype() });
    }
    if matches!(view.dtype, Dtype::U64) {
        return Ok(view);
    }
    let mut numbers = (0..values.len()).map(|i| read_f64(view.dtype, view.data, i));
    match numbers.find(|&number| !entry.bound.holds(number)) {
        None => Ok(view),
        Some(number) if !number.is_finite() => Err(LoadError::NotFinite { key: key() }),
        Some(value) => Err(LoadError::OutOfBound { key: key(), value, bound: entry.bound }),
    }
}

/// Gives a list of numbers as an entry to `f`.
pub(crate) fn flat(section: [&str; 2], name: &'static str, len: usize, bound: Bound, f: impl FnOnce(&Entry<'_>)) {
    let parameter = Parameter { path: Path::Root, name, role: Role::Bias { fan_in: 0 }, shape: &[len], order: &[0] };
    f(&Entry { section, parameter: &parameter, bound });
}

/// Writes the public methods of an archive.
macro_rules! archive_methods {
    ($all:literal) => {
        #[doc = concat!("Reads ", $all, " from the bytes of a safetensors file.")]
        ///
        /// # Errors
        /// If the file is broken, lacks a tensor, holds one too many, one of another shape or type, or a number that is not finite or
        /// not what it must be, such as a variance below 0. The whole file is checked first: after an error nothing has changed.
        ///
        /// # Cost
        /// The bytes of the file three times, where its tensors are in the order of this value's, as `save` writes them. In another
        /// order, up to the header's length for each tensor.
        pub fn load(&mut self, file: &[u8]) -> Result<(), LoadError> {
            $crate::safetensors::archive::load(self, file, &$crate::safetensors::Names::OWN)
        }

        #[doc = concat!("Writes ", $all, " into a buffer as a safetensors file, and returns its length.")]
        ///
        /// # Errors
        /// If the buffer is shorter than `saved_len`, or `load` would refuse the file: a number is not finite or not what it must be,
        /// layers of your own have two tensors of one key or a shape that does not fit, the header is longer than 100 MB.
        pub fn save(&self, buffer: &mut [u8]) -> Result<usize, SaveError> {
            $crate::safetensors::save::save(self, buffer)
        }

        /// How many bytes `save` writes.
        #[must_use]
        pub fn saved_len(&self) -> usize {
            $crate::safetensors::save::len(self)
        }

        /// `load` from a file. Its bytes, and the path in an error, are all that the library puts on the heap.
        ///
        /// # Errors
        /// As `load`, and if the file cannot be read; the error names the path.
        #[cfg(feature = "std")]
        pub fn load_file(
            &mut self,
            path: impl AsRef<std::path::Path>,
        ) -> Result<(), $crate::safetensors::FileError<LoadError>> {
            $crate::safetensors::FileError::load(path.as_ref(), |file| self.load(file))
        }

        /// `save` to a file, which is replaced as a whole: at every moment, and after a crash, there is the old file or the new one.
        /// [`safetensors`](crate::safetensors#files) tells the rules.
        ///
        /// # Errors
        /// As `save`, and if the file cannot be written; one that was there before still is, and the error names the path. An error
        /// after the new file has its name, from flushing the folder, leaves the new one.
        #[cfg(feature = "std")]
        pub fn save_file(
            &self,
            path: impl AsRef<std::path::Path>,
        ) -> Result<(), $crate::safetensors::FileError<SaveError>> {
            $crate::safetensors::FileError::save(path.as_ref(), self)
        }
    };
}
pub(crate) use archive_methods;
