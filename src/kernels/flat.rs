//! Rows of matrices as one array of arrays, without a copy.
#![allow(unsafe_code)]

use nalgebra::SMatrix;

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
