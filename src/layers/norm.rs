//! Normalisation within a sample: over the channels of each position, or over groups of channels.

mod constant;
mod group;

pub use constant::{Epsilon, IsEpsilon};
pub use group::GroupNorm;

use crate::kernels::norm::{normalise, normalise_backward};
use crate::layer::{Differentiable, Either, Gradient, Layer, Role, Source, Target, check_shapes, over, tensors};
use crate::layers::channels::Channels;
use crate::scalar::{Element, Scalar};
use crate::shape::Tensor;
use crate::streaming::step_by_step;
use core::marker::PhantomData;
use core::slice::{from_mut, from_ref};
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

/// Writes a normalisation of each position: with or without a mean and a bias.
macro_rules! each_position {
    ($layer:ident, $centred:literal, |$self:ident| $bias:expr, $bias_gradient:expr) => {
        impl<const N: usize, E: IsEpsilon, T: Scalar> $layer<N, E, T> {
            fn epsilon() -> T {
                T::from_f64(E::VALUE)
            }

            /// Normalises each position, in place.
            #[inline]
            fn normalise(&self, x: &mut [T]) {
                #[allow(unused_variables)] // Not every layer has a bias.
                let $self = self;
                let ([weight], bias) = (&self.weight.data.0, $bias);
                for x in x.as_chunks_mut::<N>().0 {
                    normalise::<T, N, 1, $centred>(from_mut(x), 0, Self::epsilon(), weight, bias);
                }
            }

            /// The gradients of one sample.
            fn gradients(&self, x: &[T], dy: &[T], $self: &mut Self, mut dx: Option<&mut [T]>) {
                for (i, (x, dy)) in x.as_chunks::<N>().0.iter().zip(dy.as_chunks::<N>().0).enumerate() {
                    let (x, dy) = (from_ref(x), from_ref(dy));
                    let dx = dx.as_mut().and_then(|dx| dx.as_chunks_mut::<N>().0.get_mut(i)).map(from_mut);
                    let [weight] = &self.weight.data.0;
                    let bias = $bias_gradient;
                    let [d_weight] = &mut $self.weight.data.0;
                    normalise_backward::<T, N, 1, $centred>(x, 0, Self::epsilon(), weight, dy, d_weight, bias, dx);
                }
            }
        }

        impl<S: Channels<N>, const N: usize, E: IsEpsilon, T: Scalar> Layer<S, T> for $layer<N, E, T> {
            type Out = S;
            type Peak<X, Y> = Either<X, Y>;

            const TURNS: bool = false;

            const CHECK: () = {
                check_shapes::<S, S>();
                let _ = E::VALUE;
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

        impl<S: Channels<N>, const N: usize, E: IsEpsilon, T: Scalar> Differentiable<S, T> for $layer<N, E, T> {
            type Cache<const B: usize> = ();

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[S::Tensor<T>; B],
                _: &[S::Tensor<T>; B],
                (): &mut (),
                dy: &[S::Tensor<T>; B],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [S::Tensor<T>; B]>,
            ) {
                let gradient = gradient.to_add();
                let mut dx = dx.map(|dx| dx.iter_mut());
                for (x, dy) in x.iter().zip(dy) {
                    let dx = dx.as_mut().and_then(Iterator::next).map(Tensor::as_mut_slice);
                    self.gradients(x.as_slice(), dy.as_slice(), gradient, dx);
                }
            }
        }
    };
}
each_position!(LayerNorm, true, |layer| Some(&layer.bias.data.0[0]), Some(&mut layer.bias.data.0[0]));
each_position!(RmsNorm, false, |layer| None, None);
step_by_step!([const N: usize, E: IsEpsilon] LayerNorm<N, E, T>);
step_by_step!([const N: usize, E: IsEpsilon] RmsNorm<N, E, T>);
