//! Matrix times vector, for one row or for many; the way back; sums of scaled columns, and dot products.
//!
//! A weight is kept column by column: `IN` columns of `OUT` numbers. The outputs are the vector lanes.
//!
//! A small layer has kernels of its own, unrolled for its sizes ([`constant`]). Larger ones share theirs ([`shared`]) where there are vectors,
//! with the same bits. Which it is is a constant, so that the others are not compiled.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

mod constant;
mod shared;
mod shared_gradient;
mod shared_input;
#[cfg(test)]
mod tests;

use super::dispatch::{Isa, Target};
use super::float::{floats, floats_mut};
use super::tile::of_each;
use crate::scalar::Scalar;
use core::array::{from_mut, from_ref};
use shared::{Forward, LEAST_INPUTS, LEAST_OUTPUTS, LEAST_OUTPUTS_OF_ONE_ROW, Sizes};

/// How many outputs of a tile of the weight are turned at a time: this many times its width on the stack.
const TURNED: usize = 64;

/// In how many parts the sum over inputs is cut, each with a sum of its own: a chain of dependent additions waits for each of them.
///
/// Part `i` has the inputs from `i * (IN / parts)` on, the last part also what remains. The parts are added as a binary tree:
/// for four, `(0 + 2) + (1 + 3)`. This is the same for every set of instructions.
#[inline(always)]
const fn parts(inputs: usize, outputs: usize) -> usize {
    let mut parts = if outputs >= 64 {
        2
    } else if outputs >= 32 {
        4
    } else {
        8
    };
    while parts > 1 && inputs < 4 * parts {
        parts /= 2;
    }
    parts
}

/// A width of tiles.
#[inline(always)]
const fn width(numbers: usize) -> usize {
    if numbers > 64 {
        64
    } else if numbers < 1 {
        1
    } else {
        numbers
    }
}

/// The sum over the parts, as a binary tree.
#[inline(always)]
pub(crate) fn sum_of_parts<T: Scalar, const W: usize, const ROWS: usize, const PARTS: usize>(
    parts: [[[T; W]; ROWS]; PARTS],
) -> [[T; W]; ROWS] {
    let mut sums = [[T::ZERO; W]; ROWS];
    for (row, sums) in sums.iter_mut().enumerate() {
        let mut parts = of_each(&parts, [T::ZERO; W], |rows| rows.get(row).copied().unwrap_or([T::ZERO; W]));
        let mut half = PARTS / 2;
        while half > 0 {
            let (low, high) = parts.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                for (low, &mut high) in low.iter_mut().zip(high) {
                    *low += high;
                }
            }
            half /= 2;
        }
        *sums = parts.first().copied().unwrap_or([T::ZERO; W]);
    }
    sums
}

/// Whether a layer shares its kernels with others. Without vectors, a processor is a small one, and the constants save what they cost.
const fn is_shared<T>(inputs: usize, outputs: usize) -> bool {
    // The narrowest tile of a scalar of less than 4 bytes may be wider than the layer.
    Target::LANES > 1 && size_of::<T>() >= 4 && inputs >= LEAST_INPUTS && outputs >= LEAST_OUTPUTS
}

/// The shared kernels of `f32`: no generics, so they are compiled with the crate, and the programs that use it have them as they are.
mod of_f32 {
    use super::Sizes;
    use super::{Forward, shared, shared_gradient, shared_input};

    macro_rules! of_f32 {
        ($($module:ident::$name:ident($($x:ident: $X:ty),*);)+) => { $(
            #[inline(never)]
            pub(super) fn $name($($x: $X),*) {
                $module::$name::<f32>($($x),*);
            }
        )+ };
    }
    of_f32! {
        shared::forward_row(operands: &Forward<'_, f32>);
        shared::forward(operands: &Forward<'_, f32>);
        shared_input::input_gradient(weight: &[f32], dy: &[f32], dx: &mut [f32], sizes: Sizes);
        shared_input::input_gradient_of_few(weight: &[f32], dy: &[f32], dx: &mut [f32], sizes: Sizes);
        shared_gradient::weight_gradient_of_one(gradient: &mut [f32], x: &[f32], dy: &[f32], sizes: Sizes, adds: bool);
        shared_gradient::weight_gradient(gradient: &mut [f32], x: &[f32], dy: &[f32], sizes: Sizes, adds: bool);
        shared_gradient::bias_gradient(gradient: &mut [f32], dy: &[f32], rows: usize, adds: bool);
    }
}

/// `y = W x + b`
#[inline]
pub(crate) fn forward_row<T: Scalar, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[T; IN],
    y: &mut [T; OUT],
) {
    if const { is_shared::<T>(IN, OUT) && OUT >= LEAST_OUTPUTS_OF_ONE_ROW } {
        let operands = Forward::new(weight, bias, from_ref(x), from_mut(y));
        if const { T::IS_F32.answer() } {
            if let Some(operands) = operands.floats() {
                of_f32::forward_row(&operands);
            }
        } else {
            shared::forward_row(&operands);
        }
    } else {
        constant::forward_row(weight, bias, x, y);
    }
}

/// [`forward_row`] for each of many rows, with the same bits.
#[inline]
pub(crate) fn forward<T: Scalar, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    bias: Option<&[T; OUT]>,
    x: &[[T; IN]],
    y: &mut [[T; OUT]],
) {
    if const { is_shared::<T>(IN, OUT) } {
        let operands = Forward::new(weight, bias, x, y);
        if const { T::IS_F32.answer() } {
            if let Some(operands) = operands.floats() {
                of_f32::forward(&operands);
            }
        } else {
            shared::forward(&operands);
        }
    } else {
        constant::forward(weight, bias, x, y);
    }
}

