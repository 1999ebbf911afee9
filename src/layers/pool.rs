use crate::kernels::pool;
use crate::kernels::window::{Axis, Flat};
use crate::layer::{Both, Differentiable, Gradient, Layer, Meaning, check_shapes, no_parameters};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::length::{Extent, Len};
use crate::shape::window::{IsPadding, IsStride, Line, OfSignal, Padding, PadsPool, Stride, Valid, Window};
use crate::shape::{Image, Sequence, Tensor, TensorOf, Vector};
use core::marker::PhantomData;

/// The greatest number under a window, channel by channel, over images.
///
/// ```text
/// y[c, r, q] = max over h, w of x[c, SH r + h, SW q + w]
/// ```
///
/// `KH` by `KW` is PyTorch's `kernel_size`; `MaxPool2d<2>` has a square window. Behind these may stand [`Stride<SH, SW>`](Stride),
/// which is the window's own size by default, and the padding: [`Valid`], [`Same`](crate::Same), [`Pad<H, W>`](crate::Pad) of at
/// most half the window or [`To<H, W>`](crate::To); with a stride behind them, write both sizes of the window. What lies beside the
/// image takes no part. A NaN is greater than any number.
///
/// # Shapes
/// `Image<C, H, W>` to `Image<C, H', W'>`, where `H' = (H - KH) / SH + 1`, rounded down, for a window that stays inside, and `W'`
/// alike. [`shape::window`](crate::shape::window) has the formulas of every padding.
///
/// # Cost
/// `C * H' * W' * KH * KW` comparisons; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Conv2d, Flatten, Dense, Image, MaxPool2d, Network, Relu, Same, Stride};
///
/// type Net = Network<
///     Image<1, 28, 28>,
///     (
///         Conv2d<1, 8, 5>,                  // Image<8, 24, 24>
///         Relu,
///         MaxPool2d<2>,                     // Image<8, 12, 12>
///         MaxPool2d<3, 3, Stride<2>, Same>, // Image<8, 6, 6>
///         Flatten,
///         Dense<288, 10>,
///     ),
/// >;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// PyTorch's `nn.MaxPool2d`. The gradient goes to the first of equals, as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxPool2d<const KH: usize, const KW: usize = KH, S: IsStride = Stride<KH, KW>, P: IsPadding = Valid>(
    PhantomData<(S, P)>,
);

/// The mean of the numbers under a window, channel by channel, over images.
///
/// ```text
/// y[c, r, q] = 1 / (KH KW) * sum over h, w of x[c, SH r + h, SW q + w]
/// ```
///
/// Its parameters are those of [`MaxPool2d`]. What lies beside the image is 0 and counts, as in PyTorch (`count_include_pad`), but
/// with the padding [`Same`](crate::Same) it does not, as in Keras.
///
/// # Shapes
/// Those of [`MaxPool2d`].
///
/// # Cost
/// `C * H' * W' * KH * KW` additions; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SMatrix;
/// use constnet::{AvgPool2d, Image, Network};
///
/// let net = Network::<Image<1, 2, 4>, (AvgPool2d<2>,)>::ZERO;
/// let y = net.predict(&[SMatrix::from([[1.0], [2.0], [5.0], [6.0]]), SMatrix::from([[3.0], [4.0], [7.0], [8.0]])]);
/// assert_eq!(y, [SMatrix::from([[2.5], [6.5]])]);
/// ```
///
/// # Reference
/// PyTorch's `nn.AvgPool2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AvgPool2d<const KH: usize, const KW: usize = KH, S: IsStride = Stride<KH, KW>, P: IsPadding = Valid>(
    PhantomData<(S, P)>,
);

/// [`MaxPool2d`] over signals: `MaxPool1d<2>` halves their length.
///
/// # Shapes
/// `Sequence<C, L>` to `Sequence<C, L'>`, where `L' = (L - K) / S + 1`, rounded down, for a window that stays inside. The padding
/// is [`Valid`], [`Same`](crate::Same), [`Causal`](crate::Causal), [`Pad<P>`](crate::Pad) of at most half the window or
/// [`To<L>`](crate::To).
///
/// # Cost
/// `C * L' * K` comparisons; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SMatrix;
/// use constnet::{MaxPool1d, Network, Sequence};
///
/// let net = Network::<Sequence<1, 5>, (MaxPool1d<2>,)>::ZERO;
/// assert_eq!(net.predict(&SMatrix::from([[1.0], [3.0], [2.0], [0.0], [9.0]])), SMatrix::from([[3.0], [2.0]]));
/// ```
///
/// # Reference
/// PyTorch's `nn.MaxPool1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxPool1d<const K: usize, S: IsStride = Stride<K>, P: IsPadding = Valid>(PhantomData<(S, P)>);

