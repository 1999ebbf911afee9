//! Windows that slide over a length: what a convolution or a pooling makes of it.
//!
//! | padding | what comes out of `N` | like |
//! |---|---|---|
//! | [`Valid`] | `(N - span) / stride + 1` | PyTorch's 0, Keras's `valid` |
//! | [`Pad<P>`](Pad) | `(N + 2 P - span) / stride + 1` | PyTorch's numbers |
//! | [`Same`] | `N / stride`, rounded up | Keras's `same` with any stride, PyTorch's with stride 1 |
//! | [`Causal`] | `N / stride`, rounded up | Keras's `causal` |
//! | [`To<L>`](To) | `L`, which must be what [`Valid`] gives | |
//!
//! `span = (kernel - 1) * dilation + 1`, and divisions round down but where they say otherwise.

mod paddings;

pub use paddings::{Below, PadsPool, SmallerThan};

use super::length::{Extent, Known, Len, NotZero, Number, NumberOf};
use crate::kernels::window::Axis;
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};
use typenum::{Add1, B1, Diff, NonZero, Prod, Quot, Sub1, Sum, U1, U2};

/// The window stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Valid;

/// Zeros around, so that one output comes for each stride: half of them in front, the odd one behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Same;

/// `H` zeros above and below, `W` to the left and to the right. `Pad<1>` is `Pad<1, 1>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pad<const H: usize, const W: usize = H>;

/// Zeros in front only, so that no output looks ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Causal;

/// The window stays inside, and `H` rows of `W` columns come out, or `H` steps. The build fails if they do not: for lengths
/// beyond the type arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct To<const H: usize, const W: usize = H>;

/// How far the window moves: `H` rows, `W` columns. `Stride<2>` is `Stride<2, 2>`, and what signals take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stride<const H: usize = 1, const W: usize = H>;

/// How far apart the window's places are: `H` rows, `W` columns. `Dilation<2>` is `Dilation<2, 2>`, and what signals take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dilation<const H: usize = 1, const W: usize = H>;

/// A [`Stride`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands where the layer's stride belongs",
    label = "not a stride",
    note = "the order is PyTorch's, stride, padding, dilation: `Conv2d<3, 16, 5, 5, Stride<2>, Same>`, `Conv1d<3, 16, 5, Stride, Causal>`, `MaxPool2d<3, 3, Stride<2>, Same>`"
)]
pub trait IsStride {}

impl<const H: usize, const W: usize> IsStride for Stride<H, W> {}

/// A padding of images or signals.
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands where the layer's padding belongs",
    label = "not a padding",
    note = "a padding is `Valid`, `Same`, `Causal`, `Pad<H, W>` or `To<H, W>`, between the stride and the dilation: `Conv1d<3, 16, 5, Stride, Causal, Dilation<2>>`"
)]
pub trait IsPadding {}

impl IsPadding for Valid {}
impl IsPadding for Same {}
impl IsPadding for Causal {}
impl<const H: usize, const W: usize> IsPadding for Pad<H, W> {}
impl<const H: usize, const W: usize> IsPadding for To<H, W> {}

/// A [`Dilation`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands where the layer's dilation belongs",
    label = "not a dilation",
    note = "it is the last of three, stride, padding, dilation: `Conv1d<3, 16, 5, Stride, Causal, Dilation<2>>`"
)]
pub trait IsDilation {}

impl<const H: usize, const W: usize> IsDilation for Dilation<H, W> {}

/// An [`OutputPadding`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands where the layer's output padding belongs",
    label = "not an output padding",
    note = "it is the last of three, stride, padding, output padding: `ConvTranspose2d<3, 16, 3, 3, Stride<2>, Pad<1>, OutputPadding<1>>`"
)]
pub trait IsOutputPadding {}

impl<const H: usize, const W: usize> IsOutputPadding for OutputPadding<H, W> {}

/// What a signal takes of a stride, a dilation or an output padding: it has one direction, so both numbers are one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is for images: a signal's stride is `Stride<S>`, its dilation `Dilation<D>`, one number",
    label = "two numbers, and a signal has one direction",
    note = "the output padding of a transposed convolution over signals is `OutputPadding<O>`"
)]
pub trait OfSignal {}

impl<const N: usize> OfSignal for Stride<N, N> {}
impl<const N: usize> OfSignal for Dilation<N, N> {}
impl<const N: usize> OfSignal for OutputPadding<N, N> {}

