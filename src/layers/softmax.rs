use crate::kernels::softmax::{
    Position, log_softmax, log_softmax_backward, log_softmax_in_place, softmax, softmax_backward, softmax_in_place,
};
use crate::layer::{Differentiable, Either, Gradient, Layer, Meaning, Source, Target, no_parameters, over};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::{Numeric, Shape, Tensor};
use crate::streaming::step_by_step;
use core::marker::PhantomData;

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

/// The positions of a shape.
struct Of<S>(PhantomData<S>);

impl<S: Shape> Position for Of<S> {
    const WIDTH: usize = if S::CHANNELS == 0 { 1 } else { S::CHANNELS };
    const IS_ALL: bool = S::LEN > 0 && S::LEN == S::CHANNELS;
}

macro_rules! over_positions {
    ($layer:ident gives $meaning:ident, $forward:ident, $in_place:ident, $backward:ident) => {
        impl ConstZero for $layer {
            const ZERO: Self = Self;
        }
        no_parameters!($layer);

        impl<S: Numeric, T: Scalar> Layer<S, T> for $layer {
            type Out = S;
            type Peak<X, Y> = Either<X, Y>;
            const TURNS: bool = false;
            const MEANING: Meaning = Meaning::$meaning;

            fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
                $forward::<T, Of<S>>(x.as_slice(), y.as_mut_slice());
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn forward_in(&self, x: Source<'_, S::Tensor<T>>, arena: &mut [T], y: Target<'_, S::Tensor<T>>) {
                over(x, arena, y, |x, y| Layer::<S, T>::forward(self, x, y), |x| $in_place::<T, Of<S>>(x));
            }
        }

        impl<S: Numeric, T: Scalar> Differentiable<S, T> for $layer {
            type Cache<const B: usize> = ();

            fn backward<const B: usize, const ADDS: bool>(
                &self,
                _: &[S::Tensor<T>; B],
                y: &[S::Tensor<T>; B],
                (): &mut (),
                dy: &[S::Tensor<T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [S::Tensor<T>; B]>,
            ) {
                let Some(dx) = dx else { return };
                for ((y, dy), dx) in y.iter().zip(dy).zip(dx) {
                    $backward::<T, Of<S>>(y.as_slice(), dy.as_slice(), dx.as_mut_slice());
                }
            }
        }
    };
}
over_positions!(Softmax gives Probabilities, softmax, softmax_in_place, softmax_backward);
over_positions!(LogSoftmax gives LogProbabilities, log_softmax, log_softmax_in_place, log_softmax_backward);
step_by_step!([] Softmax);
step_by_step!([] LogSoftmax);
