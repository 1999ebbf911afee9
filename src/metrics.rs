//! How good predictions are.

use crate::class::Class;
use crate::scalar::Scalar;
use crate::shape::{Shape, Tensor};
use nalgebra::{ArrayStorage, SMatrix, SVector};

/// How often each class was taken for each: rows are the true classes, columns the predictions.
///
/// ```
/// use constnet::{Class, metrics::ConfusionMatrix};
///
/// let [cat, dog] = [0, 1].map(Class::<2>::const_new);
/// let mut matrix = ConfusionMatrix::<2>::NEW;
/// for (predicted, actual) in [(cat, cat), (cat, cat), (cat, dog), (dog, dog)] {
///     matrix.add(predicted, actual);
/// }
/// assert_eq!(matrix.accuracy(), 0.75);
/// assert_eq!(matrix.precision(cat), 2.0 / 3.0);
/// assert_eq!(matrix.recall(dog), 0.5);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix<const N: usize> {
    counts: [[u32; N]; N],
}

impl<const N: usize> ConfusionMatrix<N> {
    /// Nothing counted yet.
    pub const NEW: Self = Self { counts: [[0; N]; N] };

    /// Counts one prediction. A count ends at `u32::MAX`.
    pub fn add(&mut self, predicted: Class<N>, actual: Class<N>) {
        if let Some(count) = self.counts.get_mut(actual.index()).and_then(|row| row.get_mut(predicted.index())) {
            *count = count.saturating_add(1);
        }
    }

    /// Counts the class with the largest score as the prediction; `false`, and nothing counted, where all scores are NaN.
    pub fn add_scores<T: Scalar>(&mut self, scores: &SVector<T, N>, actual: Class<N>) -> bool {
        Class::argmax(scores).inspect(|&predicted| self.add(predicted, actual)).is_some()
    }

    /// The counts: `counts()[actual][predicted]`.
    #[must_use]
    pub const fn counts(&self) -> &[[u32; N]; N] {
        &self.counts
    }

    /// How many predictions were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.as_flattened().iter().map(|&count| u64::from(count)).sum()
    }

    /// The part of all predictions that is right; NaN before the first.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(Class::<N>::all().map(|class| self.right(class)).sum(), self.total())
    }

    /// Of the predictions of a class, the part that is right; NaN where there are none.
    #[must_use]
    pub fn precision(&self, class: Class<N>) -> f64 {
        ratio(self.right(class), self.predicted(class))
    }

    /// Of the samples of a class, the part that is found; NaN where there are none.
    #[must_use]
    pub fn recall(&self, class: Class<N>) -> f64 {
        ratio(self.right(class), self.actual(class))
    }

    /// The harmonic mean of precision and recall; NaN where the class neither occurs nor is predicted.
    #[must_use]
    pub fn f1(&self, class: Class<N>) -> f64 {
        ratio(2 * self.right(class), self.predicted(class) + self.actual(class))
    }

    /// The mean of [`f1`](ConfusionMatrix::f1) over the classes for which it is a number.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let scores = Class::all().map(|class| self.f1(class)).filter(|f1| !f1.is_nan());
        let (sum, count) = scores.fold((0.0, 0.0), |(sum, count), f1| (sum + f1, count + 1.0));
        sum / count
    }

    fn right(&self, class: Class<N>) -> u64 {
        self.count(class, class)
    }

    fn actual(&self, class: Class<N>) -> u64 {
        Class::all().map(|predicted| self.count(class, predicted)).sum()
    }

    fn predicted(&self, class: Class<N>) -> u64 {
        Class::all().map(|actual| self.count(actual, class)).sum()
    }

    fn count(&self, actual: Class<N>, predicted: Class<N>) -> u64 {
        let count = self.counts.get(actual.index()).and_then(|row| row.get(predicted.index()));
        count.copied().map_or(0, u64::from)
    }
}

impl<const N: usize> Default for ConfusionMatrix<N> {
    fn default() -> Self {
        Self::NEW
    }
}

