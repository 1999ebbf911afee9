//! Convolution: three walks of a window over pixels. `V` is the window's way down, `H` its way along a row.
//!
//! A pixel has `G` groups of channels, of which each sees its own only; a plain convolution has one. The channels of a group are the
//! vector lanes. A tile of them, for some pixels side by side, stays in registers while the window goes by. On the padding's border
//! they lie one below the other: there, the window has the same places for all of them.
//!
//! A weight is kept place by place, input by input, group by group: rows of `OUT` numbers.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel};
use super::tile::{load, store, tiles};
use super::window::{Axis, MOST, each, evenly, part, part_mut, tile_count, tile_width};
use crate::scalar::Scalar;
use core::ops::Range;

/// The weights of a window of `KH` by `KW` places.
pub(crate) type Kernel<T, const IN: usize, const OUT: usize, const KH: usize, const KW: usize> =
    [[[[T; OUT]; IN]; KW]; KH];

kernel! {
    /// `y = bias + sum of weight * x` over each window: rows, columns and inputs of the window in this order.
    ///
    /// With `EACH`, every channel sees itself only: a group of one channel in and one out, whose lanes are the groups. Then `G` is 1, and
    /// `IN` and `OUT` are how many there are.
    pub(crate) fn gather<I>[
        V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize, const EACH: bool
    ][V, H, T, G, IN, OUT, EACH](
        weight: &[[T; OUT]],
        bias: &[T],
        x: &[T],
        y: &mut [T],
    ), work V::KERNEL * H::KERNEL * G * OUT * inputs(IN, EACH); {
        let ((x, _), (y, _)) = (x.as_chunks(), y.as_chunks_mut());
        for group in 0..G {
            tiles!(OUT, tile_width::<I, T>(), |start, W| {
                let tile = Tile { group, start, bias: load(bias, group * OUT + start) };
                gather_tile::<I, V, H, T, G, IN, OUT, EACH, W>(&tile, weight, x, y);
            });
        }
    }
}

/// How many inputs of a pixel an output sees.
const fn inputs(channels: usize, each: bool) -> usize {
    if each { 1 } else { channels }
}

/// Which lanes a walk is about, and what their sums start from.
struct Tile<T, const W: usize> {
    group: usize,
    start: usize,
    bias: [T; W],
}

#[inline(always)]
fn gather_tile<
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
    tile: &Tile<T, W>,
    weight: &[[T; OUT]],
    x: &[[T; IN]],
    y: &mut [[T; OUT]],
) {
    let most = tile_count::<I, T>(W);
    let count = evenly(H::COUNT_INSIDE, most);
    for oy in 0..V::OUT {
        for ox in blocks::<H>(count) {
            let places = (V::places(oy), 0..H::KERNEL);
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(tile, weight, x, y, (oy, ox), (0, 1, count), places);
        }
    }
    if H::COUNT_INSIDE == H::OUT {
        return;
    }
    let count = evenly(V::COUNT_INSIDE, most);
    for ox in H::border() {
        for oy in blocks::<V>(count) {
            let places = (0..V::KERNEL, H::places(ox));
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(tile, weight, x, y, (oy, ox), (1, 0, count), places);
        }
    }
    if V::COUNT_INSIDE == V::OUT {
        return;
    }
    for oy in V::border() {
        for ox in H::border() {
            let places = (V::places(oy), H::places(ox));
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(tile, weight, x, y, (oy, ox), (0, 0, 1), places);
        }
    }
}

/// Where blocks of `count` outputs start that have their whole windows on the input. The last may have outputs of the one before.
#[inline(always)]
fn blocks<A: Axis>(count: usize) -> impl Iterator<Item = usize> {
    let number = if count == 0 { 0 } else { A::COUNT_INSIDE.div_ceil(count) };
    (0..number).map(move |block| A::INSIDE.0 + (block * count).min(A::COUNT_INSIDE - count))
}

