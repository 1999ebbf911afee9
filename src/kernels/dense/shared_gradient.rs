//! The gradients of the parameters of a layer whose sizes are known at run time: see [`shared`](super::shared).
#![allow(unsafe_code)]
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::shared::{LEAST_OUTPUTS, Sizes, cover};
use crate::kernels::dispatch::{Isa, kernel, lanes};
use crate::kernels::tile::{numbers, tiles};
use crate::kernels::vector::{add, add_scaled, scale};
use crate::scalar::Scalar;

kernel! {
    /// [`weight_gradient`] of one row.
    pub(super) fn weight_gradient_of_one<I>[T: Scalar][T](gradient: &mut [T], x: &[T], dy: &[T], sizes: Sizes, adds: bool), work usize::MAX; {
        weight_gradient_of_one_by::<I, T>(gradient, x, dy, sizes, adds);
    }
}

#[inline(always)]
pub(super) fn weight_gradient_of_one_by<I: Isa, T: Scalar>(
    gradient: &mut [T],
    x: &[T],
    dy: &[T],
    sizes: Sizes,
    adds: bool,
) {
    let outputs = sizes.outputs;
    if sizes.rows != 1 || outputs < LEAST_OUTPUTS || !sizes.fit(gradient.len(), x.len(), dy.len()) {
        return;
    }
    let (gradient, x, dy) = (gradient.as_mut_ptr(), x.as_ptr(), dy.as_ptr());
    // SAFETY: there are as many numbers as the sizes say, and a tile has no more than there are outputs.
    unsafe {
        if outputs >= 4 * lanes::<I, T>() {
            tiles!(@pick 4 * lanes::<I, T>(), W, one_row::<I, T, W>(gradient, x, dy, sizes, adds), 64 32 16 8 4);
        } else {
            tiles!(@pick lanes::<I, T>(), W, one_row::<I, T, W>(gradient, x, dy, sizes, adds), 16 8 4 2 1);
        }
    }
}

kernel! {
    /// `gradient += sum of dy x'` over the rows, in their order; or `=`, unless it `adds`.
    pub(super) fn weight_gradient<I>[T: Scalar][T](gradient: &mut [T], x: &[T], dy: &[T], sizes: Sizes, adds: bool), work usize::MAX; {
        weight_gradient_by::<I, T>(gradient, x, dy, sizes, adds);
    }
}

#[inline(always)]
pub(super) fn weight_gradient_by<I: Isa, T: Scalar>(gradient: &mut [T], x: &[T], dy: &[T], sizes: Sizes, adds: bool) {
    let Sizes { inputs, outputs, .. } = sizes;
    if outputs < LEAST_OUTPUTS || !sizes.fit(gradient.len(), x.len(), dy.len()) {
        return;
    }
    let (gradient, x, dy) = (gradient.as_mut_ptr(), x.as_ptr(), dy.as_ptr());
    cover!(outputs, I::SUMS / 4 * lanes::<I, T>(), lanes::<I, T>(), |at, W, done| {
        let covered = done - at;
        let mut input = 0;
        // SAFETY: there are as many numbers as the sizes say. A tile lies within the outputs.
        unsafe {
            while input + 4 <= inputs {
                let (to, x) = (gradient.add(input * outputs + at), x.add(input));
                columns::<I, T, W, 4>(to, x, dy.add(at), sizes, adds, covered);
                input += 4;
            }
            while input < inputs {
                let (to, x) = (gradient.add(input * outputs + at), x.add(input));
                columns::<I, T, W, 1>(to, x, dy.add(at), sizes, adds, covered);
                input += 1;
            }
        }
    });
}

/// [`weight_gradient_of_one`] by tiles of `W` numbers. The last tile of a column may overlap the one before: it is computed before the others are stored.
///
/// # Safety
/// There must be so many numbers, and `W` outputs at least.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn one_row<I: Isa, T: Scalar, const W: usize>(
    mut gradient: *mut T,
    mut x: *const T,
    dy: *const T,
    Sizes { inputs, outputs, .. }: Sizes,
    adds: bool,
) {
    // SAFETY: as the caller says: `last` is the start of the last tile, and no other begins behind it.
    unsafe {
        let last = outputs - W;
        let end = x.add(inputs);
        while x != end {
            let of_last = scaled::<I, T, W>(gradient.add(last), dy.add(last), *x, adds);
            let mut at = 0;
            while at < last {
                let tile = scaled::<I, T, W>(gradient.add(at), dy.add(at), *x, adds);
                gradient.add(at).cast::<[T; W]>().write(tile);
                at += W;
            }
            gradient.add(last).cast::<[T; W]>().write(of_last);
            (x, gradient) = (x.add(1), gradient.wrapping_add(outputs));
        }
    }
}

