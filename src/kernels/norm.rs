//! Normalisation by mean and deviation of a group of numbers, and the way back.
//!
//! A group is some channels side by side of each position of a tensor: its rows. A sum over it has a partial sum for each
//! channel, over the positions in their order; [`total`] adds those.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel, lanes};
use super::elementwise::strips;
use super::row::{for_each, total, unknown};
use super::tile::{strip, strip_mut};
use crate::scalar::Scalar;

/// The mean of a group in two parts, and 1 over its standard deviation.
#[derive(Debug, Clone, Copy)]
struct Moments<T> {
    mean: T,
    /// What the rounding of `mean` lost: far from 0 it counts beside the deviation.
    rest: T,
    scale: T,
}

impl<T: Scalar> Moments<T> {
    /// `x` less the mean, over the standard deviation.
    #[inline(always)]
    fn normal<const CENTRED: bool>(&self, x: T) -> T {
        if CENTRED { ((x - self.mean) - self.rest) * self.scale } else { x * self.scale }
    }
}

/// Which channels of each position belong together: one of `GROUPS`, by its number.
#[derive(Debug, Clone, Copy)]
struct Group<const C: usize, const GROUPS: usize>(usize);

impl<const C: usize, const GROUPS: usize> Group<C, GROUPS> {
    const WIDTH: usize = match C.checked_div(GROUPS) {
        Some(width) => width,
        None => 0,
    };

    /// The channels of one position.
    #[inline(always)]
    fn of<T>(self, position: &[T; C]) -> &[T] {
        if GROUPS == 1 {
            return position;
        }
        position.get(self.0 * Self::WIDTH..).and_then(|rest| rest.get(..Self::WIDTH)).unwrap_or_default()
    }

    /// The same, to write to.
    #[inline(always)]
    fn of_mut<T>(self, position: &mut [T; C]) -> &mut [T] {
        if GROUPS == 1 {
            return position;
        }
        position.get_mut(self.0 * Self::WIDTH..).and_then(|rest| rest.get_mut(..Self::WIDTH)).unwrap_or_default()
    }
}

/// The moments of a group; with `CENTRED` false the mean counts as 0.
///
/// Chan, Golub & LeVeque (1983): the second pass sums the distances from the mean as well as their squares, which makes good
/// what the first lost to rounding.
#[inline(always)]
fn moments<I: Isa, T: Scalar, const C: usize, const GROUPS: usize, const CENTRED: bool>(
    x: &[[T; C]],
    group: Group<C, GROUPS>,
    epsilon: T,
) -> Moments<T> {
    let per_number = T::ONE / count::<T, C, GROUPS>(x);
    let mut mean = T::ZERO;
    if CENTRED {
        mean = sum_over::<I, T, C, GROUPS, 1>([x], group, |[x]| x) * per_number;
    }
    let squares = sum_over::<I, T, C, GROUPS, 1>([x], group, |[x]| (x - mean) * (x - mean));
    let rest = if CENTRED { sum_over::<I, T, C, GROUPS, 1>([x], group, |[x]| x - mean) * per_number } else { T::ZERO };
    let variance = squares * per_number - rest * rest;
    let variance = if variance < T::ZERO { T::ZERO } else { variance }; // NaN stays NaN.
    Moments { mean, rest, scale: T::ONE / (variance + epsilon).sqrt() }
}

/// The sum of `f` over a group.
#[inline(always)]
fn sum_over<I: Isa, T: Scalar, const C: usize, const GROUPS: usize, const N: usize>(
    x: [&[[T; C]]; N],
    group: Group<C, GROUPS>,
    f: impl Fn([T; N]) -> T,
) -> T {
    let mut sums = [T::ZERO; C];
    let sums = group.of_mut(&mut sums);
    add_over::<I, T, C, GROUPS, N>(x, group, sums, f);
    total(sums)
}

/// Adds `f` of each number of a group to the sum of its channel.
#[inline(always)]
fn add_over<I: Isa, T: Scalar, const C: usize, const GROUPS: usize, const N: usize>(
    x: [&[[T; C]]; N],
    group: Group<C, GROUPS>,
    sums: &mut [T],
    f: impl Fn([T; N]) -> T,
) {
    let positions = x.first().map_or(0, |x| x.len());
    let len = unknown(sums.len());
    strips!(lanes::<I, T>(), len, |at, W| {
        if let Some(place) = strip_mut::<T, W>(sums, at) {
            let mut tile = *place;
            for position in 0..positions {
                let mut numbers = [[T::ZERO; W]; N];
                for (numbers, x) in numbers.iter_mut().zip(x) {
                    if let Some(x) = x.get(position).and_then(|x| strip(group.of(x), at)) {
                        *numbers = *x;
                    }
                }
                for (k, sum) in tile.iter_mut().enumerate() {
                    let mut at_place = [T::ZERO; N];
                    for (number, numbers) in at_place.iter_mut().zip(&numbers) {
                        *number = numbers.get(k).copied().unwrap_or(T::ZERO);
                    }
                    *sum += f(at_place);
                }
            }
            *place = tile;
        }
    });
}

