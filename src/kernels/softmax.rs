//! Softmax over the numbers of one position, its logarithm, and their gradients.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::{Isa, kernel};
use super::flat::one_by_one;
use super::horizontal::halved;
use super::row::{for_each, sum_of, total, unknown};
use super::tile::load;
use crate::scalar::{Negligible, Scalar};

/// How many numbers a position has: a constant, so that no loop has a rest that is not known.
pub(crate) trait Position {
    /// At least 1.
    const WIDTH: usize;

    /// Whether there is but one position.
    const IS_ALL: bool;
}

/// `ln(sum of exp(x))`, in two parts: where the largest number is large, their sum would have lost the second.
pub(crate) struct LogSum<T> {
    max: T,
    /// `ln(sum of exp(x - max))`
    rest: T,
}

impl<T: Scalar> LogSum<T> {
    /// `x - ln(sum of exp(x))`
    #[inline(always)]
    pub(crate) fn below(&self, x: T) -> T {
        (x - self.max) - self.rest
    }
}

/// `e` to the power of `x`, which is not positive; 0 below `least`, where it is negligible: on its way to a number below the normal range the
/// exponential would take many times as long. NaN stays.
#[inline(always)]
fn power<T: Scalar>(x: T, least: T) -> T {
    let y = (if x < least { least } else { x }).exp();
    if x < least { T::ZERO } else { y }
}

/// `y = exp(x - max x)`, or 0 below `least`: gives the greatest `x`, and the sum of `y`.
#[inline(always)]
fn powers<I: Isa, T: Scalar>(x: &[T], y: &mut [T], least: T) -> (T, T) {
    // One tile for a few numbers: to go through eight, four, two and one takes as long as each of them.
    if I::LANES > 1 && x.len() <= 16 {
        return match x.len() {
            0..=4 => powers_of_tile::<T, 4>(x, y, least),
            5..=8 => powers_of_tile::<T, 8>(x, y, least),
            _ => powers_of_tile::<T, 16>(x, y, least),
        };
    }
    let max = maximum(x);
    for_each::<I, T, 1>([x], y, |[x], _, _| power(x - max, least));
    (max, total(y))
}

/// [`powers`] of at most `W` numbers.
#[inline(always)]
fn powers_of_tile<T: Scalar, const W: usize>(x: &[T], y: &mut [T], least: T) -> (T, T) {
    let mut tile: [T; W] = load(x, 0);
    let first = x.first().copied().unwrap_or(T::ZERO);
    for x in tile.iter_mut().skip(x.len()) {
        *x = first;
    }
    let max = halved(tile, T::max);
    for x in &mut tile {
        *x = power(*x - max, least);
    }
    for (y, &x) in y.iter_mut().zip(&tile) {
        *y = x;
    }
    for x in tile.iter_mut().skip(x.len()) {
        *x = T::ZERO;
    }
    // In the order of `total`.
    (max, halved(tile, |low, high| low + high))
}

#[inline(always)]
fn log_sum<I: Isa, T: Scalar>(x: &[T]) -> LogSum<T> {
    let max = maximum(x);
    let least = Negligible::ln_of_square();
    LogSum { max, rest: sum_of::<I, T, 1>([x], |[x]| power(x - max, least)).ln() }
}

/// `y = softmax(y)` over one position.
#[inline(always)]
pub(crate) fn softmax_over<I: Isa, T: Scalar>(y: &mut [T]) {
    let max = maximum(y);
    let least = Negligible::ln_of_square();
    for_each::<I, T, 0>([], y, |[], y, _| power(y - max, least));
    let sum = total(y);
    for_each::<I, T, 0>([], y, |[], y, _| y / sum);
}

/// `y = softmax(x)` over one position.
#[inline(always)]
fn softmax_of<I: Isa, T: Scalar>(x: &[T], y: &mut [T]) {
    let (_, sum) = powers::<I, T>(x, y, Negligible::ln_of_square());
    for_each::<I, T, 0>([], y, |[], y, _| y / sum);
}

kernel! {
    /// `y = softmax(x)` over each position.
    pub(crate) fn softmax<I>[T: Scalar, P: Position][T, P](x: &[T], y: &mut [T]), work 10 * P::WIDTH; {
        if P::IS_ALL {
            if let (Some(x), Some(y)) = (x.get(..P::WIDTH), y.get_mut(..P::WIDTH)) {
                softmax_of::<I, T>(x, y);
            }
            return;
        }
        for (x, y) in one_by_one(x.chunks_exact(P::WIDTH)).zip(y.chunks_exact_mut(P::WIDTH)) {
            softmax_of::<I, T>(x, y);
        }
    }
}