/// `x * dy`, added to a gradient or not.
///
/// # Safety
/// There must be so many numbers.
#[inline(always)]
unsafe fn scaled<I: Isa, T: Scalar, const W: usize>(gradient: *const T, dy: *const T, x: T, adds: bool) -> [T; W] {
    let mut products = [T::ZERO; W];
    // SAFETY: as the caller says.
    unsafe {
        if adds {
            products = gradient.cast::<[T; W]>().read();
            add_scaled::<I, T, W>(&mut products, numbers(dy), x);
        } else {
            scale::<I, T, W>(&mut products, numbers(dy), x);
        }
    }
    products
}

/// A tile of some columns of [`weight_gradient`]. Of its numbers, the first ones have been `covered` by the tile before.
///
/// # Safety
/// There must be so many numbers.
#[cfg_attr(not(debug_assertions), inline(always))] // In a debug build a frame would have room for every tile.
unsafe fn columns<I: Isa, T: Scalar, const W: usize, const COLUMNS: usize>(
    gradient: *mut T,
    mut x: *const T,
    mut dy: *const T,
    Sizes { inputs, outputs, rows }: Sizes,
    adds: bool,
    covered: usize,
) {
    // SAFETY: as the caller says. Behind the last row the pointers are moved, and not read from.
    unsafe {
        let mut sums = [[T::ZERO; W]; COLUMNS];
        let end = dy.wrapping_add(rows * outputs);
        if adds {
            for (column, sums) in sums.iter_mut().enumerate() {
                *sums = *numbers(gradient.add(column * outputs));
            }
        } else if rows > 0 {
            for (column, sums) in sums.iter_mut().enumerate() {
                scale::<I, T, W>(sums, numbers(dy), *x.add(column));
            }
            (x, dy) = (x.wrapping_add(inputs), dy.wrapping_add(outputs));
        }
        while dy != end {
            for (column, sums) in sums.iter_mut().enumerate() {
                add_scaled::<I, T, W>(sums, numbers(dy), *x.add(column));
            }
            (x, dy) = (x.wrapping_add(inputs), dy.wrapping_add(outputs));
        }
        for (column, sums) in sums.iter().enumerate() {
            let to = gradient.add(column * outputs);
            if adds && covered > 0 {
                // The first ones have been added to. A copy, as numbers of which one is taken by its index are in memory.
                let sums = *sums;
                for (k, &sum) in sums.iter().enumerate().skip(covered) {
                    to.add(k).write(sum);
                }
            } else {
                to.cast::<[T; W]>().write(*sums);
            }
        }
    }
}

kernel! {
    /// `gradient += sum of dy` over the rows, in their order; or `=`, unless it `adds`.
    pub(super) fn bias_gradient<I>[T: Scalar][T](gradient: &mut [T], dy: &[T], rows: usize, adds: bool), work usize::MAX; {
        bias_gradient_by::<I, T>(gradient, dy, rows, adds);
    }
}

#[inline(always)]
pub(super) fn bias_gradient_by<I: Isa, T: Scalar>(gradient: &mut [T], dy: &[T], rows: usize, adds: bool) {
    let outputs = gradient.len();
    if outputs < BIAS_TILE || dy.len() != rows * outputs {
        return;
    }
    let (gradient, dy) = (gradient.as_mut_ptr(), dy.as_ptr());
    // The last tile may overlap the one before: it is computed before the others are stored.
    // SAFETY: `last` is the start of the last tile, no other begins behind it, and each row has as many numbers.
    unsafe {
        let last = outputs - BIAS_TILE;
        let of_last = summed::<I, T>(gradient.add(last), dy.add(last), outputs, rows, adds);
        let mut at = 0;
        while at < last {
            let tile = summed::<I, T>(gradient.add(at), dy.add(at), outputs, rows, adds);
            gradient.add(at).cast::<[T; BIAS_TILE]>().write(tile);
            at += BIAS_TILE;
        }
        gradient.add(last).cast::<[T; BIAS_TILE]>().write(of_last);
    }
}

/// The sum of a tile over the rows, added to a gradient or not.
///
/// # Safety
/// There must be so many numbers.
#[inline(always)]
unsafe fn summed<I: Isa, T: Scalar>(
    gradient: *const T,
    dy: *const T,
    outputs: usize,
    rows: usize,
    adds: bool,
) -> [T; BIAS_TILE] {
    let (mut sums, mut row) = ([T::ZERO; BIAS_TILE], 0);
    // SAFETY: as the caller says.
    unsafe {
        if adds {
            sums = gradient.cast::<[T; BIAS_TILE]>().read();
        } else if rows > 0 {
            (sums, row) = (*numbers(dy), 1);
        }
        while row < rows {
            add::<I, T, BIAS_TILE>(&mut sums, numbers(dy.add(row * outputs)));
            row += 1;
        }
    }
    sums
}

/// The width of a tile of [`bias_gradient`].
const BIAS_TILE: usize = LEAST_OUTPUTS;
