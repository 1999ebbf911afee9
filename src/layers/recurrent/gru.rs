use super::{Cell, RecurrentState, recurrent};
use crate::kernels::recurrent::products;
use crate::scalar::Scalar;

/// A gated recurrent unit.
///
/// ```text
/// r    = sigmoid(W_ir x[t] + b_ir + W_hr h[t-1] + b_hr)          reset gate
/// z    = sigmoid(W_iz x[t] + b_iz + W_hz h[t-1] + b_hz)          update gate
/// n    = tanh(W_in x[t] + b_in + r * (W_hn h[t-1] + b_hn))       what is new
/// h[t] = (1 - z) * n + z * h[t-1],  h[-1] = 0
/// ```
///
/// `IN` and `HIDDEN` are PyTorch's `input_size` and `hidden_size`. The reset gate acts after the product, as in PyTorch and in
/// Keras with `reset_after=True`, its default.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<HIDDEN, L>`. For the last step alone put [`Last`](crate::Last) behind. It runs step by step:
/// [`streaming`](mod@crate::streaming).
///
/// # Cost
/// `3 * (IN + HIDDEN) * HIDDEN` multiply-adds and `3 * HIDDEN` exponentials a step; `3 * (IN + HIDDEN + 2) * HIDDEN` parameters;
/// the cache keeps `4 * HIDDEN` numbers a step.
///
/// # Example
/// ```
/// use constnet::{Dense, Gru, Last, Network, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (Gru<6, 16>, Gru<16, 16>, Last, Dense<16, 4>)>; // two layers, one on the other
/// assert_eq!(Net::PARAMETERS, 3 * (6 + 16 + 2) * 16 + 3 * (16 + 16 + 2) * 16 + 17 * 4);
/// ```
///
/// # Reference
/// Cho and others (2014), arXiv:1406.1078, in the form of PyTorch's `nn.GRU`, whose default initialisation, uniform within
/// `sqrt(1 / HIDDEN)`, is that of `init::Init::TorchDefault` but for `weight_ih`, which goes by `IN` here.
#[derive(Debug, Clone, PartialEq)]
pub struct Gru<const IN: usize, const HIDDEN: usize, T = f32> {
    /// `W_ih`: for each input a column for each of the gates r, z, n.
    pub weight_ih: [[[T; HIDDEN]; 3]; IN],
    /// `W_hh`: the same for each number of the output before.
    pub weight_hh: [[[T; HIDDEN]; 3]; HIDDEN],
    /// `b_ih`, gate by gate.
    pub bias_ih: [[T; HIDDEN]; 3],
    /// `b_hh`, gate by gate.
    pub bias_hh: [[T; HIDDEN]; 3],
}

impl<const IN: usize, const HIDDEN: usize, T> Gru<IN, HIDDEN, T> {
    /// A layer with these parameters.
    #[allow(clippy::similar_names)] // PyTorch's.
    pub const fn new(
        weight_ih: [[[T; HIDDEN]; 3]; IN],
        weight_hh: [[[T; HIDDEN]; 3]; HIDDEN],
        bias_ih: [[T; HIDDEN]; 3],
        bias_hh: [[T; HIDDEN]; 3],
    ) -> Self {
        Self { weight_ih, weight_hh, bias_ih, bias_hh }
    }
}

recurrent! {
    "Gru" Gru<IN, HIDDEN> [] => 3 gates, 4 saved, state RecurrentState, slots [0, 1, 2] and [0, 1, 3]
}

impl<const IN: usize, const HIDDEN: usize, T: Scalar> Cell<T, IN, HIDDEN> for Gru<IN, HIDDEN, T> {
    type State = RecurrentState<HIDDEN, T>;
    /// `r`, `z`, `n`, and `q = W_hn h[t-1] + b_hn`.
    type Saved = [[T; HIDDEN]; 4];

    #[inline]
    #[allow(clippy::many_single_char_names)] // The formula's.
    fn advance(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved) {
        let from_input = products(&self.bias_ih, &self.weight_ih, x);
        let from_state = products(&self.bias_hh, &self.weight_hh, &state.hidden);
        let [r, z, n, q] = saved;
        let ([input_r, input_z, input_n], [state_r, state_z, state_n]) = (from_input, from_state);
        for ((r, input), state) in r.iter_mut().zip(input_r).zip(state_r) {
            *r = (input + state).sigmoid();
        }
        for ((z, input), state) in z.iter_mut().zip(input_z).zip(state_z) {
            *z = (input + state).sigmoid();
        }
        *q = state_n;
        for (((n, input), &r), &q) in n.iter_mut().zip(input_n).zip(&*r).zip(&*q) {
            *n = (input + r * q).tanh();
        }
        for ((h, &z), &n) in state.hidden.iter_mut().zip(&*z).zip(&*n) {
            *h = (T::ONE - z) * n + z * *h;
        }
    }

    #[inline]
    fn back(&self, saved: &mut Self::Saved, before: &[T; HIDDEN], gradient: &mut Self::State) {
        let mut kept = [T::ZERO; HIDDEN];
        let [r, z, n, q] = saved;
        let gates = r.iter_mut().zip(z).zip(n.iter_mut().zip(q));
        let hidden = gradient.hidden.iter().zip(before).zip(&mut kept);
        for (((r, z), (n, q)), ((&dh, &before), kept)) in gates.zip(hidden) {
            *kept = dh * *z;
            let dn = dh * (T::ONE - *z) * (T::ONE - *n * *n);
            let dz = dh * (before - *n) * *z * (T::ONE - *z);
            let dr = dn * *q * *r * (T::ONE - *r);
            let dq = dn * *r;
            (*r, *z, *n, *q) = (dr, dz, dn, dq);
        }
        gradient.hidden = self.state_gradient(saved);
        for (gradient, kept) in gradient.hidden.iter_mut().zip(kept) {
            *gradient += kept;
        }
    }
}
