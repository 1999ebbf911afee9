use crate::kernels::conv::{Kernel, gather, transpose, turn};
use crate::kernels::conv_gradient::{bias_gradient, gather_gradient};
use crate::kernels::scatter::scatter;
use crate::kernels::stream::{Ring, window};
use crate::kernels::window::{Axis, Back, Flat};
use crate::layer::{Both, Differentiable, Gradient, Layer, Role, check_shapes, tensors};
use crate::layers::bias::{Bias, NoBias};
use crate::scalar::{ConstZero, Element, Scalar};
use crate::shape::length::{Extent, Len};
use crate::shape::window::{
    Causal, Dilation, IsDilation, IsPadding, IsStride, Line, OfSignal, Padding, Stride, Valid, Window,
};
use crate::shape::{Image, Sequence, Tensor, TensorOf, Vector};
use crate::streaming::Streaming;
use core::array::{from_mut, from_ref};
use core::marker::PhantomData;
use nalgebra::SVector;

/// A convolution over images.
///
/// ```text
/// y[o, r, c] = bias[o] + sum over i, h, w of weight[o, i, h, w] * x[i, SH r + DH h - top, SW c + DW w - left]
/// ```
///
/// What lies beside the image is 0. `IN` and `OUT` are PyTorch's `in_channels` and `out_channels`, `KH` by `KW` its `kernel_size`;
/// `Conv2d<IN, OUT, 3>` has a square window; with a stride behind them, write both sizes of the window. Behind these stand, where
/// they are not the defaults:
///
/// | | | default |
/// |---|---|---|
/// | `S` | [`Stride<SH, SW>`](Stride) | 1 |
/// | `P` | the padding: [`Valid`], [`Same`](crate::Same), [`Pad<H, W>`](crate::Pad) or [`To<H, W>`](crate::To) | [`Valid`] |
/// | `D` | [`Dilation<DH, DW>`](Dilation) | 1 |
/// | `T` | the scalar | `f32` |
///
/// [`Conv2dNoBias`] leaves out the bias, as is usual before a normalisation. A window of 1 by 1 is a pointwise convolution.
///
/// # Shapes
/// `Image<IN, H, W>` to `Image<OUT, H', W'>`, where `H' = (H - ((KH - 1) DH + 1)) / SH + 1`, rounded down, for a window that stays
/// inside, and `W'` alike. [`shape::window`](crate::shape::window) has the formulas of every padding, and how far the arithmetic
/// reaches.
///
/// # Cost
/// `H' * W' * KH * KW * IN * OUT` multiply-adds a sample; `(KH * KW * IN + 1) * OUT` parameters. The cache holds the weights once
/// more, with inputs and outputs exchanged, whatever the batch.
///
/// # Example
/// ```
/// use constnet::{Conv2d, Dense, Flatten, Image, Network, Relu, Same, Stride};
///
/// type Net = Network<
///     Image<3, 32, 32>,
///     (
///         Conv2d<3, 16, 5>,                         // Image<16, 28, 28>
///         Relu,
///         Conv2d<16, 32, 3, 3, Stride<2>, Same>,    // Image<32, 14, 14>
///         Relu,
///         Conv2d<32, 8, 1>,                         // Image<8, 14, 14>
///         Flatten,
///         Dense<1568, 10>,
///     ),
/// >;
/// assert_eq!(Net::PARAMETERS, 1216 + 4640 + 264 + 15_690);
/// ```
///
/// # Reference
/// PyTorch's `nn.Conv2d`. LeCun and others (1998), "Gradient-based learning applied to document recognition".
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize = KH,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    D: IsDilation = Dilation,
    T = f32,
    B = SVector<T, OUT>,
> {
    /// `weight[h][w][i][o]`, the outputs innermost.
    pub weight: [[[[T; OUT]; IN]; KW]; KH],
    /// A vector, or [`NoBias`].
    pub bias: B,
    way: PhantomData<(S, P, D)>,
}

/// A [`Conv2d`] without bias.
pub type Conv2dNoBias<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize = KH,
    S = Stride,
    P = Valid,
    D = Dilation,
    T = f32,
> = Conv2d<IN, OUT, KH, KW, S, P, D, T, NoBias>;

