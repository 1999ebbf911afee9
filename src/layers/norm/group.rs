use super::{Epsilon, IsEpsilon};
use crate::kernels::norm::{normalise, normalise_backward};
use crate::layer::{Differentiable, Either, Gradient, Layer, Role, Source, Target, check_shapes, over, tensors};
use crate::layers::channels::Channels;
use crate::scalar::{Element, Scalar};
use crate::shape::Tensor;
use crate::shape::length::{Len, NotZero, SharedBy};
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
    fn epsilon() -> T {
        T::from_f64(E::VALUE)
    }

    /// Normalises each group, in place.
    fn normalise(&self, x: &mut [T]) {
        let ([weight], [bias]) = (&self.weight.data.0, &self.bias.data.0);
        for group in 0..G {
            normalise::<T, C, G, true>(x.as_chunks_mut().0, group, Self::epsilon(), weight, Some(bias));
        }
    }

    /// The gradients of one sample.
    fn gradients(&self, x: &[T], dy: &[T], gradient: &mut Self, mut dx: Option<&mut [T]>) {
        let (x, dy) = (x.as_chunks().0, dy.as_chunks().0);
        let ([weight], [d_weight], [d_bias]) =
            (&self.weight.data.0, &mut gradient.weight.data.0, &mut gradient.bias.data.0);
        for group in 0..G {
            let dx = dx.as_mut().map(|dx| dx.as_chunks_mut().0);
            normalise_backward::<T, C, G, true>(x, group, Self::epsilon(), weight, dy, d_weight, Some(d_bias), dx);
        }
    }
}

impl<S: Channels<C>, const G: usize, const C: usize, E: IsEpsilon, T: Scalar> Layer<S, T> for GroupNorm<G, C, E, T>
where
    Len<C>: SharedBy<G> + NotZero,
{
    type Out = S;
    type Peak<X, Y> = Either<X, Y>;

    const TURNS: bool = false;

    const CHECK: () = {
        check_shapes::<S, S>();
        let _ = E::VALUE;
    };

    fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        y.copy_from(x);
        self.normalise(y.as_mut_slice());
    }

    #[inline]
    fn forward_in(&self, x: Source<'_, S::Tensor<T>>, arena: &mut [T], y: Target<'_, S::Tensor<T>>) {
        over(x, arena, y, |x, y| Layer::<S, T>::forward(self, x, y), |x| self.normalise(x));
    }
}

impl<S: Channels<C>, const G: usize, const C: usize, E: IsEpsilon, T: Scalar> Differentiable<S, T>
    for GroupNorm<G, C, E, T>
where
    Len<C>: SharedBy<G> + NotZero,
{
    type Cache<const B: usize> = ();

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
