//! Losses that are a sum over pairs of an output and its target.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::dispatch::kernel;
use super::row::{for_each, sum_of};
use crate::scalar::Scalar;

/// Up to here the pairs go one by one: a tree of sums would take longer.
const FEW: usize = 8;

kernel! {
    /// The sum of `value(y, t)`.
    pub(crate) fn sum_of_pairs<I>[T: Scalar, F: Fn(T, T) -> T][T, F](y: &[T], target: &[T], value: F) -> T,
        work 4 * y.len(); {
        if y.len() <= FEW {
            let mut sum = T::ZERO;
            for (&y, &t) in y.iter().zip(target) {
                sum += value(y, t);
            }
            return sum;
        }
        sum_of::<I, T, 2>([y, target], |[y, t]| value(y, t))
    }
}

kernel! {
    /// The same, and `dy = scale * slope(y, t)`.
    pub(crate) fn gradient_of_pairs<I>[T: Scalar, F: Fn(T, T) -> T, G: Fn(T, T) -> T][T, F, G](
        y: &[T],
        target: &[T],
        value: F,
        slope: G,
        scale: T,
        dy: &mut [T],
    ) -> T, work 4 * y.len(); {
        if y.len() <= FEW {
            let mut sum = T::ZERO;
            for ((&y, &t), dy) in y.iter().zip(target).zip(dy) {
                sum += value(y, t);
                *dy = scale * slope(y, t);
            }
            return sum;
        }
        for_each::<I, T, 2>([y, target], dy, |[y, t], _, _| scale * slope(y, t));
        sum_of::<I, T, 2>([y, target], |[y, t]| value(y, t))
    }
}
