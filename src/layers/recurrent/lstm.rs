#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.
#![allow(clippy::many_single_char_names)] // The formula's.

use super::{hidden, recurrent};
use crate::kernels::contiguous::Contiguous;
use crate::kernels::dispatch::{Isa, lanes};
use crate::kernels::recurrent::{Cell, kept, products, work};
use crate::kernels::tile::{each, load, store, tiles};
use crate::scalar::{ConstZero, Element, Negligible, Scalar};

/// Long short-term memory.
///
/// ```text
/// i    = sigmoid(W_ii x[t] + b_ii + W_hi h[t-1] + b_hi)          input gate
/// f    = sigmoid(W_if x[t] + b_if + W_hf h[t-1] + b_hf)          forget gate
/// g    = tanh(W_ig x[t] + b_ig + W_hg h[t-1] + b_hg)             what is new
/// o    = sigmoid(W_io x[t] + b_io + W_ho h[t-1] + b_ho)          output gate
/// c[t] = f * c[t-1] + i * g,  c[-1] = 0
/// h[t] = o * tanh(c[t]),      h[-1] = 0
/// ```
///
/// `IN` and `HIDDEN` are PyTorch's `input_size` and `hidden_size`. Biases start at 0; a forget gate that starts open, as
/// Keras has it, is `lstm.bias_ih[1] = [1.0; HIDDEN]` after `init`.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<HIDDEN, L>`: every `h[t]`. For the last step alone put [`Last`](crate::Last) behind. It runs step
/// by step: [`streaming`](mod@crate::streaming).
///
/// A number of `h` and `c` below 2^-40 (`f32`; see [`Scalar::NEGLIGIBLE`]) becomes 0, so that silence takes no longer than a signal; its
/// derivative is that of the formula.
///
/// # Cost
/// `4 * (IN + HIDDEN) * HIDDEN` multiply-adds and `5 * HIDDEN` exponentials a step; `4 * (IN + HIDDEN + 2) * HIDDEN` parameters;
/// the cache keeps `5 * HIDDEN` numbers a step.
///
/// # Example
/// ```
/// use constnet::{Dense, Last, Lstm, Network, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (Lstm<6, 16>, Last, Dense<16, 4>)>;
/// assert_eq!(Net::PARAMETERS, 4 * (6 + 16 + 2) * 16 + 17 * 4);
/// ```
///
/// # Reference
/// Hochreiter & Schmidhuber (1997), with the forget gate of Gers and others (2000). PyTorch's `nn.LSTM`, whose default
/// initialisation, uniform within `sqrt(1 / HIDDEN)`, is that of `init::Init::TorchDefault` but for `weight_ih`,
/// which goes by `IN` here.
#[derive(Debug, Clone, PartialEq)]
pub struct Lstm<const IN: usize, const HIDDEN: usize, T = f32> {
    /// `W_ih`: for each input a column for each of the gates i, f, g, o.
    pub weight_ih: [[[T; HIDDEN]; 4]; IN],
    /// `W_hh`: the same for each number of the output before.
    pub weight_hh: [[[T; HIDDEN]; 4]; HIDDEN],
    /// `b_ih`, gate by gate.
    pub bias_ih: [[T; HIDDEN]; 4],
    /// `b_hh`, gate by gate.
    pub bias_hh: [[T; HIDDEN]; 4],
}

impl<const IN: usize, const HIDDEN: usize, T> Lstm<IN, HIDDEN, T> {
    /// A layer with these parameters.
    #[allow(clippy::similar_names)] // PyTorch's.
    pub const fn new(
        weight_ih: [[[T; HIDDEN]; 4]; IN],
        weight_hh: [[[T; HIDDEN]; 4]; HIDDEN],
        bias_ih: [[T; HIDDEN]; 4],
        bias_hh: [[T; HIDDEN]; 4],
    ) -> Self {
        Self { weight_ih, weight_hh, bias_ih, bias_hh }
    }
}

/// What an [`Lstm`] remembers from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmState<const HIDDEN: usize, T = f32> {
    /// `h`: the output of the last step.
    pub hidden: [T; HIDDEN],
    /// `c`: the memory, which no gate has squeezed yet.
    pub cell: [T; HIDDEN],
}

impl<const HIDDEN: usize, T: Element> ConstZero for LstmState<HIDDEN, T> {
    const ZERO: Self = Self { hidden: ConstZero::ZERO, cell: ConstZero::ZERO };
}

hidden!(LstmState, 2);

recurrent! {
    "Lstm" Lstm<IN, HIDDEN> [] => 4 gates, 5 saved, state LstmState, slots [0, 1, 2, 3] and [0, 1, 2, 3]
}

