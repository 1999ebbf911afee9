use crate::error::DataError;
use crate::layer::Bound;
use crate::safetensors::archive::flat;
use crate::safetensors::{Archive, Entry, LoadError, SaveError, Stored, Values, ValuesMut, archive_methods};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::argument::TensorFor;
use crate::shape::{Shape, Tensor, TensorOf};

/// Brings each number of an input to mean 0 and standard deviation 1. Fit it on the training part, apply it to all.
///
/// ```text
/// x = (x - mean) / deviation
/// ```
///
/// A number that is the same in all samples is only moved to 0: its deviation counts as 1. The deviation is that of the
/// population (division by the count), as in scikit-learn's `StandardScaler`.
///
/// The mean is rounded to the scalar: where it is large beside the deviation, as 10,000 beside 0.001 in `f32`, so are the numbers
/// themselves, and what comes out is as coarse. Subtract such an offset where the numbers are still precise.
///
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{data::Standardizer, Vector};
///
/// let mut x = [[1.0, 5.0], [3.0, 5.0]].map(SVector::<f32, 2>::from);
/// let scaler = Standardizer::<Vector<2>>::fit(&x)?;
/// x.iter_mut().for_each(|x| scaler.apply(x));
/// assert_eq!(x, [[-1.0, 0.0], [1.0, 0.0]].map(SVector::from));
/// # Ok::<(), constnet::error::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer<S: Shape, T: Scalar = f32> {
    /// The mean of each number.
    pub mean: TensorOf<S, T>,
    /// The standard deviation of each number, 1 where it would be 0: always above 0.
    pub deviation: TensorOf<S, T>,
}

/// Brings each number of an input into `[0, 1]`. Fit it on the training part, apply it to all.
///
/// ```text
/// x = (x - minimum) / range
/// ```
///
/// A number that is the same in all samples is only moved to 0: its range counts as 1.
#[derive(Debug, Clone, PartialEq)]
pub struct MinMaxScaler<S: Shape, T: Scalar = f32> {
    /// The least of each number.
    pub minimum: TensorOf<S, T>,
    /// The greatest of each number less the least, 1 where it would be 0: always above 0.
    pub range: TensorOf<S, T>,
}

/// All 0: what `load` fills. `apply` divides by 0 before it is loaded, and `save` refuses it.
impl<S: Shape, T: Scalar> ConstZero for Standardizer<S, T> {
    const ZERO: Self = Self { mean: ConstZero::ZERO, deviation: ConstZero::ZERO };
}

/// All 0: what `load` fills. `apply` divides by 0 before it is loaded, and `save` refuses it.
impl<S: Shape, T: Scalar> ConstZero for MinMaxScaler<S, T> {
    const ZERO: Self = Self { minimum: ConstZero::ZERO, range: ConstZero::ZERO };
}

impl<S: Shape, T: Scalar> Standardizer<S, T> {
    /// The mean and deviation of a sample's numbers, by Welford's recurrence in `f64`.
    ///
    /// # Errors
    /// If there is no sample, a number that is not finite, or one whose deviation is beyond `T`.
    #[allow(clippy::cast_precision_loss)]
    pub fn fit<X: TensorFor<S, T>>(samples: &[X]) -> Result<Self, DataError> {
        check(samples)?;
        let (mut means, mut spreads) = (TensorOf::<S, f64>::ZERO, TensorOf::<S, f64>::ZERO);
        for (i, x) in samples.iter().enumerate() {
            let sums = means.as_mut_slice().iter_mut().zip(spreads.as_mut_slice());
            for ((mean, spread), x) in sums.zip(x.tensor().as_slice()) {
                let distance = x.to_f64() - *mean;
                *mean += distance / (i + 1) as f64;
                *spread += distance * (x.to_f64() - *mean);
            }
        }
        let mut scaler = Self::ZERO;
        let (mean, deviation) = (scaler.mean.as_mut_slice(), scaler.deviation.as_mut_slice());
        let sums = means.as_slice().iter().zip(spreads.as_slice());
        for (feature, ((mean, deviation), (m, spread))) in mean.iter_mut().zip(deviation).zip(sums).enumerate() {
            *mean = T::from_f64(*m);
            *deviation = size(T::from_f64(libm::sqrt(spread / samples.len() as f64)), feature)?;
        }
        Ok(scaler)
    }

    /// Scales one sample in place.
    pub fn apply(&self, x: &mut TensorOf<S, T>) {
        scale(x.as_mut_slice(), self.mean.as_slice(), self.deviation.as_slice());
    }

