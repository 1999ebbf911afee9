use super::Loss;
use crate::layer::Meaning;
use crate::scalar::Scalar;
use crate::shape::Shape;

/// What a loss takes for the output of a network. A [`Trainer`](crate::train::Trainer) compares it with the [`Meaning`] of the
/// network's output: a pair that certainly does not belong together fails the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// Any numbers.
    Anything,
    /// Logits of classes, of which the loss computes the softmax.
    ClassLogits,
    /// Logits each by itself, of which the loss computes the sigmoid.
    BinaryLogits,
    /// Probabilities.
    Probabilities,
    /// Logarithms of probabilities.
    LogProbabilities,
}

impl Takes {
    /// Fails the build if the output of a network is certainly not what the loss takes.
    pub(crate) const fn check(self, output: Meaning) {
        match (self, output) {
            (Self::ClassLogits, Meaning::Probabilities) => panic!(
                "`CrossEntropy` takes logits, and the network ends with probabilities: leave out its last `Softmax` or `Sigmoid`, or train with `CategoricalCrossEntropy`; `loss::Unchecked` insists"
            ),
            (Self::ClassLogits, Meaning::LogProbabilities) => panic!(
                "`CrossEntropy` takes logits, and the network ends with log-probabilities: leave out its last `LogSoftmax`, or train with `Nll`; `loss::Unchecked` insists"
            ),
            (Self::BinaryLogits, Meaning::Probabilities | Meaning::LogProbabilities) => panic!(
                "`BinaryCrossEntropyWithLogits` takes logits, and the network ends with probabilities: leave out its last `Sigmoid` or softmax, or train with `BinaryCrossEntropy`; `loss::Unchecked` insists"
            ),
            (Self::Probabilities, Meaning::LogProbabilities) => panic!(
                "the loss takes probabilities, and the network ends with log-probabilities: end it with `Softmax`, or train with `Nll`; `loss::Unchecked` insists"
            ),
            (Self::LogProbabilities, Meaning::Probabilities) => panic!(
                "`Nll` takes log-probabilities, and the network ends with probabilities: end it with `LogSoftmax`, or train with `CategoricalCrossEntropy`; `loss::Unchecked` insists"
            ),
            _ => {}
        }
    }
}

/// A loss that takes whatever the network gives: for a pair that a [`Trainer`](crate::train::Trainer) would refuse.
///
/// ```
/// use constnet::loss::{CrossEntropy, Unchecked};
/// use constnet::nalgebra::SVector;
/// use constnet::{Class, Dense, Network, Softmax, Vector, optimizer::Sgd, train::Trainer};
///
/// // The logits are probabilities here, between 0 and 1: no class gets more than e / (e + 2).
/// type Net = Network<Vector<2>, (Dense<2, 3>, Softmax)>;
///
/// let mut trainer = Trainer::<Net, _, _, 1>::new(Sgd::const_new(0.1), Unchecked(CrossEntropy));
/// let loss = trainer.step(&mut Net::ZERO, &[SVector::zeros()], &[Class::const_new(0)]);
/// assert!((loss - 3f32.ln()).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unchecked<L>(
    /// The loss.
    pub L,
);

impl<Out: Shape, Target, T: Scalar, L: Loss<Out, Target, T>> Loss<Out, Target, T> for Unchecked<L> {
    #[inline]
    fn loss(&self, y: &Out::Tensor<T>, target: &Target) -> T {
        self.0.loss(y, target)
    }

    #[inline]
    fn gradient(&self, y: &Out::Tensor<T>, target: &Target, scale: T, dy: &mut Out::Tensor<T>) -> T {
        self.0.gradient(y, target, scale, dy)
    }
}