/// The part of scores whose largest is that of their class; NaN where there are none.
pub fn accuracy<'a, T: Scalar, const N: usize>(
    scores: impl IntoIterator<Item = (&'a SVector<T, N>, &'a Class<N>)>,
) -> f64 {
    part(scores.into_iter().map(|(scores, class)| Class::argmax(scores) == Some(*class)))
}

/// The part of all steps whose largest score is that of their class, for networks that class each step of a
/// [`Sequence`](crate::Sequence); NaN where there are none.
pub fn step_accuracy<'a, T: Scalar, const N: usize, const L: usize>(
    scores: impl IntoIterator<Item = (&'a SMatrix<T, N, L>, &'a [Class<N>; L])>,
) -> f64 {
    let steps = scores.into_iter().flat_map(|(scores, classes)| scores.data.0.iter().zip(classes));
    part(
        steps.map(|(&scores, class)| {
            Class::argmax(&SVector::from_array_storage(ArrayStorage([scores]))) == Some(*class)
        }),
    )
}

/// The part of scores whose `k` largest include that of their class; NaN where there are none.
///
/// Of equal scores the first counts as the larger, as in [`Class::argmax`]; a score that is NaN is below all others.
pub fn top_k_accuracy<'a, T: Scalar, const N: usize>(
    k: usize,
    scores: impl IntoIterator<Item = (&'a SVector<T, N>, &'a Class<N>)>,
) -> f64 {
    part(scores.into_iter().map(|(scores, class)| {
        let Some(&own) = scores.get(class.index()) else { return false };
        let above =
            Class::<N>::all().zip(scores).filter(|&(other, &score)| score > own || (score == own && other < *class));
        own.partial_cmp(&own).is_some() && above.count() < k
    }))
}

/// Errors of predictions of numbers, counted one tensor at a time.
///
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{Vector, metrics::Regression};
///
/// let mut errors = Regression::NEW;
/// errors.add::<Vector<2>, f32>(&SVector::from([1.0, 2.0]), &SVector::from([1.0, 4.0]));
/// assert_eq!((errors.mae(), errors.rmse()), (1.0, 2f64.sqrt()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regression {
    count: f64,
    absolute: f64,
    squared: f64,
    mean: f64,
    /// The sum of squared distances of the targets from their mean, by Welford's recurrence.
    spread: f64,
}

impl Regression {
    /// Nothing counted yet.
    pub const NEW: Self = Self { count: 0.0, absolute: 0.0, squared: 0.0, mean: 0.0, spread: 0.0 };

    /// Counts every number of one prediction.
    pub fn add<S: Shape, T: Scalar>(&mut self, predicted: &S::Tensor<T>, actual: &S::Tensor<T>) {
        for (predicted, actual) in predicted.as_slice().iter().zip(actual.as_slice()) {
            let (actual, error) = (actual.to_f64(), predicted.to_f64() - actual.to_f64());
            self.count += 1.0;
            self.absolute += error.abs();
            self.squared += error * error;
            let distance = actual - self.mean;
            self.mean += distance / self.count;
            self.spread += distance * (actual - self.mean);
        }
    }

    /// The mean absolute error; NaN before the first number.
    #[must_use]
    pub fn mae(&self) -> f64 {
        self.absolute / self.count
    }

    /// The root of the mean squared error; NaN before the first number.
    #[must_use]
    pub fn rmse(&self) -> f64 {
        libm::sqrt(self.squared / self.count)
    }

    /// The coefficient of determination: 1 for perfect predictions, 0 for those as good as the mean of the targets. Over the
    /// numbers of all outputs together. NaN or negative infinity where all targets are the same.
    #[must_use]
    pub fn r2(&self) -> f64 {
        1.0 - self.squared / self.spread
    }
}

impl Default for Regression {
    fn default() -> Self {
        Self::NEW
    }
}

/// The part that is true; NaN where there are none.
fn part(all: impl Iterator<Item = bool>) -> f64 {
    let (right, total) = all.fold((0, 0), |(right, total), is_right| (right + u64::from(is_right), total + 1));
    ratio(right, total)
}

#[allow(clippy::cast_precision_loss)]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}
