//! A row of numbers inside a kernel: a function of each, and sums.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, lanes};
use super::elementwise::strips;
use super::horizontal::{self, PARTIAL};
use super::tile::{at_place, each, load, of_each, strip, strip_mut};
use crate::scalar::Scalar;
use core::hint::black_box;

/// A length that the compiler does not know, if it is a long one: it would unroll the loop over it, and find no vectors in so much code.
#[inline(always)]
pub(crate) fn unknown(len: usize) -> usize {
    if len > 64 { black_box(len) } else { len }
}

/// `y = f(x, y, i)` at each place `i`.
#[inline(always)]
pub(crate) fn for_each<I: Isa, T: Scalar, const N: usize>(
    x: [&[T]; N],
    y: &mut [T],
    f: impl Fn([T; N], T, usize) -> T,
) {
    let len = unknown(y.len());
    strips!(lanes::<I, T>(), len, |at, W| {
        if let Some(y) = strip_mut::<T, W>(y, at) {
            let tiles = of_each(&x, [T::ZERO; W], |x| strip(x, at).copied().unwrap_or([T::ZERO; W]));
            for (k, y) in y.iter_mut().enumerate() {
                *y = f(at_place(&tiles, k), *y, at + k);
            }
        }
    });
}

/// The sum of a row: sixteen partial sums, element `i` in sum `i % 16`, added as a binary tree.
#[inline(always)]
pub(crate) fn total<T: Scalar>(x: &[T]) -> T {
    let (chunks, rest) = x.get(..unknown(x.len())).unwrap_or(&[]).as_chunks::<PARTIAL>();
    let mut sums = [T::ZERO; PARTIAL];
    for x in chunks {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += x;
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += x;
    }
    horizontal::sum(&sums)
}

/// The sum of `f` over rows of one length, in the order of [`total`].
#[inline(always)]
pub(crate) fn sum_of<I: Isa, T: Scalar, const N: usize>(x: [&[T]; N], f: impl Fn([T; N]) -> T) -> T {
    let len = unknown(x.first().map_or(0, |x| x.len()));
    let mut sums = [T::ZERO; PARTIAL];
    let mut at = 0;
    while at + PARTIAL <= len {
        let tiles = of_each(&x, [T::ZERO; PARTIAL], |x| load(x, at));
        for (sum, y) in sums.iter_mut().zip(each(tiles.each_ref(), &f)) {
            *sum += y;
        }
        at += PARTIAL;
    }
    if at < len {
        let mut last = [T::ZERO; PARTIAL];
        if let Some(last) = last.get_mut(..len - at) {
            let rest = of_each(&x, &[][..], |x| x.get(at..).unwrap_or(&[]));
            for_each::<I, T, N>(rest, last, |x, _, _| f(x));
        }
        for (sum, y) in sums.iter_mut().zip(last) {
            *sum += y;
        }
    }
    horizontal::sum(&sums)
}

#[cfg(test)]
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // Small integers: exact.
mod tests {
    use super::super::dispatch::Target;
    use super::*;

    /// Every rest of the strips and of the sixteen sums: catches an element left out or taken twice.
    #[test]
    fn every_length() {
        let all: [f64; 70] = core::array::from_fn(|i| ((i * 7) % 11) as f64 - 5.0);
        for len in 0..all.len() {
            let x = &all[..len];
            assert_eq!(total(x), x.iter().sum::<f64>(), "{len}");
            assert_eq!(sum_of::<Target, f64, 2>([x, x], |[a, b]| a * b), x.iter().map(|x| x * x).sum::<f64>(), "{len}");
            let mut y = all;
            for_each::<Target, f64, 1>([x], &mut y[..len], |[x], y, i| x + y * i as f64);
            for (i, (&x, y)) in all.iter().zip(y).enumerate() {
                assert_eq!(y, if i < len { x + x * i as f64 } else { x }, "place {i} of {len}");
            }
        }
    }
}
