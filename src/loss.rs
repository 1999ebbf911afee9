//! Losses, each beside its gradient, as PyTorch defines them with `reduction="mean"`.
//!
//! | loss | output of the network | target |
//! |---|---|---|
//! | [`Mse`], [`L1`], [`Huber`] | any shape | a tensor of the same shape |
//! | [`BinaryCrossEntropy`] | probabilities, any shape | a tensor of the same shape, 0 to 1 |
//! | [`BinaryCrossEntropyWithLogits`] | logits, any shape | a tensor of the same shape, 0 to 1 |
//! | [`CrossEntropy`], [`SmoothedCrossEntropy`] | logits, `Vector<N>` | [`Class<N>`](crate::Class) |
//! | [`CategoricalCrossEntropy`] | probabilities, `Vector<N>` | [`Class<N>`](crate::Class) |
//! | [`Nll`] | log-probabilities, `Vector<N>` | [`Class<N>`](crate::Class) |
//!
//! A [`Trainer`](crate::train::Trainer) of a pair that certainly does not belong together, such as [`CrossEntropy`] behind
//! `Softmax`, which would compute the softmax twice and learn badly, fails the build with the right pair; [`Unchecked`] insists. A
//! loss of your own says what it takes by [`Loss::TAKES`], a layer what it gives by [`Layer::MEANING`](crate::layer::Layer::MEANING).
//!
//! The last three rows also take a `Sequence<N, L>` with a target `[Class<N>; L]`: the mean over the steps.

mod binary;
mod classification;
mod elementwise;
mod penalty;
mod takes;

pub use binary::{BinaryCrossEntropy, BinaryCrossEntropyWithLogits};
pub use classification::{CategoricalCrossEntropy, CrossEntropy, Nll, Numbered, SmoothedCrossEntropy};
pub use elementwise::{Huber, L1, Mse};
pub use penalty::Penalty;
pub use takes::{Takes, Unchecked};

use crate::scalar::Scalar;
use crate::shape::Shape;

/// How far an output is from its target.
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` does not take a target `{Target}` for an output of shape `{Out}`: a label `Class<N>` (see `Class::new`) needs an output `Vector<N>`, which a `Dense<_, N>` behind `Flatten` or `Last` gives",
    label = "does not take `{Target}` for `{Out}`",
    note = "`CrossEntropy` for an output `Vector<N>` takes `Class<N>` with the same N, for a `Sequence<N, L>` `[Class<N>; L]`; `Mse` takes a tensor of the output's shape"
)]
pub trait Loss<Out: Shape, Target, T: Scalar = f32> {
    /// What the output has to be, as far as the type of a network can tell.
    const TAKES: Takes = Takes::Anything;

    /// The loss of one sample.
    fn loss(&self, y: &Out::Tensor<T>, target: &Target) -> T;

    /// Overwrites `dy` with `scale` times the gradient with respect to `y`, and returns the loss.
    fn gradient(&self, y: &Out::Tensor<T>, target: &Target, scale: T, dy: &mut Out::Tensor<T>) -> T;
}

/// Implements [`Loss`] as the mean over all numbers, from the loss of one number and its derivative.
macro_rules! mean_of_numbers {
    ($loss:ident $(takes $takes:ident)?, |$this:ident, $y:ident, $t:ident: $T:ident| $value:expr, $derivative:expr) => {
        impl<S: $crate::shape::Shape, $T: $crate::scalar::Scalar, X: $crate::shape::argument::TensorFor<S, $T>>
            $crate::loss::Loss<S, X, $T> for $loss
        {
            $(const TAKES: $crate::loss::Takes = $crate::loss::Takes::$takes;)?

            #[inline]
            fn loss(&self, y: &S::Tensor<$T>, target: &X) -> $T {
                use $crate::shape::Tensor;
                let $this = self;
                let sum = $crate::kernels::loss::sum_of_pairs(
                    y.as_slice(),
                    target.tensor().as_slice(),
                    #[inline(always)]
                    |$y: $T, $t: $T| $value,
                );
                sum / $crate::loss::count::<S, $T>()
            }

            #[inline]
            fn gradient(&self, y: &S::Tensor<$T>, target: &X, scale: $T, dy: &mut S::Tensor<$T>) -> $T {
                use $crate::shape::Tensor;
                let $this = self;
                let sum = $crate::kernels::loss::gradient_of_pairs(
                    y.as_slice(),
                    target.tensor().as_slice(),
                    #[inline(always)]
                    |$y: $T, $t: $T| $value,
                    #[inline(always)]
                    |$y: $T, $t: $T| $derivative,
                    scale / $crate::loss::count::<S, $T>(),
                    dy.as_mut_slice(),
                );
                sum / $crate::loss::count::<S, $T>()
            }
        }
    };
}
use mean_of_numbers;

/// How many numbers a tensor holds, as a scalar.
#[allow(clippy::cast_precision_loss)]
#[inline]
fn count<S: Shape, T: Scalar>() -> T {
    T::from_f64(S::LEN as f64)
}
