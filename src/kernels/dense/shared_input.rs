//! The gradient of the inputs of a layer whose sizes are known at run time: see [`shared`](super::shared).
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::TURNED;
use super::shared::{Sizes, cover};
use crate::kernels::dispatch::{Isa, kernel, lanes};
use crate::kernels::horizontal::{PARTIAL, sum};
use crate::kernels::tile::numbers;
use crate::kernels::transpose::transposed;
use crate::kernels::vector::{add_products, add_scaled};
use crate::scalar::Scalar;
use core::mem::MaybeUninit;

kernel! {
    /// [`input_gradient`] of fewer than four rows, in another order.
    pub(super) fn input_gradient_of_few<I>[T: Scalar][T](weight: &[T], dy: &[T], dx: &mut [T], sizes: Sizes), work usize::MAX; {
        input_gradient_of_few_by::<I, T>(weight, dy, dx, sizes);
    }
}

#[inline(always)]
pub(super) fn input_gradient_of_few_by<I: Isa, T: Scalar>(weight: &[T], dy: &[T], dx: &mut [T], sizes: Sizes) {
    let Sizes { inputs, outputs, rows } = sizes;
    if !sizes.fit(weight.len(), dx.len(), dy.len()) {
        return;
    }
    let (weight, dy, dx) = (weight.as_ptr(), dy.as_ptr(), dx.as_mut_ptr());
    // SAFETY: there are as many numbers as the sizes say.
    unsafe {
        for row in 0..rows {
            let (dy, dx) = (dy.add(row * outputs), dx.add(row * inputs));
            if outputs.is_multiple_of(PARTIAL) {
                products::<I, T, true>(weight, dy, dx, sizes);
            } else {
                products::<I, T, false>(weight, dy, dx, sizes);
            }
        }
    }
}

kernel! {
    /// `dx = W' dy` for each row.
    pub(super) fn input_gradient<I>[T: Scalar][T](weight: &[T], dy: &[T], dx: &mut [T], sizes: Sizes), work usize::MAX; {
        input_gradient_by::<I, T>(weight, dy, dx, sizes);
    }
}

#[inline(always)]
pub(super) fn input_gradient_by<I: Isa, T: Scalar>(weight: &[T], dy: &[T], dx: &mut [T], sizes: Sizes) {
    let Sizes { inputs, outputs, .. } = sizes;
    if !sizes.fit(weight.len(), dx.len(), dy.len()) {
        return;
    }
    let (weight, dy, dx) = (weight.as_ptr(), dy.as_ptr(), dx.as_mut_ptr());
    cover!(inputs, 2 * lanes::<I, T>(), lanes::<I, T>(), |at, W, done| {
        // SAFETY: there are as many numbers as the sizes say. A tile lies within the inputs.
        unsafe { turned::<I, T, W>(weight.add(at * outputs), dy, dx.add(at), sizes) };
    });
}

/// One row of [`input_gradient_of_few`]: a [`product`](crate::kernels::horizontal::product) for each input. `WHOLE` says that the outputs are
/// a multiple of [`PARTIAL`]: then all sums stay in registers.
///
/// # Safety
/// There must be so many numbers.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn products<I: Isa, T: Scalar, const WHOLE: bool>(
    mut column: *const T,
    dy: *const T,
    mut dx: *mut T,
    Sizes { inputs, outputs, .. }: Sizes,
) {
    // SAFETY: as the caller says.
    unsafe {
        let end = dx.add(inputs);
        let behind_blocks = dy.add(outputs - outputs % PARTIAL);
        while dx != end {
            let mut sums = [-T::ZERO; PARTIAL];
            let mut dy = dy;
            while dy != behind_blocks {
                add_products::<I, T, PARTIAL>(&mut sums, numbers(column), numbers(dy));
                (column, dy) = (column.add(PARTIAL), dy.add(PARTIAL));
            }
            if !WHOLE {
                let rest = outputs % PARTIAL;
                for (k, sum) in sums.iter_mut().enumerate().take(rest) {
                    *sum = I::mul_add(*column.add(k), *dy.add(k), *sum);
                }
                column = column.add(rest);
            }
            dx.write(sum(&sums));
            dx = dx.add(1);
        }
    }
}

