//! Functions of the numbers at the same place of some slices.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{kernel, lanes};
use crate::scalar::Scalar;
use core::array::from_fn;
use core::hint::select_unpredictable;

/// Takes the places from `$at` on in strips as wide as a vector register, then narrower ones for the rest, so that no place is left.
macro_rules! strips {
    ($lanes:expr, $len:expr, |$at:ident, $W:ident| $call:expr) => {
        let mut $at = 0;
        $crate::kernels::elementwise::strips!(@width $lanes * 4, $len, |$at, $W| $call, 64 32 16 8 4 2 1);
    };
    (@width $lanes:expr, $len:expr, |$at:ident, $W:ident| $call:expr, $($width:literal)+) => {
        $(if const { $width <= $lanes } {
            const $W: usize = $width;
            while $at + $W <= $len {
                $call;
                $at += $W;
            }
        })+
    };
}

pub(crate) use strips;

/// The `W` numbers from `at` on.
#[inline(always)]
pub(crate) fn strip<T, const W: usize>(all: &[T], at: usize) -> Option<&[T; W]> {
    all.get(at..)?.first_chunk()
}

/// The same, to write to.
#[inline(always)]
pub(crate) fn strip_mut<T, const W: usize>(all: &mut [T], at: usize) -> Option<&mut [T; W]> {
    all.get_mut(at..)?.first_chunk_mut()
}

/// The numbers at place `k` of each strip.
#[inline(always)]
fn at_place<T: Scalar, const N: usize, const W: usize>(strips: &[[T; W]; N], k: usize) -> [T; N] {
    strips.each_ref().map(|strip| strip.get(k).copied().unwrap_or(T::ZERO))
}

kernel! {
    /// `y = f(x)` at each place.
    pub(crate) fn map<I>[T: Scalar, F: Fn([T; N]) -> T, const N: usize][T, F, N](x: [&[T]; N], y: &mut [T], f: F),
        work 4 * y.len(); {
        strips!(lanes::<I, T>(), y.len(), |at, W| {
            if let Some(y) = strip_mut::<T, W>(y, at) {
                let x: [[T; W]; N] = x.map(|x| strip(x, at).copied().unwrap_or([T::ZERO; W]));
                *y = from_fn(|k| f(at_place(&x, k)));
            }
        });
    }
}

kernel! {
    /// `x = f(x)` at each place where all that `f` gives is finite; tells whether that was everywhere. Elsewhere `x` stays, since a
    /// step that mixes old and new may go anywhere.
    pub(crate) fn update<I>[T: Scalar, F: Fn([T; N]) -> [T; N], const N: usize][T, F, N](x: [&mut [T]; N], f: F) -> bool,
        work 4 * x.first().map_or(0, |x| x.len()); {
        let mut x = x;
        let mut is_finite = true;
        let len = x.iter().map(|x| x.len()).min().unwrap_or(0);
        strips!(lanes::<I, T>(), len, |at, W| {
            let mut strips: [[T; W]; N] = x.each_ref().map(|x| strip(x, at).copied().unwrap_or([T::ZERO; W]));
            for k in 0..W {
                let old = at_place(&strips, k);
                let new = f(old);
                let all_finite = new.iter().fold(true, |all, x| all & x.is_finite());
                is_finite &= all_finite;
                for ((strip, old), new) in strips.iter_mut().zip(old).zip(new) {
                    if let Some(x) = strip.get_mut(k) {
                        // Said to be unpredictable, it stays a choice and no branch, so that the strip becomes vectors.
                        *x = select_unpredictable(all_finite, new, old);
                    }
                }
            }
            for (x, new) in x.iter_mut().zip(strips) {
                if let Some(x) = strip_mut(x, at) {
                    *x = new;
                }
            }
        });
        is_finite
    }
}

kernel! {
    /// Whether no number is infinite or NaN.
    pub(crate) fn all_finite<I>[T: Scalar][T](x: &[T]) -> bool, work x.len(); {
        let mut all = [true; 64];
        let (blocks, rest) = x.as_chunks::<64>();
        for block in blocks {
            for (all, x) in all.iter_mut().zip(block) {
                *all &= x.is_finite();
            }
        }
        rest.iter().fold(!all.contains(&false), |all, x| all & x.is_finite())
    }
}
