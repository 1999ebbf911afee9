//! Convolution in groups of channels: as [`conv`](super::conv), but each group sees its own inputs only. With one channel to a group
//! the groups are the vector lanes.
#![allow(clippy::inline_always)] // A call would lose the constants, and the instructions that a kernel is compiled for.

use super::dispatch::kernel;
use super::window::{Axis, row_mut};
use super::{conv, conv_gradient};
use crate::scalar::Scalar;

/// `y = bias + sum of weight * x` over each window: rows, columns and inputs of the window in this order.
#[inline]
pub(crate) fn gather<V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize>(
    weight: &[[[T; OUT]; G]],
    bias: &[T],
    x: &[T],
    y: &mut [T],
) {
    let weight = weight.as_flattened();
    if IN == 1 && OUT == 1 {
        conv::gather::<V, H, T, 1, G, G, true>(weight.as_flattened().as_chunks().0, bias, x, y);
    } else {
        conv::gather::<V, H, T, G, IN, OUT, false>(weight, bias, x, y);
    }
}

/// `gradient += sum of x * dy` over all windows.
#[inline]
pub(crate) fn gather_gradient<V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize>(
    gradient: &mut [[[T; OUT]; G]],
    x: &[T],
    dy: &[T],
) {
    let gradient = gradient.as_flattened_mut();
    if IN == 1 && OUT == 1 {
        conv_gradient::gather_gradient::<V, H, T, 1, G, G, true>(gradient.as_flattened_mut().as_chunks_mut().0, x, dy);
    } else {
        conv_gradient::gather_gradient::<V, H, T, G, IN, OUT, false>(gradient, x, dy);
    }
}

kernel! {
    /// `dx = sum of weight * dy`, the way back from the outputs to the places of their windows.
    pub(crate) fn scatter<I>[V: Axis, H: Axis, T: Scalar, const G: usize, const IN: usize, const OUT: usize][V, H, T, G, IN, OUT](
        weight: &[[[T; OUT]; G]],
        dy: &[T],
        dx: &mut [T],
    ), work V::KERNEL * H::KERNEL * G * IN * OUT; {
        let (dy, _) = dy.as_chunks::<OUT>().0.as_chunks::<G>();
        let (dx, _) = dx.as_chunks_mut::<IN>().0.as_chunks_mut::<G>();
        dx.fill([[T::ZERO; IN]; G]);
        for (oy, dy) in dy.chunks_exact(H::OUT).enumerate() {
            for (k, weight) in weight.chunks_exact(IN).enumerate() {
                let (ky, kx) = (k / H::KERNEL, k % H::KERNEL);
                let Some(row) = row_mut::<V, H, _>(dx, oy, ky) else { continue };
                for (ox, dy) in dy.iter().enumerate() {
                    let Some(dx) = H::place(ox, kx).and_then(|ix| row.get_mut(ix)) else { continue };
                    for (i, weight) in weight.iter().enumerate() {
                        for ((dx, weight), dy) in dx.iter_mut().zip(weight).zip(dy) {
                            let Some(dx) = dx.get_mut(i) else { continue };
                            for (&weight, &dy) in weight.iter().zip(dy) {
                                *dx = I::mul_add(weight, dy, *dx);
                            }
                        }
                    }
                }
            }
        }
    }
}

kernel! {
    /// `gradient += sum of dy` over all pixels.
    pub(crate) fn bias_gradient<I>[T: Scalar][T](gradient: &mut [T], dy: &[T]), work dy.len(); {
        if gradient.is_empty() {
            return;
        }
        for dy in dy.chunks_exact(gradient.len()) {
            for (gradient, &dy) in gradient.iter_mut().zip(dy) {
                *gradient += dy;
            }
        }
    }
}
