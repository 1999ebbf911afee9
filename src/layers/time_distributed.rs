use crate::kernels::flat::{columns, columns_mut, each_part};
use crate::layer::{
    Both, Contiguous, Differentiable, Gradient, Layer, Meaning, Parameter, Parameters, Path, Source, Target, apart,
    check_shapes, on_stack,
};
use crate::safetensors::{At, File, FromFile, Keys};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Sequence, Shape, TensorOf, Vector};
use crate::streaming::Streaming;
#[cfg(feature = "rand")]
use rand::Rng;

/// Applies a layer for vectors to each step of a sequence.
///
/// ```text
/// y[t] = layer(x[t])
/// ```
///
/// `Dense`, activations, normalisations and dropout take sequences by themselves; this is for tuples that reshape, and for layers
/// that know vectors only. In training the steps of a sample are a batch of the layer inside, so that a
/// [`BatchNorm`](crate::BatchNorm) in there sees one sample at a time; by itself, over sequences, it sees the whole batch.
///
/// # Shapes
/// `Sequence<C, L>` to `Sequence<N, L>` for a layer that takes `Vector<C>` and gives `Vector<N>`.
///
/// # Cost
/// That of the layer inside for each step, nothing else. It runs step by step, too.
///
/// # Example
/// ```
/// use constnet::{Dense, Flatten, Network, Reshape, Sequence, Softmax, TimeDistributed};
///
/// // Two positions of three classes at each of ten steps.
/// type Each = (Dense<4, 6>, Reshape<Sequence<3, 2>>, Softmax, Flatten);
/// type Net = Network<Sequence<4, 10>, (TimeDistributed<Each>,)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Keras's `TimeDistributed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeDistributed<L>(
    /// The layer inside.
    pub L,
);

/// A shape that is one step of a sequence.
#[diagnostic::on_unimplemented(
    message = "the layer inside a `TimeDistributed` gives `{Self}`, and should give a `Vector`",
    note = "each step of a sequence is a vector: end the layer inside with `Flatten`"
)]
pub trait Step: Shape {
    /// The sequence of `LEN` such steps.
    type Steps<const LEN: usize>: Shape;

    /// The steps of a sequence.
    fn steps<T: Element, const LEN: usize>(all: &TensorOf<Self::Steps<LEN>, T>) -> &[Self::Tensor<T>; LEN];

    /// The same, to write to.
    fn steps_mut<T: Element, const LEN: usize>(all: &mut TensorOf<Self::Steps<LEN>, T>) -> &mut [Self::Tensor<T>; LEN];
}

impl<const N: usize> Step for Vector<N> {
    type Steps<const LEN: usize> = Sequence<N, LEN>;

    fn steps<T: Element, const LEN: usize>(all: &TensorOf<Sequence<N, LEN>, T>) -> &[TensorOf<Self, T>; LEN] {
        columns(all)
    }
    fn steps_mut<T: Element, const LEN: usize>(
        all: &mut TensorOf<Sequence<N, LEN>, T>,
    ) -> &mut [TensorOf<Self, T>; LEN] {
        columns_mut(all)
    }
}

impl<L: ConstZero> ConstZero for TimeDistributed<L> {
    const ZERO: Self = Self(L::ZERO);
}

impl<F: File, P: At, L: FromFile<F, P>> FromFile<F, P> for TimeDistributed<L> {
    const VALUE: Self = Self(L::VALUE);
    const KEYS: Keys = L::KEYS;
}

impl<T, L: Parameters<T>> Parameters<T> for TimeDistributed<L> {
    const COUNT: usize = L::COUNT;
    const CONTIGUOUS: Contiguous<Self, T> = Contiguous::fields(&[L::CONTIGUOUS.bytes()]);

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.0.visit_at(path, f);
    }

    fn zip_at<const N: usize>(
        mut all: [&mut Self; N],
        path: Path<'_>,
        f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N]),
    ) {
        L::zip_at(each_part(&mut all, |layer| &mut layer.0), path, f);
    }
}

