use crate::kernels::grouped::{bias_gradient, gather, gather_gradient, scatter};
use crate::kernels::window::{Axis, Flat};
use crate::layer::{Both, Differentiable, Gradient, Layer, Numbers, Role, check_shapes, tensors};
use crate::layers::bias::NoBias;
use crate::scalar::{Element, Scalar};
use crate::shape::length::{Extent, Groups, Len, NotZero, Times};
use crate::shape::window::{Dilation, IsDilation, IsPadding, IsStride, Line, OfSignal, Padding, Stride, Valid, Window};
use crate::shape::{Image, Sequence, Tensor, TensorOf};
use core::array::{from_mut, from_ref};
use core::fmt::Debug;
use core::marker::PhantomData;

/// A convolution over images in `G` groups of channels, each of which sees its own inputs only.
///
/// ```text
/// y[g OUT + o, r, c] = bias[g, o] + sum over i, h, w of weight[g OUT + o, i, h, w] * x[g IN + i, SH r + DH h - top, SW c + DW w - left]
/// ```
///
/// `IN` and `OUT` are the channels of **one** group: PyTorch's `in_channels` is `G * IN`, its `out_channels` `G * OUT`, its `groups`
/// `G`. What stands behind the window is as in [`Conv2d`](crate::Conv2d). [`DepthwiseConv2d`] is the one with a single channel in and
/// out of each group; followed by a `Conv2d<C, OUT, 1>` it is a depthwise-separable convolution.
///
/// # Shapes
/// `Image<G * IN, H, W>` to `Image<G * OUT, H', W'>`, with `H'` and `W'` as in [`Conv2d`](crate::Conv2d).
///
/// # Cost
/// `H' * W' * KH * KW * G * IN * OUT` multiply-adds a sample; `(KH * KW * IN + 1) * G * OUT` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Conv2d, DepthwiseConv2d, GlobalAvgPool, Dense, Image, Network, Relu, Same, Stride};
///
/// type Separable = (DepthwiseConv2d<16, 3, 3, Stride, Same>, Relu, Conv2d<16, 32, 1>, Relu);
/// type Net = Network<Image<3, 32, 32>, (Conv2d<3, 16, 3, 3, Stride<2>, Same>, Relu, Separable, GlobalAvgPool, Dense<32, 10>)>;
/// assert_eq!(Net::PARAMETERS, 448 + 160 + 544 + 330);
/// ```
///
/// # Reference
/// PyTorch's `nn.Conv2d` with `groups`. Howard and others (2017), "MobileNets".
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedConv2d<
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize = KH,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    D: IsDilation = Dilation,
    T = f32,
    B = [[T; OUT]; G],
> {
    /// `weight[h][w][i][g][o]`, the outputs innermost.
    pub weight: [[[[[T; OUT]; G]; IN]; KW]; KH],
    /// `bias[g][o]`, or [`NoBias`].
    pub bias: B,
    way: PhantomData<(S, P, D)>,
}

/// A [`GroupedConv2d`] with one channel in and out of each group: every channel has a window of its own.
pub type DepthwiseConv2d<
    const C: usize,
    const KH: usize,
    const KW: usize = KH,
    S = Stride,
    P = Valid,
    D = Dilation,
    T = f32,
    B = [[T; 1]; C],
> = GroupedConv2d<C, 1, 1, KH, KW, S, P, D, T, B>;

/// A convolution over signals in `G` groups of channels: [`GroupedConv2d`] over signals.
///
/// # Shapes
/// `Sequence<G * IN, L>` to `Sequence<G * OUT, L'>`, with `L'` as in [`Conv1d`](crate::Conv1d).
///
/// # Cost
/// `L' * K * G * IN * OUT` multiply-adds a sample; `(K * IN + 1) * G * OUT` parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Conv1d, DepthwiseConv1d, Network, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (DepthwiseConv1d<6, 5>, Conv1d<6, 16, 1>)>;
/// assert_eq!(Net::PARAMETERS, 36 + 112);
/// ```
///
/// # Reference
/// PyTorch's `nn.Conv1d` with `groups`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedConv1d<
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const K: usize,
    S: IsStride = Stride,
    P: IsPadding = Valid,
    D: IsDilation = Dilation,
    T = f32,
    B = [[T; OUT]; G],
