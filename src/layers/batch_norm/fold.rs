use super::{BatchNorm, IsEpsilon, IsMomentum};
use crate::layer::Numbers;
use crate::layers::bias::Bias;
use crate::layers::conv::{Conv1d, Conv2d};
use crate::layers::conv_transpose::{ConvTranspose1d, ConvTranspose2d};
use crate::layers::dense::Dense;
use crate::layers::grouped_conv::{GroupBias, GroupedConv1d, GroupedConv2d};
use crate::scalar::{Element, Scalar};
use crate::shape::length::{Is, Len, Times};
use crate::shape::window::{IsDilation, IsOutputPadding, IsPadding, IsStride};
use nalgebra::SVector;

/// A layer that multiplies by a weight, whose outputs lie innermost, and adds a bias: what a [`BatchNorm`] can be folded into.
#[diagnostic::on_unimplemented(
    message = "a `BatchNorm` cannot be folded into `{Self}`",
    note = "it folds into the layer right before it: `Dense`, `Conv1d`, `Conv2d`, and the grouped and transposed ones"
)]
pub trait OutputsInnermost<T> {
    /// The bias, or [`NoBias`](crate::NoBias).
    type Bias;

    /// For each input, a factor for each output.
    fn weight(&self) -> &[T];

    /// The same, to write to.
    fn weight_mut(&mut self) -> &mut [T];

    /// A number for each output, or none.
    fn bias(&self) -> &[T];

    /// The same, to write to.
    fn bias_mut(&mut self) -> &mut [T];
}

/// A layer with `C` outputs.
#[diagnostic::on_unimplemented(
    message = "a `BatchNorm` of {C} channels is folded into a layer of {C} outputs, and this is `{Self}`",
    label = "not {C} outputs",
    note = "it folds into the layer right before it"
)]
pub trait HasOutputs<const C: usize> {}

/// A bias that is there.
#[diagnostic::on_unimplemented(
    message = "a `BatchNorm` is folded into a layer with a bias, and this one has `{Self}`: `fold` writes to another layer that has one",
    label = "has no bias",
    note = "`norm.fold(&layer, &mut folded)`, where `folded` is the same layer with a bias"
)]
pub trait IsBias {}

impl<T, const OUT: usize> IsBias for SVector<T, OUT> {}
impl<T, const OUT: usize, const G: usize> IsBias for [[T; OUT]; G] {}

/// Writes [`OutputsInnermost`] for a layer of the fields `weight` and `bias`.
macro_rules! outputs_innermost {
    (@outputs [$($generics:tt)*] $layer:ty, [$outputs:ident]) => {
        impl<$($generics)*> HasOutputs<$outputs> for $layer {}
    };
    (@outputs [$($generics:tt)*] $layer:ty, [$groups:ident * $outputs:ident]) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*, const C: usize> HasOutputs<C> for $layer
        where
            Len<$groups>: Times<$outputs>,
            <Len<$groups> as Times<$outputs>>::Output: Is<C>,
        {
        }
    };
    ($([$($generics:tt)*] $layer:ty, $T:ident, $B:ty, $outputs:tt;)+) => { $(
        outputs_innermost!(@outputs [$($generics)*] $layer, $outputs);

        impl<$($generics)*> OutputsInnermost<$T> for $layer {
            type Bias = $B;

            fn weight(&self) -> &[$T] {
                Numbers::numbers(&self.weight)
            }
            fn weight_mut(&mut self) -> &mut [$T] {
                Numbers::numbers_mut(&mut self.weight)
            }
            fn bias(&self) -> &[$T] {
                Numbers::numbers(&self.bias)
            }
            fn bias_mut(&mut self) -> &mut [$T] {
                Numbers::numbers_mut(&mut self.bias)
            }
        }
    )+ };
}
outputs_innermost! {
    [const IN: usize, const OUT: usize, T: Element, B: Bias<T, OUT>] Dense<IN, OUT, T, B>, T, B, [OUT];
    [
        const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, D: IsDilation,
        T: Element, B: Bias<T, OUT>
    ]
        Conv1d<IN, OUT, K, S, P, D, T, B>, T, B, [OUT];
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize, S: IsStride, P: IsPadding, D: IsDilation,
        T: Element, B: Bias<T, OUT>
    ]
        Conv2d<IN, OUT, KH, KW, S, P, D, T, B>, T, B, [OUT];
    [
        const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, O: IsOutputPadding,
        T: Element, B: Bias<T, OUT>
    ]
        ConvTranspose1d<IN, OUT, K, S, P, O, T, B>, T, B, [OUT];
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize,
        S: IsStride, P: IsPadding, O: IsOutputPadding, T: Element, B: Bias<T, OUT>
    ]
        ConvTranspose2d<IN, OUT, KH, KW, S, P, O, T, B>, T, B, [OUT];
    [
        const G: usize, const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, D: IsDilation,
        T: Element, B: GroupBias<T, OUT, G>
    ]
        GroupedConv1d<G, IN, OUT, K, S, P, D, T, B>, T, B, [G * OUT];
    [
        const G: usize, const IN: usize, const OUT: usize, const KH: usize, const KW: usize,
        S: IsStride, P: IsPadding, D: IsDilation, T: Element,
        B: GroupBias<T, OUT, G>
    ]
        GroupedConv2d<G, IN, OUT, KH, KW, S, P, D, T, B>, T, B, [G * OUT];
}

