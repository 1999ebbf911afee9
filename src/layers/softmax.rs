use crate::layer::{Differentiable, Layer, no_parameters, nothing_to_learn};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::{Shape, Tensor};

/// Turns logits into probabilities. PyTorch's `nn.Softmax(dim=1)`.
///
/// ```text
/// y_i = exp(x_i - max x) / sum over j of exp(x_j - max x)
/// ```
///
/// The largest logit is subtracted first, so that nothing overflows. To train, leave the layer out and use
/// [`CrossEntropy`](crate::loss::CrossEntropy) on the logits.
///
/// # Shapes
/// Any, to the same: over the whole of a [`Vector`](crate::Vector), over the channels of each step of a
/// [`Sequence`](crate::Sequence) and of each pixel of an [`Image`](crate::Image).
///
/// # Cost
/// One exponential and one division for each number; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{Network, Softmax, Vector};
///
/// let net = Network::<Vector<4>, (Softmax,)>::ZERO;
/// let y = net.predict(&SVector::from([100.0, 1.0, 2.0, 3.0]));
/// assert_eq!(y[0], 1.0);
/// ```
///
/// # Reference
/// Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Softmax;

/// The logarithm of [`Softmax`], without the loss of precision. PyTorch's `nn.LogSoftmax(dim=1)`.
///
/// ```text
/// y_i = x_i - max x - ln(sum over j of exp(x_j - max x))
/// ```
///
/// [`Nll`](crate::loss::Nll) is the loss that belongs to it.
///
/// # Shapes
/// Any, to the same, as [`Softmax`].
///
/// # Cost
/// One exponential for each number and one logarithm for each position; no parameters; no cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogSoftmax;

/// `y = softmax(x)` over one position; returns `ln(sum of exp(x))`.
pub(crate) fn softmax<T: Scalar>(x: &[T], y: &mut [T]) -> T {
    let max = maximum(x);
    let mut sum = T::ZERO;
    for (&x, y) in x.iter().zip(&mut *y) {
        *y = (x - max).exp();
        sum += *y;
    }
    for y in y {
        *y /= sum;
    }
    max + sum.ln()
}

/// `ln(sum of exp(x))` over one position, without overflow.
pub(crate) fn log_sum_exp<T: Scalar>(x: &[T]) -> T {
    let max = maximum(x);
    let mut sum = T::ZERO;
    for &x in x {
        sum += (x - max).exp();
    }
    max + sum.ln()
}

fn maximum<T: Scalar>(x: &[T]) -> T {
    let mut all = x.iter().copied();
    let first = all.next().unwrap_or(T::ZERO);
    all.fold(first, T::max)
}

fn log_softmax<T: Scalar>(x: &[T], y: &mut [T]) {
    let all = log_sum_exp(x);
    for (&x, y) in x.iter().zip(y) {
        *y = x - all;
    }
}

fn softmax_backward<T: Scalar>(y: &[T], dy: &[T], dx: &mut [T]) {
    let mut mean = T::ZERO;
    for (&y, &dy) in y.iter().zip(dy) {
        mean += y * dy;
    }
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = y * (dy - mean);
    }
}

fn log_softmax_backward<T: Scalar>(y: &[T], dy: &[T], dx: &mut [T]) {
    let mut sum = T::ZERO;
    for &dy in dy {
        sum += dy;
    }
    for ((&y, &dy), dx) in y.iter().zip(dy).zip(dx) {
        *dx = dy - y.exp() * sum;
    }
}

macro_rules! over_positions {
    ($layer:ident, $forward:ident, $backward:ident) => {
        impl ConstZero for $layer {
            const ZERO: Self = Self;
        }
        no_parameters!($layer);

        impl<S: Shape, T: Scalar> Layer<S, T> for $layer {
            type Out = S;

            fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
                let channels = const { if S::CHANNELS == 0 { 1 } else { S::CHANNELS } };
                let positions = x.as_slice().chunks_exact(channels);
                for (x, y) in positions.zip(y.as_mut_slice().chunks_exact_mut(channels)) {
                    $forward(x, y);
                }
            }
        }

        impl<S: Shape, T: Scalar> Differentiable<S, T> for $layer {
            type Cache<const B: usize> = ();

            fn backward<const B: usize>(
                &self,
                _: &[S::Tensor<T>; B],
                y: &[S::Tensor<T>; B],
                (): &mut (),
                dy: &[S::Tensor<T>; B],
                _: &mut Self,
                dx: &mut [S::Tensor<T>; B],
            ) {
                let channels = const { if S::CHANNELS == 0 { 1 } else { S::CHANNELS } };
                for ((y, dy), dx) in y.iter().zip(dy).zip(dx) {
                    let positions = y.as_slice().chunks_exact(channels).zip(dy.as_slice().chunks_exact(channels));
                    for ((y, dy), dx) in positions.zip(dx.as_mut_slice().chunks_exact_mut(channels)) {
                        $backward(y, dy, dx);
                    }
                }
            }

            nothing_to_learn!(S, T);
        }
    };
}
over_positions!(Softmax, softmax, softmax_backward);
over_positions!(LogSoftmax, log_softmax, log_softmax_backward);
