#![allow(clippy::result_large_err)] // Without a heap, an error carries its key by value.

use super::error::{Extents, LoadError, SaveError};
use super::header::{Tensors, View};
use super::key::{Names, equal};
use super::number::Stored;
use crate::layer::{Layer, Parameter, Parameters};
use crate::network::Network;
use crate::shape::Shape;
use core::fmt::{self, Write};

impl<In: Shape, L: Layer<In, T> + Parameters<T>, T: Stored> Network<In, L, T> {
    /// Reads every parameter from the bytes of a safetensors file, under the network's own keys.
    ///
    /// # Errors
    /// If the file is broken, lacks a tensor, holds one too many, or one of another shape or type, or a number that is not
    /// finite. The whole file is checked first: after an error the network is as it was.
    pub fn load(&mut self, file: &[u8]) -> Result<(), LoadError> {
        self.load_with(file, &Names::OWN)
    }

    /// [`load`](Network::load), under the keys that `names` makes of the network's.
    ///
    /// # Errors
    /// As [`load`](Network::load).
    pub fn load_with(&mut self, file: &[u8], names: &Names<'_>) -> Result<(), LoadError> {
        let tensors = Tensors::parse(file)?;
        let mut result = Ok(());
        self.layers.visit(&mut |parameter, values| {
            if result.is_ok() {
                result = find::<T>(&tensors, names, parameter, values.len()).map(|_| ());
            }
        });
        result?;
        self.check_all_used(&tensors, names)?;
        L::zip([&mut self.layers], &mut |parameter, [values]| {
            if let Ok(view) = find::<T>(&tensors, names, parameter, values.len()) {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = T::read(view.dtype, view.data, file_index(parameter, i));
                }
            }
        });
        Ok(())
    }

    /// Writes a safetensors file into a buffer, under the network's own keys, and returns its length.
    ///
    /// # Errors
    /// If the buffer is shorter than [`saved_len`](Network::saved_len).
    pub fn save(&self, buffer: &mut [u8]) -> Result<usize, SaveError> {
        let needed = self.saved_len();
        let Some(mut rest) = buffer.get_mut(..needed) else { return Err(SaveError::BufferTooSmall { needed }) };
        self.write(&mut |bytes| {
            let (front, back) = core::mem::take(&mut rest).split_at_mut(bytes.len());
            front.copy_from_slice(bytes);
            rest = back;
        });
        Ok(needed)
    }

    /// How many bytes [`save`](Network::save) writes.
    #[must_use]
    pub fn saved_len(&self) -> usize {
        8 + self.header_len() + L::COUNT * T::DTYPE.size()
    }

    /// [`load`](Network::load) from a file. The only function of the library that uses the heap, for the file's bytes.
    ///
    /// # Errors
    /// As [`load`](Network::load), and if the file cannot be read.
    #[cfg(feature = "std")]
    pub fn load_file(&mut self, path: impl AsRef<std::path::Path>) -> Result<(), LoadError> {
        self.load(&std::fs::read(path).map_err(|error| LoadError::Io(error.kind()))?)
    }

    /// [`save`](Network::save) to a file: written beside it under another name, flushed to the disk, then renamed, so that at
    /// every moment there is the old file or the new one.
    ///
    /// # Errors
    /// If the file cannot be written.
    #[cfg(feature = "std")]
    pub fn save_file(&self, path: impl AsRef<std::path::Path>) -> Result<(), SaveError> {
        super::atomic::replace(path.as_ref(), |write| self.write(write)).map_err(|error| SaveError::Io(error.kind()))
    }

    /// Hands the file to `write`, a piece at a time.
    fn write(&self, write: &mut dyn FnMut(&[u8])) {
        let header_len = self.header_len();
        write(&(header_len as u64).to_le_bytes());
        let mut text = Text { write, len: 0 };
        self.write_header(&mut text);
        while text.len < header_len {
            // The format wants the data aligned to 8 bytes, and spaces for it.
            let _ = text.write_char(' ');
        }
        let Text { write, .. } = text;
        self.layers.visit(&mut |parameter, values| {
            for i in 0..values.len() {
                if let Some(value) = values.get(memory_index(parameter, i)) {
                    value.write(&mut *write);
                }
            }
        });
    }

    /// The length of the header, with its padding.
    fn header_len(&self) -> usize {
        let mut text = Text { write: &mut |_| (), len: 0 };
        self.write_header(&mut text);
        text.len.next_multiple_of(8)
    }

    fn write_header(&self, text: &mut Text<'_>) {
        let mut begin = 0;
        // A `Text` takes everything: its results are always `Ok`.
        let _ = text.write_str(r#"{"__metadata__":{"format":"pt"}"#);
        self.layers.visit(&mut |parameter, values| {
            let (dtype, shape, end) = (T::DTYPE, parameter.shape, begin + values.len() * T::DTYPE.size());
            let _ = write!(
                text,
                r#","{parameter}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
            );
            begin = end;
        });
        let _ = text.write_str("}");
    }

    /// An error for the first tensor under the prefix that no parameter asks for.
    fn check_all_used(&self, tensors: &Tensors<'_>, names: &Names<'_>) -> Result<(), LoadError> {
        for view in tensors.iter().filter(|view| view.raw_key().starts_with(names.prefix.as_bytes())) {
            let mut is_used = false;
            self.layers.visit(&mut |parameter, _| {
                let key = names.key(&parameter.path, parameter.name);
                is_used |= equal(key.as_str().as_bytes(), view.raw_key());
            });
            if !is_used {
                return Err(LoadError::Unexpected { key: view.key() });
            }
        }
        Ok(())
    }
}

/// The tensor of a parameter, if it is there and can be read.
fn find<'a, T: Stored>(
    tensors: &Tensors<'a>,
    names: &Names<'_>,
    parameter: &Parameter<'_>,
    count: usize,
) -> Result<View<'a>, LoadError> {
    let key = names.key(&parameter.path, parameter.name);
    let view = tensors.get(key.as_str()).ok_or(LoadError::Missing { key })?;
    if view.shape() != parameter.shape {
        let (found, needed) = (Extents::new(view.shape()), Extents::new(parameter.shape));
        return Err(LoadError::Shape { key, found, needed });
    }
    if !T::widens(view.dtype) {
        return Err(LoadError::Dtype { key, found: view.dtype, needed: T::DTYPE });
    }
    if (0..count).all(|i| T::read(view.dtype, view.data, i).is_finite()) {
        Ok(view)
    } else {
        Err(LoadError::NotFinite { key })
    }
}

/// Where the number that is the `i`-th in memory stands in the file.
fn file_index(parameter: &Parameter<'_>, mut i: usize) -> usize {
    let mut index = 0;
    for &axis in parameter.order.iter().rev() {
        let (before, after) = parameter.shape.split_at((axis + 1).min(parameter.shape.len()));
        let extent = before.last().copied().unwrap_or(1).max(1);
        index += i % extent * after.iter().product::<usize>();
        i /= extent;
    }
    index
}

/// Where the number that is the `i`-th in the file stands in memory.
fn memory_index(parameter: &Parameter<'_>, i: usize) -> usize {
    let mut index = 0;
    for &axis in parameter.order {
        let (before, after) = parameter.shape.split_at((axis + 1).min(parameter.shape.len()));
        let extent = before.last().copied().unwrap_or(1).max(1);
        index = index * extent + i / after.iter().product::<usize>().max(1) % extent;
    }
    index
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
