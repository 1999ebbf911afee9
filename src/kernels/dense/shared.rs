//! Kernels whose sizes are known at run time: one for all layers that are large enough, so that a program has each once, and those of
//! `f32` are compiled with the crate.
//!
//! # Bits
//! Those of [`constant`](super::constant): each sum has the same parts, and goes over its terms in the same order. How wide a tile is makes
//! no difference. So the last tile may overlap the one before: what is computed twice is the same twice.
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::parts;
use crate::kernels::dispatch::{Isa, kernel, lanes};
use crate::kernels::tile::{numbers, of_each, opaque};
use crate::kernels::vector::{add, add_scaled};
use crate::scalar::Scalar;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// The sizes of a layer, and how many rows it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) rows: usize,
}

impl Sizes {
    /// Whether slices of these lengths are a weight, the inputs and the outputs of such a layer, and it has inputs enough for these kernels.
    #[inline(always)]
    pub(super) const fn fit(self, weight: usize, x: usize, y: usize) -> bool {
        let Self { inputs, outputs, rows } = self;
        inputs >= LEAST_INPUTS && weight == inputs * outputs && x == rows * inputs && y == rows * outputs
    }
}

/// Smaller layers have kernels of their own.
pub(super) const LEAST_INPUTS: usize = 16;

/// Smaller layers have kernels of their own.
pub(super) const LEAST_OUTPUTS: usize = 16;

/// Smaller layers have kernels of their own where they are given one row.
pub(super) const LEAST_OUTPUTS_OF_ONE_ROW: usize = 64;

/// Covers `0..$n` by tiles of `$full` numbers, and the rest by tiles of `$narrow` where they do with fewer lanes. The last tile of a
/// width overlaps the one before where the width is no divisor. Calls a function of the start and the width of a tile, and of how many
/// numbers have been covered before. `$n` must be at least `$narrow`.
macro_rules! cover {
    ($n:expr, $full:expr, $narrow:expr, |$at:ident, $W:ident, $done:ident| $call:expr) => {
        let mut $done = 0;
        while $done < $n {
            let rest = $n - $done;
            if $n >= $full && rest > const { $full - $narrow } {
                let $at = if rest < $full { $n - $full } else { $done };
                $crate::kernels::tile::tiles!(@pick $full, $W, { $call; $done = $at + $W; }, 64 32 16 8 4 2 1);
            } else {
                let $at = if rest < $narrow { $n - $narrow } else { $done };
                $crate::kernels::tile::tiles!(@pick $narrow, $W, { $call; $done = $at + $W; }, 32 16 8 4 2 1);
            }
        }
    };
}
pub(super) use cover;

/// How many columns of each part a loop takes at most before it asks for its end.
const MOST_UNROLLED: usize = 4;

/// A layer as its kernels see it.
struct Layer<T> {
    weight: *const T,
    bias: Option<NonNull<T>>,
    outputs: usize,
    /// In how many parts a sum is cut.
    parts: usize,
    /// How many inputs a part has.
    in_part: usize,
    /// How many the last part has more.
    rest: usize,
    /// From the first column of a part to each of the next ones, and to those of the next part.
    columns: [[usize; 2]; MOST_UNROLLED],
    /// From the first input of a part to that of each of the next ones.
    inputs_of: [usize; 4],
}

/// What the kernels forward are given: a layer, inputs and outputs, of sizes that agree. By reference, as it is more than registers pass.
#[derive(Clone, Copy)]
pub(super) struct Forward<'a, T> {
    weight: *const T,
    bias: Option<NonNull<T>>,
    x: *const T,
    y: *mut T,
    inputs: usize,
    outputs: usize,
    rows: usize,
    borrows: PhantomData<(&'a T, &'a mut T)>,
}

impl<'a, T: Scalar> Forward<'a, T> {
    /// Of as many rows as there are of both.
    #[inline(always)]
    pub(super) const fn new<const IN: usize, const OUT: usize>(
        weight: &'a [[T; OUT]; IN],
        bias: Option<&'a [T; OUT]>,
        x: &'a [[T; IN]],
        y: &'a mut [[T; OUT]],
    ) -> Self {
        Self {
            weight: weight.as_ptr().cast(),
            bias: match bias {
                Some(bias) => Some(NonNull::from_ref(bias).cast()),
                None => None,
            },
            x: x.as_ptr().cast(),
            y: y.as_mut_ptr().cast(),
            inputs: IN,
            outputs: OUT,
            rows: if x.len() < y.len() { x.len() } else { y.len() },
            borrows: PhantomData,
        }
    }

