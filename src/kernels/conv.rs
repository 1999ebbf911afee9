//! Convolution: a window that goes over pixels. [`conv_gradient`](super::conv_gradient) and [`scatter`](super::scatter) go the same way. `V` is the window's way down, `H` its way along a row.
//!
//! A pixel has `G` groups of channels, of which each sees its own only; a plain convolution has one. The channels of a group are the
//! vector lanes. A tile of them, for some pixels side by side, stays in registers while the window goes by. On the padding's border
//! they lie one below the other: there, the window has the same places for all of them.
//!
//! A weight is kept place by place, input by input, group by group: rows of `OUT` numbers.
//!
//! A small window of small pixels has kernels of its own, unrolled for its sizes ([`constant`]). Larger ones of `f32` share theirs ([`shared`]),
//! with the same bits. Which it is is a constant, so that the others are not compiled.

mod constant;
mod shared;
#[cfg(all(test, feature = "std"))]
mod tests;
mod walk;

pub(super) use constant::{add_product, inputs, load_row, part_for_tiles};
#[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")))]
pub(super) use shared::Rows;

use super::dispatch::{Isa, Target};
use super::float::{floats, floats_mut};
use super::window::Axis;
use crate::scalar::Scalar;
use shared::Operands;
use walk::Sizes;

/// The weights of a window of `KH` by `KW` places.
pub(crate) type Kernel<T, const IN: usize, const OUT: usize, const KH: usize, const KW: usize> =
    [[[[T; OUT]; IN]; KW]; KH];

/// Whether a convolution shares its kernel with others.
const fn is_shared<V: Axis, H: Axis>(inputs: usize, outputs: usize, each: bool) -> bool {
    if Target::LANES == 1 {
        // Code is what is dear there, and a tile is narrow.
        outputs >= shared::NARROW
    } else {
        // A channel that sees itself only has few products in a row.
        !each && outputs >= shared::WIDE && inputs * H::KERNEL >= LEAST_RUN
    }
}

/// How many products a row of the window has at least where a shared kernel is as fast as an unrolled one.
const LEAST_RUN: usize = 64;

/// The shared kernels of `f32`: no generics, so they are compiled with the crate, and the programs that use it have them as they are.
mod of_f32 {
    use super::shared::{self, Operands};

    #[inline(never)]
    pub(super) fn gather(operands: &mut Operands<'_>) {
        shared::gather::<false>(operands);
    }

    /// Over a signal.
    #[inline(never)]
    pub(super) fn gather_in_parts(operands: &mut Operands<'_>) {
        shared::gather::<true>(operands);
    }
}

/// `y = bias + sum of weight * x` over each window: rows, columns and inputs of the window in this order.
///
/// Over a signal, that is for a window of one row, some places at a time are summed up and then added to the others.
///
/// With `EACH`, every channel sees itself only: a group of one channel in and one out, whose lanes are the groups. Then `G` is 1, and
/// `IN` and `OUT` are how many there are.
#[inline]
pub(crate) fn gather<
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
    if const { T::IS_F32.answer() && is_shared::<V, H>(IN, OUT, EACH) } {
        let sizes = const { &Sizes::of::<V, H>([G, IN, OUT], EACH) };
        let (weight, bias) = (floats(weight.as_flattened()), floats(bias));
        let Some(mut operands) = Operands::new(sizes, weight, bias, floats(x), floats_mut(y)) else { return };
        if const { V::IS_FLAT && G == 1 && !EACH } {
            of_f32::gather_in_parts(&mut operands);
        } else {
            of_f32::gather(&mut operands);
        }
    } else {
        constant::gather::<V, H, T, G, IN, OUT, EACH>(weight, bias, x, y);
    }
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
