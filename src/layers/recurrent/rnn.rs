#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use super::{RecurrentState, recurrent};
use crate::kernels::contiguous::Contiguous;
use crate::kernels::dispatch::{Isa, lanes};
use crate::kernels::recurrent::{Cell, kept, products, work};
use crate::kernels::tile::{each, store, tiles};
use crate::layers::activation::{Relu, Tanh};
use crate::scalar::Scalar;
use core::marker::PhantomData;

/// A recurrent layer after Elman: each output is a function of the input and of the output before.
///
/// ```text
/// h[t] = A(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh),  h[-1] = 0
/// ```
///
/// `IN` and `HIDDEN` are PyTorch's `input_size` and `hidden_size`; `A` is [`Tanh`] unless given, or [`Relu`]. For `f64` write
/// `Rnn<6, 16, Tanh, f64>`.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<HIDDEN, L>`. For the last step alone put [`Last`](crate::Last) behind. It runs step by step:
/// [`streaming`](mod@crate::streaming).
///
/// A number of `h` below 2^-40 (`f32`; see [`Scalar::NEGLIGIBLE`]) becomes 0, so that silence takes no longer than a signal; its
/// derivative is that of the formula.
///
/// # Cost
/// `(IN + HIDDEN) * HIDDEN` multiply-adds a step; `(IN + HIDDEN + 2) * HIDDEN` parameters; the cache keeps `HIDDEN` numbers a step.
///
/// # Example
/// ```
/// use constnet::{Dense, Last, Network, Relu, Rnn, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (Rnn<6, 16>, Rnn<16, 16, Relu>, Last, Dense<16, 4>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Elman (1990), "Finding structure in time". PyTorch's `nn.RNN`, whose default initialisation, uniform within
/// `sqrt(1 / HIDDEN)`, is that of `init::Init::TorchDefault` but for `weight_ih`, which goes by `IN` here.
#[derive(Debug, Clone, PartialEq)]
pub struct Rnn<const IN: usize, const HIDDEN: usize, A: RnnActivation = Tanh, T = f32> {
    /// `W_ih`: a column for each input.
    pub weight_ih: [[[T; HIDDEN]; 1]; IN],
    /// `W_hh`: a column for each number of the output before.
    pub weight_hh: [[[T; HIDDEN]; 1]; HIDDEN],
    /// `b_ih`
    pub bias_ih: [[T; HIDDEN]; 1],
    /// `b_hh`
    pub bias_hh: [[T; HIDDEN]; 1],
    activation: PhantomData<A>,
}

impl<const IN: usize, const HIDDEN: usize, A: RnnActivation, T> Rnn<IN, HIDDEN, A, T> {
    /// A layer with these parameters.
    #[allow(clippy::similar_names)] // PyTorch's.
    pub const fn new(
        weight_ih: [[[T; HIDDEN]; 1]; IN],
        weight_hh: [[[T; HIDDEN]; 1]; HIDDEN],
        bias_ih: [[T; HIDDEN]; 1],
        bias_hh: [[T; HIDDEN]; 1],
    ) -> Self {
        Self { weight_ih, weight_hh, bias_ih, bias_hh, activation: PhantomData }
    }
}

/// What an [`Rnn`] can have as its function: one whose slope follows from its value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function that an `Rnn` can have",
    note = "`Rnn<6, 16>` has `Tanh`, `Rnn<6, 16, Relu>` has `Relu`; the scalar comes after it: `Rnn<6, 16, Tanh, f64>`"
)]
pub trait RnnActivation {
    /// The function.
    fn value<T: Scalar>(x: T) -> T;

    /// Its derivative, where its value is `y`.
    fn slope<T: Scalar>(y: T) -> T;
}

impl RnnActivation for Tanh {
    #[inline(always)]
    fn value<T: Scalar>(x: T) -> T {
        x.tanh()
    }
    #[inline(always)]
    fn slope<T: Scalar>(y: T) -> T {
        T::ONE - y * y
    }
}

impl RnnActivation for Relu {
    #[inline(always)]
    fn value<T: Scalar>(x: T) -> T {
        if x < T::ZERO { T::ZERO } else { x }
    }
    #[inline(always)]
    fn slope<T: Scalar>(y: T) -> T {
        if y <= T::ZERO { T::ZERO } else { T::ONE }
    }
}

recurrent! {
    "Rnn" Rnn<IN, HIDDEN, A> [A: RnnActivation,] => 1 gates, 1 saved,
    state RecurrentState, slots [0] and [0], with activation
}

impl<const IN: usize, const HIDDEN: usize, A: RnnActivation, T: Scalar> Cell<T, IN, HIDDEN> for Rnn<IN, HIDDEN, A, T> {
    type State = RecurrentState<HIDDEN, T>;
    /// `h`
    type Saved = [[T; HIDDEN]; 1];

    const SAVED: Contiguous<Self::Saved, T> = Contiguous::array(HIDDEN);

    const WORK: usize = work(1, IN, HIDDEN);

    #[inline(always)]
    fn advance<I: Isa>(&self, state: &mut Self::State, x: &[T; IN], [saved]: &mut Self::Saved) {
        tiles!(HIDDEN, 2 * lanes::<I, T>(), |start, W| self.advance_tile::<I, W>(start, &state.hidden, x, saved));
        state.hidden = kept(saved);
    }

    #[inline(always)]
    fn back<I: Isa>(&self, saved: &mut Self::Saved, _: &[T; HIDDEN], gradient: &mut Self::State) {
        let [h] = saved;
        for (h, &dh) in h.iter_mut().zip(&gradient.hidden) {
            *h = dh * A::slope(*h);
        }
        gradient.hidden = [T::ZERO; HIDDEN];
        self.add_state_gradient::<I>(saved, &mut gradient.hidden);
    }
}

impl<const IN: usize, const HIDDEN: usize, A: RnnActivation, T: Scalar> Rnn<IN, HIDDEN, A, T> {
    /// The numbers `start..start + W` of the next output.
    #[inline(always)]
    fn advance_tile<I: Isa, const W: usize>(
        &self,
        start: usize,
        hidden: &[T; HIDDEN],
        x: &[T; IN],
        next: &mut [T; HIDDEN],
    ) {
        let [x] = products::<I, T, IN, 1, HIDDEN, W>(&self.bias_ih, &self.weight_ih, x, start);
        let [h] = products::<I, T, HIDDEN, 1, HIDDEN, W>(&self.bias_hh, &self.weight_hh, hidden, start);
        store(each([&x, &h], |[x, h]| A::value(x + h)), next, start);
    }
}