/// A padding of images, as one for each direction.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a padding of images",
    note = "a padding of images is `Valid`, `Same`, `Pad<H, W>` or `To<H, W>`"
)]
pub trait Padding: IsPadding {
    /// Above and below.
    type Vertical;
    /// To the left and to the right.
    type Horizontal;
}

impl Padding for Valid {
    type Vertical = Self;
    type Horizontal = Self;
}

impl Padding for Same {
    type Vertical = Self;
    type Horizontal = Self;
}

impl<const H: usize, const W: usize> Padding for Pad<H, W> {
    type Vertical = Pad<H>;
    type Horizontal = Pad<W>;
}

impl<const H: usize, const W: usize> Padding for To<H, W> {
    type Vertical = To<H>;
    type Horizontal = To<W>;
}

/// `Len<N>: Window<P, K, S, D>`: what a window of `K` places, `D` apart, that moves by `S` makes of `N` with padding `P`.
#[diagnostic::on_unimplemented(
    message = "`{P}` is not a padding that a window over `{Self}` can have",
    label = "not a padding",
    note = "a signal's padding is `Valid`, `Same`, `Causal`, `Pad<P>` or `To<L>`, an image's `Valid`, `Same`, `Pad<H, W>` or `To<H, W>`"
)]
pub trait Window<P, const K: usize, const S: usize, const D: usize> {
    /// The length that comes out.
    type Output: Extent;

    /// How many zeros stand in front.
    const BEFORE: usize;

    /// Whether the zeros count in a mean: in PyTorch they do, in Keras, whose [`Same`] is, they do not.
    const COUNTS_PADDING: bool = true;

    /// Whether the window's last place is always on the input, however many zeros stand in front.
    const IS_CAUSAL: bool = false;
}

/// `(K - 1) * D + 1`
const fn span(k: usize, d: usize) -> usize {
    (k - 1) * d + 1
}

/// What a window spans, as a number.
#[diagnostic::on_unimplemented(
    message = "a window of {K} with dilation {D} spans more than the type arithmetic reaches, or nothing",
    note = "a kernel has a size of 1 or above, and so has a dilation"
)]
pub trait Span<const K: usize, const D: usize> {
    /// `(K - 1) * D + 1`
    type Number;
}

/// Where spans are found.
#[derive(Debug)]
pub struct Spans;

#[diagnostic::do_not_recommend]
impl<const K: usize, const D: usize> Span<K, D> for Spans
where
    Len<K>: Known,
    Len<D>: Known,
    NumberOf<D>: NonZero,
    NumberOf<K>: Sub<B1>,
    Sub1<NumberOf<K>>: Mul<NumberOf<D>>,
    Prod<Sub1<NumberOf<K>>, NumberOf<D>>: Add<B1>,
{
    type Number = Add1<Prod<Sub1<NumberOf<K>>, NumberOf<D>>>;
}

/// `A: Slide<B, C, ..>`: `(A - B) / C + 1`. The other parameters say what for.
#[diagnostic::on_unimplemented(
    message = "a window of {K} with stride {S}, dilation {D} and padding `{P}` does not fit `Len<{N}>`",
    label = "does not fit a length of {N}",
    note = "a window of K places D apart spans (K - 1) * D + 1, which may be no more than the length and its padding; strides are 1 or above"
)]
pub trait Slide<B, C, P, const N: usize, const K: usize, const S: usize, const D: usize> {
    /// As a [`Len`].
    type Output: Extent;
}

#[diagnostic::do_not_recommend]
impl<A, B, C, P, const N: usize, const K: usize, const S: usize, const D: usize> Slide<B, C, P, N, K, S, D> for A
where
    A: Sub<B>,
    Diff<A, B>: Div<C>,
    Quot<Diff<A, B>, C>: Add<B1>,
    Add1<Quot<Diff<A, B>, C>>: Number,
{
    type Output = <Add1<Quot<Diff<A, B>, C>> as Number>::Len;
}

impl<const N: usize, const K: usize, const S: usize, const D: usize> Window<Valid, K, S, D> for Len<N>
where
    Self: Known,
    Len<S>: Known,
    Spans: Span<K, D>,
    NumberOf<N>: Slide<<Spans as Span<K, D>>::Number, NumberOf<S>, Valid, N, K, S, D>,
{
    type Output = <NumberOf<N> as Slide<<Spans as Span<K, D>>::Number, NumberOf<S>, Valid, N, K, S, D>>::Output;
    const BEFORE: usize = 0;
}

