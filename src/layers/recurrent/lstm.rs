use super::{Cell, hidden, recurrent};
use crate::kernels::recurrent::products;
use crate::scalar::{ConstZero, Element, Scalar};

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

hidden!(LstmState);

recurrent! {
    "Lstm" Lstm<IN, HIDDEN> [] => 4 gates, 5 saved, state LstmState, slots [0, 1, 2, 3] and [0, 1, 2, 3]
}

impl<const IN: usize, const HIDDEN: usize, T: Scalar> Cell<T, IN, HIDDEN> for Lstm<IN, HIDDEN, T> {
    type State = LstmState<HIDDEN, T>;
    /// `i`, `f`, `g`, `o` and `c[t-1]`.
    type Saved = [[T; HIDDEN]; 5];

    #[inline]
    #[allow(clippy::many_single_char_names)] // The formula's.
    fn advance(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved) {
        let mut gates = products(&self.bias_ih, &self.weight_ih, x);
        let from_state = products(&self.bias_hh, &self.weight_hh, &state.hidden);
        for (gate, &from_state) in gates.as_flattened_mut().iter_mut().zip(from_state.as_flattened()) {
            *gate += from_state;
        }
        let [i, f, g, o] = &mut gates;
        for gates in [i, f, o] {
            for gate in gates {
                *gate = gate.sigmoid();
            }
        }
        for gate in g {
            *gate = gate.tanh();
        }
        let [i, f, g, o] = gates;
        *saved = [i, f, g, o, state.cell];
        for (((c, i), f), g) in state.cell.iter_mut().zip(i).zip(f).zip(g) {
            *c = next_cell(i, f, g, *c);
        }
        for ((h, o), c) in state.hidden.iter_mut().zip(o).zip(&state.cell) {
            *h = o * c.tanh();
        }
    }

    #[inline]
    fn back(&self, saved: &mut Self::Saved, _: &[T; HIDDEN], gradient: &mut Self::State) {
        let [i, f, g, o, before] = saved;
        let gates = i.iter_mut().zip(f).zip(g.iter_mut().zip(o));
        let state = gradient.hidden.iter().zip(&mut gradient.cell).zip(before);
        for (((i, f), (g, o)), ((&dh, dc), &mut before)) in gates.zip(state) {
            let tanh = next_cell(*i, *f, *g, before).tanh();
            let sum = *dc + dh * *o * (T::ONE - tanh * tanh);
            *dc = sum * *f;
            let d_i = sum * *g * *i * (T::ONE - *i);
            let d_f = sum * before * *f * (T::ONE - *f);
            let d_g = sum * *i * (T::ONE - *g * *g);
            let d_o = dh * tanh * *o * (T::ONE - *o);
            (*i, *f, *g, *o) = (d_i, d_f, d_g, d_o);
        }
        gradient.hidden = self.state_gradient(saved);
    }
}

/// `c[t]`, forwards and on the way back.
#[inline]
fn next_cell<T: Scalar>(i: T, f: T, g: T, before: T) -> T {
    f * before + i * g
}
