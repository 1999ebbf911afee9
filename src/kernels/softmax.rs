//! Softmax over the numbers of one position, and its gradient.

use super::sum::sum_of;
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
    for (&x, y) in x.iter().zip(&mut *y) {
        *y = (x - max).exp();
    }
    let sum = sum(y);
    for y in y {
        *y /= sum;
    }
    LogSum { max, rest: sum.ln() }
}

/// `y = softmax(y)` over one position.
pub(crate) fn softmax_in_place<T: Scalar>(y: &mut [T]) {
    let max = maximum(y);
    for y in &mut *y {
        *y = (*y - max).exp();
    }
    let sum = sum(y);
    for y in y {
        *y /= sum;
    }
}

/// `ln(sum of exp(x))` over one position, without overflow.
pub(crate) fn log_sum_exp<T: Scalar>(x: &[T]) -> LogSum<T> {
    let max = maximum(x);
    let sum = sum_of(x, x, |x, _| (x - max).exp());
    LogSum { max, rest: sum.ln() }
}

/// In the order of [`sum_of`]: the eight sums are the lanes of a vector.
fn sum<T: Scalar>(x: &[T]) -> T {
    sum_of(x, x, |x, _| x)
}

/// The largest, by eight partial maxima.
fn maximum<T: Scalar>(x: &[T]) -> T {
    let (chunks, tail) = x.as_chunks::<8>();
    let mut all = [x.first().copied().unwrap_or(T::ZERO); 8];
    for x in chunks.iter().map(<[T; 8]>::as_slice).chain([tail]) {
        for (max, &x) in all.iter_mut().zip(x) {
            *max = max.max(x);
        }
    }
    let [m0, m1, m2, m3, m4, m5, m6, m7] = all;
    m0.max(m4).max(m2.max(m6)).max(m1.max(m5).max(m3.max(m7)))
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
    let mean = sum_of(y, dy, |y, dy| y * dy);
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = y * (dy - mean);
    }
}

/// `dx = dy - exp(y) sum of dy`
pub(crate) fn log_softmax_backward<T: Scalar>(y: &[T], dy: &[T], dx: &mut [T]) {
    let sum = sum(dy);
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = dy - y.exp() * sum;
    }
}
