//! Sums over the lanes of vectors.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::Isa;
use crate::scalar::Scalar;

/// How many partial sums a long sum has.
pub(crate) const PARTIAL: usize = 16;

/// `sum of a * b`: sixteen partial sums, element `i` in sum `i % 16`, added as a binary tree.
#[inline(always)]
pub(crate) fn product<I: Isa, T: Scalar>(a: &[T], b: &[T]) -> T {
    let ((blocks, rest), (others, other_rest)) = (a.as_chunks::<PARTIAL>(), b.as_chunks::<PARTIAL>());
    // Adding -0 changes nothing, so nothing is added where there is no element.
    let mut sums = [-T::ZERO; PARTIAL];
    for (a, b) in blocks.iter().zip(others) {
        add_products::<I, T, PARTIAL>(&mut sums, a, b);
    }
    let (eight, rest) = rest.as_chunks::<8>();
    let (other_eight, other_rest) = other_rest.as_chunks::<8>();
    for (a, b) in eight.iter().zip(other_eight) {
        add_products::<I, T, 8>(&mut sums, a, b);
    }
    let after = 8 * eight.len();
    for ((sum, &a), &b) in sums.iter_mut().skip(after).zip(rest).zip(other_rest) {
        *sum = I::mul_add(a, b, *sum);
    }
    sum(&sums)
}

/// `sums += a * b`, number by number.
#[inline(always)]
fn add_products<I: Isa, T: Scalar, const W: usize>(sums: &mut [T; PARTIAL], a: &[T; W], b: &[T; W]) {
    for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
        *sum = I::mul_add(a, b, *sum);
    }
}

/// The sum of partial sums, as a binary tree: first of each and the one eight behind, then four, two, one.
#[inline(always)]
pub(crate) fn sum<T: Scalar>(sums: &[T; PARTIAL]) -> T {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    if super::is::<T, f32>() {
        // SAFETY: `T` is `f32`, as was asked.
        let sum = unsafe { sum_of_f32(&*core::ptr::from_ref(sums).cast()) };
        // SAFETY: as above.
        return unsafe { core::mem::transmute_copy(&sum) };
    }
    halved(*sums, |low, high| low + high)
}

/// All of a tile in one, as a binary tree: `f` of the two halves, place by place, until one number is left.
#[inline(always)]
pub(crate) fn halved<T: Scalar, const W: usize>(mut tile: [T; W], f: impl Fn(T, T) -> T) -> T {
    let mut half = W / 2;
    while half > 0 {
        let (low, high) = tile.split_at_mut(half);
        for (low, &high) in low.iter_mut().zip(&*high) {
            *low = f(*low, high);
        }
        half /= 2;
    }
    tile.first().copied().unwrap_or(T::ZERO)
}

/// [`sum`], with instructions of SSE. From a loop the compiler makes sixteen sums at a time, of numbers that it gathers.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn sum_of_f32(sums: &[f32; PARTIAL]) -> f32 {
    use core::arch::x86_64::{_mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_ps, _mm_movehl_ps, _mm_shuffle_ps};
    // SAFETY: the build targets SSE; each load is of four numbers of the array.
    unsafe {
        let four = |at: usize| _mm_loadu_ps(sums.as_ptr().add(at));
        let fours = _mm_add_ps(_mm_add_ps(four(0), four(8)), _mm_add_ps(four(4), four(12)));
        let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
        _mm_cvtss_f32(_mm_add_ss(twos, _mm_shuffle_ps::<1>(twos, twos)))
    }
}