    /// The same of `f32`, if `T` is.
    #[inline(always)]
    pub(super) const fn floats(self) -> Option<Forward<'a, f32>> {
        let Self { weight, bias, x, y, inputs, outputs, rows, .. } = self;
        let bias = match bias {
            Some(bias) => Some(bias.cast()),
            None => None,
        };
        let (weight, x, y) = (weight.cast(), x.cast(), y.cast());
        if T::IS_F32.answer() {
            Some(Forward { weight, bias, x, y, inputs, outputs, rows, borrows: PhantomData })
        } else {
            None
        }
    }

    #[inline(always)]
    fn layer(&self) -> Layer<T> {
        let Self { weight, bias, inputs, outputs, .. } = *self;
        let parts = parts(inputs, outputs);
        let in_part = inputs / parts;
        let stride = in_part * outputs;
        let columns = [
            [0, opaque!(stride)],
            [opaque!(outputs), opaque!(outputs + stride)],
            [opaque!(2 * outputs), opaque!(2 * outputs + stride)],
            [opaque!(3 * outputs), opaque!(3 * outputs + stride)],
        ];
        let inputs_of = [0, opaque!(in_part), opaque!(2 * in_part), opaque!(3 * in_part)];
        Layer { weight, bias, outputs, parts, in_part, rest: inputs - parts * in_part, columns, inputs_of }
    }
}

kernel! {
    /// `y = W x + b` for each row, of [`LEAST_OUTPUTS_OF_ONE_ROW`] at least: for one row, or few.
    pub(super) fn forward_row<I>[T: Scalar][T](operands: &Forward<'_, T>), work usize::MAX; {
        forward_row_by::<I, T>(operands);
    }
}

kernel! {
    /// `y = W x + b` for each row.
    pub(super) fn forward<I>[T: Scalar][T](operands: &Forward<'_, T>), work usize::MAX; {
        forward_by::<I, T>(operands);
    }
}

/// Takes rows of `$operands`, so many at a time, while there are as many; for each, tiles of the most vectors, and of the least for the rest.
macro_rules! rows {
    ($I:ty, $T:ty, $operands:ident, $layer:ident: $rows:literal, parts $parts:literal, vectors $least:literal..=$most:literal, unrolled $unrolled:literal) => {
        while $operands.rows >= $rows {
            let Forward { x, y, inputs, outputs, .. } = $operands;
            let mut tile_x = [x; $rows];
            let mut tile_y = [y; $rows];
            if let ([_, x], [_, y]) = (&mut tile_x[..], &mut tile_y[..]) {
                (*x, *y) = (x.wrapping_add(inputs), y.wrapping_add(outputs));
            }
            cover!(outputs, $most * lanes::<$I, $T>(), $least * lanes::<$I, $T>(), |at, W, done| {
                // SAFETY: there are as many numbers as the sizes say. A tile lies within the outputs.
                unsafe { tile::<$I, $T, $rows, $parts, W, $unrolled>(&$layer, at, tile_x, tile_y) };
            });
            $operands.x = x.wrapping_add($rows * inputs);
            $operands.y = y.wrapping_add($rows * outputs);
            $operands.rows -= $rows;
        }
    };
}

#[inline(always)]
pub(super) fn forward_row_by<I: Isa, T: Scalar>(operands: &Forward<'_, T>) {
    if operands.outputs < LEAST_OUTPUTS_OF_ONE_ROW || operands.inputs < LEAST_INPUTS {
        return;
    }
    let (layer, mut operands) = (operands.layer(), *operands);
    if const { I::LANES == 16 } {
        rows!(I, T, operands, layer: 1, parts 2, vectors 2..=4, unrolled 2);
    } else {
        rows!(I, T, operands, layer: 1, parts 2, vectors 4..=4, unrolled 4);
    }
}

#[inline(always)]
pub(super) fn forward_by<I: Isa, T: Scalar>(operands: &Forward<'_, T>) {
    if operands.outputs < LEAST_OUTPUTS || operands.inputs < LEAST_INPUTS {
        return;
    }
    let (layer, mut operands) = (operands.layer(), *operands);
    // Two rows at a time share the weights that are read, and read twice as many inputs: whether that is less depends on the registers.
    if layer.parts == 2 {
        if const { I::LANES > 4 || I::SUMS == 16 } {
            rows!(I, T, operands, layer: 2, parts 2, vectors 2..=2, unrolled 2);
            rows!(I, T, operands, layer: 1, parts 2, vectors 2..=2, unrolled 2);
        } else {
            rows!(I, T, operands, layer: 1, parts 2, vectors 4..=4, unrolled 4);
        }
    } else if const { I::SUMS == 16 } {
        rows!(I, T, operands, layer: 2, parts 4, vectors 1..=2, unrolled 2);
        rows!(I, T, operands, layer: 1, parts 4, vectors 1..=1, unrolled 2);
    } else {
        rows!(I, T, operands, layer: 1, parts 4, vectors 2..=2, unrolled 2);
    }
}

