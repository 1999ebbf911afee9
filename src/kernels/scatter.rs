//! The way back of a convolution, from the outputs to the places of their windows.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use super::conv::{add_product, load_row};
use super::dispatch::{Isa, kernel};
use super::tile::{load, store, tiles};
use super::window::{Axis, MOST, each, evenly, part, part_mut, remainder, tile_count, tile_width};
use crate::scalar::Scalar;
use core::ops::Range;

kernel! {
    /// `x = bias + sum of weight * y`, the way back from the outputs to the places of their windows: what [`gather`](super::conv::gather) does to gradients
    /// with the weights transposed, and what a transposed convolution is.
    pub(crate) fn scatter<I>[V: Axis, H: Axis, T: Scalar, const IN: usize, const OUT: usize][V, H, T, IN, OUT](
        weight: &[[T; IN]],
        bias: &[T],
        y: &[T],
        x: &mut [T],
    ), work V::KERNEL * H::KERNEL * IN * OUT; {
        let ((y, _), (x, _)) = (y.as_chunks::<OUT>(), x.as_chunks_mut::<IN>());
        x.fill(load(bias, 0));
        tiles!(IN, tile_width::<I, T>(), |start, W| scatter_tile::<I, V, H, T, IN, OUT, W>(weight, y, x, start));
    }
}

#[inline(always)]
fn scatter_tile<I: Isa, V: Axis, H: Axis, T: Scalar, const IN: usize, const OUT: usize, const W: usize>(
    weight: &[[T; IN]],
    y: &[[T; OUT]],
    x: &mut [[T; IN]],
    start: usize,
) {
    let mut sums = [[T::ZERO; W]; MOST];
    let count = evenly(H::OUT, tile_count::<I, T>(W));
    for oy in 0..V::OUT {
        for ky in V::places(oy) {
            for kx in 0..H::KERNEL {
                let Some(weight) = part(weight, (ky * H::KERNEL + kx) * OUT, OUT) else { continue };
                let Range { start: mut ox, end } = H::outputs(kx);
                while ox + count <= end {
                    scatter_block::<I, V, H, T, IN, OUT, W>(
                        &mut sums,
                        weight,
                        y,
                        x,
                        (oy, ox),
                        (ky, kx),
                        (start, count),
                    );
                    ox += count;
                }
                if !H::OUT.is_multiple_of(count) && ox + remainder(H::OUT, count) <= end {
                    let count = remainder(H::OUT, count);
                    scatter_block::<I, V, H, T, IN, OUT, W>(
                        &mut sums,
                        weight,
                        y,
                        x,
                        (oy, ox),
                        (ky, kx),
                        (start, count),
                    );
                    ox += count;
                }
                if H::COUNT_INSIDE < H::OUT {
                    while ox < end {
                        scatter_block::<I, V, H, T, IN, OUT, W>(
                            &mut sums,
                            weight,
                            y,
                            x,
                            (oy, ox),
                            (ky, kx),
                            (start, 1),
                        );
                        ox += 1;
                    }
                }
            }
        }
    }
}

/// What some outputs side by side add to one place of their windows.
#[inline(always)]
fn scatter_block<I: Isa, V: Axis, H: Axis, T: Scalar, const IN: usize, const OUT: usize, const W: usize>(
    sums: &mut [[T; W]; MOST],
    weight: &[[T; IN]],
    y: &[[T; OUT]],
    x: &mut [[T; IN]],
    (oy, ox): (usize, usize),
    (ky, kx): (usize, usize),
    (start, count): (usize, usize),
) {
    let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(ox, kx)) else { return };
    let Some(x) = part_mut(x, iy * H::IN + ix, (count - 1) * H::STRIDE + 1) else { return };
    let Some(y) = part(y, oy * H::OUT + ox, count) else { return };
    each!(count, sums, |n, sum| *sum = load_row(x, n * H::STRIDE, start));
    for o in 0..OUT {
        let weight: [T; W] = load_row(weight, o, start);
        each!(count, sums, |n, sum| if let Some(y) = y.get(n) {
            add_product::<I, T, OUT, false, W>(sum, &weight, y, o, 0);
        });
    }
    each!(count, sums, |n, sum| if let Some(x) = x.get_mut(n * H::STRIDE) {
        store(*sum, x, start);
    });
}
