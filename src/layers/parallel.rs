mod join;

pub use join::{Concat, Join, Sum};

use super::residual::add_each;
use crate::kernels::arena;
use crate::kernels::flat::each_part;
use crate::layer::{
    Both, Contiguous, Differentiable, Either, Gradient, Layer, Meaning, Parameter, Parameters, Path, Source, Target,
    apart, on_stack,
};
use crate::safetensors::{At, File, FromFile, Keys};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::{Shape, TensorOf};
use crate::streaming::Streaming;
use core::marker::PhantomData;
#[cfg(feature = "rand")]
use rand::Rng;

/// Two layers that take the same input, and what they give joined: [`Sum`] adds, [`Concat`] puts the channels side by side.
///
/// ```text
/// Sum:    y = a(x) + b(x)
/// Concat: y = [a(x); b(x)]
/// ```
///
/// With [`Identity`](crate::Identity) in one branch it is a skip connection. [`Residual`](crate::Residual) is the shorter way to
/// write a sum with the input itself. The branches' tensors are named as those of a tuple, `0.` and `1.`.
///
/// # Shapes
/// Any that both branches take. `Sum`: both give the same shape, which comes out. `Concat`: both give shapes that differ in their
/// channels at most, `Image<M, H, W>` and `Image<N, H, W>`, and `Image<M + N, H, W>` comes out; the same for sequences and
/// vectors. Their order is that of the branches.
///
/// # Cost
/// That of both branches, and an addition or a copy for each number. For each sample, the cache holds the branches' outputs and a
/// second gradient of the input; with `Concat` the outputs' gradients too. Predicting takes the larger of the branches' outputs on
/// the stack.
///
/// # Example
/// A skip connection, and ResNet's block with a projection:
/// ```
/// use constnet::{Concat, Conv2d, Dense, Identity, Image, Network, Parallel, Relu, Same, Stride, Sum, Tanh, Vector};
///
/// type Skip = Network<Vector<4>, (Parallel<Identity, (Dense<4, 8>, Tanh), Concat>, Dense<12, 2>)>;
///
/// type Block = Parallel<
///     (Conv2d<8, 16, 3, 3, Stride<2>, Same>, Relu, Conv2d<16, 16, 3, 3, Stride, Same>),
///     Conv2d<8, 16, 1, 1, Stride<2>>,
///     Sum,
/// >;
/// type Net = Network<Image<8, 12, 12>, (Block, Relu)>;
/// # let _ = (Skip::ZERO, Net::ZERO);
/// ```
///
/// # Reference
/// He and others (2016) for sums, Huang and others (2017), "Densely connected convolutional networks", for concatenation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parallel<A, B, J> {
    /// Both branches.
    pub branches: (A, B),
    join: PhantomData<J>,
}

impl<A, B, J> Parallel<A, B, J> {
    /// The layer of these branches.
    pub const fn new(a: A, b: B) -> Self {
        Self { branches: (a, b), join: PhantomData }
    }
}

impl<A: ConstZero, B: ConstZero, J> ConstZero for Parallel<A, B, J> {
    const ZERO: Self = Self::new(A::ZERO, B::ZERO);
}

impl<F: File, P: At, A, B, J> FromFile<F, P> for Parallel<A, B, J>
where
    (A, B): FromFile<F, P>,
{
    const VALUE: Self = Self { branches: <(A, B)>::VALUE, join: PhantomData };
    const KEYS: Keys = <(A, B)>::KEYS;
}

impl<T, A: Parameters<T>, B: Parameters<T>, J> Parameters<T> for Parallel<A, B, J> {
    const COUNT: usize = <(A, B)>::COUNT;
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::fields(&[<(A, B)>::CONTIGUOUS.bytes()]);

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.branches.visit_at(path, f);
    }

    fn zip_at<const N: usize>(
        mut all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
    ) {
        <(A, B)>::zip_at(each_part(&mut all, |parallel| &mut parallel.branches), path, f);
    }
}

#[cfg(feature = "serde")]
impl<A: serde::Serialize, B: serde::Serialize, J> serde::Serialize for Parallel<A, B, J> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.branches.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, A: serde::Deserialize<'de>, B: serde::Deserialize<'de>, J> serde::Deserialize<'de> for Parallel<A, B, J> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(A, B)>::deserialize(deserializer).map(|(a, b)| Self::new(a, b))
    }

    fn deserialize_in_place<D: serde::Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
        <(A, B)>::deserialize_in_place(deserializer, &mut place.branches)
    }
}