/// A convolution over signals.
///
/// ```text
/// y[o, t] = bias[o] + sum over i, k of weight[o, i, k] * x[i, S t + D k - front]
/// ```
///
/// What lies before and after the signal is 0. `IN`, `OUT` and `K` are PyTorch's `in_channels`, `out_channels` and `kernel_size`.
/// Behind these stand [`Stride<S>`](Stride), the padding ([`Valid`], [`Same`](crate::Same), [`Causal`], [`Pad<P>`](crate::Pad) or
/// [`To<L>`](crate::To)), [`Dilation<D>`](Dilation) and the scalar. [`Conv1dNoBias`] leaves out the bias.
///
/// With the padding [`Causal`] and stride 1 it runs [step by step](Streaming) as well.
///
/// # Shapes
/// `Sequence<IN, L>` to `Sequence<OUT, L'>`, where `L' = (L - ((K - 1) D + 1)) / S + 1`, rounded down, for a window that stays
/// inside. [`shape::window`](crate::shape::window) has the formulas of every padding, and how far the arithmetic reaches.
///
/// # Cost
/// `L' * K * IN * OUT` multiply-adds a sample; `(K * IN + 1) * OUT` parameters. The cache holds the weights once more, with inputs
/// and outputs exchanged, whatever the batch. A step costs `K * IN * OUT`, and its state holds `K * D * IN` numbers.
///
/// # Example
/// ```
/// use constnet::{Causal, Conv1d, Dilation, Network, Relu, Sequence, Stride};
///
/// type Net = Network<
///     Sequence<6, 100>,
///     (
///         Conv1d<6, 16, 5>,                                  // Sequence<16, 96>
///         Relu,
///         Conv1d<16, 16, 3, Stride, Causal, Dilation<4>>,    // Sequence<16, 96>
///     ),
/// >;
/// assert_eq!(Net::PARAMETERS, 496 + 784);
/// ```
///
/// # Reference
/// PyTorch's `nn.Conv1d`. Causal and dilated: van den Oord and others (2016), "WaveNet".
#[derive(Debug, Clone, PartialEq)]
pub struct Conv1d<
    const IN: usize,
    const OUT: usize,
    const K: usize,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    D: IsDilation = Dilation,
    T = f32,
    B = SVector<T, OUT>,
> {
    /// `weight[k][i][o]`, the outputs innermost.
    pub weight: [[[T; OUT]; IN]; K],
    /// A vector, or [`NoBias`].
    pub bias: B,
    way: PhantomData<(S, P, D)>,
}

/// A [`Conv1d`] without bias.
pub type Conv1dNoBias<const IN: usize, const OUT: usize, const K: usize, S = Stride, P = Valid, D = Dilation, T = f32> =
    Conv1d<IN, OUT, K, S, P, D, T, NoBias>;

impl<
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    S: IsStride,
    P: IsPadding,
    D: IsDilation,
    T,
    B,
> Conv2d<IN, OUT, KH, KW, S, P, D, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[[T; OUT]; IN]; KW]; KH], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

impl<const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, D: IsDilation, T, B>
    Conv1d<IN, OUT, K, S, P, D, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[T; OUT]; IN]; K], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

tensors! {
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize,
        S: IsStride, P: IsPadding, D: IsDilation, T: Element, B: Bias<T, OUT>
    ]
        Conv2d<IN, OUT, KH, KW, S, P, D, T, B> => T, "Conv2d" [IN, OUT, KH, KW]
    0 weight "weight": [[[[T; OUT]; IN]; KW]; KH],
        Role::Weight { fan_in: IN * KH * KW, fan_out: OUT * KH * KW }, [OUT, IN, KH, KW] by [2, 3, 1, 0];
    1 bias "bias": B, Role::Bias { fan_in: IN * KH * KW }, [OUT] by [0];
    with way;
}

tensors! {
    [
        const IN: usize, const OUT: usize, const K: usize,
        S: IsStride, P: IsPadding, D: IsDilation, T: Element, B: Bias<T, OUT>
    ]
        Conv1d<IN, OUT, K, S, P, D, T, B> => T, "Conv1d" [IN, OUT, K]
    0 weight "weight": [[[T; OUT]; IN]; K], Role::Weight { fan_in: IN * K, fan_out: OUT * K }, [OUT, IN, K] by [2, 1, 0];
    1 bias "bias": B, Role::Bias { fan_in: IN * K }, [OUT] by [0];
    with way;
}

