//! The gradients of a convolution's weight and bias: the walk of [`conv`](super::conv), with the gradients in registers while outputs
//! go by.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use super::conv::{add_product, inputs, load_row, part_for_tiles};
use super::dispatch::{Isa, kernel};
use super::tile::{load, store, tiles};
use super::vector::add;
use super::window::{Axis, MOST, divided, each, evenly, part, part_mut, remainder, tile_count, tile_width};
use crate::scalar::Scalar;
use core::ops::Range;

kernel! {
    /// `gradient += sum of x * dy` over all windows: what [`gather`](super::conv::gather) has to do with its weights.
    pub(crate) fn gather_gradient<I>[
        V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize, const EACH: bool
    ][V, H, T, G, IN, OUT, EACH](
        gradient: &mut [[T; OUT]],
        x: &[T],
        dy: &[T],
    ), work V::KERNEL * H::KERNEL * G * OUT * inputs(IN, EACH); {
        let ((x, _), (dy, _)) = (x.as_chunks(), dy.as_chunks());
        for group in 0..G {
            tiles!(OUT, tile_width::<I, T>(), |start, W| {
                gradient_tile::<I, V, H, T, G, IN, OUT, EACH, W>(gradient, x, dy, (group, start));
            });
        }
    }
}

#[inline(always)]
fn gradient_tile<
    I: Isa,
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const EACH: bool,
    const W: usize,
>(
    gradient: &mut [[T; OUT]],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    (group, start): (usize, usize),
) {
    let mut sums = [[T::ZERO; W]; MOST];
    let inputs = inputs(IN, EACH);
    let most = tile_count::<I, T>(W);
    // This decides about the order of the sums, so that it may not depend on the instructions.
    let is_narrow = inputs <= 4 && inputs * H::KERNEL <= MOST && V::COUNT_INSIDE * H::COUNT_INSIDE > 0;
    // With one vector for each weight, there is room for some more.
    let room = if most < MOST { most + most / 4 } else { most };
    let is_whole_row = is_narrow && inputs * H::KERNEL <= room;
    if is_whole_row {
        let rows = evenly(V::KERNEL, divided(room, inputs * H::KERNEL));
        let mut ky = 0;
        while ky + rows <= V::KERNEL {
            gradient_inside::<I, V, H, T, G, IN, OUT, EACH, W>(&mut sums, gradient, x, dy, (group, start), (ky, rows));
            ky += rows;
        }
        if !V::KERNEL.is_multiple_of(rows) {
            let rows = remainder(V::KERNEL, rows);
            gradient_inside::<I, V, H, T, G, IN, OUT, EACH, W>(&mut sums, gradient, x, dy, (group, start), (ky, rows));
        }
    }
    for (k, gradient) in gradient.chunks_exact_mut(inputs * G).enumerate() {
        let place = (k / H::KERNEL, k % H::KERNEL);
        let outputs = (V::outputs(place.0), H::outputs(place.1));
        if !is_narrow {
            let (mut first, count) = (0, evenly(inputs, most));
            while first + count <= inputs {
                let (tile, outputs) = ((group, start, first), (outputs.0.clone(), outputs.1.clone()));
                gradient_block::<I, V, H, T, G, IN, OUT, EACH, W>(
                    &mut sums, gradient, x, dy, tile, count, place, outputs,
                );
                first += count;
            }
            if !inputs.is_multiple_of(count) {
                let tile = (group, start, first);
                gradient_block::<I, V, H, T, G, IN, OUT, EACH, W>(
                    &mut sums,
                    gradient,
                    x,
                    dy,
                    tile,
                    remainder(inputs, count),
                    place,
                    outputs,
                );
            }
        } else if !is_whole_row || V::COUNT_INSIDE < V::OUT || H::COUNT_INSIDE < H::OUT {
            let ((top, bottom), (left, right)) = (V::INSIDE, H::INSIDE);
            let (rows, columns) = outputs;
            let around = [
                if is_whole_row { (0..0, 0..0) } else { (top..bottom, left..right) },
                (rows.start..top, columns.clone()),
                (bottom..rows.end, columns.clone()),
                (top..bottom, columns.start..left),
                (top..bottom, right..columns.end),
            ];
            for outputs in around {
                let tile = (group, start, 0);
                gradient_block::<I, V, H, T, G, IN, OUT, EACH, W>(
                    &mut sums, gradient, x, dy, tile, inputs, place, outputs,
                );
            }
        }
    }
}

/// The gradient of some rows of a window that has few weights: they stay in registers together, while the outputs go by whose windows
/// lie on the input.
#[inline(always)]
fn gradient_inside<
    I: Isa,
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const EACH: bool,
    const W: usize,
