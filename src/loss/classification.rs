use super::{Loss, Takes};
use crate::class::Class;
use crate::error::{HyperparameterError, Range, valid};
use crate::kernels::softmax::{LogSum, log_sum_exp, softmax_less_target};
use crate::scalar::Scalar;
use crate::shape::{Sequence, Shape, TensorOf, Vector};
use nalgebra::{SMatrix, SVector};

/// Cross-entropy of logits against classes. PyTorch's `nn.CrossEntropyLoss`.
///
/// ```text
/// ln(sum over i of exp(y_i)) - y_class
/// ```
///
/// The softmax is a part of it: the network ends with its logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrossEntropy;

impl CrossEntropy {
    /// With label smoothing: the target is `1 - smoothing` for the class, and `smoothing` shared by all.
    ///
    /// # Errors
    /// If `smoothing` is not 0 or above, and below 1.
    pub const fn smoothed(smoothing: f64) -> Result<SmoothedCrossEntropy, HyperparameterError> {
        match Range::Fraction.check("smoothing", smoothing) {
            Ok(smoothing) => Ok(SmoothedCrossEntropy { smoothing }),
            Err(error) => Err(error),
        }
    }

    /// The same for a constant.
    ///
    /// # Panics
    /// If `smoothing` is not 0 or above, and below 1: in a constant, the build fails.
    #[must_use]
    pub const fn const_smoothed(smoothing: f64) -> SmoothedCrossEntropy {
        valid(Self::smoothed(smoothing))
    }
}

/// [`CrossEntropy`] with label smoothing: made by [`CrossEntropy::smoothed`]. PyTorch's
/// `nn.CrossEntropyLoss(label_smoothing=..)`.
///
/// ```text
/// ln(sum over i of exp(y_i)) - (1 - smoothing) y_class - smoothing mean of y
/// ```
///
/// # Reference
/// Szegedy and others (2016), "Rethinking the inception architecture".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothedCrossEntropy {
    smoothing: f64,
}

/// Cross-entropy of probabilities, as a last [`Softmax`](crate::Softmax) gives them, against classes. Keras's
/// `CategoricalCrossentropy(from_logits=False)`.
///
/// ```text
/// -ln y_class
/// ```
///
/// As in Keras, a probability is held between 1e-7 and 1 - 1e-7. Unlike Keras, the derivative is that at the held value, not
/// 0: a network that is sure and wrong still learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategoricalCrossEntropy;

/// Negative log-likelihood of log-probabilities, as a last [`LogSoftmax`](crate::LogSoftmax) gives them. PyTorch's
/// `nn.NLLLoss`.
///
/// ```text
/// -y_class
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nll;

/// A loss of one position against one class.
trait AgainstClass {
    fn value<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>) -> T;
    fn slope<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>, scale: T, dy: &mut [T; N]) -> T;
}

/// `values[class]`: the search never fails, and unlike an index it has no way to panic.
fn at<T: Scalar, const N: usize>(values: &[T; N], class: Class<N>) -> T {
    values.get(class.index()).copied().unwrap_or(T::ZERO)
}

/// `values[class] += change`
fn add_at<T: Scalar, const N: usize>(values: &mut [T; N], class: Class<N>, change: T) {
    if let Some(value) = values.get_mut(class.index()) {
        *value += change;
    }
}

impl AgainstClass for CrossEntropy {
    fn value<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>) -> T {
        -log_sum_exp(y).below(at(y, class))
    }

    fn slope<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>, scale: T, dy: &mut [T; N]) -> T {
        let all = softmax_less_target(y, class.index(), [T::ONE, T::ZERO], scale, dy);
        -all.below(at(y, class))
    }
}

impl AgainstClass for SmoothedCrossEntropy {
    fn value<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>) -> T {
        self.expected(&log_sum_exp(y), y, class)
    }

    fn slope<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>, scale: T, dy: &mut [T; N]) -> T {
        let share = self.share::<N>();
        let target = [T::from_f64(1.0 - self.smoothing + share), T::from_f64(share)];
        let all = softmax_less_target(y, class.index(), target, scale, dy);
        self.expected(&all, y, class)
    }
}

impl SmoothedCrossEntropy {
    /// What each class gets of the smoothing.
    #[allow(clippy::cast_precision_loss)]
    fn share<const N: usize>(self) -> f64 {
        self.smoothing / N as f64
    }

