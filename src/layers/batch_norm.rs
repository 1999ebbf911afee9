mod fold;
mod momentum;

pub use fold::{HasOutputs, IsBias, OutputsInnermost};
pub use momentum::{IsMomentum, Momentum};

use crate::layer::{Differentiable, Either, Gradient, Layer, Role, Source, Target, check_shapes, over, tensors};
use crate::layers::channels::Channels;
use crate::layers::norm::{Epsilon, IsEpsilon};
use crate::scalar::{ConstZero, Element, Negligible, Scalar};
use crate::shape::{Shape, Tensor};
use crate::streaming::step_by_step;
use core::marker::PhantomData;
use nalgebra::SVector;

/// Normalises each channel over a batch. PyTorch's `nn.BatchNorm1d(C)` and `nn.BatchNorm2d(C)`.
///
/// ```text
/// training:  y = (x - mean) / sqrt(variance + epsilon) * weight + bias
/// inference: y = (x - running_mean) / sqrt(running_var + epsilon) * weight + bias
///
/// running_mean += momentum (mean - running_mean)
/// running_var  += momentum (variance n / (n - 1) - running_var)
/// ```
///
/// Mean and variance, the biased one, are taken over the `n` positions of all samples of the batch. After each forward pass of a
/// [`Trainer`](crate::train::Trainer) the running averages follow; no gradient and no optimiser changes them. A batch that would make one of
/// them infinite or NaN changes nothing, and the trainer reports it. `E` is an
/// [`Epsilon`], by itself PyTorch's 1e-5, `M` a [`Momentum`], by itself PyTorch's 0.1; Keras counts its momentum the other way
/// round, and starts from 0.01 and an epsilon of 1e-3: `BatchNorm<C, Epsilon<1, 1000>, Momentum<1, 100>>`.
///
/// [`fit`](crate::train::Trainer::fit) fills the last, smaller batch of an epoch with other samples: they count in mean and
/// variance, and not in the loss.
///
/// A running mean is rounded to the scalar: where it is large beside the deviation, as 10,000 beside 0.001 in `f32`, predictions are as
/// coarse as that. Subtract such an offset from the inputs.
///
/// Once trained, [`fold_into`](BatchNorm::fold_into) moves it into the layer before it.
///
/// # Shapes
/// Any with `C` channels, to the same: the positions are the steps of a [`Sequence`](crate::Sequence), the pixels of an
/// [`Image`](crate::Image); a [`Vector<C>`](crate::Vector) is one.
///
/// Where a batch has one position in all, as one `Vector`, there is no variance: PyTorch refuses to train, and here the build
/// fails. A channel that is the same everywhere in a batch comes out as its bias.
///
/// # Cost
/// Inference: 2 additions and a multiplication for each number, and `C` square roots. Training goes over the batch three times,
/// back twice. `2 C` parameters and `2 C` running averages; the cache holds `5 C` numbers, whatever the batch.
///
/// # Example
/// ```
/// use constnet::{BatchNorm, Dense, Network, Relu, Vector};
///
/// type Net = Network<Vector<64>, (Dense<64, 32>, BatchNorm<32>, Relu, Dense<32, 10>)>;
/// assert_eq!(Net::PARAMETERS, 65 * 32 + 4 * 32 + 33 * 10);
/// ```
///
/// # Reference
/// Ioffe & Szegedy (2015), "Batch normalization". Sums as in Chan, Golub & LeVeque (1983).
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm<const C: usize, E: IsEpsilon = Epsilon, M: IsMomentum = Momentum, T = f32> {
    /// The factors: PyTorch's `weight`.
    pub weight: SVector<T, C>,
    /// What is added.
    pub bias: SVector<T, C>,
    /// The average of the batches' means.
    pub running_mean: SVector<T, C>,
    /// The average of the batches' variances. Of a layer of zeros it is 0: `init` makes it 1.
    pub running_var: SVector<T, C>,
    way: PhantomData<(E, M)>,
}