>(
    sums: &mut [[T; W]; MOST],
    gradient: &mut [[T; OUT]],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    (group, start): (usize, usize),
    (ky, rows): (usize, usize),
) {
    let (inputs, down) = (inputs(IN, EACH), V::DILATION * H::IN * G);
    let (row, count) = (H::KERNEL * inputs, rows * H::KERNEL * inputs);
    let span = (rows - 1) * down + ((H::COUNT_INSIDE - 1) * H::STRIDE + (H::KERNEL - 1) * H::DILATION) * G + 1;
    let first = ky * row * G + group;
    let (row_span, gradient_span) = ((H::COUNT_INSIDE - 1) * G + 1, (count - 1) * G + 1);
    let Some(gradient) = part_mut(gradient, first, gradient_span) else { return };
    each!(count, sums, |n, sum| *sum = load_row(gradient, n * G, start));
    for oy in V::INSIDE.0..V::INSIDE.1 {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(H::INSIDE.0, 0)) else { continue };
        let Some(x) = part(x, (iy * H::IN + ix) * G + group, span) else { continue };
        let first = (oy * H::OUT + H::INSIDE.0) * G + group;
        let Some(dy) = part_for_tiles::<_, OUT, W>(dy, first, row_span) else { continue };
        for ox in 0..H::COUNT_INSIDE {
            let dy: [T; W] = load_row(dy, ox * G, start);
            each!(count, sums, |n, sum| {
                let (ky, kx) = (divided(n, row), divided(remainder(n, row), inputs));
                if let Some(x) = x.get(ky * down + (ox * H::STRIDE + kx * H::DILATION) * G) {
                    add_product::<I, T, IN, EACH, W>(sum, &dy, x, remainder(n, inputs), start);
                }
            });
        }
    }
    each!(count, sums, |n, sum| if let Some(gradient) = gradient.get_mut(n * G) {
        store(*sum, gradient, start);
    });
}

/// The gradient of some inputs at one place of the window, from a rectangle of outputs.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn gradient_block<
    I: Isa,
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const EACH: bool,
    const W: usize,
>(
    sums: &mut [[T; W]; MOST],
    gradient: &mut [[T; OUT]],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    (group, start, first): (usize, usize, usize),
    count: usize,
    (ky, kx): (usize, usize),
    (rows, columns): (Range<usize>, Range<usize>),
) {
    each!(count, sums, |n, sum| *sum = load_row(gradient, (first + n) * G + group, start));
    for oy in rows {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(columns.start, kx)) else { continue };
        let Some(x) = x.get((iy * H::IN + ix) * G + group..) else { continue };
        let Some(dy) = dy.get((oy * H::OUT + columns.start) * G + group..) else { continue };
        for (dy, x) in dy.chunks(G).zip(x.chunks(H::STRIDE * G)).take(columns.len()) {
            let Some(x) = x.first() else { continue };
            let dy: [T; W] = load_row(dy, 0, start);
            each!(count, sums, |n, sum| add_product::<I, T, IN, EACH, W>(sum, &dy, x, first + n, start));
        }
    }
    each!(count, sums, |n, sum| if let Some(gradient) = gradient.get_mut((first + n) * G + group) {
        store(*sum, gradient, start);
    });
}

/// How many partial sums a [`bias_gradient`] has: pixel `n` is in sum `n % PARTIAL`.
const PARTIAL: usize = 4;

kernel! {
    /// `gradient += sum of dy` over all pixels.
    pub(crate) fn bias_gradient<I>[T: Scalar, const OUT: usize][T, OUT](gradient: &mut [T; OUT], dy: &[T]), work dy.len(); {
        let (blocks, rest) = dy.as_chunks::<OUT>().0.as_chunks::<PARTIAL>();
        tiles!(OUT, tile_width::<I, T>(), |start, W| {
            let mut sums = [[T::ZERO; W]; PARTIAL];
            for block in blocks.iter().map(<[_; PARTIAL]>::as_slice).chain([rest]) {
                for (sum, dy) in sums.iter_mut().zip(block) {
                    let dy: [T; W] = load(dy, start);
                    add::<I, T, W>(sum, &dy);
                }
            }
            let [mut even, mut odd, second, last] = sums;
            add::<I, T, W>(&mut even, &second);
            add::<I, T, W>(&mut odd, &last);
            add::<I, T, W>(&mut even, &odd);
            let mut sum = load(gradient, start);
            add::<I, T, W>(&mut sum, &even);
            store(sum, gradient, start);
        });
    }
}