impl<const N: usize, const P: usize, const K: usize, const S: usize, const D: usize> Window<Pad<P, P>, K, S, D>
    for Len<N>
where
    Self: Known,
    Len<S>: Known,
    Len<P>: Known,
    Spans: Span<K, D>,
    NumberOf<P>: Mul<U2>,
    NumberOf<N>: Add<Prod<NumberOf<P>, U2>>,
    Sum<NumberOf<N>, Prod<NumberOf<P>, U2>>: Slide<<Spans as Span<K, D>>::Number, NumberOf<S>, Pad<P, P>, N, K, S, D>,
{
    type Output = <Sum<NumberOf<N>, Prod<NumberOf<P>, U2>> as Slide<
        <Spans as Span<K, D>>::Number,
        NumberOf<S>,
        Pad<P, P>,
        N,
        K,
        S,
        D,
    >>::Output;
    const BEFORE: usize = P;
}

impl<const N: usize, const K: usize, const S: usize, const D: usize> Window<Same, K, S, D> for Len<N>
where
    Self: Known,
    Len<S>: Known,
    Spans: Span<K, D>,
    NumberOf<N>: Slide<U1, NumberOf<S>, Same, N, K, S, D>,
{
    type Output = <NumberOf<N> as Slide<U1, NumberOf<S>, Same, N, K, S, D>>::Output;
    const BEFORE: usize = (((N - 1) / S) * S + span(K, D)).saturating_sub(N) / 2;
    const COUNTS_PADDING: bool = false;
}

impl<const N: usize, const K: usize, const S: usize, const D: usize> Window<Causal, K, S, D> for Len<N>
where
    Self: Known,
    Len<S>: Known,
    Spans: Span<K, D>,
    NumberOf<N>: Slide<U1, NumberOf<S>, Causal, N, K, S, D>,
{
    type Output = <NumberOf<N> as Slide<U1, NumberOf<S>, Causal, N, K, S, D>>::Output;
    const BEFORE: usize = span(K, D) - 1;
    const IS_CAUSAL: bool = true;
}

impl<const N: usize, const L: usize, const K: usize, const S: usize, const D: usize> Window<To<L, L>, K, S, D>
    for Len<N>
{
    type Output = Len<L>;
    const BEFORE: usize = {
        assert!(K > 0 && S > 0 && D > 0, "a kernel, a stride and a dilation are 1 or above");
        assert!(span(K, D) <= N, "the window of a layer with the padding `To<L>` spans more than its input");
        assert!(
            (N - span(K, D)) / S + 1 == L,
            "another length than the `L` of `To<L>` comes out: (N - span) / stride + 1"
        );
        0
    };
}

/// How many rows and columns a transposed convolution adds at the end, which its stride leaves open: `OutputPadding<1>` is
/// `OutputPadding<1, 1>`, and what signals take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputPadding<const H: usize = 0, const W: usize = H>;

/// `Len<N>: Spread<P, K, S, O>`: what a transposed convolution makes of `N`: the length from which a window of `K` that moves by
/// `S` makes `N`, and `O` more.
#[diagnostic::on_unimplemented(
    message = "a transposed convolution of {K} with stride {S}, padding `{P}` and output padding {O} makes nothing of `{Self}`",
    label = "no length comes out of `{Self}`",
    note = "`(N - 1) * S + K + O` comes out, less the padding on both sides, which must leave something; K and S are 1 or above",
    note = "the padding is `Valid`, `Same`, `Pad<P>` or `To<L>`, with images `Pad<H, W>` or `To<H, W>`"
)]
pub trait Spread<P, const K: usize, const S: usize, const O: usize> {
    /// The length that comes out.
    type Output: Extent;

    /// How many places at the start are left out.
    const BEFORE: usize;
}

/// `N: Widen<K, S, O>`: `(N - 1) * S + K + O`.
pub trait Widen<K, S, O> {
    /// As a number.
    type Output;
}

#[diagnostic::do_not_recommend]
impl<N, K: NonZero, S: NonZero, O> Widen<K, S, O> for N
where
    N: Sub<B1>,
    Sub1<N>: Mul<S>,
    Prod<Sub1<N>, S>: Add<K>,
    Sum<Prod<Sub1<N>, S>, K>: Add<O>,
{
    type Output = Sum<Sum<Prod<Sub1<N>, S>, K>, O>;
}

/// What [`Widen`] gives.
type Wide<N, K, S, O> = <N as Widen<K, S, O>>::Output;