impl<const C: usize, E: IsEpsilon, M: IsMomentum, T: Scalar> BatchNorm<C, E, M, T> {
    /// Moves what this layer does when it predicts into the layer right before it, which needs a bias.
    ///
    /// The two predict as they did, within rounding, and this one is the identity from then on: a network without it predicts
    /// the same from the same weights, and costs less. Fold when training is over.
    ///
    /// ```
    /// use constnet::nalgebra::{SMatrix, SVector};
    /// use constnet::{BatchNorm, Dense, Network, Vector};
    ///
    /// let dense = Dense::<2, 1>::from_columns([[1.0], [2.0]], [0.5]);
    /// let [weight, bias, mean, variance] = [3.0, -1.0, 0.25, 4.0].map(SVector::<f32, 1>::from_element);
    /// let norm = BatchNorm::<1>::new(weight, bias, mean, variance);
    /// let mut net = Network::<Vector<2>, (Dense<2, 1>, BatchNorm<1>)>::new((dense, norm));
    ///
    /// let x = SVector::from([0.5, -2.0]);
    /// let before = net.predict(&x)[0];
    /// let (dense, norm) = &mut net.layers;
    /// norm.fold_into(dense);
    /// let without = Network::<Vector<2>, (Dense<2, 1>,)>::new((net.layers.0.clone(),));
    /// assert!((net.predict(&x)[0] - before).abs() < 1e-5);
    /// assert!((without.predict(&x)[0] - before).abs() < 1e-5);
    /// ```
    pub fn fold_into<L: OutputsInnermost<T, Bias: IsBias> + HasOutputs<C>>(&mut self, layer: &mut L) {
        let scale = self.inference_scale();
        multiply(layer.weight_mut(), &scale);
        for ((bias, &scale), (&mean, &add)) in
            layer.bias_mut().iter_mut().zip(&scale).zip(self.running_mean.iter().zip(&self.bias))
        {
            *bias = (*bias - mean) * scale + add;
        }
        self.bias.fill(T::ZERO);
        self.running_mean.fill(T::ZERO);
        self.running_var.fill(T::ONE);
        self.weight.fill((T::ONE + T::from_f64(E::VALUE)).sqrt());
    }

    /// [`fold_into`](BatchNorm::fold_into) a copy: `folded` becomes what `layer` and this one do together. `layer` may be one
    /// without bias, as is usual before a normalisation.
    pub fn fold<L, F>(&self, layer: &L, folded: &mut F)
    where
        L: OutputsInnermost<T> + HasOutputs<C>,
        F: OutputsInnermost<T, Bias: IsBias> + HasOutputs<C>,
    {
        let scale = self.inference_scale();
        for (to, &from) in folded.weight_mut().iter_mut().zip(layer.weight()) {
            *to = from;
        }
        multiply(folded.weight_mut(), &scale);
        let biases = layer.bias().iter().copied().chain(core::iter::repeat(T::ZERO));
        for (((to, bias), &scale), (&mean, &add)) in
            folded.bias_mut().iter_mut().zip(biases).zip(&scale).zip(self.running_mean.iter().zip(&self.bias))
        {
            *to = (bias - mean) * scale + add;
        }
    }
}

/// Each output's factors, times its scale.
fn multiply<T: Scalar, const C: usize>(weight: &mut [T], scale: &SVector<T, C>) {
    for outputs in weight.as_chunks_mut::<C>().0 {
        for (weight, &scale) in outputs.iter_mut().zip(scale) {
            *weight *= scale;
        }
    }
}
