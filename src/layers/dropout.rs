use crate::feature::Random;
#[cfg(feature = "rand")]
use crate::feature::Rng;
use crate::layer::{
    Differentiable, Either, Gradient, Layer, Meaning, Source, Target, check_shapes, no_parameters, over,
};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Numeric, Tensor};
use crate::streaming::step_by_step;

/// Sets a part of its inputs to 0 while training. PyTorch's `nn.Dropout`.
///
/// ```text
/// training:  y = x / (1 - p)  with probability 1 - p,  0 otherwise
/// inference: y = x
/// ```
///
/// `p = NUMERATOR / DENOMINATOR` is a part of the type: `Dropout` has PyTorch's 0.5, `Dropout<1, 5>` has 0.2.
///
/// Which inputs are dropped is drawn by `sample` of [`Differentiable`] from a generator of the caller's; a
/// [`Trainer`](crate::train::Trainer) makes one for each step from its [seed](crate::train::Trainer::seed).
///
/// # Shapes
/// Any, to the same.
///
/// # Cost
/// One multiplication for each number; no parameters; one byte of cache for each number of the batch.
///
/// # Example
/// ```
/// use constnet::{Dense, Dropout, Network, Relu, Vector};
///
/// type Net = Network<Vector<64>, (Dense<64, 32>, Relu, Dropout<1, 4>, Dense<32, 10>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Srivastava and others (2014), in the inverted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropout<const NUMERATOR: usize = 1, const DENOMINATOR: usize = 2>;

impl<const NUMERATOR: usize, const DENOMINATOR: usize> Dropout<NUMERATOR, DENOMINATOR> {
    #[allow(clippy::cast_precision_loss)]
    const KEEP: f64 = {
        assert!(NUMERATOR < DENOMINATOR, "dropout's probability must be below 1: write `Dropout<1, 5>` for 0.2");
        1.0 - NUMERATOR as f64 / DENOMINATOR as f64
    };
    /// A random `u32` below this drops.
    #[cfg(feature = "rand")]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    const THRESHOLD: u32 = ((1.0 - Self::KEEP) * 4_294_967_296.0) as u32;
}

impl<const NUMERATOR: usize, const DENOMINATOR: usize> ConstZero for Dropout<NUMERATOR, DENOMINATOR> {
    const ZERO: Self = Self;
}

no_parameters!([const NUMERATOR: usize, const DENOMINATOR: usize] Dropout<NUMERATOR, DENOMINATOR>);

step_by_step!([const NUMERATOR: usize, const DENOMINATOR: usize] Dropout<NUMERATOR, DENOMINATOR>);

impl<S: Numeric, T: Element, const NUMERATOR: usize, const DENOMINATOR: usize> Layer<S, T>
    for Dropout<NUMERATOR, DENOMINATOR>
{
    type Out = S;
    type Peak<X, Y> = Either<X, Y>;

    const TURNS: bool = false;
    const MEANING: Meaning = Meaning::AsInput;

    const CHECK: () = {
        check_shapes::<S, S>();
        let _ = Self::KEEP;
    };

    #[inline]
    fn forward(&self, x: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        y.copy_from(x);
    }

    #[inline]
    fn forward_in(&self, x: Source<'_, S::Tensor<T>>, arena: &mut [T], y: Target<'_, S::Tensor<T>>) {
        over(x, arena, y, |x, y| Layer::<S, T>::forward(self, x, y), |_| ());
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "rand")))]
impl<S: Numeric + Random, T: Scalar, const NUMERATOR: usize, const DENOMINATOR: usize> Differentiable<S, T>
    for Dropout<NUMERATOR, DENOMINATOR>
{
    /// 1 for each number that is dropped.
    type Cache<const B: usize> = [S::Tensor<u8>; B];

    #[cfg(feature = "rand")]
    fn sample<const B: usize, R: Rng + ?Sized>(&self, cache: &mut Self::Cache<B>, rng: &mut R) {
        for dropped in cache.iter_mut().flat_map(Tensor::as_mut_slice) {
            *dropped = u8::from(rng.next_u32() < Self::THRESHOLD);
        }
    }

    fn forward_train<const B: usize>(
        &self,
        x: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        y: &mut [S::Tensor<T>; B],
    ) {
        for ((x, dropped), y) in x.iter().zip(cache).zip(y) {
            keep::<NUMERATOR, DENOMINATOR, T>(x.as_slice(), dropped.as_slice(), y.as_mut_slice());
        }
    }

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        _: &[S::Tensor<T>; B],
        _: &[S::Tensor<T>; B],
        cache: &mut Self::Cache<B>,
        dy: &[S::Tensor<T>; B],
        _: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [S::Tensor<T>; B]>,
    ) {
        let Some(dx) = dx else { return };
        for ((dy, dropped), dx) in dy.iter().zip(cache).zip(dx) {
            keep::<NUMERATOR, DENOMINATOR, T>(dy.as_slice(), dropped.as_slice(), dx.as_mut_slice());
        }
    }
}

/// `y = x / (1 - p)`, or `0 x` where dropped: NaN stays NaN, as in PyTorch.
fn keep<const NUMERATOR: usize, const DENOMINATOR: usize, T: Scalar>(x: &[T], dropped: &[u8], y: &mut [T]) {
    let scale = T::from_f64(1.0 / Dropout::<NUMERATOR, DENOMINATOR>::KEEP);
    for ((&x, &dropped), y) in x.iter().zip(dropped).zip(y) {
        *y = x * if dropped == 0 { scale } else { T::ZERO };
    }
}
