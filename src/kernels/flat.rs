//! Rows of matrices as one array of arrays, and columns as vectors, without a copy; a part of each of some values.
#![allow(unsafe_code)]

use core::mem::MaybeUninit;
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

/// A part of each of some values. `each_mut` and `map` of arrays would do, but each use of them is eight functions to compile, and a
/// walk over parameters has one for each layer and tensor.
#[inline]
pub(crate) fn each_part<'a, P, Q: ?Sized, const N: usize>(
    all: &'a mut [&mut P; N],
    part: fn(&mut P) -> &mut Q,
) -> [&'a mut Q; N] {
    let mut parts = MaybeUninit::<[&'a mut Q; N]>::uninit();
    let (from, to) = (all.as_mut_ptr(), parts.as_mut_ptr().cast::<&'a mut Q>());
    let mut i = 0;
    while i < N {
        // SAFETY: there are `N` of both. Each value is borrowed once, for as long as `all` is.
        unsafe { to.add(i).write(part(&mut **from.add(i))) };
        i += 1;
    }
    // SAFETY: all `N` have been written.
    unsafe { parts.assume_init() }
}

#[cfg(test)]
mod tests {
    use super::each_part;

    /// Would catch: a value left out, taken twice, or given the place of another.
    #[test]
    fn each_value_gives_its_part_in_its_place() {
        let (mut a, mut b, mut c) = ((1, [2, 3]), (4, [5, 6]), (7, [8, 9]));
        let mut all = [&mut a, &mut b, &mut c];
        assert_eq!(each_part(&mut all, |value| &mut value.1[..]), [&mut [2, 3], &mut [5, 6], &mut [8, 9]]);
        for (i, first) in each_part(&mut all, |value| &mut value.0).into_iter().enumerate() {
            *first += 10 * i;
        }
        assert_eq!((a.0, b.0, c.0), (1, 14, 27));
        assert!(each_part(&mut [], |value: &mut (u8,)| &mut value.0).is_empty());
    }
}
