#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.
#![allow(clippy::many_single_char_names)] // The formula's.

use super::{RecurrentState, recurrent};
use crate::kernels::contiguous::Contiguous;
use crate::kernels::dispatch::{Isa, lanes};
use crate::kernels::recurrent::{Cell, kept, products, work};
use crate::kernels::tile::{each, load, store, tiles};
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
/// A number of `h` below 2^-40 (`f32`; see [`Scalar::NEGLIGIBLE`]) becomes 0, so that silence takes no longer than a signal; its
/// derivative is that of the formula.
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

    const SAVED: Contiguous<Self::Saved, T> = Contiguous::array(4 * HIDDEN);

    const WORK: usize = work(3, IN, HIDDEN);

    #[inline(always)]
    fn advance<I: Isa>(&self, state: &mut Self::State, x: &[T; IN], saved: &mut Self::Saved) {
        let mut next = [T::ZERO; HIDDEN];
        tiles!(HIDDEN, lanes::<I, T>(), |start, W| {
            self.advance_tile::<I, W>(start, &state.hidden, x, saved, &mut next);
        });
        state.hidden = kept(&next);
    }

    #[inline(always)]
    fn back<I: Isa>(&self, saved: &mut Self::Saved, before: &[T; HIDDEN], gradient: &mut Self::State) {
        tiles!(HIDDEN, lanes::<I, T>(), |start, W| Self::back_tile::<W>(start, saved, before, &mut gradient.hidden));
        // What `back_tile` left is what the update gate let through.
        self.add_state_gradient::<I>(saved, &mut gradient.hidden);
    }
}

impl<const IN: usize, const HIDDEN: usize, T: Scalar> Gru<IN, HIDDEN, T> {
    /// The numbers `start..start + W` of the next output.
    #[inline(always)]
    fn advance_tile<I: Isa, const W: usize>(
        &self,
        start: usize,
        hidden: &[T; HIDDEN],
        x: &[T; IN],
        [saved_r, saved_z, saved_n, saved_q]: &mut [[T; HIDDEN]; 4],
        next: &mut [T; HIDDEN],
    ) {
        let [xr, xz, xn] = products::<I, T, IN, 3, HIDDEN, W>(&self.bias_ih, &self.weight_ih, x, start);
        let [hr, hz, q] = products::<I, T, HIDDEN, 3, HIDDEN, W>(&self.bias_hh, &self.weight_hh, hidden, start);
        let r = each([&xr, &hr], |[x, h]| (x + h).sigmoid());
        let z = each([&xz, &hz], |[x, h]| (x + h).sigmoid());
        let n = each([&r, &q, &xn], |[r, q, x]| I::mul_add(r, q, x).tanh());
        let before: [T; W] = load(hidden, start);
        let h = each([&z, &n, &before], |[z, n, before]| I::mul_add(z, before, (T::ONE - z) * n));
        store(r, saved_r, start);
        store(z, saved_z, start);
        store(n, saved_n, start);
        store(q, saved_q, start);
        store(h, next, start);
    }

    /// The numbers `start..start + W` of the gradients in front of the gates, and of that of the output before, past the gates.
    #[inline(always)]
    fn back_tile<const W: usize>(
        start: usize,
        [saved_r, saved_z, saved_n, saved_q]: &mut [[T; HIDDEN]; 4],
        before: &[T; HIDDEN],
        gradient: &mut [T; HIDDEN],
    ) {
        let r: [T; W] = load(saved_r, start);
        let z: [T; W] = load(saved_z, start);
        let n: [T; W] = load(saved_n, start);
        let q: [T; W] = load(saved_q, start);
        let before: [T; W] = load(before, start);
        let dh: [T; W] = load(gradient, start);
        let dn = each([&dh, &z, &n], |[dh, z, n]| dh * (T::ONE - z) * (T::ONE - n * n));
        let dz = each([&dh, &before, &n, &z], |[dh, before, n, z]| dh * (before - n) * z * (T::ONE - z));
        store(each([&dn, &q, &r], |[dn, q, r]| dn * q * r * (T::ONE - r)), saved_r, start);
        store(dz, saved_z, start);
        store(dn, saved_n, start);
        store(each([&dn, &r], |[dn, r]| dn * r), saved_q, start);
        store(each([&dh, &z], |[dh, z]| dh * z), gradient, start);
    }
}