/// `dx = W' dy` for each row.
#[inline]
pub(crate) fn input_gradient<T: Scalar, const IN: usize, const OUT: usize>(
    weight: &[[T; OUT]; IN],
    dy: &[[T; OUT]],
    dx: &mut [[T; IN]],
) {
    // The inputs are the lanes where there are rows enough. Where there are not, the outputs are.
    if const { is_shared::<T>(IN, LEAST_OUTPUTS) && OUT > 1 } {
        if const { !is_shared::<T>(IN, OUT) } && dy.len() < 4 {
            return constant::input_gradient_of_few(weight, dy, dx);
        }
        let sizes = Sizes { inputs: IN, outputs: OUT, rows: dy.len() };
        let (weight, dy, dx) = (weight.as_flattened(), dy.as_flattened(), dx.as_flattened_mut());
        if const { T::IS_F32.answer() } {
            let (weight, dy, dx) = (floats(weight), floats(dy), floats_mut(dx));
            if sizes.rows < 4 {
                of_f32::input_gradient_of_few(weight, dy, dx, sizes);
            } else {
                of_f32::input_gradient(weight, dy, dx, sizes);
            }
        } else if sizes.rows < 4 {
            shared_input::input_gradient_of_few(weight, dy, dx, sizes);
        } else {
            shared_input::input_gradient(weight, dy, dx, sizes);
        }
    } else {
        constant::input_gradient(weight, dy, dx);
    }
}

/// `gradient += sum of dy x'` over the rows, in their order; or `=`, unless it `ADDS`.
#[inline]
pub(crate) fn weight_gradient<T: Scalar, const IN: usize, const OUT: usize, const ADDS: bool>(
    gradient: &mut [[T; OUT]; IN],
    x: &[[T; IN]],
    dy: &[[T; OUT]],
) {
    if const { is_shared::<T>(IN, OUT) } {
        let sizes = Sizes { inputs: IN, outputs: OUT, rows: dy.len() };
        let (gradient, x, dy) = (gradient.as_flattened_mut(), x.as_flattened(), dy.as_flattened());
        if const { T::IS_F32.answer() } {
            let (gradient, x, dy) = (floats_mut(gradient), floats(x), floats(dy));
            if sizes.rows == 1 {
                of_f32::weight_gradient_of_one(gradient, x, dy, sizes, ADDS);
            } else {
                of_f32::weight_gradient(gradient, x, dy, sizes, ADDS);
            }
        } else if sizes.rows == 1 {
            shared_gradient::weight_gradient_of_one(gradient, x, dy, sizes, ADDS);
        } else {
            shared_gradient::weight_gradient(gradient, x, dy, sizes, ADDS);
        }
    } else {
        constant::weight_gradient::<T, IN, OUT, ADDS>(gradient, x, dy);
    }
}

/// `gradient += sum of dy` over the rows, in their order; or `=`, unless it `ADDS`.
#[inline]
pub(crate) fn bias_gradient<T: Scalar, const OUT: usize, const ADDS: bool>(gradient: &mut [T; OUT], dy: &[[T; OUT]]) {
    if const { is_shared::<T>(LEAST_INPUTS, OUT) } {
        let rows = dy.len();
        if const { T::IS_F32.answer() } {
            of_f32::bias_gradient(floats_mut(gradient), floats(dy.as_flattened()), rows, ADDS);
        } else {
            shared_gradient::bias_gradient(gradient, dy.as_flattened(), rows, ADDS);
        }
    } else {
        constant::bias_gradient::<T, OUT, ADDS>(gradient, dy);
    }
}