impl<const C: usize, E: IsEpsilon, M: IsMomentum, T> BatchNorm<C, E, M, T> {
    /// A layer with these parameters and running averages.
    pub const fn new(
        weight: SVector<T, C>,
        bias: SVector<T, C>,
        running_mean: SVector<T, C>,
        running_var: SVector<T, C>,
    ) -> Self {
        Self { weight, bias, running_mean, running_var, way: PhantomData }
    }
}

tensors! {
    [const C: usize, E: IsEpsilon, M: IsMomentum, T: Element] BatchNorm<C, E, M, T> => T, "BatchNorm" [C]
    0 weight "weight": SVector<T, C>, Role::Scale, [C] by [0];
    1 bias "bias": SVector<T, C>, Role::Shift, [C] by [0];
    2 running_mean "running_mean": SVector<T, C>, Role::RunningMean, [C] by [0];
    3 running_var "running_var": SVector<T, C>, Role::RunningVariance, [C] by [0];
    with way;
}

impl<const C: usize, E: IsEpsilon, M: IsMomentum, T: Scalar> BatchNorm<C, E, M, T> {
    /// What the layer multiplies by when it predicts.
    fn inference_scale(&self) -> SVector<T, C> {
        let mut scale = SVector::<T, C>::ZERO;
        set_scales(scale.as_mut_slice(), self.weight.as_slice(), self.running_var.as_slice(), T::from_f64(E::VALUE));
        scale
    }

    /// Normalises by the running averages, in place.
    #[inline]
    fn normalise(&self, numbers: &mut [T]) {
        let channels = [&self.weight, &self.running_var, &self.running_mean, &self.bias];
        normalise(channels.map(SVector::as_slice), T::from_f64(E::VALUE), numbers);
    }

    /// What the running mean and variance of a channel become after a batch of so many positions, whose cache this is.
    fn followed(&self, channel: usize, [mean, rest, _, variance, _]: &[SVector<T, C>; 5], positions: usize) -> [T; 2] {
        let at = |numbers: &SVector<T, C>| numbers.get(channel).copied().unwrap_or(T::ZERO).to_f64();
        // In `f64`, so that an average of like batches ends as near to them as the scalar allows. Where the batches give 0 it decays: it
        // becomes 0 before it would be subnormal.
        let follow = |running: f64, batch: f64| {
            Negligible::number().drop_from(T::from_f64(running + M::VALUE * (batch - running)))
        };
        let unbias = ratio::<f64>(positions, positions - 1);
        [follow(at(&self.running_mean), at(mean) + at(rest)), follow(at(&self.running_var), at(variance) * unbias)]
    }
}

/// What a prediction multiplies each channel by.
#[inline]
fn set_scales<T: Scalar>(scale: &mut [T], weight: &[T], variance: &[T], epsilon: T) {
    for ((scale, &weight), &variance) in scale.iter_mut().zip(weight).zip(variance) {
        *scale = weight / (variance + epsilon).sqrt();
    }
}

/// How many scales a prediction holds at once: what it takes of the stack does not grow with the channels.
const AT_A_TIME: usize = 32;

/// `x = (x - mean) * (weight / sqrt(variance + epsilon)) + bias` at each place, in place. For any number of channels: all layers share it.
#[inline(never)]
fn normalise<T: Scalar>([weight, variance, mean, bias]: [&[T]; 4], epsilon: T, numbers: &mut [T]) {
    let channels = weight.len();
    let parts = weight
        .chunks(AT_A_TIME)
        .zip(variance.chunks(AT_A_TIME))
        .zip(mean.chunks(AT_A_TIME).zip(bias.chunks(AT_A_TIME)));
    let mut start = 0;
    for ((weight, variance), (mean, bias)) in parts {
        let mut scale = [T::ZERO; AT_A_TIME];
        set_scales(&mut scale, weight, variance, epsilon);
        for numbers in numbers.chunks_exact_mut(channels.max(1)) {
            let numbers = numbers.get_mut(start..).unwrap_or_default();
            for ((x, &scale), (&mean, &bias)) in numbers.iter_mut().zip(&scale).zip(mean.iter().zip(bias)) {
                *x = (*x - mean) * scale + bias;
            }
        }
        start += AT_A_TIME;
    }
}

