//! Softmax over the numbers of one position, and its gradient.

use crate::scalar::Scalar;

/// `ln(sum of exp(x))`, in two parts: where the largest number is large, their sum would have lost the second.
pub(crate) struct LogSum<T> {
    max: T,
    /// `ln(sum of exp(x - max))`
    rest: T,
}

impl<T: Scalar> LogSum<T> {
    /// `x - ln(sum of exp(x))`
    pub(crate) fn below(&self, x: T) -> T {
        (x - self.max) - self.rest
    }
}

/// `y = softmax(x)` over one position.
pub(crate) fn softmax<T: Scalar>(x: &[T], y: &mut [T]) -> LogSum<T> {
    let max = maximum(x);
    let mut sum = T::ZERO;
    for (&x, y) in x.iter().zip(&mut *y) {
        *y = (x - max).exp();
        sum += *y;
    }
    for y in y {
        *y /= sum;
    }
    LogSum { max, rest: sum.ln() }
}

/// `y = softmax(y)` over one position.
pub(crate) fn softmax_in_place<T: Scalar>(y: &mut [T]) {
    let max = maximum(y);
    let mut sum = T::ZERO;
    for y in &mut *y {
        *y = (*y - max).exp();
        sum += *y;
    }
    for y in y {
        *y /= sum;
    }
}

/// `ln(sum of exp(x))` over one position, without overflow.
pub(crate) fn log_sum_exp<T: Scalar>(x: &[T]) -> LogSum<T> {
    let max = maximum(x);
    let mut sum = T::ZERO;
    for &x in x {
        sum += (x - max).exp();
    }
    LogSum { max, rest: sum.ln() }
}

fn maximum<T: Scalar>(x: &[T]) -> T {
    let mut all = x.iter().copied();
    let first = all.next().unwrap_or(T::ZERO);
    all.fold(first, T::max)
}

/// `y = x - ln(sum of exp(x))`
pub(crate) fn log_softmax<T: Scalar>(x: &[T], y: &mut [T]) {
    let all = log_sum_exp(x);
    for (&x, y) in x.iter().zip(y) {
        *y = all.below(x);
    }
}

/// `dx = y (dy - y . dy)`
pub(crate) fn softmax_backward<T: Scalar>(y: &[T], dy: &[T], dx: &mut [T]) {
    let mut mean = T::ZERO;
    for (&y, &dy) in y.iter().zip(dy) {
        mean += y * dy;
    }
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = y * (dy - mean);
    }
}

/// `dx = dy - exp(y) sum of dy`
pub(crate) fn log_softmax_backward<T: Scalar>(y: &[T], dy: &[T], dx: &mut [T]) {
    let mut sum = T::ZERO;
    for &dy in dy {
        sum += dy;
    }
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = dy - y.exp() * sum;
    }
}
