//! Numbers of a generic type as `f32`, where they are: the way into kernels that are compiled with the crate.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A cast.

use crate::scalar::Scalar;

/// The numbers as `f32`. None of them where `T` is another type: ask `T::IS_F32` first, in `const { }`.
#[inline(always)]
pub(crate) fn floats<T: Scalar>(x: &[T]) -> &[f32] {
    if const { T::IS_F32.answer() } {
        // SAFETY: `T` is `f32`: only the crate can say so, and it does of `f32` alone.
        unsafe { core::slice::from_raw_parts(x.as_ptr().cast(), x.len()) }
    } else {
        &[]
    }
}

/// The same, to write to.
#[inline(always)]
pub(crate) fn floats_mut<T: Scalar>(x: &mut [T]) -> &mut [f32] {
    if const { T::IS_F32.answer() } {
        // SAFETY: as in `floats`; the borrow is unique.
        unsafe { core::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), x.len()) }
    } else {
        &mut []
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would catch: a type of the size of `f32` that is taken for it, and numbers that are left out.
    #[test]
    fn only_f32_is_f32() {
        assert_eq!((floats(&[1.0_f32, 2.0]), floats_mut(&mut [3.0_f32])), (&[1.0, 2.0][..], &mut [3.0][..]));
        assert_eq!((floats(&[1.0_f64, 2.0]), floats_mut(&mut [3.0_f64])), (&[][..], &mut [][..]));
    }
}
