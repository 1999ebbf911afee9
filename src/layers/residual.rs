use crate::kernels::flat::each_part;
use crate::layer::{
    Both, Contiguous, Differentiable, Gradient, Layer, Parameter, Parameters, Path, Source, Target, apart, on_stack,
};
use crate::safetensors::{At, File, FromFile, Keys};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::{SameShape, Shape, Tensor, TensorOf};
use crate::streaming::Streaming;
#[cfg(feature = "rand")]
use rand::Rng;

/// Adds its input to what the layer inside makes of it.
///
/// ```text
/// y = x + layer(x)
/// ```
///
/// # Shapes
/// Any that the layer inside takes and gives back.
///
/// # Cost
/// That of the layer inside and one addition for each number; the cache keeps the inner outputs.
///
/// # Example
/// ```
/// use constnet::{Dense, Network, Relu, Residual, Vector};
///
/// type Net = Network<Vector<5>, (Dense<5, 16>, Residual<(Dense<16, 16>, Relu, Dense<16, 16>)>, Dense<16, 2>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// He and others (2016), "Deep residual learning for image recognition".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residual<L>(
    /// The layer inside.
    pub L,
);

impl<L: ConstZero> ConstZero for Residual<L> {
    const ZERO: Self = Self(L::ZERO);
}

impl<F: File, P: At, L: FromFile<F, P>> FromFile<F, P> for Residual<L> {
    const VALUE: Self = Self(L::VALUE);
    const KEYS: Keys = L::KEYS;
}

impl<T, L: Parameters<T>> Parameters<T> for Residual<L> {
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
        L::zip_at(each_part(&mut all, |residual| &mut residual.0), path, f);
    }
}

impl<S: Shape, T: Scalar, L: Layer<S, T>> Layer<S, T> for Residual<L>
where
    L::Out: SameShape<S>,
{
    type Out = S;

    type Peak<X, Y> = Both<X, L::Peak<(), Y>>;

    const TURNS: bool = false;
    const CHECK: () = L::CHECK;

    #[inline]
    fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        on_stack(self, x, y);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    #[allow(clippy::inline_always)] // Where each tensor lies is a constant only then.
    fn forward_in(&self, x: Source<'_, S::Tensor<T>>, arena: &mut [T], y: Target<'_, S::Tensor<T>>) {
        match (x, y) {
            // The sum takes the place of the input.
            (Source::At(side), Target::At(_)) => {
                let Some((x, rest)) = side.tensor::<T, S::Tensor<T>>(arena) else { return };
                let inner = side.turned(true);
                self.0.forward_in(Source::Given(x), rest, Target::At(inner));
                add(x.as_mut_slice(), inner.split(rest, S::LEN).0);
            }
            (Source::Given(x), Target::At(side)) => {
                self.0.forward_in(Source::Given(x), arena, Target::At(side));
                add(side.split(arena, S::LEN).0, x.as_slice());
            }
            (x, y) => apart(x, arena, y, |x, rest, y| {
                self.0.forward_in(Source::Given(x), rest, Target::Given(L::Out::tensor(y)));
                add(y.as_mut_slice(), x.as_slice());
            }),
        }
    }
}

impl<S: Shape, T: Scalar, L: Streaming<S, T>> Streaming<S, T> for Residual<L>
where
    L::Out: SameShape<S>,
{
    type Out = S;
    type State = L::State;

    #[inline]
    fn step(&self, state: &mut L::State, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        self.0.step(state, x, L::Out::tensor(y));
        add(y.as_mut_slice(), x.as_slice());
    }
}

impl<S: Shape, T: Scalar, L: Differentiable<S, T>> Differentiable<S, T> for Residual<L>
where
    L::Out: SameShape<S>,
{
    type Cache<const B: usize> = (L::Cache<B>, [TensorOf<L::Out, T>; B]);

    #[cfg(feature = "rand")]
    fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {
        self.0.sample(&mut cache.0, rng);
    }

    #[inline]
    fn forward_train<const B: usize>(
        &self,
        x: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [S::Tensor<T>; B],
    ) {
        let (cache, inner) = cache;
        self.0.forward_train(x, cache, inner);
        for ((x, inner), y) in x.iter().zip(inner).zip(y) {
            for ((&x, &inner), y) in x.as_slice().iter().zip(inner.as_slice()).zip(y.as_mut_slice()) {
                *y = inner + x;
            }
        }
    }

    fn has_finite_statistics<const B: usize>(&self, cache: &Self::Cache<B>) -> bool {
        self.0.has_finite_statistics(&cache.0)
    }

    fn track_statistics<const B: usize>(&mut self, cache: &Self::Cache<B>) {
        self.0.track_statistics(&cache.0);
    }

    #[inline]
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[S::Tensor<T>; B],
        _: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[S::Tensor<T>; B],
        mut gradient: Gradient<'_, Self, ADDS>,
        mut dx: Option<&mut [S::Tensor<T>; B]>,
    ) {
        let (cache, inner) = cache;
        let inner_gradient = gradient.part(|residual| &mut residual.0);
        self.0.backward(x, inner, cache, L::Out::tensors(dy), inner_gradient, dx.as_deref_mut());
        if let Some(dx) = dx {
            add_each::<S, T>(dx, dy);
        }
    }
}

/// `a += b`
pub(super) fn add<T: Scalar>(a: &mut [T], b: &[T]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a += b;
    }
}

/// `a += b`, for each tensor.
#[inline]
pub(super) fn add_each<S: Shape, T: Scalar>(a: &mut [S::Tensor<T>], b: &[S::Tensor<T>]) {
    for (a, b) in a.iter_mut().zip(b) {
        add(a.as_mut_slice(), b.as_slice());
    }
}
