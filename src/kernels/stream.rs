//! One step of a convolution.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::tile::{load, store, tiles};
use crate::scalar::Scalar;

kernel! {
    /// One output of a signal's convolution, from what lies under each place of the window but the first few, which lie on the padding.
    ///
    /// The products are added to the bias place by place, input by input, as in [`super::conv`], which has the same amount of work for an
    /// output and so the same instructions: a stream gives the bits of the whole sequence.
    pub(crate) fn window<I>[T: Scalar, const IN: usize, const OUT: usize, const K: usize][T, IN, OUT, K](
        weight: &[[[T; OUT]; IN]; K],
        bias: Option<&[T; OUT]>,
        x: [&[T; IN]; K],
        padding: usize,
        y: &mut [T; OUT],
    ), work IN * OUT * K; {
        tiles!(OUT, I::SUMS / 4 * lanes::<I, T>(), |start, W| tile::<I, T, IN, OUT, K, W>(weight, bias, x, padding, y, start));
    }
}

/// The outputs `start..start + W` of [`window`].
#[inline(always)]
fn tile<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const K: usize, const W: usize>(
    weight: &[[[T; OUT]; IN]; K],
    bias: Option<&[T; OUT]>,
    x: [&[T; IN]; K],
    padding: usize,
    y: &mut [T; OUT],
    start: usize,
) {
    let weight = weight.as_flattened().as_flattened();
    let mut sums: [T; W] = bias.map_or([T::ZERO; W], |bias| load(bias, start));
    for (place, x) in x.into_iter().enumerate() {
        if place < padding {
            continue;
        }
        for (i, &x) in x.iter().enumerate() {
            let column: [T; W] = load(weight, (place * IN + i) * OUT + start);
            for (sum, weight) in sums.iter_mut().zip(column) {
                *sum = I::mul_add(weight, x, *sum);
            }
        }
    }
    store(sums, y, start);
}
