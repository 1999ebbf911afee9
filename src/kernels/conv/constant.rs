//! Kernels whose sizes are constants, one for each layer: unrolled for small ones, and for scalars other than `f32`.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use crate::kernels::dispatch::{Isa, kernel};
use crate::kernels::tile::{load, store, tiles};
use crate::kernels::window::{
    Axis, MOST, divided, divided_up, each, evenly, part, part_mut, places_a_part, tile_count, tile_width,
};
use crate::scalar::Scalar;
use core::ops::Range;

kernel! {
    /// As [`gather`](super::gather).
    pub(super) fn gather<I>[
        V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize, const EACH: bool
    ][V, H, T, G, IN, OUT, EACH](
        weight: &[[T; OUT]],
        bias: &[T],
        x: &[T],
        y: &mut [T],
    ), work V::KERNEL * H::KERNEL * G * OUT * inputs(IN, EACH); {
        gather_by::<I, V, H, T, G, IN, OUT, EACH>(weight, bias, x, y);
    }
}

#[inline(always)]
pub(super) fn gather_by<
    I: Isa,
    V: Axis,
    H: Axis,
    T: Scalar,
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const EACH: bool,
>(
    weight: &[[T; OUT]],
    bias: &[T],
    x: &[T],
    y: &mut [T],
) {
    let ((x, _), (y, _)) = (x.as_chunks(), y.as_chunks_mut());
    for group in 0..G {
        tiles!(OUT, tile_width::<I, T>(), |start, W| {
            let tile = Tile { group, start, bias: load(bias, group * OUT + start) };
            gather_tile::<I, V, H, T, G, IN, OUT, EACH, W>(&tile, weight, x, y);
        });
    }
}

/// How many inputs of a pixel an output sees.
#[inline(always)]
pub(in crate::kernels) const fn inputs(channels: usize, each: bool) -> usize {
    if each { 1 } else { channels }
}

/// Cuts the places of a window at each multiple of `size`, and counts them from the first.
#[inline(always)]
fn parts_of(places: &Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let (first, end) = (places.start, places.end);
    let mut next = first;
    core::iter::from_fn(move || {
        let start = next;
        next = divided(start, size).saturating_add(1).saturating_mul(size).min(end);
        (start < end).then_some(start - first..next - first)
    })
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
    let mut sums = [[T::ZERO; W]; MOST];
    let most = tile_count::<I, T>(W);
    let count = evenly(H::COUNT_INSIDE, most);
    for oy in 0..V::OUT {
        for ox in blocks::<H>(count) {
            let places = (V::places(oy), 0..H::KERNEL);
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(
                &mut sums,
                tile,
                weight,
                x,
                y,
                (oy, ox),
                (0, 1, count),
                places,
            );
        }
    }
    if H::COUNT_INSIDE == H::OUT {
        return;
    }
    let count = evenly(V::COUNT_INSIDE, most);
    for ox in H::border() {
        for oy in blocks::<V>(count) {
            let places = (0..V::KERNEL, H::places(ox));
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(
                &mut sums,
                tile,
                weight,
                x,
                y,
                (oy, ox),
                (1, 0, count),
                places,
            );
        }
    }
    if V::COUNT_INSIDE == V::OUT {
        return;
    }
    for oy in V::border() {
        for ox in H::border() {
            let places = (V::places(oy), H::places(ox));
            gather_block::<I, V, H, T, G, IN, OUT, EACH, W>(&mut sums, tile, weight, x, y, (oy, ox), (0, 0, 1), places);
        }
    }
}

/// Where blocks of `count` outputs start that have their whole windows on the input. The last may have outputs of the one before.
#[inline(always)]
fn blocks<A: Axis>(count: usize) -> impl Iterator<Item = usize> {
    let number = divided_up(A::COUNT_INSIDE, count);
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
    sums: &mut [[T; W]; MOST],
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
    each!(count, sums, |_n, sum| *sum = tile.bias);
    let in_parts = const { V::IS_FLAT && G == 1 && !EACH };
    let mut totals = *sums;
    for ky in rows {
        let (Some(iy), Some(ix)) = (V::place(oy, ky), H::place(ox, columns.start)) else { continue };
        let Some(x) = part(x, (iy * H::IN + ix) * G + tile.group, span) else { continue };
        let first = (ky * H::KERNEL + columns.start) * inputs(IN, EACH) * G;
        let rows = columns.len() * inputs(IN, EACH) * G;
        let Some(weight) = part_for_tiles::<_, OUT, W>(weight, first, rows) else { continue };
        for part in parts_of(&columns, if in_parts { places_a_part(IN) } else { usize::MAX }) {
            if in_parts {
                each!(count, sums, |_n, sum| *sum = [-T::ZERO; W]);
            }
            for kx in part {
                let across = kx * H::DILATION * G;
                for i in 0..inputs(IN, EACH) {
                    let weight: [T; W] = load_row(weight, (kx * inputs(IN, EACH) + i) * G + tile.group, tile.start);
                    each!(count, sums, |n, sum| if let Some(x) = x.get(across + n * step) {
                        add_product::<I, T, IN, EACH, W>(sum, &weight, x, i, tile.start);
                    });
                }
            }
            if in_parts {
                each!(count, sums, |n, sum| if let Some(total) = totals.get_mut(n) {
                    for (total, &sum) in total.iter_mut().zip(&*sum) {
                        *total += sum;
                    }
                });
            }
        }
    }
    if in_parts {
        each!(count, sums, |n, sum| if let Some(total) = totals.get(n) {
            *sum = *total;
        });
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
pub(in crate::kernels) fn load_row<T: Scalar, const N: usize, const W: usize>(
    rows: &[[T; N]],
    row: usize,
    start: usize,
) -> [T; W] {
    if N.is_multiple_of(W) {
        rows.get(row).map_or([T::ZERO; W], |row| load(row, start))
    } else {
        load(rows.as_flattened(), row * N + start)
    }
}

/// `count` rows from `first` on, and all behind them where a tile reaches beyond its row, as it may then reach behind the last.
#[inline(always)]
pub(in crate::kernels) fn part_for_tiles<T, const N: usize, const W: usize>(
    rows: &[[T; N]],
    first: usize,
    count: usize,
) -> Option<&[[T; N]]> {
    if N.is_multiple_of(W) { part(rows, first, count) } else { rows.get(first..) }
}

/// `sum += a * x`, with input `i` of a pixel, or for each output its own.
#[inline(always)]
pub(in crate::kernels) fn add_product<I: Isa, T: Scalar, const IN: usize, const EACH: bool, const W: usize>(
    sum: &mut [T; W],
    a: &[T; W],
    x: &[T; IN],
    i: usize,
    start: usize,
) {
    if EACH {
        let x: [T; W] = load(x, start);
        for ((sum, &a), x) in sum.iter_mut().zip(a).zip(x) {
            *sum = I::mul_add(a, x, *sum);
        }
    } else {
        let x = x.get(i).copied().unwrap_or(T::ZERO);
        for (sum, &a) in sum.iter_mut().zip(a) {
            *sum = I::mul_add(a, x, *sum);
        }
    }
}
