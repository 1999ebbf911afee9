//! The IDX format of the MNIST files: a magic number, the sizes of the axes, then one byte for each number.
//!
//! ```text
//! images: 0x00000803, count, rows, columns    then count * rows * columns pixels, row by row
//! labels: 0x00000801, count                   then count labels
//! ```
//!
//! Every number of a header is a big-endian `u32`.

use std::error::Error;
use std::fmt;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// Why bytes are not the IDX file that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdxError {
    /// The file ends within its header.
    Header { bytes: usize, wanted: usize },
    /// The file holds something else.
    Magic { found: u32, wanted: u32 },
    /// The images have another size.
    Size { found: [u32; 2], wanted: [usize; 2] },
    /// The header promises more or fewer bytes than the file has.
    Length { bytes: usize, wanted: u64 },
}

impl fmt::Display for IdxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { bytes, wanted } => {
                write!(f, "the file has {bytes} bytes, and its header alone should have {wanted}")
            }
            Self::Magic { found, wanted } => {
                write!(f, "the file starts with {found:#010x}, and should with {wanted:#010x}")?;
                // What a gzip file starts with.
                if found >> 16 == 0x1f8b { write!(f, ": it is compressed, unpack it first") } else { Ok(()) }
            }
            Self::Size { found: [rows, columns], wanted } => {
                write!(f, "the images are {rows}x{columns}, and should be {}x{}", wanted[0], wanted[1])
            }
            Self::Length { bytes, wanted } => {
                write!(f, "the file has {bytes} bytes, and by its header should have {wanted}: it is damaged")
            }
        }
    }
}

impl Error for IdxError {}

/// The images in an IDX file, each an array of rows of pixels.
pub(crate) fn images<const ROWS: usize, const COLUMNS: usize>(
    file: &[u8],
) -> Result<&[[[u8; COLUMNS]; ROWS]], IdxError> {
    let ([count, rows, columns], pixels) = header::<3>(file, IMAGES)?;
    if [rows as usize, columns as usize] != [ROWS, COLUMNS] {
        return Err(IdxError::Size { found: [rows, columns], wanted: [ROWS, COLUMNS] });
    }
    check_length(file, pixels, u64::from(count) * (ROWS * COLUMNS) as u64)?;
    Ok(pixels.as_chunks().0.as_chunks().0)
}

/// The labels in an IDX file.
pub(crate) fn labels(file: &[u8]) -> Result<&[u8], IdxError> {
    let ([count], labels) = header::<1>(file, LABELS)?;
    check_length(file, labels, u64::from(count))?;
    Ok(labels)
}

/// Checks the magic number. Returns the sizes of the axes, and what comes after.
fn header<const AXES: usize>(file: &[u8], magic: u32) -> Result<([u32; AXES], &[u8]), IdxError> {
    let (numbers, _) = file.as_chunks::<4>();
    let mut numbers = numbers.iter().map(|&bytes| u32::from_be_bytes(bytes));
    let too_short = IdxError::Header { bytes: file.len(), wanted: 4 * (1 + AXES) };
    let found = numbers.next().ok_or(too_short)?;
    if found != magic {
        return Err(IdxError::Magic { found, wanted: magic });
    }
    let mut axes = [0; AXES];
    for axis in &mut axes {
        *axis = numbers.next().ok_or(too_short)?;
    }
    Ok((axes, &file[4 * (1 + AXES)..]))
}

fn check_length(file: &[u8], content: &[u8], wanted: u64) -> Result<(), IdxError> {
    if content.len() as u64 == wanted {
        return Ok(());
    }
    let header = file.len() - content.len();
    Err(IdxError::Length { bytes: file.len(), wanted: wanted.saturating_add(header as u64) })
}
