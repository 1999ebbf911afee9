use super::{Epsilon, IsEpsilon};
use crate::kernels::norm::{Group, Moments, backward, moments};
use crate::layer::{Differentiable, Layer, Role, tensors};
use crate::layers::channels::Channels;
use crate::scalar::{Element, Scalar};
use crate::shape::Tensor;
use crate::shape::length::{Len, SharedBy};
use core::marker::PhantomData;
use nalgebra::SVector;

/// Normalises groups of channels, each over all positions of a sample. PyTorch's `nn.GroupNorm(G, C)`.
///
/// ```text
/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias
/// ```
///
/// Mean and variance, the biased one, are taken over the `C / G` channels of a group and all positions; `weight` and `bias` have
/// a number for each channel. `GroupNorm<C, C>` is an instance normalisation. It does not depend on the batch, so it stands in
/// for [`BatchNorm`](crate::BatchNorm) where batches are small.
///
/// # Shapes
/// Any with `C` channels, to the same. `G` must divide `C`.
///
/// # Cost
/// Some 5 additions and 3 multiplications for each number and `G` square roots a sample; `2 C` parameters; no cache: the backward
/// pass takes mean and variance anew. Not step by step: it looks at the whole of a sequence.
///
/// # Example
/// ```
/// use constnet::{Dense, Flatten, GroupNorm, Network, Relu, Sequence};
///
/// type Net = Network<Sequence<3, 10>, (Dense<3, 8>, GroupNorm<2, 8>, Relu, Flatten, Dense<80, 4>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Wu & He (2018), "Group normalization".
#[derive(Debug, Clone, PartialEq)]
pub struct GroupNorm<const G: usize, const C: usize, E: IsEpsilon = Epsilon, T = f32> {
    /// The factors: PyTorch's `weight`.
    pub weight: SVector<T, C>,
    /// What is added.
    pub bias: SVector<T, C>,
    epsilon: PhantomData<E>,
}

impl<const G: usize, const C: usize, E: IsEpsilon, T> GroupNorm<G, C, E, T> {
    /// A layer with these parameters.
    pub const fn new(weight: SVector<T, C>, bias: SVector<T, C>) -> Self {
        Self { weight, bias, epsilon: PhantomData }
    }
}

tensors! {
    [const G: usize, const C: usize, E: IsEpsilon, T: Element] GroupNorm<G, C, E, T> => T, "GroupNorm" [G, C]
    0 weight "weight": SVector<T, C>, Role::Scale, [C] by [0];
    1 bias "bias": SVector<T, C>, Role::Shift, [C] by [0];
    with epsilon;
}

impl<const G: usize, const C: usize, E: IsEpsilon, T: Scalar> GroupNorm<G, C, E, T> {
    const WIDTH: usize = {
        assert!(C > 0 && G > 0, "a normalisation needs a channel, and a group");
        C / G
    };

    fn groups() -> impl Iterator<Item = Group> {
        (0..G).map(|group| Group { start: group * Self::WIDTH, width: Self::WIDTH })
    }

    fn moments(x: &[[T; C]], group: Group) -> Moments<T> {
        moments::<T, C, true>(x, group, T::from_f64(E::VALUE))
    }

    /// Adds to the parameters' gradient what one group of a sample gives.
    fn gradient(gradient: &mut Self, x: &[[T; C]], group: Group, Moments { mean, scale }: Moments<T>, dy: &[[T; C]]) {
        let weight = group.of_mut(gradient.weight.as_mut_slice());
        let bias = group.of_mut(gradient.bias.as_mut_slice());
        for (x, dy) in x.iter().zip(dy) {
            let of_channels = weight.iter_mut().zip(&mut *bias);
            for (((weight, bias), &x), &dy) in of_channels.zip(group.of(x)).zip(group.of(dy)) {
                *weight += dy * ((x - mean) * scale);
                *bias += dy;
            }
        }
    }
}

impl<S: Channels<C>, const G: usize, const C: usize, E: IsEpsilon, T: Scalar> Layer<S, T> for GroupNorm<G, C, E, T>
where
    Len<C>: SharedBy<G>,
{
    type Out = S;

    fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        let (x, y) = (x.as_slice().as_chunks().0, y.as_mut_slice().as_chunks_mut::<C>().0);
        for group in Self::groups() {
            let Moments { mean, scale } = Self::moments(x, group);
            let (weight, bias) = (group.of(self.weight.as_slice()), group.of(self.bias.as_slice()));
            for (x, y) in x.iter().zip(&mut *y) {
                let of_channels = weight.iter().zip(bias);
                for (((&weight, &bias), &x), y) in of_channels.zip(group.of(x)).zip(group.of_mut(y)) {
                    *y = (x - mean) * scale * weight + bias;
                }
            }
        }
    }
}

impl<S: Channels<C>, const G: usize, const C: usize, E: IsEpsilon, T: Scalar> Differentiable<S, T>
    for GroupNorm<G, C, E, T>
where
    Len<C>: SharedBy<G>,
{
    type Cache<const B: usize> = ();

    fn backward<const B: usize>(
        &self,
        x: &[S::Tensor<T>; B],
        _: &[S::Tensor<T>; B],
        (): &mut (),
        dy: &[S::Tensor<T>; B],
        gradient: &mut Self,
        dx: &mut [S::Tensor<T>; B],
    ) {
        for ((x, dy), dx) in x.iter().zip(dy).zip(dx) {
            let (x, dy) = (x.as_slice().as_chunks().0, dy.as_slice().as_chunks().0);
            let dx = dx.as_mut_slice().as_chunks_mut::<C>().0;
            for (dx, dy) in dx.iter_mut().zip(dy) {
                for ((dx, &dy), &weight) in dx.iter_mut().zip(dy).zip(&self.weight) {
                    *dx = dy * weight;
                }
            }
            for group in Self::groups() {
                let moments = Self::moments(x, group);
                Self::gradient(gradient, x, group, moments, dy);
                backward::<T, C, true>(x, group, moments, dx);
            }
        }
    }

    fn backward_parameters<const B: usize>(
        &self,
        x: &[S::Tensor<T>; B],
        _: &[S::Tensor<T>; B],
        (): &mut (),
        dy: &[S::Tensor<T>; B],
        gradient: &mut Self,
    ) {
        for (x, dy) in x.iter().zip(dy) {
            let (x, dy) = (x.as_slice().as_chunks().0, dy.as_slice().as_chunks().0);
            for group in Self::groups() {
                Self::gradient(gradient, x, group, Self::moments(x, group), dy);
            }
        }
    }
}
