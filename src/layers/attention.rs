use crate::kernels::attention::{Projections, attend, attend_backward, project};
use crate::kernels::{dense, recurrent};
use crate::layer::{
    Both, Contiguous, Differentiable, Gradient, Layer, Role, Side, Source, Target, apart, on_stack, tensors,
};
use crate::scalar::{Element, Scalar};
use crate::shape::length::{Len, NotZero, SharedBy};
use crate::shape::window::Causal;
use crate::shape::{Sequence, TensorOf};
use core::fmt::Debug;
use core::marker::PhantomData;
use core::slice::{from_mut, from_ref};

/// Every step sees every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Full;

/// Which steps a step sees: all of them, [`Full`], or itself and those before, [`Causal`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which steps attention sees",
    label = "neither `Full` nor `Causal`",
    note = "write `SelfAttention<E, HEADS>` for all steps, `SelfAttention<E, HEADS, Causal>` for those up to now"
)]
pub trait Mask: Debug + Copy + PartialEq + Send + Sync + 'static {
    /// Whether later steps are hidden.
    const IS_CAUSAL: bool;
}

impl Mask for Full {
    const IS_CAUSAL: bool = false;
}

impl Mask for Causal {
    const IS_CAUSAL: bool = true;
}

/// Multi-head self-attention: each step takes from every step what its query finds there. PyTorch's
/// `nn.MultiheadAttention(E, HEADS, batch_first=True)` of a sequence with itself.
///
/// ```text
/// q_t, k_t, v_t = W_in x_t + b_in                    each of E numbers, E / HEADS of them for each head
/// p_t,s = softmax over s of (q_t . k_s / sqrt(E / HEADS))                            for each head
/// y_t = W_out (sum over s of p_t,s v_s, the heads side by side) + b_out
/// ```
///
/// The mask `M` is [`Full`], or [`Causal`]: then `s` goes up to `t` only, and no step looks ahead.
///
/// # Shapes
/// `Sequence<E, L>` to itself. `HEADS` divides `E`.
///
/// # Cost
/// `4 E² L + 2 E L²` multiply-adds (the second term is half of it if causal); `4 E² + 4 E` parameters. To predict, the queries,
/// keys and values of the sequence stand on the stack and what belongs to one step, `3 E L + E + HEADS L` numbers; in training one row
/// of `L`. The cache holds `(4 E + HEADS L) L` numbers for each sample, and `3 E L` for all.
///
/// It does not run [step by step](crate::streaming): for the next token of a text, give the last `L` tokens again.
///
/// # Example
/// A transformer's block, with the norms in front:
/// ```
/// use constnet::{Causal, Dense, Gelu, LayerNorm, Network, Residual, SelfAttention, Sequence};
///
/// type Attend = Residual<(LayerNorm<16>, SelfAttention<16, 2, Causal>)>;
/// type Think = Residual<(LayerNorm<16>, Dense<16, 64>, Gelu, Dense<64, 16>)>;
/// type Block = (Attend, Think);
/// type Net = Network<Sequence<16, 8>, (Block, Block)>;
/// assert_eq!(Net::PARAMETERS, 2 * (12 * 16 * 16 + 13 * 16));
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// Vaswani and others (2017), "Attention is all you need"; Xiong and others (2020), "On layer normalization in the transformer
/// architecture", for the norms in front. Queries, keys and values start as in PyTorch, by Glorot's rule.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfAttention<const E: usize, const HEADS: usize, M = Full, T = f32> {
    /// `W_in`: for each input what it adds to queries, keys and values. In files, `[3 * E, E]`.
    pub in_proj_weight: [[[T; E]; 3]; E],
    /// `b_in`: of queries, keys and values.
    pub in_proj_bias: [[T; E]; 3],
    /// `W_out`: for each number of the heads what it adds to the outputs.
    pub out_proj_weight: [[T; E]; E],
    /// `b_out`
    pub out_proj_bias: [T; E],
    mask: PhantomData<M>,
}

