#![allow(clippy::many_single_char_names)] // Queries, keys and values have no other names.

use crate::kernels::attention::Head;
use crate::kernels::sum::{add_scaled, dot};
use crate::layer::{Differentiable, Layer, Role, tensors};
use crate::scalar::{Element, Scalar};
use crate::shape::length::{Len, SharedBy};
use crate::shape::window::Causal;
use crate::shape::{Sequence, TensorOf};
use core::fmt::Debug;
use core::marker::PhantomData;

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
/// `4 E² L + 2 E L²` multiply-adds (the second term is half of it if causal); `4 E² + 4 E` parameters. To predict, the keys and
/// the values of the sequence stand on the stack and what belongs to one step, `2 E L + 2 E + L` numbers; in training one row of
/// `L`. The cache holds `(4 E + HEADS L) L` numbers for each sample, and `3 E L` for all.
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

/// The first of queries, keys and values.
fn query<X>([q, _, _]: &[X; 3]) -> &X {
    q
}

fn key<X>([_, k, _]: &[X; 3]) -> &X {
    k
}

fn value<X>([_, _, v]: &[X; 3]) -> &X {
    v
}

/// What training keeps of a sample: queries, keys and values; for each step and head the part of each step; and what the heads
/// found.
type Kept<T, const E: usize, const HEADS: usize, const L: usize> =
    ([[[T; E]; L]; 3], [[[T; L]; HEADS]; L], [[T; E]; L]);

impl<const E: usize, const HEADS: usize, M: Mask, T: Scalar> SelfAttention<E, HEADS, M, T> {
    /// How many of `steps` the step with this index sees.
    #[inline]
    const fn seen(step: usize, steps: usize) -> usize {
        if M::IS_CAUSAL { step + 1 } else { steps }
    }

    /// The query, the key or the value of a step.
    #[inline]
    fn project(&self, part: impl Fn(&[[T; E]; 3]) -> &[T; E] + Clone, x: &[T; E], out: &mut [T; E]) {
        *out = *part(&self.in_proj_bias);
        add_scaled(out, self.in_proj_weight.iter().map(part).zip(x.iter().copied()));
    }

    /// An output from what the heads found.
    #[inline]
    fn project_out(&self, found: &[T; E], y: &mut [T; E]) {
        *y = self.out_proj_bias;
        add_scaled(y, self.out_proj_weight.iter().zip(found.iter().copied()));
    }

    /// One sample in training.
    #[inline]
    fn forward_kept<const L: usize>(&self, x: &[[T; E]; L], kept: &mut Kept<T, E, HEADS, L>, y: &mut [[T; E]; L]) {
        let ([q, k, v], parts, found) = kept;
        for (((x, q), k), v) in x.iter().zip(&mut *q).zip(&mut *k).zip(&mut *v) {
            self.project(query, x, q);
            self.project(key, x, k);
            self.project(value, x, v);
        }
        for (step, (((q, parts), found), y)) in q.iter().zip(parts).zip(found).zip(y).enumerate() {
            let seen = Self::seen(step, L);
            for (head, part) in Head::all::<E, HEADS>().zip(parts) {
                if let (Some(k), Some(v), Some(part)) = (k.get(..seen), v.get(..seen), part.get_mut(..seen)) {
                    head.attend((q, k, v), part, found);
                }
            }
            self.project_out(found, y);
        }
    }

    /// The gradients of the output's projection, then of what the heads found, in its place, then of queries, keys and values.
    #[inline]
    fn backward_to_projections<const L: usize>(
        &self,
        ([q, k, v], parts, found): &mut Kept<T, E, HEADS, L>,
        dy: &[[T; E]; L],
        gradient: &mut Self,
        [dq, dk, dv]: &mut [[[T; E]; L]; 3],
    ) {
        add_outer(&mut gradient.out_proj_weight, found, dy);
        add_scaled(&mut gradient.out_proj_bias, dy.iter().map(|dy| (dy, T::ONE)));
        for (found, dy) in found.iter_mut().zip(dy) {
            for (found, column) in found.iter_mut().zip(&self.out_proj_weight) {
                *found = dot(column, dy);
            }
        }
        for d in [&mut *dq, &mut *dk, &mut *dv] {
            d.as_flattened_mut().fill(T::ZERO);
        }
        let mut row = [T::ZERO; L];
        for (step, (((q, parts), d), dq)) in q.iter().zip(parts).zip(found).zip(dq).enumerate() {
            let seen = Self::seen(step, L);
            for (head, part) in Head::all::<E, HEADS>().zip(parts) {
                let given = (k.get(..seen), v.get(..seen), part.get(..seen));
                let wanted = (dk.get_mut(..seen), dv.get_mut(..seen), row.get_mut(..seen));
                if let ((Some(k), Some(v), Some(part)), (Some(dk), Some(dv), Some(row))) = (given, wanted) {
                    head.backward((q, k, v), part, d, (dq, dk, dv), row);
                }
            }
        }
    }

