use crate::kernels::conv::{Kernel, gather, transpose};
use crate::kernels::conv_gradient::{bias_gradient, gather_gradient};
use crate::kernels::scatter::scatter;
use crate::kernels::window::{Axis, Flat};
use crate::layer::{Both, Differentiable, Gradient, Layer, Role, check_shapes, tensors};
use crate::layers::bias::Bias;
use crate::scalar::{Element, Scalar};
use crate::shape::length::{Extent, Len};
use crate::shape::window::{
    Back, IsOutputPadding, IsPadding, IsStride, OfSignal, OutputPadding, Padding, SmallerThan, Spread, Stride, Valid,
};
use crate::shape::{Image, Sequence, Tensor, TensorOf};
use core::array::{from_mut, from_ref};
use core::marker::PhantomData;
use nalgebra::SVector;

/// A transposed convolution over images: the way back of a convolution, which makes images larger.
///
/// ```text
/// y[o, SH r + h - top, SW c + w - left] = bias[o] + sum over i, r, c, h, w of weight[i, o, h, w] * x[i, r, c]
/// ```
///
/// `IN` and `OUT` are PyTorch's `in_channels` and `out_channels`, `KH` by `KW` its `kernel_size`. Behind these stand
/// [`Stride<SH, SW>`](Stride), the padding, which is left out of what comes out ([`Valid`], [`Pad<H, W>`](crate::Pad),
/// [`To<H, W>`](crate::To) or Keras's [`Same`](crate::Same)), [`OutputPadding<H, W>`](OutputPadding), the scalar and the type of the
/// bias: a vector or [`NoBias`](crate::NoBias).
///
/// # Shapes
/// `Image<IN, H, W>` to `Image<OUT, H', W'>`, where `H' = (H - 1) SH + KH - 2 PH + OH`, with `Same` `H' = H SH`, and `W'` alike.
///
/// # Cost
/// `H * W * KH * KW * IN * OUT` multiply-adds a sample; `(KH * KW * IN + 1) * OUT` parameters. The cache holds the weights once more,
/// with inputs and outputs exchanged, whatever the batch.
///
/// # Example
/// ```
/// use constnet::{ConvTranspose2d, Dense, Image, Network, OutputPadding, Pad, Relu, Reshape, Stride, Vector};
///
/// type Decoder = Network<
///     Vector<8>,
///     (
///         Dense<8, 144>,
///         Reshape<Image<16, 3, 3>>,
///         ConvTranspose2d<16, 8, 2, 2, Stride<2>>,                           // Image<8, 6, 6>
///         Relu,
///         ConvTranspose2d<8, 1, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>,  // Image<1, 12, 12>
///     ),
/// >;
/// # let _ = Decoder::ZERO;
/// ```
///
/// # Reference
/// PyTorch's `nn.ConvTranspose2d`. Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning".
#[derive(Debug, Clone, PartialEq)]
pub struct ConvTranspose2d<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize = KH,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    O: IsOutputPadding = OutputPadding,
    T = f32,
    B = SVector<T, OUT>,
> {
    /// `weight[h][w][i][o]`, the outputs innermost.
    pub weight: [[[[T; OUT]; IN]; KW]; KH],
    /// A vector, or [`NoBias`](crate::NoBias).
    pub bias: B,
    way: PhantomData<(S, P, O)>,
}

/// A transposed convolution over signals: [`ConvTranspose2d`] over signals.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<OUT, L'>`, where `L' = (L - 1) S + K - 2 P + O`, with [`Same`](crate::Same) `L' = L S`.
///
/// # Cost
/// `L * K * IN * OUT` multiply-adds a sample; `(K * IN + 1) * OUT` parameters. The cache holds the weights once more, with inputs and
/// outputs exchanged, whatever the batch.
///
/// # Example
/// ```
/// use constnet::{ConvTranspose1d, Network, Sequence, Stride};
///
/// type Net = Network<Sequence<4, 10>, (ConvTranspose1d<4, 2, 2, Stride<2>>,)>; // to Sequence<2, 20>
/// assert_eq!(Net::PARAMETERS, 18);
/// ```
///
/// # Reference
/// PyTorch's `nn.ConvTranspose1d`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvTranspose1d<
    const IN: usize,
    const OUT: usize,
    const K: usize,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    O: IsOutputPadding = OutputPadding,
    T = f32,
    B = SVector<T, OUT>,
> {
    /// `weight[k][i][o]`, the outputs innermost.
    pub weight: [[[T; OUT]; IN]; K],
    /// A vector, or [`NoBias`](crate::NoBias).
    pub bias: B,
    way: PhantomData<(S, P, O)>,
}

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    S: IsStride,
    P: IsPadding,
    O: IsOutputPadding,
    T,
    B,
> ConvTranspose2d<IN, OUT, KH, KW, S, P, O, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[[T; OUT]; IN]; KW]; KH], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

impl<const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, O: IsOutputPadding, T, B>
    ConvTranspose1d<IN, OUT, K, S, P, O, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[T; OUT]; IN]; K], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

// Fans are those of PyTorch and Keras, which take them from the way that the tensor lies.
tensors! {
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize,
        S: IsStride, P: IsPadding, O: IsOutputPadding, T: Element, B: Bias<T, OUT>
    ]
        ConvTranspose2d<IN, OUT, KH, KW, S, P, O, T, B> => T, "ConvTranspose2d" [IN, OUT, KH, KW]
    0 weight "weight": [[[[T; OUT]; IN]; KW]; KH],
        Role::Weight { fan_in: OUT * KH * KW, fan_out: IN * KH * KW }, [IN, OUT, KH, KW] by [2, 3, 0, 1];
    1 bias "bias": B, Role::Bias { fan_in: OUT * KH * KW }, [OUT] by [0];
    with way;
}

