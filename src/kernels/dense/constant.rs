//! Kernels whose sizes are constants: each layer has its own, unrolled for it.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::{TURNED, parts, sum_of_parts, width};
use crate::kernels::dispatch::{Isa, kernel, lanes};
use crate::kernels::horizontal::product;
use crate::kernels::on_cortex_m;
use crate::kernels::tile::{exact_tiles, keep_together, load, load_whole, of_each, store, store_whole, tiles};
use crate::kernels::transpose::transposed;
use crate::kernels::vector::{add, add_scaled, scale};
use crate::kernels::window::each;
use crate::scalar::Scalar;
use core::marker::PhantomData;

/// How a product is cut into tiles that fit registers.
struct Plan<I, T, const IN: usize, const OUT: usize>(PhantomData<(I, T)>);

impl<I: Isa, T, const IN: usize, const OUT: usize> Plan<I, T, IN, OUT> {
    const PARTS: usize = parts(IN, OUT);

    /// The width of a tile for one row.
    const ONE_ROW: usize = width(Self::SUMS_OF_ONE_ROW * lanes::<I, T>() / Self::PARTS);

    /// Eight chains keep two units busy whose sum takes four cycles. Without vectors, what counts is how often a tile's inputs are read.
    const SUMS_OF_ONE_ROW: usize = if I::LANES == 1 { 16 } else { 8 };

    /// The width of a tile for two rows, which share the weights that are read.
    const TWO_ROWS: usize = width(I::SUMS / 2 * lanes::<I, T>() / Self::PARTS);
}

/// Whether two rows at a time are faster than one, as measured: not for few outputs, nor where the last tile has lanes without an output
/// and the others are no two powers of 2, as the compiler then makes odd vectors of them where they are not named.
#[inline(always)]
const fn in_pairs(outputs: usize) -> bool {
    outputs >= 8 && (outputs % 64).count_ones() <= 2
}

kernel! {
    /// `y = W x + b`
    pub(super) fn forward_row<I>[T: Scalar, const IN: usize, const OUT: usize][T, IN, OUT](
        weight: &[[T; OUT]; IN],
        bias: Option<&[T; OUT]>,
        x: &[T; IN],
        y: &mut [T; OUT],
    ), work IN * OUT; {
        on_cortex_m! {
            if cortex_m::forward_row(weight, bias, x, y) {
                return;
            }
        }
        rows::<I, T, IN, OUT, 1>(weight, bias, core::array::from_ref(x), core::array::from_mut(y));
    }
}

kernel! {
    /// [`forward_row`] for each of many rows, with the same bits.
    pub(super) fn forward<I>[T: Scalar, const IN: usize, const OUT: usize][T, IN, OUT](
        weight: &[[T; OUT]; IN],
        bias: Option<&[T; OUT]>,
        x: &[[T; IN]],
        y: &mut [[T; OUT]],
    ), work IN * OUT; {
        on_cortex_m! {
            if x.iter().zip(&mut *y).all(|(x, y)| cortex_m::forward_row(weight, bias, x, y)) {
                return;
            }
        }
        let (pairs, last) = x.as_chunks();
        let (outputs, last_output) = y.as_chunks_mut();
        for (x, y) in pairs.iter().zip(outputs) {
            if const { in_pairs(OUT) } {
                rows::<I, T, IN, OUT, 2>(weight, bias, x, y);
            } else {
                for (x, y) in x.iter().zip(y) {
                    rows::<I, T, IN, OUT, 1>(weight, bias, core::array::from_ref(x), core::array::from_mut(y));
                }
            }
        }
        if let ([x], [y]) = (last, last_output) {
            rows::<I, T, IN, OUT, 1>(weight, bias, core::array::from_ref(x), core::array::from_mut(y));
        }
    }
}

