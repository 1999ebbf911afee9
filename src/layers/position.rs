use crate::layer::{Differentiable, Either, Gradient, Layer, Role, Source, Target, no_parameters, over, tensors};
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
/// A sine and a cosine for each pair of channels, two multiplications and an addition for each number, in `f64`. No parameters; no
/// cache. Where `f64` is dear, a [`LearnedPositions`] whose table holds the waves computes none.
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

/// The waves of one step, a sine and a cosine for each pair of channels. Those of the next step follow by a turn of each: in `f64`,
/// the error grows by some 1e-16 a step.
struct Waves<const C: usize> {
    now: [(f64, f64); C],
    turn: [(f64, f64); C],
}

impl<const C: usize> Waves<C> {
    #[allow(clippy::cast_precision_loss)]
    fn start() -> Self {
        let mut turn = [(0.0, 1.0); C];
        for (pair, turn) in turn.iter_mut().take(C.div_ceil(2)).enumerate() {
            let angle = libm::exp(2.0 * pair as f64 / C as f64 * -libm::log(10_000.0));
            *turn = (libm::sin(angle), libm::cos(angle));
        }
        Self { now: [(0.0, 1.0); C], turn }
    }

    fn next_step(&mut self) {
        for ((sin, cos), (turn_sin, turn_cos)) in self.now.iter_mut().zip(&self.turn).take(C.div_ceil(2)) {
            (*sin, *cos) = (*sin * turn_cos + *cos * turn_sin, *cos * turn_cos - *sin * turn_sin);
        }
    }

    /// Adds the waves to each step of a sequence.
    fn add_to<T: Scalar>(x: &mut [T]) {
        let mut waves = Self::start();
        for x in x.as_chunks_mut::<C>().0 {
            for (x, wave) in x.iter_mut().zip(waves.now.iter().flat_map(|&(sin, cos)| [sin, cos])) {
                *x += T::from_f64(wave);
            }
            waves.next_step();
        }
    }
}

impl<const C: usize, const L: usize, T: Scalar> Layer<Sequence<C, L>, T> for PositionalEncoding {
    type Out = Sequence<C, L>;
    type Peak<X, Y> = Either<X, Y>;

    const TURNS: bool = false;

    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Sequence<C, L>, T>) {
        Tensor::<T>::copy_from(y, x);
        Waves::<C>::add_to(Tensor::as_mut_slice(y));
    }

    #[inline]
    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Sequence<C, L>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Sequence<C, L>, T>>,
    ) {
        over(x, arena, y, |x, y| self.forward(x, y), Waves::<C>::add_to);
    }
}

impl<const C: usize, const L: usize, T: Scalar> Differentiable<Sequence<C, L>, T> for PositionalEncoding {
    type Cache<const B: usize> = ();

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Sequence<C, L>, T>; B],
        _: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [TensorOf<Sequence<C, L>, T>; B]>,
    ) {
        let Some(dx) = dx else { return };
        for (dy, dx) in dy.iter().zip(dx) {
            Tensor::<T>::copy_from(dx, dy);
        }
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

impl<const C: usize, const L: usize, T: Scalar> LearnedPositions<C, L, T> {
    /// Adds each step's vector to it.
    fn add_to(&self, x: &mut [T]) {
        for (x, &weight) in x.iter_mut().zip(self.weight.as_flattened()) {
            *x += weight;
        }
    }
}

impl<const C: usize, const L: usize, T: Scalar> Layer<Sequence<C, L>, T> for LearnedPositions<C, L, T> {
    type Out = Sequence<C, L>;
    type Peak<X, Y> = Either<X, Y>;

    const TURNS: bool = false;

    fn forward(&self, x: &TensorOf<Sequence<C, L>, T>, y: &mut TensorOf<Sequence<C, L>, T>) {
        Tensor::<T>::copy_from(y, x);
        self.add_to(Tensor::as_mut_slice(y));
    }

    #[inline]
    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Sequence<C, L>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Sequence<C, L>, T>>,
    ) {
        over(x, arena, y, |x, y| self.forward(x, y), |x| self.add_to(x));
    }
}

impl<const C: usize, const L: usize, T: Scalar> Differentiable<Sequence<C, L>, T> for LearnedPositions<C, L, T> {
    type Cache<const B: usize> = ();

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        _: &[TensorOf<Sequence<C, L>, T>; B],
        _: &[TensorOf<Sequence<C, L>, T>; B],
        (): &mut (),
        dy: &[TensorOf<Sequence<C, L>, T>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [TensorOf<Sequence<C, L>, T>; B]>,
    ) {
        let gradient = gradient.to_add();
        for dy in dy {
            for (d, &dy) in gradient.weight.as_flattened_mut().iter_mut().zip(Tensor::as_slice(dy)) {
                *d += dy;
            }
        }
        let Some(dx) = dx else { return };
        for (dy, dx) in dy.iter().zip(dx) {
            Tensor::<T>::copy_from(dx, dy);
        }
    }
}