#[diagnostic::do_not_recommend]
impl<const N: usize, const K: usize, const S: usize, const O: usize> Spread<Valid, K, S, O> for Len<N>
where
    Self: Known,
    Len<K>: Known,
    Len<S>: Known,
    Len<O>: Known,
    NumberOf<N>: Widen<NumberOf<K>, NumberOf<S>, NumberOf<O>>,
    Wide<NumberOf<N>, NumberOf<K>, NumberOf<S>, NumberOf<O>>: Number,
{
    type Output = <Wide<NumberOf<N>, NumberOf<K>, NumberOf<S>, NumberOf<O>> as Number>::Len;
    const BEFORE: usize = 0;
}

#[diagnostic::do_not_recommend]
impl<const N: usize, const P: usize, const K: usize, const S: usize, const O: usize> Spread<Pad<P, P>, K, S, O>
    for Len<N>
where
    Self: Known,
    Len<P>: Known,
    Len<K>: Known,
    Len<S>: Known,
    Len<O>: Known,
    NumberOf<P>: Mul<U2>,
    NumberOf<N>: Widen<NumberOf<K>, NumberOf<S>, NumberOf<O>>,
    Wide<NumberOf<N>, NumberOf<K>, NumberOf<S>, NumberOf<O>>: Sub<Prod<NumberOf<P>, U2>>,
    Diff<Wide<NumberOf<N>, NumberOf<K>, NumberOf<S>, NumberOf<O>>, Prod<NumberOf<P>, U2>>: Number + NonZero,
{
    type Output =
        <Diff<Wide<NumberOf<N>, NumberOf<K>, NumberOf<S>, NumberOf<O>>, Prod<NumberOf<P>, U2>> as Number>::Len;
    const BEFORE: usize = P;
}

#[diagnostic::do_not_recommend]
impl<const N: usize, const K: usize, const S: usize> Spread<Same, K, S, 0> for Len<N>
where
    Self: Known,
    Len<K>: NotZero,
    Len<S>: Known,
    NumberOf<N>: Mul<NumberOf<S>>,
    Prod<NumberOf<N>, NumberOf<S>>: Number + NonZero,
{
    type Output = <Prod<NumberOf<N>, NumberOf<S>> as Number>::Len;
    const BEFORE: usize = K.saturating_sub(S) / 2;
}

#[diagnostic::do_not_recommend]
impl<const N: usize, const L: usize, const K: usize, const S: usize, const O: usize> Spread<To<L, L>, K, S, O>
    for Len<N>
{
    type Output = Len<L>;
    const BEFORE: usize = {
        assert!(N > 0 && K > 0 && S > 0, "a length, a kernel and a stride are 1 or above");
        assert!(
            (N - 1) * S + K + O == L,
            "another length than the `L` of `To<L>` comes out: (N - 1) * stride + kernel"
        );
        0
    };
}

/// The way of a transposed convolution's window over what comes out, for the loops.
pub(crate) struct Back<P, const N: usize, const K: usize, const S: usize, const O: usize>(PhantomData<P>);

impl<P, const N: usize, const K: usize, const S: usize, const O: usize> Axis for Back<P, N, K, S, O>
where
    Len<N>: Spread<P, K, S, O>,
{
    const IN: usize = <Len<N> as Spread<P, K, S, O>>::Output::LEN;
    const OUT: usize = N;
    const KERNEL: usize = K;
    const STRIDE: usize = S;
    const DILATION: usize = 1;
    const BEFORE: usize = <Len<N> as Spread<P, K, S, O>>::BEFORE;
    const COUNTS_PADDING: bool = true;
}

/// One direction of a window's way over `N` places, for the loops.
pub(crate) struct Line<P, const N: usize, const K: usize, const S: usize, const D: usize>(PhantomData<P>);

impl<P, const N: usize, const K: usize, const S: usize, const D: usize> Axis for Line<P, N, K, S, D>
where
    Len<N>: Window<P, K, S, D>,
{
    const IN: usize = N;
    const OUT: usize = <Len<N> as Window<P, K, S, D>>::Output::LEN;
    const KERNEL: usize = K;
    const STRIDE: usize = S;
    const DILATION: usize = D;
    const BEFORE: usize = <Len<N> as Window<P, K, S, D>>::BEFORE;
    const COUNTS_PADDING: bool = <Len<N> as Window<P, K, S, D>>::COUNTS_PADDING;
    const IS_CAUSAL: bool = <Len<N> as Window<P, K, S, D>>::IS_CAUSAL;
}
