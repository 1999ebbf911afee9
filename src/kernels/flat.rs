//! Rows of matrices as one array of arrays, and columns as vectors, without a copy.
#![allow(unsafe_code)]

use nalgebra::{SMatrix, SVector};

/// The rows as `H` arrays of `W` pixels of `C` channels.
pub(crate) fn rows<T, const C: usize, const W: usize, const H: usize>(
    image: &[SMatrix<T, C, W>; H],
) -> &[[[T; C]; W]; H] {
    // SAFETY: `SMatrix<T, C, W>` is `repr(C)` around `ArrayStorage<T, C, W>`, which is `repr(transparent)` around
    // `[[T; C]; W]`, and zero-sized markers: same size (checked below), same alignment, same validity. The reference
    // returned borrows `image`.
    const { assert!(size_of::<SMatrix<T, C, W>>() == size_of::<[[T; C]; W]>()) };
    unsafe { &*core::ptr::from_ref(image).cast() }
}

/// The same, to write to.
pub(crate) fn rows_mut<T, const C: usize, const W: usize, const H: usize>(
    image: &mut [SMatrix<T, C, W>; H],
) -> &mut [[[T; C]; W]; H] {
    // SAFETY: as in `rows`; the borrow is unique.
    const { assert!(size_of::<SMatrix<T, C, W>>() == size_of::<[[T; C]; W]>()) };
    unsafe { &mut *core::ptr::from_mut(image).cast() }
}

/// The columns as `L` vectors.
pub(crate) fn columns<T, const C: usize, const L: usize>(matrix: &SMatrix<T, C, L>) -> &[SVector<T, C>; L] {
    // SAFETY: as in `rows`, a matrix is laid out as `[[T; C]; L]`, and so a vector as `[[T; C]; 1]`, which is as `[T; C]`.
    const { assert!(size_of::<SMatrix<T, C, L>>() == size_of::<[SVector<T, C>; L]>()) };
    unsafe { &*core::ptr::from_ref(matrix).cast() }
}

/// The same, to write to.
pub(crate) fn columns_mut<T, const C: usize, const L: usize>(matrix: &mut SMatrix<T, C, L>) -> &mut [SVector<T, C>; L] {
    // SAFETY: as in `columns`; the borrow is unique.
    const { assert!(size_of::<SMatrix<T, C, L>>() == size_of::<[SVector<T, C>; L]>()) };
    unsafe { &mut *core::ptr::from_mut(matrix).cast() }
}

/// The same iterator, to be zipped: the `zip` of two `chunks_exact` divides by their length, and under `opt-level = "s"` keeps the
/// panic for a division by 0.
pub(crate) fn one_by_one<I: Iterator>(mut all: I) -> impl Iterator<Item = I::Item> {
    core::iter::from_fn(move || all.next())
}