/// How many positions a batch has.
const fn positions<S: Shape, const B: usize>() -> usize {
    match S::LEN.checked_div(S::CHANNELS) {
        Some(positions) => positions * B,
        None => 0,
    }
}

/// That a batch of `B` samples has two positions or more: asserted where the memory to train with is made.
#[derive(Debug, Clone, Copy)]
pub struct Several<S, const B: usize>(PhantomData<S>);

impl<S: Shape, const B: usize> ConstZero for Several<S, B> {
    const ZERO: Self = {
        assert!(
            positions::<S, B>() > 1,
            "batch normalisation cannot be trained on one position: take a batch of 2 or more"
        );
        Self(PhantomData)
    };
}

#[allow(clippy::cast_precision_loss)]
fn ratio<T: Scalar>(a: usize, b: usize) -> T {
    T::from_f64(a as f64 / b as f64)
}

/// `a += b`, and `b` is 0 again.
fn move_to<T: Scalar, const C: usize>(a: &mut SVector<T, C>, b: &mut SVector<T, C>) {
    for (a, b) in a.iter_mut().zip(b.iter_mut()) {
        *a += *b;
        *b = T::ZERO;
    }
}

impl<S: Channels<C>, const C: usize, E: IsEpsilon, M: IsMomentum, T: Scalar> Layer<S, T> for BatchNorm<C, E, M, T> {
    type Out = S;
    type Peak<X, Y> = Either<X, Y>;

    const TURNS: bool = false;

    const CHECK: () = {
        check_shapes::<S, S>();
        let _ = (E::VALUE, M::VALUE);
    };

    #[inline]
    fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        y.copy_from(x);
        self.normalise(y.as_mut_slice());
    }

    #[inline]
    fn forward_in(&self, x: Source<'_, S::Tensor<T>>, arena: &mut [T], y: Target<'_, S::Tensor<T>>) {
        over(x, arena, y, |x, y| Layer::<S, T>::forward(self, x, y), |x| self.normalise(x));
    }
}

