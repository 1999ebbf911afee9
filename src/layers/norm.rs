//! Normalisation within a sample: over the channels of each position, or over groups of channels.

mod constant;
mod group;

pub use constant::{Epsilon, IsEpsilon};
pub use group::GroupNorm;

use crate::kernels::norm::{Group, Moments, backward, moments};
use crate::layer::{Differentiable, Layer, Role, tensors};
use crate::layers::channels::Channels;
use crate::scalar::{Element, Scalar};
use crate::shape::Tensor;
use crate::streaming::step_by_step;
use core::marker::PhantomData;
use nalgebra::SVector;

/// Normalises the channels of each position. PyTorch's `nn.LayerNorm(N)`.
///
/// ```text
/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias
/// ```
///
/// Mean and variance, the biased one, are taken over the `N` channels of a position. `E` is an [`Epsilon`], by itself PyTorch's
/// 1e-5.
///
/// # Shapes
/// Any with `N` channels, to the same: a [`Vector<N>`](crate::Vector) as a whole, each step of a
/// [`Sequence`](crate::Sequence), each pixel of an [`Image`](crate::Image).
///
/// # Cost
/// Some 5 additions and 3 multiplications for each number and a square root for each position; `2 N` parameters; no cache: the
/// backward pass takes mean and variance anew.
///
/// # Example
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{LayerNorm, Network, Vector};
///
/// let layer = LayerNorm::new(SVector::from([1.0; 4]), SVector::from([0.0; 4]));
/// let net = Network::<Vector<4>, (LayerNorm<4>,)>::new((layer,));
/// let y = net.predict(&SVector::from([99.0, 101.0, 99.0, 101.0]));
/// assert!((y - SVector::from([-1.0, 1.0, -1.0, 1.0])).norm() < 1e-4);
/// ```
///
/// # Reference
/// Ba, Kiros & Hinton (2016), "Layer normalization".
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm<const N: usize, E: IsEpsilon = Epsilon, T = f32> {
    /// The factors: PyTorch's `weight`.
    pub weight: SVector<T, N>,
    /// What is added.
    pub bias: SVector<T, N>,
    epsilon: PhantomData<E>,
}

/// Divides the channels of each position by their root mean square. PyTorch's `nn.RMSNorm(N)`.
///
/// ```text
/// y = x / sqrt(mean of x^2 + epsilon) * weight
/// ```
///
/// `E` is an [`Epsilon`], by itself 1e-5; PyTorch takes the scalar's own 1.2e-7 unless it is told.
///
/// # Shapes
/// Any with `N` channels, to the same, position by position, as [`LayerNorm`].
///
/// # Cost
/// Some 2 additions and 3 multiplications for each number and a square root for each position; `N` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SVector;
/// use constnet::{Network, RmsNorm, Vector};
///
/// let net = Network::<Vector<2>, (RmsNorm<2>,)>::new((RmsNorm::new(SVector::from([1.0, 2.0])),));
/// let y = net.predict(&SVector::from([300.0, 400.0]));
/// assert!((y - SVector::from([0.848_528, 2.262_742])).norm() < 1e-5);
/// ```
///
/// # Reference
/// Zhang & Sennrich (2019), "Root mean square layer normalization".
#[derive(Debug, Clone, PartialEq)]
pub struct RmsNorm<const N: usize, E: IsEpsilon = Epsilon, T = f32> {
    /// The factors: PyTorch's `weight`.
    pub weight: SVector<T, N>,
    epsilon: PhantomData<E>,
}

impl<const N: usize, E: IsEpsilon, T> LayerNorm<N, E, T> {
    /// A layer with these parameters.
    pub const fn new(weight: SVector<T, N>, bias: SVector<T, N>) -> Self {
        Self { weight, bias, epsilon: PhantomData }
    }
}

impl<const N: usize, E: IsEpsilon, T> RmsNorm<N, E, T> {
    /// A layer with these parameters.
    pub const fn new(weight: SVector<T, N>) -> Self {
        Self { weight, epsilon: PhantomData }
    }
}