/// `sums += others`, by name of the registers: from loops over the numbers the compiler may make gathers.
#[inline(always)]
fn add_tiles<I: Isa, T: Scalar, const W: usize>(sums: &mut [[T; W]], others: &[[T; W]]) {
    for (sums, others) in sums.iter_mut().zip(others) {
        add::<I, T, W>(sums, others);
    }
}

/// The outputs `at..at + W` of some rows. The parts are taken in groups, as many at a time as fit the registers: all, or both halves one
/// after the other.
///
/// # Safety
/// There must be so many numbers, `parts` a multiple of `GROUP`, and the inputs as many as the parts at least.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn tile<I: Isa, T: Scalar, const ROWS: usize, const GROUP: usize, const W: usize, const UNROLL: usize>(
    layer: &Layer<T>,
    at: usize,
    x: [*const T; ROWS],
    y: [*mut T; ROWS],
) {
    let Layer { weight, bias, outputs, parts, in_part, rest, columns, inputs_of } = *layer;
    let stride = in_part * outputs;
    let mut sums = [[[T::ZERO; W]; ROWS]; GROUP];
    // SAFETY: as the caller says: `at + W` is at most `outputs`, column `k` of a part is less than `in_part`.
    unsafe {
        if let (Some(bias), Some(sums)) = (bias, sums.first_mut()) {
            *sums = [*numbers(bias.as_ptr().add(at)); ROWS];
        }
        let mut before = sums;
        // The first two parts of a group, and the other two.
        let first = opaque!(weight.add(at));
        let mut pairs = [first, opaque!(first.wrapping_add(2 * stride))];
        let mut row = of_each(&x, core::ptr::null(), |&x| opaque!(x));
        macro_rules! step {
            ($count:expr) => {
                for pair in &mut pairs {
                    *pair = opaque!(pair.wrapping_add($count * outputs));
                }
                for row in &mut row {
                    *row = opaque!(row.add($count));
                }
            };
        }
        let mut group = 0;
        loop {
            // Written out: the compiler unrolls a loop too late, and leaves the sums in memory.
            macro_rules! add_column {
                ($part:literal, $column:expr, $k:literal) => {
                    if let Some(sums) = sums.get_mut($part) {
                        for (sums, row) in sums.iter_mut().zip(row) {
                            let x = *row.add(inputs_of[$part]).add($k);
                            add_scaled::<I, T, W>(sums, numbers($column), x);
                        }
                    }
                };
            }
            macro_rules! add_columns {
                ($k:literal) => {
                    add_column!(0, pairs[0].add(columns[$k][0]), $k);
                    add_column!(1, pairs[0].add(columns[$k][1]), $k);
                    add_column!(2, pairs[1].add(columns[$k][0]), $k);
                    add_column!(3, pairs[1].add(columns[$k][1]), $k);
                };
            }
            let end = row[0].add(in_part);
            let end_unrolled = end.sub(in_part % UNROLL);
            while row[0] != end_unrolled {
                add_columns!(0);
                if const { UNROLL > 1 } {
                    add_columns!(1);
                }
                if const { UNROLL > 2 } {
                    add_columns!(2);
                    add_columns!(3);
                }
                step!(UNROLL);
            }
            if const { UNROLL > 1 } {
                while row[0] != end {
                    add_columns!(0);
                    step!(1);
                }
            }
            group += GROUP;
            if group == parts {
                break;
            }
            before = sums;
            sums = [[[T::ZERO; W]; ROWS]; GROUP];
            for pair in &mut pairs {
                *pair = pair.wrapping_add((GROUP - 1) * stride);
            }
            for row in &mut row {
                *row = row.add((GROUP - 1) * in_part);
            }
        }
        // Behind the last part there are less than as many columns as there are parts.
        let mut left = rest;
        while left > 0 {
            if let Some(sums) = sums.last_mut() {
                let column = numbers(pairs[GROUP / 2 - 1].add(columns[0][1]));
                for (sums, row) in sums.iter_mut().zip(row) {
                    add_scaled::<I, T, W>(sums, column, *row.add(inputs_of[GROUP - 1]));
                }
            }
            step!(1);
            left -= 1;
        }
        if parts > GROUP {
            add_tiles::<I, T, W>(sums.as_flattened_mut(), before.as_flattened());
        }
        let mut half = GROUP / 2;
        while half > 0 {
            let (low, high) = sums.split_at_mut(half);
            add_tiles::<I, T, W>(low.as_flattened_mut(), high.as_flattened());
            half /= 2;
        }
        for (y, sums) in y.into_iter().zip(sums.as_flattened()) {
            y.add(at).cast::<[T; W]>().write(*sums);
        }
    }
}