/// [`AvgPool2d`] over signals.
///
/// What lies before and after the signal is 0 and counts, that in front of a [`Causal`](crate::Causal) window too, as after
/// PyTorch's `F.pad`; with [`Same`](crate::Same) it does not.
///
/// # Shapes
/// Those of [`MaxPool1d`].
///
/// # Cost
/// `C * L' * K` additions; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SMatrix;
/// use constnet::{AvgPool1d, Network, Sequence};
///
/// let net = Network::<Sequence<1, 4>, (AvgPool1d<2>,)>::ZERO;
/// assert_eq!(net.predict(&SMatrix::from([[1.0], [3.0], [2.0], [0.0]])), SMatrix::from([[2.0], [1.0]]));
/// ```
///
/// # Reference
/// PyTorch's `nn.AvgPool1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AvgPool1d<const K: usize, S: IsStride = Stride<K>, P: IsPadding = Valid>(PhantomData<(S, P)>);

/// The mean of each channel over all of an image or a signal.
///
/// # Shapes
/// `Image<C, H, W>` and `Sequence<C, L>` to `Vector<C>`.
///
/// # Cost
/// An addition for each number; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Conv2d, Dense, GlobalAvgPool, Image, Network, Relu};
///
/// type Net = Network<Image<3, 8, 8>, (Conv2d<3, 16, 3>, Relu, GlobalAvgPool, Dense<16, 10>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// PyTorch's `nn.AdaptiveAvgPool2d(1)` and a flattening. Lin and others (2013), "Network in network".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GlobalAvgPool;

/// The greatest number of each channel over all of an image or a signal.
///
/// # Shapes
/// `Image<C, H, W>` and `Sequence<C, L>` to `Vector<C>`.
///
/// # Cost
/// A comparison for each number; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::{Conv1d, Dense, GlobalMaxPool, Network, Relu, Sequence};
///
/// type Net = Network<Sequence<6, 100>, (Conv1d<6, 16, 5>, Relu, GlobalMaxPool, Dense<16, 4>)>;
/// # let _ = Net::ZERO;
/// ```
///
/// # Reference
/// PyTorch's `nn.AdaptiveMaxPool2d(1)` and a flattening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GlobalMaxPool;

/// Fails the build if a window may lie on padding alone: what [`PadsPool`] says of the paddings here, for one of a user's own too.
/// The last place of a causal one always lies on the input.
const fn check<A: Axis>() {
    assert!(A::IS_CAUSAL || 2 * A::BEFORE <= A::KERNEL, "a pooling window may not lie on padding alone");
}

/// A pooling layer: its generics with and without their kinds, its kernels, and the window's way over the shape that it takes.
macro_rules! pooling {
    (
        [$($generics:tt)*] $layer:ty, $forward:ident $backward:ident;
        [$($window:tt)*] $moved:ty: $X:ty => $Y:ty where [$($bound:tt)*], $V:ty, $H:ty
    ) => {
        impl<$($generics)*> $layer {
            /// The layer.
            #[must_use]
            pub const fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<$($generics)*> ConstZero for $layer {
            const ZERO: Self = Self::new();
        }
        no_parameters!([$($generics)*] $layer);

        impl<$($window)*, T: Scalar, const C: usize> Layer<$X, T> for $moved
        where
            $($bound)*
        {
            type Out = $Y;
            type Peak<X, Y> = Both<X, Y>;

            const MEANING: Meaning = Meaning::AsInput;

            const CHECK: () = {
                check_shapes::<$X, $Y>();
                check::<$V>();
                check::<$H>();
            };

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<$Y, T>) {
                const { <Self as Layer<$X, T>>::CHECK };
                pool::$forward::<$V, $H, T, C>(Tensor::<T>::as_slice(x), y.as_mut_slice());
            }
        }

        impl<$($window)*, T: Scalar, const C: usize> Differentiable<$X, T> for $moved
        where
            $($bound)*
        {
            type Cache<const B: usize> = ();

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<$X, T>; B],
                y: &[TensorOf<$Y, T>; B],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; B]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                let Some(dx) = dx else { return };
                for (((x, y), dy), dx) in x.iter().zip(y).zip(dy).zip(dx) {
                    let (x, dx) = (Tensor::<T>::as_slice(x), Tensor::<T>::as_mut_slice(dx));
                    pool::$backward::<$V, $H, T, C>(x, y.as_slice(), dy.as_slice(), dx);
                }
            }
        }
    };
}