> {
    /// `weight[k][i][g][o]`, the outputs innermost.
    pub weight: [[[[T; OUT]; G]; IN]; K],
    /// `bias[g][o]`, or [`NoBias`].
    pub bias: B,
    way: PhantomData<(S, P, D)>,
}

/// A [`GroupedConv1d`] with one channel in and out of each group: every channel has a window of its own.
pub type DepthwiseConv1d<
    const C: usize,
    const K: usize,
    S = Stride,
    P = Valid,
    D = Dilation,
    T = f32,
    B = [[T; 1]; C],
> = GroupedConv1d<C, 1, 1, K, S, P, D, T, B>;

/// What a convolution in groups adds to its outputs: `OUT` numbers for each of `G` groups, or [`NoBias`].
pub trait GroupBias<T, const OUT: usize, const G: usize>:
    Numbers<T> + Clone + PartialEq + Debug + Send + Sync + 'static
{
}

impl<T, const OUT: usize, const G: usize> GroupBias<T, OUT, G> for NoBias {}
impl<T: Element, const OUT: usize, const G: usize> GroupBias<T, OUT, G> for [[T; OUT]; G] {}

impl<
    const G: usize,
    const IN: usize,
    const OUT: usize,
    const KH: usize,
    const KW: usize,
    S: IsStride,
    P: IsPadding,
    D: IsDilation,
    T,
    B,
> GroupedConv2d<G, IN, OUT, KH, KW, S, P, D, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[[[T; OUT]; G]; IN]; KW]; KH], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

impl<const G: usize, const IN: usize, const OUT: usize, const K: usize, S: IsStride, P: IsPadding, D: IsDilation, T, B>
    GroupedConv1d<G, IN, OUT, K, S, P, D, T, B>
{
    /// A layer with these parameters.
    pub const fn new(weight: [[[[T; OUT]; G]; IN]; K], bias: B) -> Self {
        Self { weight, bias, way: PhantomData }
    }
}

tensors! {
    [
        const G: usize, const IN: usize, const OUT: usize, const KH: usize, const KW: usize,
        S: IsStride, P: IsPadding, D: IsDilation, T: Element, B: GroupBias<T, OUT, G>
    ]
        GroupedConv2d<G, IN, OUT, KH, KW, S, P, D, T, B> => T, "GroupedConv2d" [G, IN, OUT, KH, KW]
    0 weight "weight": [[[[[T; OUT]; G]; IN]; KW]; KH],
        Role::Weight { fan_in: IN * KH * KW, fan_out: OUT * KH * KW }, [G * OUT, IN, KH, KW] by [2, 3, 1, 0];
    1 bias "bias": B, Role::Bias { fan_in: IN * KH * KW }, [G * OUT] by [0];
    with way;
}

tensors! {
    [
        const G: usize, const IN: usize, const OUT: usize, const K: usize,
        S: IsStride, P: IsPadding, D: IsDilation, T: Element, B: GroupBias<T, OUT, G>
    ]
        GroupedConv1d<G, IN, OUT, K, S, P, D, T, B> => T, "GroupedConv1d" [G, IN, OUT, K]
    0 weight "weight": [[[[T; OUT]; G]; IN]; K],
        Role::Weight { fan_in: IN * K, fan_out: OUT * K }, [G * OUT, IN, K] by [2, 1, 0];
    1 bias "bias": B, Role::Bias { fan_in: IN * K }, [G * OUT] by [0];
    with way;
}