tensors! {
    [const N: usize, E: IsEpsilon, T: Element] LayerNorm<N, E, T> => T, "LayerNorm" [N]
    0 weight "weight": SVector<T, N>, Role::Scale, [N] by [0];
    1 bias "bias": SVector<T, N>, Role::Shift, [N] by [0];
    with epsilon;
}

tensors! {
    [const N: usize, E: IsEpsilon, T: Element] RmsNorm<N, E, T> => T, "RmsNorm" [N]
    0 weight "weight": SVector<T, N>, Role::Scale, [N] by [0];
    with epsilon;
}

/// The positions of a tensor.
#[inline]
fn positions<T, const N: usize>(x: &[T]) -> &[[T; N]] {
    x.as_chunks().0
}

/// Writes a normalisation of each position: with or without a mean and a bias.
macro_rules! each_position {
    ($layer:ident, $centred:literal $(, $bias:ident)?) => {
        impl<const N: usize, E: IsEpsilon, T: Scalar> $layer<N, E, T> {
            const CHANNELS: Group = {
                assert!(N > 0, "a normalisation needs a channel");
                Group { start: 0, width: N }
            };

            fn moments(x: &[T; N]) -> Moments<T> {
                moments::<T, N, $centred>(core::slice::from_ref(x), Self::CHANNELS, T::from_f64(E::VALUE))
            }

            /// Adds to the parameters' gradient what one position gives.
            fn gradient(gradient: &mut Self, x: &[T; N], Moments { mean, scale }: Moments<T>, dy: &[T; N]) {
                for ((weight, &x), &dy) in gradient.weight.iter_mut().zip(x).zip(dy) {
                    *weight += dy * ((x - mean) * scale);
                }
                $(
                    for (bias, &dy) in gradient.$bias.iter_mut().zip(dy) {
                        *bias += dy;
                    }
                )?
            }
        }

        impl<S: Channels<N>, const N: usize, E: IsEpsilon, T: Scalar> Layer<S, T> for $layer<N, E, T> {
            type Out = S;

            #[inline]
            fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
                for (x, y) in positions(x.as_slice()).iter().zip(y.as_mut_slice().as_chunks_mut::<N>().0) {
                    let Moments { mean, scale } = Self::moments(x);
                    for ((y, &x), &weight) in y.iter_mut().zip(x).zip(&self.weight) {
                        *y = (x - mean) * scale * weight;
                    }
                    $(
                        for (y, &bias) in y.iter_mut().zip(&self.$bias) {
                            *y += bias;
                        }
                    )?
                }
            }
        }

        impl<S: Channels<N>, const N: usize, E: IsEpsilon, T: Scalar> Differentiable<S, T> for $layer<N, E, T> {
            type Cache<const B: usize> = ();

            #[inline]
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
                    let dx = dx.as_mut_slice().as_chunks_mut::<N>().0;
                    for ((x, dy), dx) in positions(x.as_slice()).iter().zip(positions(dy.as_slice())).zip(dx) {
                        let moments = Self::moments(x);
                        Self::gradient(gradient, x, moments, dy);
                        for ((dx, &dy), &weight) in dx.iter_mut().zip(dy).zip(&self.weight) {
                            *dx = dy * weight;
                        }
                        let (x, dx) = (core::slice::from_ref(x), core::slice::from_mut(dx));
                        backward::<T, N, $centred>(x, Self::CHANNELS, moments, dx);
                    }
                }
            }

            #[inline]
            fn backward_parameters<const B: usize>(
                &self,
                x: &[S::Tensor<T>; B],
                _: &[S::Tensor<T>; B],
                (): &mut (),
                dy: &[S::Tensor<T>; B],
                gradient: &mut Self,
            ) {
                for (x, dy) in x.iter().zip(dy) {
                    for (x, dy) in positions(x.as_slice()).iter().zip(positions(dy.as_slice())) {
                        Self::gradient(gradient, x, Self::moments(x), dy);
                    }
                }
            }
        }
    };
}
each_position!(LayerNorm, true, bias);
each_position!(RmsNorm, false);
step_by_step!([const N: usize, E: IsEpsilon] LayerNorm<N, E, T>);
step_by_step!([const N: usize, E: IsEpsilon] RmsNorm<N, E, T>);
