//! One step of a convolution.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::tile::{load, store, tiles};
use crate::scalar::Scalar;

kernel! {
    /// One output of a signal's convolution, from what lies under each place of the window.
    ///
    /// Each place has a sum of its own over the inputs, in their order; they are added to the bias in theirs. So they need not wait for
    /// each other. `super::conv` has the same order for signals.
    pub(crate) fn window<I>[T: Scalar, const IN: usize, const OUT: usize, const K: usize][T, IN, OUT, K](
        weight: &[[[T; OUT]; IN]; K],
        bias: Option<&[T; OUT]>,
        x: [&[T; IN]; K],
        y: &mut [T; OUT],
    ), work IN * OUT * K; {
        tiles!(OUT, I::SUMS / 4 * lanes::<I, T>(), |start, W| tile::<I, T, IN, OUT, K, W>(weight, bias, x, y, start));
    }
}

/// The outputs `start..start + W` of [`window`].
#[inline(always)]
fn tile<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const K: usize, const W: usize>(
    weight: &[[[T; OUT]; IN]; K],
    bias: Option<&[T; OUT]>,
    x: [&[T; IN]; K],
    y: &mut [T; OUT],
    start: usize,
) {
    let weight = weight.as_flattened().as_flattened();
    let mut total: [T; W] = bias.map_or([T::ZERO; W], |bias| load(bias, start));
    for (place, x) in x.into_iter().enumerate() {
        let mut sums = [T::ZERO; W];
        for (i, &x) in x.iter().enumerate() {
            let column: [T; W] = load(weight, (place * IN + i) * OUT + start);
            for (sum, weight) in sums.iter_mut().zip(column) {
                *sum = I::mul_add(weight, x, *sum);
            }
        }
        for (total, sum) in total.iter_mut().zip(sums) {
            *total += sum;
        }
    }
    store(total, y, start);
}