/// Both layers are the same walk: the window's way down, its way along a row, and the weights of a window of rows.
macro_rules! grouped {
    (
        [$($generics:tt)*] $layer:ty: $X:ty => $Y:ty where [$($bound:tt)*],
        $V:ty, $H:ty, [$KH:tt $KW:tt], |$kernel:ident| $one:expr, $many:expr
    ) => {
        impl<$($generics)*, T: Scalar, B: GroupBias<T, OUT, G>> Layer<$X, T> for $layer
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
                gather::<$V, $H, T, G, IN, OUT>(weight, self.bias.numbers(), Tensor::<T>::as_slice(x), y);
            }
        }

        impl<$($generics)*, T: Scalar, B: GroupBias<T, OUT, G>> Differentiable<$X, T> for $layer
        where
            $($bound)*
        {
            type Cache<const N: usize> = ();

            #[inline]
            fn backward<const N: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<$X, T>; N],
                _: &[TensorOf<$Y, T>; N],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; N],
                gradient: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; N]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                if let Some(dx) = dx {
                    let $kernel = &self.weight;
                    let weight = $one.as_flattened().as_flattened();
                    for (dy, dx) in dy.iter().zip(dx) {
                        scatter::<$V, $H, T, G, IN, OUT>(weight, dy.as_slice(), Tensor::<T>::as_mut_slice(dx));
                    }
                }
                let gradient = gradient.to_add();
                let $kernel = &mut gradient.weight;
                let weight = $many.as_flattened_mut().as_flattened_mut();
                for (x, dy) in x.iter().zip(dy) {
                    let dy = dy.as_slice();
                    gather_gradient::<$V, $H, T, G, IN, OUT>(weight, Tensor::<T>::as_slice(x), dy);
                    bias_gradient(gradient.bias.numbers_mut(), dy);
                }
            }
        }
    };
}

grouped!(
    [
        const G: usize, const IN: usize, const OUT: usize, const KH: usize, const KW: usize, const SH: usize,
        const SW: usize, const DH: usize, const DW: usize, const C: usize, const H: usize, const W: usize, P: Padding
    ]
    GroupedConv2d<G, IN, OUT, KH, KW, Stride<SH, SW>, P, Dilation<DH, DW>, T, B>:
        Image<C, H, W> => <<Len<G> as Times<OUT>>::Output as Extent>::Image<
            <Len<H> as Window<P::Vertical, KH, SH, DH>>::Output,
            <Len<W> as Window<P::Horizontal, KW, SW, DW>>::Output,
        >
    where [
        Len<C>: Groups<G, IN>,
        Len<G>: Times<OUT> + NotZero,
        Len<IN>: NotZero,
        Len<OUT>: NotZero,
        Len<H>: Window<P::Vertical, KH, SH, DH>,
        Len<W>: Window<P::Horizontal, KW, SW, DW>
    ],
    Line<P::Vertical, H, KH, SH, DH>, Line<P::Horizontal, W, KW, SW, DW>, [KH KW], |kernel| kernel, kernel
);

grouped!(
    [
        const G: usize, const IN: usize, const OUT: usize, const K: usize, const STEP: usize, const SW: usize,
        const GAP: usize, const DW: usize, const C: usize, const L: usize, P: IsPadding
    ]
    GroupedConv1d<G, IN, OUT, K, Stride<STEP, SW>, P, Dilation<GAP, DW>, T, B>:
        Sequence<C, L> => <<Len<G> as Times<OUT>>::Output as Extent>::Sequence<
            <Len<L> as Window<P, K, STEP, GAP>>::Output,
        >
    where [
        Stride<STEP, SW>: OfSignal,
        Dilation<GAP, DW>: OfSignal,
        Len<C>: Groups<G, IN>,
        Len<G>: Times<OUT> + NotZero,
        Len<IN>: NotZero,
        Len<OUT>: NotZero,
        Len<L>: Window<P, K, STEP, GAP>
    ],
    Flat, Line<P, L, K, STEP, GAP>, [1 K], |kernel| from_ref(kernel), from_mut(kernel)
);
