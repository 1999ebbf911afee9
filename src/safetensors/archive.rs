//! Loading and saving of whatever consists of tensors: a network, a scaler, a checkpoint.

use super::dtype::Dtype;
use super::error::{Extents, LoadError, SaveError};
use super::header::{Tensors, View};
use super::key::{Key, Names, equal};
use super::number::{Values, ValuesMut, read_f32, read_f64, read_u64};
use crate::layer::{Parameter, Path, Role};
use core::fmt::{self, Write};

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
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.section;
        write!(f, "{first}{second}{}", self.parameter)
    }
}

impl Entry<'_> {
    fn key(&self, names: &Names<'_>) -> Key {
        let mut key = Key::EMPTY;
        // A key that is too long is cut: writing never fails.
        let _ = write!(key, "{self}");
        let mut theirs = names.translate(key.as_str());
        theirs.note_cut(&key);
        theirs
    }
}

/// Reads a whole archive, after all of the file has been checked.
pub(crate) fn load(archive: &mut dyn Archive, file: &[u8], names: &Names<'_>) -> Result<(), LoadError> {
    let tensors = Tensors::parse(file)?;
    let mut result = Ok(());
    archive.entries(&mut |entry, values| {
        if result.is_ok() {
            result = find(&tensors, names, entry, values);
        }
    });
    result?;
    check_all_used(archive, &tensors, names)?;
    archive.entries_mut(&mut |entry, values| {
        if let Some(View { dtype, data, .. }) = tensors.get(entry.key(names).as_str()) {
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

/// An error unless the tensor of an entry is there and can be read.
fn find(tensors: &Tensors<'_>, names: &Names<'_>, entry: &Entry<'_>, values: Values<'_>) -> Result<(), LoadError> {
    let key = entry.key(names);
    let view = tensors.get(key.as_str()).filter(|_| !key.is_cut()).ok_or(LoadError::Missing { key })?;
    if view.shape() != entry.parameter.shape {
        let (found, needed) = (Extents::new(view.shape()), Extents::new(entry.parameter.shape));
        return Err(LoadError::Shape { key, found, needed });
    }
    if !values.takes(view.dtype) {
        return Err(LoadError::Dtype { key, found: view.dtype, needed: values.dtype() });
    }
    let is_finite = |i| matches!(view.dtype, Dtype::U64) || read_f64(view.dtype, view.data, i).is_finite();
    if (0..values.len()).all(is_finite) { Ok(()) } else { Err(LoadError::NotFinite { key }) }
}

/// An error for the first tensor under the prefix that no entry asks for.
fn check_all_used(archive: &dyn Archive, tensors: &Tensors<'_>, names: &Names<'_>) -> Result<(), LoadError> {
    for view in
        tensors.iter().filter(|view| view.raw_key().starts_with(names.prefix.as_bytes()) && !view.is_passed_over())
    {
        let mut is_used = false;
        archive.entries(&mut |entry, _| {
            is_used |= equal(entry.key(names).as_str().as_bytes(), view.raw_key());
        });
        if !is_used {
            return Err(LoadError::Unexpected { key: view.key() });
        }
    }
    Ok(())
}

/// An error for what `load` could not take back.
pub(crate) fn check(archive: &dyn Archive) -> Result<(), SaveError> {
    if !archive.is_complete() {
        return Err(SaveError::BetweenBatches);
    }
    let mut result = Ok(());
    archive.entries(&mut |entry, values| {
        if result.is_ok() && !values.all_finite() {
            result = Err(SaveError::NotFinite { key: entry.key(&Names::OWN) });
        }
    });
    result
}

/// Writes an archive into a buffer.
pub(crate) fn save(archive: &dyn Archive, buffer: &mut [u8]) -> Result<usize, SaveError> {
    check(archive)?;
    let needed = len(archive);
    let Some(mut rest) = buffer.get_mut(..needed) else { return Err(SaveError::BufferTooSmall { needed }) };
    write(archive, &mut |bytes| {
        let (front, back) = core::mem::take(&mut rest).split_at_mut(bytes.len());
        front.copy_from_slice(bytes);
        rest = back;
    });
    Ok(needed)
}

/// How many bytes an archive takes.
pub(crate) fn len(archive: &dyn Archive) -> usize {
    let mut data = 0;
    archive.entries(&mut |_, values| data += values.len() * values.dtype().size());
    8 + header_len(archive) + data
}

/// Hands a file to `write`, a piece at a time.
pub(crate) fn write(archive: &dyn Archive, write: &mut dyn FnMut(&[u8])) {
    let header_len = header_len(archive);
    write(&(header_len as u64).to_le_bytes());
    let mut text = Text { write, len: 0 };
    write_header(archive, &mut text);
    while text.len < header_len {
        // The format wants the data aligned to 8 bytes, and spaces for it.
        let _ = text.write_char(' ');
    }
    let Text { write, .. } = text;
    archive.entries(&mut |entry, values| {
        for i in 0..values.len() {
            values.write(memory_index(entry.parameter, i), write);
        }
    });
}

/// The length of the header, with its padding.
fn header_len(archive: &dyn Archive) -> usize {
    let mut text = Text { write: &mut |_| (), len: 0 };
    write_header(archive, &mut text);
    text.len.next_multiple_of(8)
}

fn write_header(archive: &dyn Archive, text: &mut Text<'_>) {
    let mut begin = 0;
    // A `Text` takes everything: its results are always `Ok`.
    let _ = text.write_str(r#"{"__metadata__":{"format":"pt"}"#);
    archive.entries(&mut |entry, values| {
        let (dtype, shape) = (values.dtype(), entry.parameter.shape);
        let end = begin + values.len() * dtype.size();
        let _ = write!(text, r#","{entry}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#);
        begin = end;
    });
    let _ = text.write_str("}");
}

/// Where the number that is the `i`-th in memory stands in the file.
fn file_index(parameter: &Parameter<'_>, mut i: usize) -> usize {
    let mut index = 0;
    for &axis in parameter.order.iter().rev() {
        let (extent, stride) = extent_and_stride(parameter.shape, axis);
        index += i % extent * stride;
        i /= extent;
    }
    index
}

/// Where the number that is the `i`-th in the file stands in memory.
fn memory_index(parameter: &Parameter<'_>, i: usize) -> usize {
    parameter.order.iter().fold(0, |index, &axis| {
        let (extent, stride) = extent_and_stride(parameter.shape, axis);
        index * extent + i / stride % extent
    })
}

/// How far an axis of the file goes, and how many numbers lie between its steps.
fn extent_and_stride(shape: &[usize], axis: usize) -> (usize, usize) {
    let mut from = shape.iter().skip(axis);
    let extent = from.next().copied().unwrap_or(1);
    (extent.max(1), from.product::<usize>().max(1))
}

/// Text on its way to a file, and how much of it there has been.
struct Text<'a> {
    write: &'a mut dyn FnMut(&[u8]),
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.write)(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Gives a list of numbers as an entry to `f`.
pub(crate) fn flat(section: [&str; 2], name: &'static str, len: usize, f: impl FnOnce(&Entry<'_>)) {
    let parameter = Parameter { path: Path::Root, name, role: Role::Bias { fan_in: 0 }, shape: &[len], order: &[0] };
    f(&Entry { section, parameter: &parameter });
}

/// Writes the public methods of an archive.
macro_rules! archive_methods {
    ($all:literal) => {
        #[doc = concat!("Reads ", $all, " from the bytes of a safetensors file.")]
        ///
        /// # Errors
        /// If the file is broken, lacks a tensor, holds one too many, one of another shape or type, or a number that is not finite.
        /// The whole file is checked first: after an error nothing has changed.
        pub fn load(&mut self, file: &[u8]) -> Result<(), LoadError> {
            archive::load(self, file, &$crate::safetensors::Names::OWN)
        }

        #[doc = concat!("Writes ", $all, " into a buffer as a safetensors file, and returns its length.")]
        ///
        /// # Errors
        /// If the buffer is shorter than `saved_len`, or a number is not finite: `load` would refuse the file.
        pub fn save(&self, buffer: &mut [u8]) -> Result<usize, SaveError> {
            archive::save(self, buffer)
        }

        /// How many bytes `save` writes.
        #[must_use]
        pub fn saved_len(&self) -> usize {
            archive::len(self)
        }

        /// `load` from a file. Its bytes are the one thing that the library puts on the heap.
        ///
        /// # Errors
        /// As `load`, and if the file cannot be read.
        #[cfg(feature = "std")]
        pub fn load_file(&mut self, path: impl AsRef<std::path::Path>) -> Result<(), LoadError> {
            self.load(&std::fs::read(path).map_err(|error| LoadError::Io(error.kind()))?)
        }

        /// `save` to a file: written beside it under another name, flushed to the disk, then renamed, so that at every moment there
        /// is the old file or the new one.
        ///
        /// # Errors
        /// If a number is not finite, or the file cannot be written; one that was there before still is. An error after the new
        /// file has its name, from flushing the folder, leaves the new one.
        #[cfg(feature = "std")]
        pub fn save_file(&self, path: impl AsRef<std::path::Path>) -> Result<(), SaveError> {
            archive::check(self)?;
            $crate::safetensors::replace_file(path.as_ref(), |write| archive::write(self, write))
                .map_err(|error| SaveError::Io(error.kind()))
        }
    };
}
pub(crate) use archive_methods;