#[inline(always)]
pub(super) fn rows<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const ROWS: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[[T; IN]; ROWS],
    y: &mut [[T; OUT]; ROWS],
) {
    if OUT == 1 {
        let weight = weight.as_flattened();
        let bias = bias.and_then(|bias| bias.first()).copied().unwrap_or(T::ZERO);
        for (x, y) in x.iter().zip(y.as_flattened_mut()) {
            *y = bias + product::<I, T>(weight, x);
        }
        return;
    }
    tiles!(
        OUT,
        if ROWS == 1 { Plan::<I, T, IN, OUT>::ONE_ROW } else { Plan::<I, T, IN, OUT>::TWO_ROWS },
        |start, W| {
            match const { Plan::<I, T, IN, OUT>::PARTS } {
                1 => tile::<I, T, IN, OUT, ROWS, W, 1>(weight, bias, x, y, start),
                2 => tile::<I, T, IN, OUT, ROWS, W, 2>(weight, bias, x, y, start),
                4 => tile::<I, T, IN, OUT, ROWS, W, 4>(weight, bias, x, y, start),
                _ => tile::<I, T, IN, OUT, ROWS, W, 8>(weight, bias, x, y, start),
            }
        }
    );
}

/// The outputs `start..start + W` of some rows.
#[inline(always)]
fn tile<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const ROWS: usize, const W: usize, const PARTS: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[[T; IN]; ROWS],
    y: &mut [[T; OUT]; ROWS],
    start: usize,
) {
    let weight = weight.as_flattened();
    let mut sums = [[[T::ZERO; W]; ROWS]; PARTS];
    if let (Some(bias), Some(sums)) = (bias, sums.first_mut()) {
        *sums = [load(bias, start); ROWS];
    }
    // Behind the last column there may be less than a tile: it is taken by itself, so that the loop has no branch.
    let in_part = IN / PARTS;
    let whole = if const { !OUT.is_multiple_of(W) } { in_part.saturating_sub(1) } else { in_part };
    for k in 0..whole {
        // Written out: the compiler unrolls a loop too late, and leaves the sums in memory.
        each!(PARTS, sums, |part, sums| add_column::<I, T, IN, OUT, ROWS, W>(
            weight,
            x,
            part * in_part + k,
            start,
            sums
        ));
    }
    if whole < in_part {
        each!(PARTS, sums, |part, sums| add_column::<I, T, IN, OUT, ROWS, W>(
            weight,
            x,
            part * in_part + whole,
            start,
            sums
        ));
    }
    if let Some(sums) = sums.last_mut() {
        for i in IN / PARTS * PARTS..IN {
            add_column::<I, T, IN, OUT, ROWS, W>(weight, x, i, start, sums);
        }
    }
    let sums = sum_of_parts(sums);
    for (y, mut sums) in y.iter_mut().zip(sums) {
        if W <= 16 {
            keep_together::<I, T>(&mut sums);
        }
        store(sums, y, start);
    }
}

/// `sums += column i * x[i]`
#[inline(always)]
fn add_column<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const ROWS: usize, const W: usize>(
    weight: &[T],
    x: &[[T; IN]; ROWS],
    i: usize,
    start: usize,
    sums: &mut [[T; W]; ROWS],
) {
    let column: [T; W] = load(weight, i * OUT + start);
    for (sums, x) in sums.iter_mut().zip(x) {
        let x = x.get(i).copied().unwrap_or(T::ZERO);
        add_scaled::<I, T, W>(sums, &column, x);
    }
}

kernel! {
    /// `dx = W' dy` for each row.
    pub(super) fn input_gradient<I>[T: Scalar, const IN: usize, const OUT: usize][T, IN, OUT](
        weight: &[[T; OUT]; IN],
        dy: &[[T; OUT]],
        dx: &mut [[T; IN]],
    ), work IN * OUT * dy.len(); {
        on_cortex_m! {
            if dy.iter().zip(&mut *dx).all(|(dy, dx)| cortex_m::products(weight, dy, dx)) {
                return;
            }
        }
        // Without vectors there are no lanes to be had from turning a tile of the weight.
        if I::LANES > 1 && dy.len() >= 4 && OUT > 1 {
            exact_tiles!(IN, width(2 * lanes::<I, T>()), |start, W| turned::<I, T, IN, OUT, W>(weight, dy, dx, start));
            return;
        }
        products::<I, T, IN, OUT>(weight, dy, dx);
    }
}