/// The inputs of a tile: these are the lanes, once a tile of the weight has been turned.
///
/// # Safety
/// There must be so many numbers.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn turned<I: Isa, T: Scalar, const W: usize>(
    weight: *const T,
    dy: *const T,
    dx: *mut T,
    Sizes { inputs, outputs, rows }: Sizes,
) {
    // Not written to before it is used: it is up to 8 KiB.
    let mut tile = MaybeUninit::<[[T; W]; TURNED]>::uninit();
    let tile = tile.as_mut_ptr().cast::<T>();
    let mut from = 0;
    // SAFETY: as the caller says. Of the tile, `count` rows are written to before they are read.
    unsafe {
        while from < outputs {
            let count = if outputs - from < TURNED { outputs - from } else { TURNED };
            turn(weight.add(from), outputs, tile, W, count);
            let (mut dy, mut dx, mut left) = (dy.add(from), dx, rows);
            while left >= 4 {
                turned_rows::<I, T, W, 4>(tile, dy, dx, inputs, outputs, count, from > 0);
                (dy, dx) = (dy.wrapping_add(4 * outputs), dx.wrapping_add(4 * inputs));
                left -= 4;
            }
            while left > 0 {
                turned_rows::<I, T, W, 1>(tile, dy, dx, inputs, outputs, count, from > 0);
                (dy, dx) = (dy.wrapping_add(outputs), dx.wrapping_add(inputs));
                left -= 1;
            }
            from += TURNED;
        }
    }
}

/// Some columns as rows of `width` numbers, `count` rows: one function for all widths, which gains nothing from wider vectors.
///
/// # Safety
/// There must be so many numbers.
#[inline(never)]
unsafe fn turn<T: Scalar>(weight: *const T, outputs: usize, tile: *mut T, width: usize, count: usize) {
    let in_fours = if width.is_multiple_of(4) { count - count % 4 } else { 0 };
    // SAFETY: as the caller says.
    unsafe {
        let mut column = 0;
        while column < width && in_fours > 0 {
            let from = weight.add(column * outputs);
            let mut row = 0;
            while row < in_fours {
                let block = [0, 1, 2, 3].map(|column| *numbers(from.add(column * outputs + row)));
                for (k, turned) in transposed(&block).into_iter().enumerate() {
                    tile.add((row + k) * width + column).cast::<[T; 4]>().write(turned);
                }
                row += 4;
            }
            column += 4;
        }
        for row in in_fours..count {
            for column in 0..width {
                tile.add(row * width + column).write(*weight.add(column * outputs + row));
            }
        }
    }
}

/// A tile of some rows of [`turned`], of `count` outputs, added to those before or not.
///
/// # Safety
/// There must be so many numbers.
#[inline(always)]
unsafe fn turned_rows<I: Isa, T: Scalar, const W: usize, const ROWS: usize>(
    mut tile: *const T,
    mut dy: *const T,
    dx: *mut T,
    inputs: usize,
    outputs: usize,
    count: usize,
    adds: bool,
) {
    // SAFETY: as the caller says. Behind the last output the pointers are moved, and not read from.
    unsafe {
        let mut sums = [[T::ZERO; W]; ROWS];
        if adds {
            for (row, sums) in sums.iter_mut().enumerate() {
                *sums = *numbers(dx.add(row * inputs));
            }
        }
        let end = dy.wrapping_add(count);
        while dy != end {
            for (row, sums) in sums.iter_mut().enumerate() {
                add_scaled::<I, T, W>(sums, numbers(tile), *dy.add(row * outputs));
            }
            (tile, dy) = (tile.wrapping_add(W), dy.wrapping_add(1));
        }
        for (row, sums) in sums.iter().enumerate() {
            dx.add(row * inputs).cast::<[T; W]>().write(*sums);
        }
    }
}