#[cfg(feature = "serde")]
impl<L: serde::Serialize> serde::Serialize for TimeDistributed<L> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, L: serde::Deserialize<'de>> serde::Deserialize<'de> for TimeDistributed<L> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        L::deserialize(deserializer).map(Self)
    }

    fn deserialize_in_place<D: serde::Deserializer<'de>>(deserializer: D, place: &mut Self) -> Result<(), D::Error> {
        L::deserialize_in_place(deserializer, &mut place.0)
    }
}

/// What comes out of all steps.
type Out<L, const C: usize, const LEN: usize, T> = <<L as Layer<Vector<C>, T>>::Out as Step>::Steps<LEN>;

impl<const C: usize, const LEN: usize, T: Element, L: Layer<Vector<C>, T>> Layer<Sequence<C, LEN>, T>
    for TimeDistributed<L>
where
    L::Out: Step,
{
    type Out = Out<L, C, LEN, T>;

    type Peak<X, Y> = Both<X, Y, L::Peak<(), ()>>;

    const MEANING: Meaning = L::MEANING;
    const CHECK: () = {
        check_shapes::<Sequence<C, LEN>, Self::Out>();
        let () = L::CHECK;
    };

    #[inline]
    fn forward(&self, x: &TensorOf<Sequence<C, LEN>, T>, y: &mut TensorOf<Self::Out, T>) {
        on_stack(self, x, y);
    }

    #[inline]
    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Sequence<C, LEN>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Self::Out, T>>,
    ) {
        apart(x, arena, y, |x, rest, y| {
            for (x, y) in columns(x).iter().zip(L::Out::steps_mut(y)) {
                self.0.forward_in(Source::Given(x), rest, Target::Given(y));
            }
        });
    }
}

impl<const C: usize, T: Element, L: Layer<Vector<C>, T>> Streaming<Vector<C>, T> for TimeDistributed<L> {
    type Out = L::Out;
    type State = ();

    #[inline]
    fn step(&self, (): &mut (), x: &TensorOf<Vector<C>, T>, y: &mut TensorOf<Self::Out, T>) {
        self.0.forward(x, y);
    }
}

impl<const C: usize, const LEN: usize, T: Scalar, L: Differentiable<Vector<C>, T>> Differentiable<Sequence<C, LEN>, T>
    for TimeDistributed<L>
where
    L::Out: Step,
{
    type Cache<const B: usize> = [L::Cache<LEN>; B];

    #[cfg(feature = "rand")]
    fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {
        for cache in cache {
            self.0.sample(cache, rng);
        }
    }

    #[inline]
    fn forward_train<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<C, LEN>, T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [TensorOf<Self::Out, T>; B],
    ) {
        for ((x, cache), y) in x.iter().zip(cache).zip(y) {
            self.0.forward_train(columns(x), cache, L::Out::steps_mut(y));
        }
    }

    fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
        cache.iter().all(|cache| self.0.has_finite_statistics(cache))
    }

    fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {
        for cache in cache {
            self.0.track_statistics(cache);
        }
    }

    #[inline]
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[TensorOf<Sequence<C, LEN>, T>; B],
        y: &[TensorOf<Self::Out, T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[TensorOf<Self::Out, T>; B],
        mut gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [TensorOf<Sequence<C, LEN>, T>; B]>,
    ) {
        let mut gradient = gradient.part(|layer| &mut layer.0).begun();
        let mut dx = dx.map(|dx| dx.iter_mut());
        for (((x, y), cache), dy) in x.iter().zip(y).zip(cache).zip(dy) {
            let (y, dy) = (L::Out::steps(y), L::Out::steps(dy));
            let dx = dx.as_mut().and_then(Iterator::next).map(columns_mut);
            self.0.backward(columns(x), y, cache, dy, gradient.part(|layer| layer), dx);
        }
    }
}