kernel! {
    /// [`input_gradient`] of fewer than four rows.
    pub(super) fn input_gradient_of_few<I>[T: Scalar, const IN: usize, const OUT: usize][T, IN, OUT](
        weight: &[[T; OUT]; IN],
        dy: &[[T; OUT]],
        dx: &mut [[T; IN]],
    ), work IN * OUT * dy.len(); {
        products::<I, T, IN, OUT>(weight, dy, dx);
    }
}

#[inline(always)]
fn products<I: Isa, T: Scalar, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    dy: &[[T; OUT]],
    dx: &mut [[T; IN]],
) {
    for (dy, dx) in dy.iter().zip(dx) {
        for (dx, column) in dx.iter_mut().zip(weight) {
            *dx = product::<I, T>(column, dy);
        }
    }
}

/// The inputs `start..start + W` of [`input_gradient`]: these are the lanes, once a tile of the weight has been turned.
#[inline(always)]
pub(super) fn turned<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const W: usize>(
    weight: &[[T; OUT]; IN],
    dy: &[[T; OUT]],
    dx: &mut [[T; IN]],
    start: usize,
) {
    let mut tile = [[T::ZERO; W]; TURNED];
    let mut from = 0;
    while from < OUT {
        let count = if OUT - from < TURNED { OUT - from } else { TURNED };
        if let Some(columns) = weight.get(start..).and_then(|weight| weight.first_chunk()) {
            turn::<T, OUT, W>(columns, from, count, &mut tile);
        }
        let (fours, rest) = dy.as_chunks::<4>();
        let (outputs, last_outputs) = dx.as_chunks_mut::<4>();
        for (dy, dx) in fours.iter().zip(outputs) {
            turned_rows::<I, T, IN, OUT, W, 4>(&tile, dy, dx, start, from, count);
        }
        for (dy, dx) in rest.iter().zip(last_outputs) {
            let (dy, dx) = (core::array::from_ref(dy), core::array::from_mut(dx));
            turned_rows::<I, T, IN, OUT, W, 1>(&tile, dy, dx, start, from, count);
        }
        from += TURNED;
    }
}

/// Rows `from..from + count` of some columns, each as the lanes of a vector.
#[inline(always)]
fn turn<T: Scalar, const OUT: usize, const W: usize>(
    columns: &[[T; OUT]; W],
    from: usize,
    count: usize,
    tile: &mut [[T; W]; TURNED],
) {
    let in_fours = if W.is_multiple_of(4) { count - count % 4 } else { 0 };
    for (group, columns) in columns.as_chunks::<4>().0.iter().enumerate() {
        for (block, rows) in tile.as_chunks_mut::<4>().0.iter_mut().take(in_fours / 4).enumerate() {
            let mut parts = [[T::ZERO; 4]; 4];
            for (part, column) in parts.iter_mut().zip(columns) {
                *part = load_whole(column, from + 4 * block);
            }
            for (row, turned) in rows.iter_mut().zip(transposed(&parts)) {
                store_whole(turned, row, 4 * group);
            }
        }
    }
    for (row, tile) in tile.iter_mut().enumerate().take(count).skip(in_fours) {
        for (x, column) in tile.iter_mut().zip(columns) {
            *x = column.get(from + row).copied().unwrap_or(T::ZERO);
        }
    }
}

#[inline(always)]
fn turned_rows<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const W: usize, const ROWS: usize>(
    tile: &[[T; W]; TURNED],
    dy: &[[T; OUT]; ROWS],
    dx: &mut [[T; IN]; ROWS],
    start: usize,
    from: usize,
    count: usize,
) {
    let mut sums = [[T::ZERO; W]; ROWS];
    if from > 0 {
        sums = of_each(dx, [T::ZERO; W], |dx| load_whole(dx, start));
    }
    for (k, weight) in tile.iter().take(count).enumerate() {
        for (sums, dy) in sums.iter_mut().zip(dy) {
            let dy = dy.get(from + k).copied().unwrap_or(T::ZERO);
            add_scaled::<I, T, W>(sums, weight, dy);
        }
    }
    for (dx, sums) in dx.iter_mut().zip(sums) {
        store_whole(sums, dx, start);
    }
}