tensors! {
    [
        const IN: usize, const OUT: usize, const K: usize,
        S: IsStride, P: IsPadding, O: IsOutputPadding, T: Element, B: Bias<T, OUT>
    ]
        ConvTranspose1d<IN, OUT, K, S, P, O, T, B> => T, "ConvTranspose1d" [IN, OUT, K]
    0 weight "weight": [[[T; OUT]; IN]; K], Role::Weight { fan_in: OUT * K, fan_out: IN * K }, [IN, OUT, K] by [2, 0, 1];
    1 bias "bias": B, Role::Bias { fan_in: OUT * K }, [OUT] by [0];
    with way;
}

/// Both layers are the same walk: the window's way down, its way along a row, and the weights of a window of rows.
macro_rules! transposed {
    (
        [$($generics:tt)*] $layer:ty: $X:ty => $Y:ty where [$($bound:tt)*],
        $V:ty, $H:ty, [$KH:tt $KW:tt], |$kernel:ident| $one:expr, $many:expr
    ) => {
        impl<$($generics)*, T: Scalar, B: Bias<T, OUT>> Layer<$X, T> for $layer
        where
            $($bound)*
        {
            type Out = $Y;
            type Peak<X, Y> = Both<X, Y>;

            const CHECK: () = {
                check_shapes::<$X, $Y>();
                let _ = (<$V as Axis>::BEFORE, <$H as Axis>::BEFORE);
            };

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<$Y, T>) {
                const { <Self as Layer<$X, T>>::CHECK };
                let (y, $kernel) = (y.as_mut_slice(), &self.weight);
                let weight = $one.as_flattened().as_flattened();
                scatter::<$V, $H, T, OUT, IN>(weight, self.bias.numbers(), Tensor::<T>::as_slice(x), y);
            }
        }

        impl<$($generics)*, T: Scalar, B: Bias<T, OUT>> Differentiable<$X, T> for $layer
        where
            $($bound)*
        {
            type Cache<const N: usize> = Kernel<T, OUT, IN, $KH, $KW>;

            #[inline]
            fn backward<const N: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<$X, T>; N],
                _: &[TensorOf<$Y, T>; N],
                exchanged: &mut Kernel<T, OUT, IN, $KH, $KW>,
                dy: &[TensorOf<$Y, T>; N],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; N]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                if let Some(dx) = dx {
                    let $kernel = &self.weight;
                    transpose::<T, IN, OUT, $KH, $KW>($one, exchanged, |to, weight| *to = weight);
                    let weight = exchanged.as_flattened().as_flattened();
                    for (dy, dx) in dy.iter().zip(dx) {
                        gather::<$V, $H, T, 1, OUT, IN, false>(weight, &[], dy.as_slice(), Tensor::<T>::as_mut_slice(dx));
                    }
                }
                let gradient = gradient.to_add();
                let sums = exchanged.as_flattened_mut().as_flattened_mut();
                sums.as_flattened_mut().fill(T::ZERO);
                for (x, dy) in x.iter().zip(dy) {
                    let dy = dy.as_slice();
                    gather_gradient::<$V, $H, T, 1, OUT, IN, false>(sums, dy, Tensor::<T>::as_slice(x));
                    if let Some(bias) = gradient.bias.get_mut() {
                        bias_gradient(bias, dy);
                    }
                }
                let $kernel = &mut gradient.weight;
                transpose::<T, OUT, IN, $KH, $KW>(exchanged, $many, |to, sum| *to += sum);
            }
        }
    };
}

transposed!(
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize, const SH: usize, const SW: usize,
        const OH: usize, const OW: usize, const H: usize, const W: usize, P: Padding
    ]
    ConvTranspose2d<IN, OUT, KH, KW, Stride<SH, SW>, P, OutputPadding<OH, OW>, T, B>:
        Image<IN, H, W> => <<Len<H> as Spread<P::Vertical, KH, SH, OH>>::Output as Extent>::Rows<
            OUT,
            <Len<W> as Spread<P::Horizontal, KW, SW, OW>>::Output,
        >
    where [
        Len<H>: Spread<P::Vertical, KH, SH, OH>,
        Len<W>: Spread<P::Horizontal, KW, SW, OW>,
        OutputPadding<OH, OW>: SmallerThan<SH, SW>
    ],
    Back<P::Vertical, H, KH, SH, OH>, Back<P::Horizontal, W, KW, SW, OW>, [KH KW], |kernel| kernel, kernel
);

transposed!(
    [
        const IN: usize, const OUT: usize, const K: usize, const STEP: usize, const SW: usize, const MORE: usize,
        const OW: usize, const L: usize, P: IsPadding
    ]
    ConvTranspose1d<IN, OUT, K, Stride<STEP, SW>, P, OutputPadding<MORE, OW>, T, B>:
        Sequence<IN, L> => <<Len<L> as Spread<P, K, STEP, MORE>>::Output as Extent>::Steps<OUT>
    where [
        Stride<STEP, SW>: OfSignal,
        OutputPadding<MORE, OW>: OfSignal,
        Len<L>: Spread<P, K, STEP, MORE>,
        OutputPadding<MORE, OW>: SmallerThan<STEP, SW>
    ],
    Flat, Back<P, L, K, STEP, MORE>, [1 K], |kernel| from_ref(kernel), from_mut(kernel)
);