/// The outputs at some pixels from one on, a step apart, whose windows have these places on the input. How many they are is a constant
/// wherever this is called.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn gather_block<
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
    tile: &Tile<T, W>,
    weight: &[[T; OUT]],
    x: &[[T; IN]],
    y: &mut [[T; OUT]],
    (oy, ox): (usize, usize),
    (down, across, count): (usize, usize, usize),
    (rows, columns): (Range<usize>, Range<usize>),
) {
    let step = (down * V::STRIDE * H::IN + across * H::STRIDE) * G;
    let span = step * (count - 1) + (columns.len().max(1) - 1) * H::DILATION * G + 1;
    let mut sums = [[T::ZERO; W]; MOST];
    each!(count, sums, |_n, sum| *sum = tile.bias);
    for ky in rows {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(ox, columns.start)) else { continue };
        let Some(x) = part(x, (iy * H::IN + ix) * G + tile.group, span) else { continue };
        let first = (ky * H::KERNEL + columns.start) * inputs(IN, EACH) * G;
        // Where tiles reach beyond a row, they may reach behind the window's.
        let end = if OUT.is_multiple_of(W) {
            columns.len() * inputs(IN, EACH) * G
        } else {
            weight.len().saturating_sub(first)
        };
        let Some(weight) = part(weight, first, end) else { continue };
        for kx in 0..columns.len() {
            let across = kx * H::DILATION * G;
            for i in 0..inputs(IN, EACH) {
                let weight: [T; W] = load_row(weight, (kx * inputs(IN, EACH) + i) * G + tile.group, tile.start);
                each!(count, sums, |n, sum| if let Some(x) = x.get(across + n * step) {
                    add_product::<I, T, IN, EACH, W>(sum, weight, x, i, tile.start);
                });
            }
        }
    }
    let step = (down * H::OUT + across) * G;
    let y = part_mut(y, (oy * H::OUT + ox) * G + tile.group, step * (count - 1) + 1);
    if let Some(y) = y {
        each!(count, sums, |n, sum| if let Some(y) = y.get_mut(n * step) {
            store(*sum, y, tile.start);
        });
    }
}

/// `W` numbers of a row from `start` on, and of the rows behind it where it ends before.
#[inline(always)]
fn load_row<T: Scalar, const N: usize, const W: usize>(rows: &[[T; N]], row: usize, start: usize) -> [T; W] {
    if N.is_multiple_of(W) {
        rows.get(row).map_or([T::ZERO; W], |row| load(row, start))
    } else {
        load(rows.as_flattened(), row * N + start)
    }
}

/// `sum += a * x`, with input `i` of a pixel, or for each output its own.
#[inline(always)]
fn add_product<I: Isa, T: Scalar, const IN: usize, const EACH: bool, const W: usize>(
    sum: &mut [T; W],
    a: [T; W],
    x: &[T; IN],
    i: usize,
    start: usize,
) {
    if EACH {
        let x: [T; W] = load(x, start);
        for ((sum, a), x) in sum.iter_mut().zip(a).zip(x) {
            *sum = I::mul_add(a, x, *sum);
        }
    } else {
        let x = x.get(i).copied().unwrap_or(T::ZERO);
        for (sum, a) in sum.iter_mut().zip(a) {
            *sum = I::mul_add(a, x, *sum);
        }
    }
}