    /// Undoes [`apply`](Standardizer::apply).
    pub fn invert(&self, x: &mut TensorOf<S, T>) {
        unscale(x.as_mut_slice(), self.mean.as_slice(), self.deviation.as_slice());
    }
}

impl<S: Shape, T: Scalar> MinMaxScaler<S, T> {
    /// The least and the greatest of a sample's numbers.
    ///
    /// # Errors
    /// If there is no sample, a number that is not finite, or one whose range is beyond `T`.
    pub fn fit<X: TensorFor<S, T>>(samples: &[X]) -> Result<Self, DataError> {
        let first = check(samples)?;
        let (mut minimum, mut range) = (first.tensor().clone(), first.tensor().clone());
        for x in samples {
            let pairs = minimum.as_mut_slice().iter_mut().zip(range.as_mut_slice());
            for ((least, greatest), &x) in pairs.zip(x.tensor().as_slice()) {
                *least = least.min(x);
                *greatest = greatest.max(x);
            }
        }
        for (feature, (range, &least)) in range.as_mut_slice().iter_mut().zip(minimum.as_slice()).enumerate() {
            *range = size(*range - least, feature)?;
        }
        Ok(Self { minimum, range })
    }

    /// Scales one sample in place.
    pub fn apply(&self, x: &mut TensorOf<S, T>) {
        scale(x.as_mut_slice(), self.minimum.as_slice(), self.range.as_slice());
    }

    /// Undoes [`apply`](MinMaxScaler::apply).
    pub fn invert(&self, x: &mut TensorOf<S, T>) {
        unscale(x.as_mut_slice(), self.minimum.as_slice(), self.range.as_slice());
    }
}

/// Two tensors, each saved as one list. The second is divided by.
macro_rules! saved {
    ($scaler:ident, $first:ident, $second:ident) => {
        impl<S: Shape, T: Stored> $scaler<S, T> {
            archive_methods!("the scaler");
        }

        impl<S: Shape, T: Stored> Archive for $scaler<S, T> {
            fn entries(&self, f: &mut dyn FnMut(&Entry<'_>, Values<'_>)) {
                let Self { $first, $second } = self;
                flat(["", ""], stringify!($first), S::LEN, Bound::Finite, |entry| {
                    f(entry, T::values($first.as_slice()))
                });
                flat(["", ""], stringify!($second), S::LEN, Bound::Positive, |entry| {
                    f(entry, T::values($second.as_slice()))
                });
            }

            fn entries_mut(&mut self, f: &mut dyn FnMut(&Entry<'_>, ValuesMut<'_>)) {
                let Self { $first, $second } = self;
                flat(["", ""], stringify!($first), S::LEN, Bound::Finite, |entry| {
                    f(entry, T::values_mut($first.as_mut_slice()))
                });
                flat(["", ""], stringify!($second), S::LEN, Bound::Positive, |entry| {
                    f(entry, T::values_mut($second.as_mut_slice()))
                });
            }
        }
    };
}
saved!(Standardizer, mean, deviation);
saved!(MinMaxScaler, minimum, range);

/// The first sample, if there is one and every number of every sample is finite.
fn check<S: Shape, T: Scalar, X: TensorFor<S, T>>(samples: &[X]) -> Result<&X, DataError> {
    for (sample, x) in samples.iter().enumerate() {
        if let Some(feature) = x.tensor().as_slice().iter().position(|x| !x.is_finite()) {
            return Err(DataError::NotFinite { sample, feature });
        }
    }
    samples.first().ok_or(DataError::Empty)
}

/// `x = (x - shift) / size`
fn scale<T: Scalar>(x: &mut [T], shift: &[T], size: &[T]) {
    for ((x, &shift), &size) in x.iter_mut().zip(shift).zip(size) {
        *x = (*x - shift) / size;
    }
}

/// `x = x * size + shift`
fn unscale<T: Scalar>(x: &mut [T], shift: &[T], size: &[T]) {
    for ((x, &shift), &size) in x.iter_mut().zip(shift).zip(size) {
        *x = *x * size + shift;
    }
}

/// What a feature is divided by: 1 where it would be 0.
fn size<T: Scalar>(size: T, feature: usize) -> Result<T, DataError> {
    match size {
        size if size == T::ZERO => Ok(T::ONE),
        size if size.is_finite() => Ok(size),
        _ => Err(DataError::Spread { feature }),
    }
}