impl<const E: usize, const HEADS: usize, M, T> SelfAttention<E, HEADS, M, T> {
    /// A layer with these parameters.
    pub const fn new(
        in_proj_weight: [[[T; E]; 3]; E],
        in_proj_bias: [[T; E]; 3],
        out_proj_weight: [[T; E]; E],
        out_proj_bias: [T; E],
    ) -> Self {
        Self { in_proj_weight, in_proj_bias, out_proj_weight, out_proj_bias, mask: PhantomData }
    }
}

tensors! {
    [const E: usize, const HEADS: usize, M: Mask, T: Element] SelfAttention<E, HEADS, M, T> => T, "SelfAttention" [E, HEADS]
    0 in_proj_weight "in_proj_weight": [[[T; E]; 3]; E], Role::Weight { fan_in: E, fan_out: 3 * E }, [3 * E, E] by [1, 0];
    1 in_proj_bias "in_proj_bias": [[T; E]; 3], Role::Bias { fan_in: E }, [3 * E] by [0];
    2 out_proj_weight "out_proj.weight": [[T; E]; E], Role::Weight { fan_in: E, fan_out: E }, [E, E] by [1, 0];
    3 out_proj_bias "out_proj.bias": [T; E], Role::Bias { fan_in: E }, [E] by [0];
    with mask;
}

/// What training keeps of a sample: queries, keys and values; for each step and head the part of each step; and what the heads
/// found.
type Kept<T, const E: usize, const HEADS: usize, const L: usize> =
    ([Projections<T, E>; L], [[[T; L]; HEADS]; L], [[T; E]; L]);

/// Where the gradients of queries, keys and values stand: for the kernels that treat them as the gates of a recurrent layer.
const SLOTS: [usize; 3] = [0, 1, 2];

impl<const E: usize, const HEADS: usize, M: Mask, T: Scalar> SelfAttention<E, HEADS, M, T> {
    /// How many of `steps` the step with this index sees.
    #[inline]
    const fn seen(step: usize, steps: usize) -> usize {
        if M::IS_CAUSAL { step + 1 } else { steps }
    }

    /// What the scores are multiplied by.
    #[allow(clippy::cast_precision_loss)]
    fn scale() -> T {
        T::from_f64(libm::sqrt(HEADS as f64 / E as f64))
    }

    /// One sample in training.
    fn forward_kept<const L: usize>(&self, x: &[[T; E]; L], kept: &mut Kept<T, E, HEADS, L>, y: &mut [[T; E]; L]) {
        let (qkv, parts, found) = kept;
        project(&self.in_proj_weight, &self.in_proj_bias, x, qkv);
        let scale = Self::scale();
        for (step, (([q, _, _], parts), found)) in qkv.iter().zip(parts).zip(&mut *found).enumerate() {
            if let Some(seen) = qkv.get(..Self::seen(step, L)) {
                attend(q, seen, scale, parts, found);
            }
        }
        dense::forward(&self.out_proj_weight, Some(&self.out_proj_bias), found, y);
    }

    /// The gradients of the output's projection, then of what the heads found, in its place, then of queries, keys and values, then
    /// of their projection.
    fn backward_kept<const L: usize>(
        &self,
        x: &[[T; E]; L],
        (qkv, parts, found): &mut Kept<T, E, HEADS, L>,
        dy: &[[T; E]; L],
        gradient: &mut Self,
        d: &mut [Projections<T, E>; L],
    ) {
        dense::weight_gradient::<_, _, _, true>(&mut gradient.out_proj_weight, found, dy);
        dense::bias_gradient::<_, _, true>(&mut gradient.out_proj_bias, dy);
        dense::input_gradient(&self.out_proj_weight, dy, found);
        *d = [[[T::ZERO; E]; 3]; L];
        let scale = Self::scale();
        for (step, (([q, _, _], parts), found)) in qkv.iter().zip(parts).zip(found).enumerate() {
            let seen = Self::seen(step, L);
            let mut dq = [T::ZERO; E];
            if let (Some(seen), Some(d)) = (qkv.get(..seen), d.get_mut(..seen)) {
                attend_backward(q, seen, scale, parts, found, d, &mut dq);
            }
            if let Some([d, _, _]) = d.get_mut(step) {
                *d = dq;
            }
        }
        recurrent::weight_gradient(&mut gradient.in_proj_weight, SLOTS, x.as_chunks::<1>().0, 0, d);
        recurrent::bias_gradient(&mut gradient.in_proj_bias, SLOTS, d);
    }
}