impl<In: Shape, T: Scalar, A: Layer<In, T>, B: Layer<In, T>, J: Join<A::Out, B::Out>> Layer<In, T>
    for Parallel<A, B, J>
{
    type Out = J::Out;

    /// The input stays for the second branch. What a branch gives lies beside the output, unless that is where it belongs.
    type Peak<X, Y> = Both<
        X,
        Y,
        Either<Both<J::First<TensorOf<A::Out, T>>, A::Peak<(), ()>>, Both<TensorOf<B::Out, T>, B::Peak<(), ()>>>,
    >;

    const MEANING: Meaning = if J::IS_BESIDE { A::MEANING.beside(B::MEANING) } else { Meaning::Numbers };

    const CHECK: () = {
        let () = A::CHECK;
        let () = B::CHECK;
    };

    #[inline]
    fn forward(&self, x: &In::Tensor<T>, y: &mut TensorOf<J::Out, T>) {
        on_stack(self, x, y);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::inline_always)] // Where each tensor lies is a constant only then.
    fn forward_in(&self, x: Source<'_, In::Tensor<T>>, arena: &mut [T], y: Target<'_, TensorOf<J::Out, T>>) {
        let (a, b) = &self.branches;
        apart(x, arena, y, |x, rest, y| {
            let a = |arena: &mut [T], y: &mut _| a.forward_in(Source::Given(x), arena, Target::Given(y));
            let b = |arena: &mut [T], y: &mut _| b.forward_in(Source::Given(x), arena, Target::Given(y));
            J::fill(rest, a, b, y);
        });
    }
}

impl<In: Shape, T: Scalar, A: Streaming<In, T>, B: Streaming<In, T>, J: Join<A::Out, B::Out>> Streaming<In, T>
    for Parallel<A, B, J>
{
    type Out = J::Out;
    type State = (A::State, B::State);

    #[inline]
    fn step(&self, (in_a, in_b): &mut Self::State, x: &In::Tensor<T>, y: &mut TensorOf<J::Out, T>) {
        let (a, b) = &self.branches;
        arena::on_stack::<Either<J::First<TensorOf<A::Out, T>>, TensorOf<B::Out, T>>, T, _>(|arena| {
            J::fill(arena, |_, y| a.step(in_a, x, y), |_, y| b.step(in_b, x, y), y);
        });
    }
}

/// What a branch keeps: its cache, its outputs.
type Kept<L, In, T, const N: usize> =
    (<L as Differentiable<In, T>>::Cache<N>, [TensorOf<<L as Layer<In, T>>::Out, T>; N]);

impl<In: Shape, T: Scalar, A: Differentiable<In, T>, B: Differentiable<In, T>, J: Join<A::Out, B::Out>>
    Differentiable<In, T> for Parallel<A, B, J>
{
    /// What the branches keep, the gradients of their outputs, and the second branch's gradient of the input.
    type Cache<const N: usize> = (Kept<A, In, T, N>, Kept<B, In, T, N>, J::Gradients<T, N>, [In::Tensor<T>; N]);

    #[cfg(feature = "rand")]
    fn sample<const N: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<N>, rng: &mut R) {
        self.branches.0.sample(&mut cache.0.0, rng);
        self.branches.1.sample(&mut cache.1.0, rng);
    }

    #[inline]
    fn forward_train<const N: usize>(
        &self,
        x: &[In::Tensor<T>; N],
        ((a_cache, a), (b_cache, b), ..): &mut Self::Cache<N>,
        y: &mut [TensorOf<J::Out, T>; N],
    ) {
        self.branches.0.forward_train(x, a_cache, a);
        self.branches.1.forward_train(x, b_cache, b);
        for ((a, b), y) in a.iter().zip(&*b).zip(y) {
            J::join(a, b, y);
        }
    }

    fn has_finite_statistics<const N: usize>(&self, ((a, _), (b, _), ..): &Self::Cache<N>) -> bool {
        self.branches.0.has_finite_statistics(a) && self.branches.1.has_finite_statistics(b)
    }

    fn track_statistics<const N: usize>(&mut self, ((a, _), (b, _), ..): &Self::Cache<N>) {
        self.branches.0.track_statistics(a);
        self.branches.1.track_statistics(b);
    }

    #[inline]
    fn backward<const N: usize, const ADDS: bool>(
        &self,
        x: &[In::Tensor<T>; N],
        _: &[TensorOf<J::Out, T>; N],
        ((a_cache, a), (b_cache, b), gradients, other): &mut Self::Cache<N>,
        dy: &[TensorOf<J::Out, T>; N],
        mut gradient: Gradient<'_, Self, ADDS>,
        mut dx: Option<&mut [In::Tensor<T>; N]>,
    ) {
        let (to_a, to_b) = J::split(dy, gradients);
        let to_other = dx.is_some().then_some(&mut *other);
        self.branches.0.backward(x, a, a_cache, to_a, gradient.part(|to| &mut to.branches.0), dx.as_deref_mut());
        self.branches.1.backward(x, b, b_cache, to_b, gradient.part(|to| &mut to.branches.1), to_other);
        if let Some(dx) = dx {
            add_each::<In, T>(dx, other);
        }
    }
}
