use crate::layer::{Differentiable, Layer, Role, no_parameters, tensors};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::{Sequence, Tensor, TensorOf};

/// Tells each step where it stands, by waves of many lengths that are added to it.
///
/// ```text
/// y_t,2i   = x_t,2i   + sin(t / 10000^(2i / C))
/// y_t,2i+1 = x_t,2i+1 + cos(t / 10000^(2i / C))
/// ```
///
/// PyTorch has no such layer; this is the one of its tutorials, without dropout and, as there, without a factor `sqrt(C)` on `x`.
///
/// # Shapes
/// `Sequence<C, L>` to itself.
///
/// # Cost
/// A sine or cosine, in `f64`, and an addition for each number; in training the waves are computed once for a whole batch. No
/// parameters; no cache. Where sines are dear, a [`LearnedPositions`] whose table holds the waves computes none.
///
/// # Example
/// ```
/// use constnet::{Class, Embedding, Network, PositionalEncoding, Tokens};
///
/// type Net = Network<Tokens<96, 8>, (Embedding<96, 4>, PositionalEncoding)>;
/// let y = Net::ZERO.predict(&[Class::const_new(0); 8]);
/// assert_eq!((y[(0, 0)], y[(1, 0)], y[(0, 1)]), (0.0, 1.0, 1f32.sin()));
/// ```
///
/// # Reference
/// Vaswani and others (2017), "Attention is all you need", section 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PositionalEncoding;

impl ConstZero for PositionalEncoding {
    const ZERO: Self = Self;
}
no_parameters!(PositionalEncoding);

/// The wave of a channel at a step.
#[allow(clippy::cast_precision_loss)]
fn wave<const C: usize>(step: usize, channel: usize) -> f64 {
    let even = channel - channel % 2;
    let frequency = libm::exp(even as f64 / C as f64 * -libm::log(10_000.0));
    let angle = step as f64 * frequency;
    if channel == even { libm::sin(angle) } else { libm::cos(angle) }
}

impl<const C: usize, const L: usize, T: Scalar> Layer<Sequence<C, L>, T> for PositionalEncoding {
    type Out = Sequence<C, L>;

    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Sequence<C, L>, T>) {
        for (step, (x, y)) in x.data.0.iter().zip(&mut y.data.0).enumerate() {
            for (channel, (&x, y)) in x.iter().zip(y).enumerate() {
                *y = x + T::from_f64(wave::<C>(step, channel));
            }
        }
    }
}

impl<const C: usize, const L: usize, T: Scalar> Differentiable<Sequence<C, L>, T> for PositionalEncoding {
    type Cache<const B: usize> = ();

    fn forward_train<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        y: &mut [TensorOf<Sequence<C, L>, T>; B],
    ) {
        let mut waves = [T::ZERO; C];
        for step in 0..L {
            for (channel, place) in waves.iter_mut().enumerate() {
                *place = T::from_f64(wave::<C>(step, channel));
            }
            for (x, y) in x.iter().zip(&mut *y) {
                if let (Some(x), Some(y)) = (x.data.0.get(step), y.data.0.get_mut(step)) {
                    for ((&x, &wave), y) in x.iter().zip(&waves).zip(y) {
                        *y = x + wave;
                    }
                }
            }
        }
    }

    fn backward<const B: usize>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Sequence<C, L>, T>; B],
        _: &mut Self,
        dx: &mut [TensorOf<Sequence<C, L>, T>; B],
    ) {
        for (dy, dx) in dy.iter().zip(dx) {
            Tensor::<T>::copy_from(dx, dy);
        }
    }

    #[inline]
    fn backward_parameters<const B: usize>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &mut Self,
    ) {
    }
}

/// Tells each step where it stands, by a vector for each position that is learned and added to it.
///
/// ```text
/// y_t = x_t + weight_t
/// ```
///
/// # Shapes
/// `Sequence<C, L>` to itself.
///
/// # Cost
/// One addition for each number; `C * L` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Embedding, LearnedPositions, Network, Tokens};
///
/// type Net = Network<Tokens<96, 8>, (Embedding<96, 4>, LearnedPositions<4, 8>)>;
/// assert_eq!(Net::PARAMETERS, 96 * 4 + 8 * 4);
/// ```
///
/// # Reference
/// Gehring and others (2017), "Convolutional sequence to sequence learning", section 3.1. In PyTorch an `nn.Parameter` or the
/// weight of an `nn.Embedding(L, C)`: `[L, C]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedPositions<const C: usize, const L: usize, T = f32> {
    /// A vector for each position.
    pub weight: [[T; C]; L],
}

impl<const C: usize, const L: usize, T> LearnedPositions<C, L, T> {
    /// The layer with this table.
    pub const fn new(weight: [[T; C]; L]) -> Self {
        Self { weight }
    }
}

tensors! {
    [const C: usize, const L: usize, T: Element] LearnedPositions<C, L, T> => T, "LearnedPositions" [C, L]
    0 weight "weight": [[T; C]; L], Role::Weight { fan_in: 1, fan_out: C }, [L, C] by [0, 1];
}

impl<const C: usize, const L: usize, T: Scalar> Layer<Sequence<C, L>, T> for LearnedPositions<C, L, T> {
    type Out = Sequence<C, L>;

    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Sequence<C, L>, T>) {
        let weight = self.weight.as_flattened();
        for ((&x, &weight), y) in Tensor::as_slice(x).iter().zip(weight).zip(Tensor::as_mut_slice(y)) {
            *y = x + weight;
        }
    }
}

impl<const C: usize, const L: usize, T: Scalar> Differentiable<Sequence<C, L>, T> for LearnedPositions<C, L, T> {
    type Cache<const B: usize> = ();

    fn backward<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<C, L>, T>; B],
        y: &[TensorOf<Sequence<C, L>, T>; B],
        cache: &mut (),
        dy: &[TensorOf<Sequence<C, L>, T>; B],
        gradient: &mut Self,
        dx: &mut [TensorOf<Sequence<C, L>, T>; B],
    ) {
        self.backward_parameters(x, y, cache, dy, gradient);
        for (dy, dx) in dy.iter().zip(dx) {
            Tensor::<T>::copy_from(dx, dy);
        }
    }

    /// `d weight += dy`
    fn backward_parameters<const B: usize>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Sequence<C, L>, T>; B],
        gradient: &mut Self,
    ) {
        for dy in dy {
            for (d, &dy) in gradient.weight.as_flattened_mut().iter_mut().zip(Tensor::as_slice(dy)) {
                *d += dy;
            }
        }
    }
}
