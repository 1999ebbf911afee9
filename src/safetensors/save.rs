//! An archive on its way into a file.

use super::archive::{Archive, Entry};
use super::error::SaveError;
use super::hash::Hash;
use super::header::LONGEST_HEADER;
use super::key::Names;
use super::layout::memory_index;
use super::number::Values;
use super::text::{Escaped, copy};
use crate::layer::Parameter;
use core::fmt::{self, Write};

/// An error for what `load` could not take back.
pub(crate) fn check(archive: &dyn Archive) -> Result<(), SaveError> {
    if !archive.is_complete() {
        return Err(SaveError::BetweenBatches);
    }
    let mut result = Ok(());
    archive.entries(&mut |entry, values| {
        if result.is_ok() {
            result = check_entry(entry, values);
        }
    });
    result?;
    check_keys(archive)?;
    if header_len(archive) > LONGEST_HEADER { Err(SaveError::HeaderTooLong) } else { Ok(()) }
}

fn check_entry(entry: &Entry<'_>, values: Values<'_>) -> Result<(), SaveError> {
    let key = || entry.wanted(&Names::OWN).key();
    let Parameter { shape, order, .. } = entry.parameter;
    let elements = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    let is_order = order.len() == shape.len() && (0..shape.len()).all(|axis| order.contains(&axis));
    if elements != Some(values.len()) || !is_order {
        return Err(SaveError::LengthMismatch { key: key() });
    }
    match values.outside(entry.bound) {
        None => Ok(()),
        Some(value) if !value.is_finite() => Err(SaveError::NotFinite { key: key() }),
        Some(value) => Err(SaveError::OutOfBound { key: key(), value, bound: entry.bound }),
    }
}

/// An error where two keys are the same. Every walk over the archive finds the least hashes of keys above those of the walk before.
fn check_keys(archive: &dyn Archive) -> Result<(), SaveError> {
    let mut done = None;
    loop {
        let mut least = Least { hashes: [0; 64], len: 0 };
        let mut result = Ok(());
        archive.entries(&mut |entry, _| {
            let mut hash = Hash::EMPTY;
            // A hash takes everything: its result is always `Ok`.
            let _ = write!(hash, "{entry}");
            let is_new = done.is_some_and(|done| hash.0 <= done) || least.insert(hash.0);
            if !is_new || hash.0 == Hash::EMPTY.bytes(b"__metadata__").0 {
                result = Err(SaveError::DuplicateKey { key: entry.wanted(&Names::OWN).key() });
            }
        });
        result?;
        done = least.hashes.last().copied();
        if least.len < least.hashes.len() {
            return Ok(());
        }
    }
}

/// The least hashes so far, in order.
struct Least {
    hashes: [u64; 64],
    len: usize,
}

impl Least {
    /// Takes a hash in, if it is one of the least. Returns whether it is new.
    fn insert(&mut self, hash: u64) -> bool {
        let place = self.hashes.iter().take(self.len).take_while(|&&other| other < hash).count();
        let Some((first, rest)) = self.hashes.get_mut(place..).and_then(<[u64]>::split_first_mut) else { return true };
        if place < self.len && *first == hash {
            return false;
        }
        let mut moved = core::mem::replace(first, hash);
        for next in rest {
            core::mem::swap(next, &mut moved);
        }
        self.len = (self.len + 1).min(self.hashes.len());
        true
    }
}

/// Writes an archive into a buffer.
pub(crate) fn save(archive: &dyn Archive, buffer: &mut [u8]) -> Result<usize, SaveError> {
    check(archive)?;
    let needed = len(archive);
    let Some(mut rest) = buffer.get_mut(..needed) else { return Err(SaveError::BufferTooSmall { needed }) };
    write(archive, &mut |bytes| {
        if let Some((front, back)) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
            copy(front, bytes);
            rest = back;
        }
    });
    Ok(needed)
}

/// How many bytes an archive takes.
pub(crate) fn len(archive: &dyn Archive) -> usize {
    let mut data = 0;
    archive.entries(&mut |_, values| data += values.len() * values.dtype().bits() / 8);
    8 + header_len(archive) + data
}

/// Hands a file to `write`, a piece at a time.
pub(crate) fn write(archive: &dyn Archive, write: &mut dyn FnMut(&[u8])) {
    let header_len = header_len(archive);
    write(&(header_len as u64).to_le_bytes());
    let mut pieces = Pieces { write, len: 0 };
    write_header(archive, &mut pieces);
    while pieces.len < header_len {
        // The format wants the data aligned to 8 bytes, and spaces for it.
        let _ = pieces.write_char(' ');
    }
    let Pieces { write, .. } = pieces;
    archive.entries(&mut |entry, values| {
        for i in 0..values.len() {
            values.write(memory_index(entry.parameter, i), write);
        }
    });
}

/// The length of the header, with its padding.
fn header_len(archive: &dyn Archive) -> usize {
    let mut pieces = Pieces { write: &mut |_| (), len: 0 };
    write_header(archive, &mut pieces);
    pieces.len.next_multiple_of(8)
}

fn write_header(archive: &dyn Archive, pieces: &mut Pieces<'_>) {
    let mut begin = 0;
    // `Pieces` take everything: their results are always `Ok`.
    let _ = pieces.write_str(r#"{"__metadata__":{"format":"pt"}"#);
    archive.entries(&mut |entry, values| {
        let (dtype, shape) = (values.dtype(), entry.parameter.shape);
        let end = begin + values.len() * dtype.bits() / 8;
        let _ = pieces.write_str(r#",""#);
        let _ = write!(Escaped(pieces), "{entry}");
        let _ = write!(pieces, r#"":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#);
        begin = end;
    });
    let _ = pieces.write_str("}");
}

/// Text on its way to a file, and how much of it there has been.
struct Pieces<'a> {
    write: &'a mut dyn FnMut(&[u8]),
    len: usize,
}

impl Write for Pieces<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.write)(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}