kernel! {
    /// `gradient += sum of x * dy` over all windows: what [`gather`] has to do with its weights.
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
    let inputs = inputs(IN, EACH);
    let most = tile_count::<I, T>(W);
    let has_inside = V::COUNT_INSIDE * H::COUNT_INSIDE > 0;
    let is_narrow = has_inside && 2 * inputs <= most && inputs * H::KERNEL <= most;
    if is_narrow {
        // With one vector for each weight, there is room for some more.
        let rows = evenly(V::KERNEL, (most + most / 4) / (inputs * H::KERNEL));
        let mut ky = 0;
        while ky + rows <= V::KERNEL {
            gradient_inside::<I, V, H, T, G, IN, OUT, EACH, W>(gradient, x, dy, (group, start), (ky, rows));
            ky += rows;
        }
        if !V::KERNEL.is_multiple_of(rows) {
            let rows = V::KERNEL % rows;
            gradient_inside::<I, V, H, T, G, IN, OUT, EACH, W>(gradient, x, dy, (group, start), (ky, rows));
        }
    }
    for (k, gradient) in gradient.chunks_exact_mut(inputs * G).enumerate() {
        let place = (k / H::KERNEL, k % H::KERNEL);
        let (rows, columns) = (V::outputs(place.0), H::outputs(place.1));
        let ((top, bottom), (left, right)) = (V::INSIDE, H::INSIDE);
        // The same order for every set of instructions: first the outputs whose windows lie on the input, then those around.
        let parts = if has_inside {
            [
                (if is_narrow { 0..0 } else { top..bottom }, left..right),
                (rows.start..top, columns.clone()),
                (bottom..rows.end, columns.clone()),
                (top..bottom, columns.start..left),
                (top..bottom, right..columns.end),
            ]
        } else {
            [(rows, columns), (0..0, 0..0), (0..0, 0..0), (0..0, 0..0), (0..0, 0..0)]
        };
        for outputs in parts {
            let (mut first, count) = (0, evenly(inputs, most));
            while first + count <= inputs {
                let (tile, outputs) = ((group, start, first), outputs.clone());
                gradient_block::<I, V, H, T, G, IN, OUT, EACH, W>(gradient, x, dy, tile, count, place, outputs);
                first += count;
            }
            if !inputs.is_multiple_of(count) {
                let (tile, count) = ((group, start, first), inputs % count);
                gradient_block::<I, V, H, T, G, IN, OUT, EACH, W>(gradient, x, dy, tile, count, place, outputs);
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
    let mut sums = [[T::ZERO; W]; MOST];
    each!(count, sums, |n, sum| *sum = load_row(gradient, first + n * G, start));
    for oy in V::INSIDE.0..V::INSIDE.1 {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(H::INSIDE.0, 0)) else { continue };
        let Some(x) = part(x, (iy * H::IN + ix) * G + group, span) else { continue };
        for ox in 0..H::COUNT_INSIDE {
            let dy: [T; W] = load_row(dy, (oy * H::OUT + H::INSIDE.0 + ox) * G + group, start);
            each!(count, sums, |n, sum| {
                let (ky, kx) = (n / row, n % row / inputs);
                if let Some(x) = x.get(ky * down + (ox * H::STRIDE + kx * H::DILATION) * G) {
                    add_product::<I, T, IN, EACH, W>(sum, dy, x, n % inputs, start);
                }
            });
        }
    }
    each!(count, sums, |n, sum| if let Some(gradient) = gradient.get_mut(first + n * G) {
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
    gradient: &mut [[T; OUT]],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    (group, start, first): (usize, usize, usize),
    count: usize,
    (ky, kx): (usize, usize),
    (rows, columns): (Range<usize>, Range<usize>),
) {
    let mut sums = [[T::ZERO; W]; MOST];
    each!(count, sums, |n, sum| *sum = load_row(gradient, (first + n) * G + group, start));
    for oy in rows {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(columns.start, kx)) else { continue };
        let Some(x) = x.get((iy * H::IN + ix) * G + group..) else { continue };
        let Some(dy) = dy.get((oy * H::OUT + columns.start) * G + group..) else { continue };
        for (dy, x) in dy.chunks(G).zip(x.chunks(H::STRIDE * G)).take(columns.len()) {
            let Some(x) = x.first() else { continue };
            let dy: [T; W] = load_row(dy, 0, start);
            each!(count, sums, |n, sum| add_product::<I, T, IN, EACH, W>(sum, dy, x, first + n, start));
        }
    }
    each!(count, sums, |n, sum| if let Some(gradient) = gradient.get_mut((first + n) * G + group) {
        store(*sum, gradient, start);
    });
}

kernel! {
    /// `x = bias + sum of weight * y`, the way back from the outputs to the places of their windows: what [`gather`] does to gradients
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
    let count = evenly(H::OUT, tile_count::<I, T>(W));
    for oy in 0..V::OUT {
        for ky in V::places(oy) {
            for kx in 0..H::KERNEL {
                let Some(weight) = part(weight, (ky * H::KERNEL + kx) * OUT, OUT) else { continue };
                let Range { start: mut ox, end } = H::outputs(kx);
                while ox + count <= end {
                    scatter_block::<I, V, H, T, IN, OUT, W>(weight, y, x, (oy, ox), (ky, kx), (start, count));
                    ox += count;
                }
                if !H::OUT.is_multiple_of(count) && ox + H::OUT % count <= end {
                    let count = H::OUT % count;
                    scatter_block::<I, V, H, T, IN, OUT, W>(weight, y, x, (oy, ox), (ky, kx), (start, count));
                    ox += count;
                }
                if H::COUNT_INSIDE < H::OUT {
                    while ox < end {
                        scatter_block::<I, V, H, T, IN, OUT, W>(weight, y, x, (oy, ox), (ky, kx), (start, 1));
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
    let mut sums = [[T::ZERO; W]; MOST];
    each!(count, sums, |n, sum| *sum = load_row(x, n * H::STRIDE, start));
    for o in 0..OUT {
        let weight: [T; W] = load_row(weight, o, start);
        each!(count, sums, |n, sum| if let Some(y) = y.get(n) {
            add_product::<I, T, OUT, false, W>(sum, weight, y, o, 0);
        });
    }
    each!(count, sums, |n, sum| if let Some(x) = x.get_mut(n * H::STRIDE) {
        store(*sum, x, start);
    });
}

/// Each weight and its place where inputs and outputs are exchanged.
#[inline]
pub(crate) fn transpose<T: Copy, const IN: usize, const OUT: usize, const KH: usize, const KW: usize>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    transposed: &mut Kernel<T, OUT, IN, KH, KW>,
    put: impl Fn(&mut T, T),
) {
    for (weight, transposed) in weight.as_flattened().iter().zip(transposed.as_flattened_mut()) {
        exchange(weight, transposed, &put);
    }
}

/// The same, with the window turned round.
#[inline]
pub(crate) fn turn<T: Copy, const IN: usize, const OUT: usize, const KH: usize, const KW: usize>(
    weight: &Kernel<T, IN, OUT, KH, KW>,
    turned: &mut Kernel<T, OUT, IN, KH, KW>,
) {
    for (weight, turned) in weight.as_flattened().iter().rev().zip(turned.as_flattened_mut()) {
        exchange(weight, turned, &|to: &mut T, weight| *to = weight);
    }
}

#[inline]
fn exchange<T: Copy, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    exchanged: &mut [[T; IN]; OUT],
    put: &impl Fn(&mut T, T),
) {
    for (i, weight) in weight.iter().enumerate() {
        for (exchanged, &weight) in exchanged.iter_mut().zip(weight) {
            if let Some(exchanged) = exchanged.get_mut(i) {
                put(exchanged, weight);
            }
        }
    }
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
                    add(sum, dy);
                }
            }
            let [mut even, mut odd, second, last] = sums;
            add(&mut even, second);
            add(&mut odd, last);
            add(&mut even, odd);
            let mut sum = load(gradient, start);
            add(&mut sum, even);
            store(sum, gradient, start);
        });
    }
}

/// `a += b`
#[inline(always)]
pub(crate) fn add<T: Scalar, const N: usize>(a: &mut [T; N], b: [T; N]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
}