/// Both layers are the same walk: the window's way down, its way along a row, and the weights of a window of rows.
macro_rules! convolution {
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
                let (y, $kernel) = (Tensor::<T>::as_mut_slice(y), &self.weight);
                let weight = $one.as_flattened().as_flattened();
                gather::<$V, $H, T, 1, IN, OUT, false>(weight, self.bias.numbers(), Tensor::<T>::as_slice(x), y);
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
                transposed: &mut Kernel<T, OUT, IN, $KH, $KW>,
                dy: &[TensorOf<$Y, T>; N],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; N]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                if let Some(dx) = dx {
                    let $kernel = &self.weight;
                    let goes_back = const { Back::<$V>::EXISTS && Back::<$H>::EXISTS };
                    if goes_back {
                        turn::<T, IN, OUT, $KH, $KW>($one, transposed);
                    } else {
                        transpose::<T, IN, OUT, $KH, $KW>($one, transposed, |to, weight| *to = weight);
                    }
                    let weight = transposed.as_flattened().as_flattened();
                    for (dy, dx) in dy.iter().zip(dx) {
                        let (dy, dx) = (dy.as_slice(), Tensor::<T>::as_mut_slice(dx));
                        if goes_back {
                            gather::<Back<$V>, Back<$H>, T, 1, OUT, IN, false>(weight, &[], dy, dx);
                        } else {
                            scatter::<$V, $H, T, IN, OUT>(weight, &[], dy, dx);
                        }
                    }
                }
                let gradient = gradient.to_add();
                let $kernel = &mut gradient.weight;
                let weight = $many.as_flattened_mut().as_flattened_mut();
                for (x, dy) in x.iter().zip(dy) {
                    let dy = dy.as_slice();
                    gather_gradient::<$V, $H, T, 1, IN, OUT, false>(weight, Tensor::<T>::as_slice(x), dy);
                    if let Some(bias) = gradient.bias.get_mut() {
                        bias_gradient(bias, dy);
                    }
                }
            }
        }
    };
}

convolution!(
    [
        const IN: usize, const OUT: usize, const KH: usize, const KW: usize, const SH: usize, const SW: usize,
        const DH: usize, const DW: usize, const H: usize, const W: usize, P: Padding
    ]
    Conv2d<IN, OUT, KH, KW, Stride<SH, SW>, P, Dilation<DH, DW>, T, B>:
        Image<IN, H, W> => <<Len<H> as Window<P::Vertical, KH, SH, DH>>::Output as Extent>::Rows<
            OUT,
            <Len<W> as Window<P::Horizontal, KW, SW, DW>>::Output,
        >
    where [Len<H>: Window<P::Vertical, KH, SH, DH>, Len<W>: Window<P::Horizontal, KW, SW, DW>],
    Line<P::Vertical, H, KH, SH, DH>, Line<P::Horizontal, W, KW, SW, DW>, [KH KW], |kernel| kernel, kernel
);

convolution!(
    [
        const IN: usize, const OUT: usize, const K: usize, const STEP: usize, const SW: usize, const GAP: usize,
        const DW: usize, const L: usize, P: IsPadding
    ]
    Conv1d<IN, OUT, K, Stride<STEP, SW>, P, Dilation<GAP, DW>, T, B>:
        Sequence<IN, L> => <<Len<L> as Window<P, K, STEP, GAP>>::Output as Extent>::Steps<OUT>
    where [Stride<STEP, SW>: OfSignal, Dilation<GAP, DW>: OfSignal, Len<L>: Window<P, K, STEP, GAP>],
    Flat, Line<P, L, K, STEP, GAP>, [1 K], |kernel| from_ref(kernel), from_mut(kernel)
);

/// What a [`Conv1d`] remembers from step to step: the inputs that its window will see again. The steps that share a window lie
/// `D` apart.
#[derive(Debug, Clone, PartialEq)]
pub struct History<const IN: usize, const K: usize, const D: usize, T = f32> {
    /// The last `K * D` inputs, in a ring.
    inputs: [[[T; IN]; K]; D],
    /// Where the next one goes.
    next: usize,
    /// How many there are: what is before the first has no part in any sum.
    seen: usize,
}

impl<const IN: usize, const K: usize, const D: usize, T: Element> ConstZero for History<IN, K, D, T> {
    const ZERO: Self = Self { inputs: ConstZero::ZERO, next: 0, seen: 0 };
}

impl<const IN: usize, const OUT: usize, const K: usize, const D: usize, T: Scalar, B: Bias<T, OUT>>
    Streaming<Vector<IN>, T> for Conv1d<IN, OUT, K, Stride<1, 1>, Causal, Dilation<D, D>, T, B>
{
    type Out = Vector<OUT>;
    type State = History<IN, K, D, T>;

    #[inline]
    fn step(&self, History { inputs, next, seen }: &mut Self::State, x: &SVector<T, IN>, y: &mut SVector<T, OUT>) {
        let ([x], [y]) = (&x.data.0, &mut y.data.0);
        let ring = inputs.as_flattened_mut();
        if let Some(place) = ring.get_mut(*next) {
            *place = *x;
        }
        *seen = (*seen + 1).min(K * D);
        window::<T, IN, OUT, K, D>(&self.weight, self.bias.get(), &Ring { inputs, newest: *next, seen: *seen }, y);
        *next = if *next + 1 < K * D { *next + 1 } else { 0 };
    }
}