kernel! {
    /// The same in place.
    pub(crate) fn softmax_in_place<I>[T: Scalar, P: Position][T, P](y: &mut [T]), work 10 * P::WIDTH; {
        if P::IS_ALL {
            if let Some(y) = y.get_mut(..P::WIDTH) {
                softmax_over::<I, T>(y);
            }
            return;
        }
        for y in y.chunks_exact_mut(P::WIDTH) {
            softmax_over::<I, T>(y);
        }
    }
}

kernel! {
    /// `ln(sum of exp(x))` over one position, without overflow.
    pub(crate) fn log_sum_exp<I>[T: Scalar, const N: usize][T, N](x: &[T; N]) -> LogSum<T>, work 10 * N; {
        log_sum::<I, T>(x)
    }
}

kernel! {
    /// `dx = scale (softmax(x) - target)`, where the target is its first number at one place, and its second at all others.
    pub(crate) fn softmax_less_target<I>[T: Scalar, const N: usize][T, N](
        x: &[T; N],
        place: usize,
        target: [T; 2],
        scale: T,
        dx: &mut [T; N],
    ) -> LogSum<T>, work 10 * N; {
        let ([on, off], (max, sum)) = (target, powers::<I, T>(x, dx, Negligible::ln_of_unit()));
        for_each::<I, T, 0>([], dx, |[], y, i| scale * (y / sum - if i == place { on } else { off }));
        LogSum { max, rest: sum.ln() }
    }
}

/// The largest, by sixteen partial maxima.
#[inline(always)]
fn maximum<T: Scalar>(x: &[T]) -> T {
    let (chunks, tail) = x.get(..unknown(x.len())).unwrap_or(&[]).as_chunks::<16>();
    let mut all = [x.first().copied().unwrap_or(T::ZERO); 16];
    for x in chunks {
        for (max, &x) in all.iter_mut().zip(x) {
            *max = max.max(x);
        }
    }
    for (max, &x) in all.iter_mut().zip(tail) {
        *max = max.max(x);
    }
    halved(all, T::max)
}

kernel! {
    /// `y = x - ln(sum of exp(x))` over each position.
    pub(crate) fn log_softmax<I>[T: Scalar, P: Position][T, P](x: &[T], y: &mut [T]), work 10 * P::WIDTH; {
        for (x, y) in one_by_one(x.chunks_exact(P::WIDTH)).zip(y.chunks_exact_mut(P::WIDTH)) {
            let all = log_sum::<I, T>(x);
            for_each::<I, T, 1>([x], y, |[x], _, _| all.below(x));
        }
    }
}

kernel! {
    /// The same in place.
    pub(crate) fn log_softmax_in_place<I>[T: Scalar, P: Position][T, P](y: &mut [T]), work 10 * P::WIDTH; {
        for y in y.chunks_exact_mut(P::WIDTH) {
            let all = log_sum::<I, T>(y);
            for_each::<I, T, 0>([], y, |[], y, _| all.below(y));
        }
    }
}

kernel! {
    /// `dx = y (dy - y . dy)` over each position.
    pub(crate) fn softmax_backward<I>[T: Scalar, P: Position][T, P](y: &[T], dy: &[T], dx: &mut [T]),
        work 4 * P::WIDTH; {
        let positions = one_by_one(y.chunks_exact(P::WIDTH)).zip(dy.chunks_exact(P::WIDTH));
        for ((y, dy), dx) in positions.zip(dx.chunks_exact_mut(P::WIDTH)) {
            let mean = sum_of::<I, T, 2>([y, dy], |[y, dy]| y * dy);
            for_each::<I, T, 2>([y, dy], dx, |[y, dy], _, _| y * (dy - mean));
        }
    }
}

kernel! {
    /// `dx = dy - exp(y) sum of dy` over each position.
    pub(crate) fn log_softmax_backward<I>[T: Scalar, P: Position][T, P](y: &[T], dy: &[T], dx: &mut [T]),
        work 10 * P::WIDTH; {
        let positions = one_by_one(y.chunks_exact(P::WIDTH)).zip(dy.chunks_exact(P::WIDTH));
        for ((y, dy), dx) in positions.zip(dx.chunks_exact_mut(P::WIDTH)) {
            let (sum, least) = (total(dy), Negligible::ln_of_unit());
            for_each::<I, T, 2>([y, dy], dx, |[y, dy], _, _| dy - power(y, least) * sum);
        }
    }
}
