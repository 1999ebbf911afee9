//! Small blocks of numbers turned.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::is;
use crate::scalar::Scalar;

/// The columns of a block as its rows.
#[inline(always)]
pub(crate) fn transposed<T: Scalar>(block: &[[T; 4]; 4]) -> [[T; 4]; 4] {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    if is::<T, f32>() {
        // SAFETY: `T` is `f32`, as was asked.
        let turned = unsafe { transposed_f32(&*core::ptr::from_ref(block).cast()) };
        // SAFETY: as above.
        return unsafe { core::mem::transmute_copy(&turned) };
    }
    let mut turned = [[T::ZERO; 4]; 4];
    for (i, row) in block.iter().enumerate() {
        for (turned, &x) in turned.iter_mut().zip(row) {
            if let Some(turned) = turned.get_mut(i) {
                *turned = x;
            }
        }
    }
    turned
}

/// [`transposed`], with instructions of SSE. From a loop the compiler makes gathers, number by number.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn transposed_f32(block: &[[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use core::arch::x86_64::{
        _mm_loadu_ps, _mm_movehl_ps, _mm_movelh_ps, _mm_storeu_ps, _mm_unpackhi_ps, _mm_unpacklo_ps,
    };
    let mut turned = [[0.0; 4]; 4];
    // SAFETY: the build targets SSE; each load and store is of a row of four numbers.
    unsafe {
        let [a, b, c, d] = block;
        let (a, b) = (_mm_loadu_ps(a.as_ptr()), _mm_loadu_ps(b.as_ptr()));
        let (c, d) = (_mm_loadu_ps(c.as_ptr()), _mm_loadu_ps(d.as_ptr()));
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d)); // a0 b0 a1 b1
        let (ab_high, cd_high) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        let rows = [
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab_high, cd_high),
            _mm_movehl_ps(cd_high, ab_high),
        ];
        for (turned, row) in turned.iter_mut().zip(rows) {
            _mm_storeu_ps(turned.as_mut_ptr(), row);
        }
    }
    turned
}