/// How many numbers belong to a group.
#[inline(always)]
#[allow(clippy::cast_precision_loss)]
fn count<T: Scalar, const C: usize, const GROUPS: usize>(x: &[[T; C]]) -> T {
    T::from_f64((x.len() * Group::<C, GROUPS>::WIDTH) as f64)
}

kernel! {
    /// `x = (x - mean) / deviation * weight + bias` for a group.
    pub(crate) fn normalise<I>[T: Scalar, const C: usize, const GROUPS: usize, const CENTRED: bool][T, C, GROUPS, CENTRED](
        x: &mut [[T; C]],
        group: usize,
        epsilon: T,
        weight: &[T; C],
        bias: Option<&[T; C]>,
    ), work 10 * C; {
        let group = Group::<C, GROUPS>(group);
        let moments = moments::<I, T, C, GROUPS, CENTRED>(x, group, epsilon);
        let weight = group.of(weight);
        for x in x {
            let x = group.of_mut(x);
            if let Some(bias) = bias {
                for_each::<I, T, 2>([weight, group.of(bias)], x, |[weight, bias], x, _| {
                    I::mul_add(moments.normal::<CENTRED>(x), weight, bias)
                });
            } else {
                for_each::<I, T, 1>([weight], x, |[weight], x, _| moments.normal::<CENTRED>(x) * weight);
            }
        }
    }
}

kernel! {
    /// Adds to the gradients of weight and bias what a group gives. With `dx`, sets it:
    ///
    /// ```text
    /// dx = scale (g - mean of g - n mean of (g n))    g = dy weight, n = (x - mean) scale
    /// ```
    pub(crate) fn normalise_backward<I>[T: Scalar, const C: usize, const GROUPS: usize, const CENTRED: bool][T, C, GROUPS, CENTRED](
        x: &[[T; C]],
        group: usize,
        epsilon: T,
        weight: &[T; C],
        dy: &[[T; C]],
        d_weight: &mut [T; C],
        d_bias: Option<&mut [T; C]>,
        dx: Option<&mut [[T; C]]>,
    ), work 10 * C; {
        let group = Group::<C, GROUPS>(group);
        let moments = moments::<I, T, C, GROUPS, CENTRED>(x, group, epsilon);
        let d_weight = group.of_mut(d_weight);
        add_over::<I, T, C, GROUPS, 2>([x, dy], group, d_weight, |[x, dy]| dy * moments.normal::<CENTRED>(x));
        if let Some(d_bias) = d_bias {
            add_over::<I, T, C, GROUPS, 1>([dy], group, group.of_mut(d_bias), |[dy]| dy);
        }
        let Some(dx) = dx else { return };
        let weight = group.of(weight);
        for (dy, dx) in dy.iter().zip(&mut *dx) {
            for_each::<I, T, 2>([group.of(dy), weight], group.of_mut(dx), |[dy, weight], _, _| dy * weight);
        }
        let per_number = T::ONE / count::<T, C, GROUPS>(x);
        let g_mean = if CENTRED { sum_over::<I, T, C, GROUPS, 1>([dx], group, |[g]| g) * per_number } else { T::ZERO };
        let product_mean = sum_over::<I, T, C, GROUPS, 2>([dx, x], group, |[g, x]| g * moments.normal::<CENTRED>(x)) * per_number;
        for (x, dx) in x.iter().zip(dx) {
            for_each::<I, T, 1>([group.of(x)], group.of_mut(dx), |[x], g, _| {
                moments.scale * (g - I::mul_add(moments.normal::<CENTRED>(x), product_mean, g_mean))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dispatch::Target;
    use super::*;

    /// A mean far above the deviation: what a difference of sums of squares would lose, in `f32`.
    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn large_means() {
        let x: [[f32; 3]; 1000] = core::array::from_fn(|i| [1e5 + (i % 4) as f32, 0.0, -(i as f32)]);
        let moments = moments::<Target, f32, 3, 3, true>(&x, Group(0), 0.0);
        assert!((moments.mean + moments.rest - (1e5 + 1.5)).abs() < 0.01, "{moments:?}");
        assert!((moments.scale - 1.0 / 1.25_f32.sqrt()).abs() < 1e-4, "{moments:?}");
    }

    /// Every number of the group and none beside it, whatever the tail of the sums.
    #[test]
    #[allow(clippy::float_cmp)] // Small integers: exact.
    fn a_group_of_each_position() {
        let x: [[f64; 38]; 2] = [core::array::from_fn(|i| if i < 19 { 1e9 } else { 3.0 }), [7.0; 38]];
        let moments = moments::<Target, f64, 38, 2, true>(&x, Group(1), 0.0);
        assert_eq!((moments.mean + moments.rest, moments.scale), (5.0, 0.5));
    }
}