impl<const E: usize, const HEADS: usize, const L: usize, M: Mask, T: Scalar> Layer<Sequence<E, L>, T>
    for SelfAttention<E, HEADS, M, T>
where
    Len<E>: SharedBy<HEADS> + NotZero,
{
    type Out = Sequence<E, L>;
    /// Queries, keys and values of all steps; of the step at hand what it finds, and each head's attention to each step.
    type Peak<X, Y> = Both<X, Y, Both<[Projections<T, E>; L], [T; E], [[T; L]; HEADS]>>;

    fn forward(&self, x: &TensorOf<Sequence<E, L>, T>, y: &mut TensorOf<Sequence<E, L>, T>) {
        on_stack(self, x, y);
    }

    fn forward_in(
        &self,
        x: Source<'_, TensorOf<Sequence<E, L>, T>>,
        arena: &mut [T],
        y: Target<'_, TensorOf<Sequence<E, L>, T>>,
    ) {
        apart(x, arena, y, |x, rest, y| {
            let Some((qkv, rest)) = Side::Low.value(rest, &Contiguous::<[Projections<T, E>; L], T>::array(3 * E * L))
            else {
                return;
            };
            let Some((parts, rest)) = Side::Low.value(rest, &Contiguous::<[[T; L]; HEADS], T>::array(L * HEADS)) else {
                return;
            };
            let Some((found, _)) = Side::Low.value(rest, &Contiguous::<[T; E], T>::array(E)) else { return };
            project(&self.in_proj_weight, &self.in_proj_bias, &x.data.0, qkv);
            let scale = Self::scale();
            for (step, ([q, _, _], y)) in qkv.iter().zip(&mut y.data.0).enumerate() {
                if let Some(seen) = qkv.get(..Self::seen(step, L)) {
                    attend(q, seen, scale, parts, found);
                }
                dense::forward(&self.out_proj_weight, Some(&self.out_proj_bias), from_ref(found), from_mut(y));
            }
        });
    }
}

impl<const E: usize, const HEADS: usize, const L: usize, M: Mask, T: Scalar> Differentiable<Sequence<E, L>, T>
    for SelfAttention<E, HEADS, M, T>
where
    Len<E>: SharedBy<HEADS> + NotZero,
{
    /// What is kept of each sample, and the gradients of queries, keys and values of the one that backward is at.
    type Cache<const B: usize> = ([Kept<T, E, HEADS, L>; B], [Projections<T, E>; L]);

    fn forward_train<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<E, L>, T>; B],
        (kept, _): &mut Self::Cache<B>,
        y: &mut [TensorOf<Sequence<E, L>, T>; B],
    ) {
        for ((x, kept), y) in x.iter().zip(kept).zip(y) {
            self.forward_kept(&x.data.0, kept, &mut y.data.0);
        }
    }

    fn backward<const B: usize, const ADDS: bool>(
        &self,
        x: &[TensorOf<Sequence<E, L>, T>; B],
        _: &[TensorOf<Sequence<E, L>, T>; B],
        (kept, d): &mut Self::Cache<B>,
        dy: &[TensorOf<Sequence<E, L>, T>; B],
        gradient: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [TensorOf<Sequence<E, L>, T>; B]>,
    ) {
        let gradient = gradient.to_add();
        let mut dx = dx.map(|dx| dx.iter_mut());
        for ((x, kept), dy) in x.iter().zip(kept).zip(dy) {
            self.backward_kept(&x.data.0, kept, &dy.data.0, gradient, d);
            if let Some(dx) = dx.as_mut().and_then(Iterator::next) {
                dx.data.0 = [[T::ZERO; E]; L];
                recurrent::add_input_gradient(&self.in_proj_weight, SLOTS, d, &mut dx.data.0);
            }
        }
    }
}