impl<const IN: usize, const HIDDEN: usize, T: Scalar> Cell<T, IN, HIDDEN> for Lstm<IN, HIDDEN, T> {
    type State = LstmState<HIDDEN, T>;
    /// `i`, `f`, `g`, `o` and `c[t-1]`.
    type Saved = [[T; HIDDEN]; 5];

    const SAVED: Contiguous<Self::Saved, T> = Contiguous::array(5 * HIDDEN);

    const WORK: usize = work(4, IN, HIDDEN);

    #[inline(always)]
    fn advance<I: Isa>(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved) {
        let mut next = Self::State::ZERO;
        tiles!(HIDDEN, lanes::<I, T>(), |start, W| {
            self.advance_tile::<I, W>(start, state, x, saved, &mut next);
        });
        *state = LstmState { hidden: kept(&next.hidden), cell: kept(&next.cell) };
    }

    #[inline(always)]
    fn back<I: Isa>(&self, saved: &mut Self::Saved, _: &[T; HIDDEN], gradient: &mut Self::State) {
        tiles!(HIDDEN, lanes::<I, T>(), |start, W| Self::back_tile::<I, W>(start, saved, gradient));
        gradient.hidden = [T::ZERO; HIDDEN];
        self.add_state_gradient::<I>(saved, &mut gradient.hidden);
    }
}

impl<const IN: usize, const HIDDEN: usize, T: Scalar> Lstm<IN, HIDDEN, T> {
    /// The numbers `start..start + W` of the next state.
    #[inline(always)]
    fn advance_tile<I: Isa, const W: usize>(
        &self,
        start: usize,
        state: &LstmState<HIDDEN, T>,
        x: &[T; IN],
        [saved_i, saved_f, saved_g, saved_o, saved_cell]: &mut [[T; HIDDEN]; 5],
        next: &mut LstmState<HIDDEN, T>,
    ) {
        let [xi, xf, xg, xo] = products::<I, T, IN, 4, HIDDEN, W>(&self.bias_ih, &self.weight_ih, x, start);
        let [hi, hf, hg, ho] =
            products::<I, T, HIDDEN, 4, HIDDEN, W>(&self.bias_hh, &self.weight_hh, &state.hidden, start);
        let i = each([&xi, &hi], |[x, h]| (x + h).sigmoid());
        let f = each([&xf, &hf], |[x, h]| (x + h).sigmoid());
        let g = each([&xg, &hg], |[x, h]| (x + h).tanh());
        let o = each([&xo, &ho], |[x, h]| (x + h).sigmoid());
        let before: [T; W] = load(&state.cell, start);
        let cell = each([&i, &f, &g, &before], next_cell::<I, T>);
        let hidden = each([&o, &cell], |[o, cell]| o * cell.tanh());
        store(i, saved_i, start);
        store(f, saved_f, start);
        store(g, saved_g, start);
        store(o, saved_o, start);
        store(before, saved_cell, start);
        store(cell, &mut next.cell, start);
        store(hidden, &mut next.hidden, start);
    }

    /// The numbers `start..start + W` of the gradients in front of the gates, and of that of the cell before.
    #[inline(always)]
    fn back_tile<I: Isa, const W: usize>(
        start: usize,
        [saved_i, saved_f, saved_g, saved_o, saved_cell]: &mut [[T; HIDDEN]; 5],
        gradient: &mut LstmState<HIDDEN, T>,
    ) {
        let i: [T; W] = load(saved_i, start);
        let f: [T; W] = load(saved_f, start);
        let g: [T; W] = load(saved_g, start);
        let o: [T; W] = load(saved_o, start);
        let before: [T; W] = load(saved_cell, start);
        let dh: [T; W] = load(&gradient.hidden, start);
        let dc: [T; W] = load(&gradient.cell, start);
        let tanh = each([&i, &f, &g, &before], |gates| next_cell::<I, T>(gates).tanh());
        let d = each([&dc, &dh, &o, &tanh], |[dc, dh, o, tanh]| dc + dh * o * (T::ONE - tanh * tanh));
        store(each([&d, &g, &i], |[d, g, i]| d * g * i * (T::ONE - i)), saved_i, start);
        store(each([&d, &before, &f], |[d, before, f]| d * before * f * (T::ONE - f)), saved_f, start);
        store(each([&d, &i, &g], |[d, i, g]| d * i * (T::ONE - g * g)), saved_g, start);
        store(each([&dh, &tanh, &o], |[dh, tanh, o]| dh * tanh * o * (T::ONE - o)), saved_o, start);
        let negligible = Negligible::gradient();
        store(each([&d, &f], |[d, f]| negligible.drop_from(d * f)), &mut gradient.cell, start);
    }
}

/// `c[t]` from `i`, `f`, `g` and `c[t-1]`, forwards and on the way back.
#[inline(always)]
fn next_cell<I: Isa, T: Scalar>([i, f, g, before]: [T; 4]) -> T {
    I::mul_add(f, before, i * g)
}