impl<S: Channels<C>, const C: usize, E: IsEpsilon, M: IsMomentum, T: Scalar> Differentiable<S, T>
    for BatchNorm<C, E, M, T>
{
    /// The mean in two parts, 1 over the deviation, the variance, and a place to work in. The way back works in the last two.
    type Cache<const B: usize> = ([SVector<T, C>; 5], Several<S, B>);

    fn forward_train<const B: usize>(
        &self,
        x: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [S::Tensor<T>; B],
    ) {
        let _: Several<S, B> = const { ConstZero::ZERO };
        let per_position = ratio::<T>(1, positions::<S, B>());
        let [mean, rest, scale, variance, part] = &mut cache.0;
        for sums in [&mut *mean, rest, variance, part] {
            sums.fill(T::ZERO);
        }
        // Sample by sample, so that no sum of many numbers swallows the next one.
        for x in x {
            for x in x.as_slice().as_chunks::<C>().0 {
                for (sum, &x) in part.iter_mut().zip(x) {
                    *sum += x;
                }
            }
            move_to(mean, part);
        }
        for mean in mean.iter_mut() {
            *mean *= per_position;
        }
        // The distances from the mean, beside their squares, make good what the mean lost to rounding.
        for x in x {
            for x in x.as_slice().as_chunks::<C>().0 {
                for (((part, rest), &mean), &x) in part.iter_mut().zip(&mut *rest).zip(&*mean).zip(x) {
                    let distance = x - mean;
                    *part += distance * distance;
                    *rest += distance;
                }
            }
            move_to(variance, part);
        }
        for ((variance, scale), rest) in variance.iter_mut().zip(scale.iter_mut()).zip(rest.iter_mut()) {
            *rest *= per_position;
            *variance = *variance * per_position - *rest * *rest;
            if *variance < T::ZERO {
                *variance = T::ZERO;
            }
            *scale = T::ONE / (*variance + T::from_f64(E::VALUE)).sqrt();
        }
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.as_slice().as_chunks::<C>().0.iter().zip(y.as_mut_slice().as_chunks_mut::<C>().0) {
                let of_channels = mean.iter().zip(&*rest).zip(&*scale).zip(&self.weight).zip(&self.bias);
                for (((((&mean, &rest), &scale), &weight), &bias), (&x, y)) in of_channels.zip(x.iter().zip(y)) {
                    *y = ((x - mean) - rest) * scale * weight + bias;
                }
            }
        }
    }

    fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
        (0..C).all(|channel| self.followed(channel, &cache.0, positions::<S, B>()).iter().all(|x| x.is_finite()))
    }

    fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {
        for channel in 0..C {
            let [mean, variance] = self.followed(channel, &cache.0, positions::<S, B>());
            if let (Some(running_mean), Some(running_var)) =
                (self.running_mean.get_mut(channel), self.running_var.get_mut(channel))
            {
                (*running_mean, *running_var) = (mean, variance);
            }
        }
    }

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[S::Tensor<T>; B],
        _: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[S::Tensor<T>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [S::Tensor<T>; B]>,
    ) {
        let [mean, rest, scale, sum, product_sum] = &mut cache.0;
        sum.fill(T::ZERO);
        product_sum.fill(T::ZERO);
        for (x, dy) in x.iter().zip(dy) {
            let (x, dy) = (x.as_slice().as_chunks::<C>().0, dy.as_slice().as_chunks::<C>().0);
            for (x, dy) in x.iter().zip(dy) {
                let moments = mean.iter().zip(&*rest).zip(&*scale);
                let of_channels = moments.zip(sum.iter_mut().zip(product_sum.iter_mut()));
                for ((((&mean, &rest), &scale), (sum, product_sum)), (&x, &dy)) in of_channels.zip(x.iter().zip(dy)) {
                    *sum += dy;
                    *product_sum += dy * (((x - mean) - rest) * scale);
                }
            }
        }
        let gradient = gradient.to_add();
        for (bias, &sum) in gradient.bias.iter_mut().zip(&*sum) {
            *bias += sum;
        }
        for (weight, &sum) in gradient.weight.iter_mut().zip(&*product_sum) {
            *weight += sum;
        }
        let Some(dx) = dx else { return };
        let per_position = ratio::<T>(1, positions::<S, B>());
        // `dx = weight scale (dy - mean of dy - n mean of (dy n))`, where `n = (x - mean) scale`.
        for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
            let (x, dy) = (x.as_slice().as_chunks::<C>().0, dy.as_slice().as_chunks::<C>().0);
            for ((x, dy), dx) in x.iter().zip(dy).zip(dx.as_mut_slice().as_chunks_mut::<C>().0) {
                let moments = mean.iter().zip(&*rest).zip(&*scale);
                let of_channels = moments.zip(&*sum).zip(&*product_sum).zip(&self.weight);
                for (((((moments, &sum), &product_sum), &weight), (&x, &dy)), dx) in
                    of_channels.zip(x.iter().zip(dy)).zip(dx)
                {
                    let ((&mean, &rest), &scale) = moments;
                    let normal = ((x - mean) - rest) * scale;
                    *dx = weight * scale * (dy - (sum + normal * product_sum) * per_position);
                }
            }
        }
    }
}

step_by_step!([const C: usize, E: IsEpsilon, M: IsMomentum] BatchNorm<C, E, M, T>);