    /// The gradient of the inputs' projection.
    #[inline]
    fn gradient_of_projections<const L: usize>(gradient: &mut Self, x: &[[T; E]; L], d: &[[[T; E]; L]; 3]) {
        let [dq, dk, dv] = d;
        for (i, [q, k, v]) in gradient.in_proj_weight.iter_mut().enumerate() {
            let x = x.iter().map(|x| x.get(i).copied().unwrap_or(T::ZERO));
            add_scaled(q, dq.iter().zip(x.clone()));
            add_scaled(k, dk.iter().zip(x.clone()));
            add_scaled(v, dv.iter().zip(x));
        }
        for (bias, d) in gradient.in_proj_bias.iter_mut().zip(d) {
            add_scaled(bias, d.iter().map(|d| (d, T::ONE)));
        }
    }
}

/// `weight += sum of dy x'`
#[inline]
fn add_outer<T: Scalar, const E: usize, const L: usize>(weight: &mut [[T; E]; E], x: &[[T; E]; L], dy: &[[T; E]; L]) {
    for (i, column) in weight.iter_mut().enumerate() {
        add_scaled(column, dy.iter().zip(x.iter().map(|x| x.get(i).copied().unwrap_or(T::ZERO))));
    }
}

impl<const E: usize, const HEADS: usize, const L: usize, M: Mask, T: Scalar> Layer<Sequence<E, L>, T>
    for SelfAttention<E, HEADS, M, T>
where
    Len<E>: SharedBy<HEADS>,
{
    type Out = Sequence<E, L>;

    /// Keys and values of all steps; of the step at hand its query, what it finds, and its attention to each step.
    const FORWARD_BYTES: usize = size_of::<T>() * (2 * E * L + 2 * E + L);

    fn forward(&self, x: &TensorOf<Sequence<E, L>, T>, y: &mut TensorOf<Sequence<E, L>, T>) {
        let mut k = [[T::ZERO; E]; L];
        let mut v = [[T::ZERO; E]; L];
        for ((x, k), v) in x.data.0.iter().zip(&mut k).zip(&mut v) {
            self.project(key, x, k);
            self.project(value, x, v);
        }
        let (mut q, mut found, mut part) = ([T::ZERO; E], [T::ZERO; E], [T::ZERO; L]);
        for (step, (x, y)) in x.data.0.iter().zip(&mut y.data.0).enumerate() {
            self.project(query, x, &mut q);
            let seen = Self::seen(step, L);
            if let (Some(k), Some(v), Some(part)) = (k.get(..seen), v.get(..seen), part.get_mut(..seen)) {
                for head in Head::all::<E, HEADS>() {
                    head.attend((&q, k, v), part, &mut found);
                }
            }
            self.project_out(&found, y);
        }
    }
}

impl<const E: usize, const HEADS: usize, const L: usize, M: Mask, T: Scalar> Differentiable<Sequence<E, L>, T>
    for SelfAttention<E, HEADS, M, T>
where
    Len<E>: SharedBy<HEADS>,
{
    /// What is kept of each sample, and the gradients of queries, keys and values of the one that backward is at.
    type Cache<const B: usize> = ([Kept<T, E, HEADS, L>; B], [[[T; E]; L]; 3]);

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

    fn backward<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<E, L>, T>; B],
        _: &[TensorOf<Sequence<E, L>, T>; B],
        (kept, d): &mut Self::Cache<B>,
        dy: &[TensorOf<Sequence<E, L>, T>; B],
        gradient: &mut Self,
        dx: &mut [TensorOf<Sequence<E, L>, T>; B],
    ) {
        for (((x, kept), dy), dx) in x.iter().zip(kept).zip(dy).zip(dx) {
            self.backward_to_projections(kept, &dy.data.0, gradient, d);
            Self::gradient_of_projections(gradient, &x.data.0, d);
            let [dq, dk, dv] = &*d;
            for (((dq, dk), dv), dx) in dq.iter().zip(dk).zip(dv).zip(&mut dx.data.0) {
                for ([q, k, v], dx) in self.in_proj_weight.iter().zip(dx) {
                    *dx = dot(q, dq) + dot(k, dk) + dot(v, dv);
                }
            }
        }
    }

    fn backward_parameters<const B: usize>(
        &self,
        x: &[TensorOf<Sequence<E, L>, T>; B],
        _: &[TensorOf<Sequence<E, L>, T>; B],
        (kept, d): &mut Self::Cache<B>,
        dy: &[TensorOf<Sequence<E, L>, T>; B],
        gradient: &mut Self,
    ) {
        for ((x, kept), dy) in x.iter().zip(kept).zip(dy) {
            self.backward_to_projections(kept, &dy.data.0, gradient, d);
            Self::gradient_of_projections(gradient, &x.data.0, d);
        }
    }
}