macro_rules! over_images {
    ($($name:ident $forward:ident $backward:ident),+) => { $(
        pooling!(
            [const KH: usize, const KW: usize, S: IsStride, Q: IsPadding] $name<KH, KW, S, Q>, $forward $backward;
            [
                const KH: usize, const KW: usize, const SH: usize, const SW: usize, const H: usize, const W: usize,
                P: Padding
            ]
            $name<KH, KW, Stride<SH, SW>, P>:
                Image<C, H, W> => <<Len<H> as Window<P::Vertical, KH, SH, 1>>::Output as Extent>::Rows<
                    C,
                    <Len<W> as Window<P::Horizontal, KW, SW, 1>>::Output,
                >
            where [
                Len<H>: Window<P::Vertical, KH, SH, 1>,
                Len<W>: Window<P::Horizontal, KW, SW, 1>,
                P::Vertical: PadsPool<KH>,
                P::Horizontal: PadsPool<KW>
            ],
            Line<P::Vertical, H, KH, SH, 1>, Line<P::Horizontal, W, KW, SW, 1>
        );
    )+ };
}
over_images!(MaxPool2d max max_backward, AvgPool2d average average_backward);

macro_rules! over_signals {
    ($($name:ident $forward:ident $backward:ident),+) => { $(
        pooling!(
            [const K: usize, S: IsStride, Q: IsPadding] $name<K, S, Q>, $forward $backward;
            [const K: usize, const STEP: usize, const SW: usize, const L: usize, P: IsPadding] $name<K, Stride<STEP, SW>, P>:
                Sequence<C, L> => <<Len<L> as Window<P, K, STEP, 1>>::Output as Extent>::Steps<C>
            where [Stride<STEP, SW>: OfSignal, Len<L>: Window<P, K, STEP, 1>, P: PadsPool<K>],
            Flat, Line<P, L, K, STEP, 1>
        );
    )+ };
}
over_signals!(MaxPool1d max max_backward, AvgPool1d average average_backward);

macro_rules! global {
    ($($name:ident $forward:ident $backward:ident),+; $extents:tt $X:ty) => { $(
        global!(@one $name $forward $backward; $extents $X);
    )+ };
    (@one $name:ident $forward:ident $backward:ident; [$($extents:tt)*] $X:ty) => {
        impl<const C: usize, $($extents)*, T: Scalar> Layer<$X, T> for $name {
            type Out = Vector<C>;
            type Peak<X, Y> = Both<X, Y>;

            const MEANING: Meaning = Meaning::AsInput;

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<Vector<C>, T>) {
                const { <Self as Layer<$X, T>>::CHECK };
                let [y] = &mut y.data.0;
                pool::$forward(Tensor::<T>::as_slice(x), y);
            }
        }

        impl<const C: usize, $($extents)*, T: Scalar> Differentiable<$X, T> for $name {
            type Cache<const B: usize> = ();

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[TensorOf<$X, T>; B],
                y: &[TensorOf<Vector<C>, T>; B],
                (): &mut (),
                dy: &[TensorOf<Vector<C>, T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; B]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                let Some(dx) = dx else { return };
                for (((x, y), dy), dx) in x.iter().zip(y).zip(dy).zip(dx) {
                    let ([y], [dy]) = (&y.data.0, &dy.data.0);
                    pool::$backward(Tensor::<T>::as_slice(x), y, dy, Tensor::<T>::as_mut_slice(dx));
                }
            }

        }
    };
}
impl ConstZero for GlobalAvgPool {
    const ZERO: Self = Self;
}
impl ConstZero for GlobalMaxPool {
    const ZERO: Self = Self;
}
no_parameters!(GlobalAvgPool);
no_parameters!(GlobalMaxPool);
global!(
    GlobalAvgPool global_average global_average_backward, GlobalMaxPool global_max global_max_backward;
    [const H: usize, const W: usize] Image<C, H, W>
);
global!(
    GlobalAvgPool global_average global_average_backward, GlobalMaxPool global_max global_max_backward;
    [const L: usize] Sequence<C, L>
);