    /// The cross-entropy under the smoothed target.
    fn expected<T: Scalar, const N: usize>(self, all: &LogSum<T>, y: &[T; N], class: Class<N>) -> T {
        let mut sum = T::ZERO;
        for &y in y {
            sum += all.below(y);
        }
        -(T::from_f64(1.0 - self.smoothing) * all.below(at(y, class)) + T::from_f64(self.share::<N>()) * sum)
    }
}

impl AgainstClass for CategoricalCrossEntropy {
    fn value<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>) -> T {
        -held(at(y, class)).ln()
    }

    fn slope<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>, scale: T, dy: &mut [T; N]) -> T {
        let y = held(at(y, class));
        *dy = [T::ZERO; N];
        add_at(dy, class, -scale / y);
        -y.ln()
    }
}

/// A probability between 1e-7 and 1 - 1e-7; NaN stays NaN.
fn held<T: Scalar>(y: T) -> T {
    let least = T::from_f64(1e-7);
    if y < least {
        least
    } else if y > T::ONE - least {
        T::ONE - least
    } else {
        y
    }
}

impl AgainstClass for Nll {
    fn value<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>) -> T {
        -at(y, class)
    }

    fn slope<T: Scalar, const N: usize>(&self, y: &[T; N], class: Class<N>, scale: T, dy: &mut [T; N]) -> T {
        *dy = [T::ZERO; N];
        add_at(dy, class, -scale);
        -at(y, class)
    }
}

/// An output whose classes are numbers of type `Number`: there is none.
#[diagnostic::on_unimplemented(
    message = "`{Number}` is not a label for an output of shape `{Self}`: make one of the number with `Class::new`",
    label = "a `{Number}`, not a `Class`",
    note = "`Class::<10>::new(3)?` checks once that the number is in range; an output `Vector<N>` takes `Class<N>`, a `Sequence<N, L>` takes `[Class<N>; L]`"
)]
pub trait Numbered<Number>: Shape {
    /// There is no such output.
    fn never() -> !;
}

/// No losses, but a better error than that there are none.
macro_rules! numbers_are_no_labels {
    ($loss:ident $($number:ty)+) => { $(
        impl<Out: Numbered<$number>, T: Scalar> Loss<Out, $number, T> for $loss {
            fn loss(&self, _: &Out::Tensor<T>, _: &$number) -> T {
                Out::never()
            }

            fn gradient(&self, _: &Out::Tensor<T>, _: &$number, _: T, _: &mut Out::Tensor<T>) -> T {
                Out::never()
            }
        }
    )+ };
}
/// A vector has one class, a sequence one for each step.
macro_rules! against_classes {
    ($($loss:ident takes $takes:ident),+) => { $(
        impl<T: Scalar, const N: usize> Loss<Vector<N>, Class<N>, T> for $loss {
            const TAKES: Takes = Takes::$takes;

            fn loss(&self, y: &SVector<T, N>, target: &Class<N>) -> T {
                let [y] = &y.data.0;
                self.value(y, *target)
            }

            fn gradient(&self, y: &SVector<T, N>, target: &Class<N>, scale: T, dy: &mut SVector<T, N>) -> T {
                let ([y], [dy]) = (&y.data.0, &mut dy.data.0);
                self.slope(y, *target, scale, dy)
            }
        }

        impl<T: Scalar, const N: usize, const L: usize> Loss<Sequence<N, L>, [Class<N>; L], T> for $loss {
            const TAKES: Takes = Takes::$takes;

            fn loss(&self, y: &SMatrix<T, N, L>, target: &[Class<N>; L]) -> T {
                let mut sum = T::ZERO;
                for (y, &class) in y.data.0.iter().zip(target) {
                    sum += self.value(y, class);
                }
                sum / super::count::<Vector<L>, T>()
            }

            fn gradient(
                &self,
                y: &TensorOf<Sequence<N, L>, T>,
                target: &[Class<N>; L],
                scale: T,
                dy: &mut TensorOf<Sequence<N, L>, T>,
            ) -> T {
                let steps = super::count::<Vector<L>, T>();
                let mut sum = T::ZERO;
                for ((y, &class), dy) in y.data.0.iter().zip(target).zip(&mut dy.data.0) {
                    sum += self.slope(y, class, scale / steps, dy);
                }
                sum / steps
            }
        }

        numbers_are_no_labels!($loss usize u8 u16 u32 u64 i8 i16 i32 i64 isize);
    )+ };
}

against_classes!(
    CrossEntropy takes ClassLogits,
    SmoothedCrossEntropy takes ClassLogits,
    CategoricalCrossEntropy takes Probabilities,
    Nll takes LogProbabilities
);