kernel! {
    /// `gradient += sum of dy x'` over the rows, in their order; or `=`, unless it `ADDS`.
    pub(super) fn weight_gradient<I>[
        T: Scalar, const IN: usize, const OUT: usize, const ADDS: bool
    ][T, IN, OUT, ADDS](
        gradient: &mut [[T; OUT]; IN],
        x: &[[T; IN]],
        dy: &[[T; OUT]],
    ), work IN * OUT * dy.len(); {
        on_cortex_m! {
            if let ([first_x, x @ ..], [first_dy, dy @ ..]) = (x, dy)
                && cortex_m::outer_product::<T, IN, OUT, ADDS>(gradient, first_x, first_dy)
                && x.iter().zip(dy).all(|(x, dy)| cortex_m::outer_product::<T, IN, OUT, true>(gradient, x, dy))
            {
                return;
            }
        }
        exact_tiles!(OUT, width(I::SUMS / 4 * lanes::<I, T>()), |start, W| {
            outer::<I, T, IN, OUT, W, ADDS>(gradient, x, dy, start);
        });
    }
}

/// The outputs `start..start + W` of [`weight_gradient`].
#[inline(always)]
pub(super) fn outer<I: Isa, T: Scalar, const IN: usize, const OUT: usize, const W: usize, const ADDS: bool>(
    gradient: &mut [[T; OUT]; IN],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    start: usize,
) {
    let (fours, rest) = gradient.as_chunks_mut::<4>();
    let mut first = 0;
    for columns in fours {
        outer_columns::<I, T, IN, OUT, W, 4, ADDS>(columns, x, dy, start, first);
        first += 4;
    }
    for column in rest {
        outer_columns::<I, T, IN, OUT, W, 1, ADDS>(core::array::from_mut(column), x, dy, start, first);
        first += 1;
    }
}

#[inline(always)]
fn outer_columns<
    I: Isa,
    T: Scalar,
    const IN: usize,
    const OUT: usize,
    const W: usize,
    const COLUMNS: usize,
    const ADDS: bool,
>(
    columns: &mut [[T; OUT]; COLUMNS],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
    start: usize,
    first: usize,
) {
    let mut rows = x.iter().zip(dy).map(|(x, dy)| (load_whole::<T, COLUMNS>(x, first), load_whole::<T, W>(dy, start)));
    let mut sums = [[T::ZERO; W]; COLUMNS];
    if ADDS {
        sums = of_each(columns, [T::ZERO; W], |column| load_whole(column, start));
    } else if let Some((x, dy)) = rows.next() {
        for (sums, x) in sums.iter_mut().zip(x) {
            scale::<I, T, W>(sums, &dy, x);
        }
    }
    for (x, dy) in rows {
        for (sums, x) in sums.iter_mut().zip(x) {
            add_scaled::<I, T, W>(sums, &dy, x);
        }
    }
    for (column, sums) in columns.iter_mut().zip(sums) {
        store_whole(sums, column, start);
    }
}

kernel! {
    /// `gradient += sum of dy` over the rows, in their order; or `=`, unless it `ADDS`.
    pub(super) fn bias_gradient<I>[T: Scalar, const OUT: usize, const ADDS: bool][T, OUT, ADDS](gradient: &mut [T; OUT], dy: &[[T; OUT]]),
        work OUT * dy.len(); {
        exact_tiles!(OUT, width(2 * lanes::<I, T>()), |start, W| {
            let mut rows = dy.iter().map(|dy| load_whole::<T, W>(dy, start));
            let mut sums = if ADDS { load_whole(gradient, start) } else { rows.next().unwrap_or([T::ZERO; W]) };
            for dy in rows {
                add::<I, T, W>(&mut sums, &dy);
            }
            store_whole(sums, gradient, start);
        });
    }
}
