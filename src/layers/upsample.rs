use crate::kernels::pool::{repeat, repeat_backward};
use crate::layer::{Both, Differentiable, Gradient, Layer, Meaning, no_parameters};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::length::{Extent, Len, NotZero, Times};
use crate::shape::{Image, Sequence, Tensor, TensorOf};

/// Repeats each pixel `H` times down and `W` times across, or each step `H` times.
///
/// ```text
/// y[c, r, q] = x[c, r / H, q / W]
/// ```
///
/// `Upsample<2>` is `Upsample<2, 2>`. Decoders have it before a convolution, where a transposed one would leave a chequered
/// pattern.
///
/// # Shapes
/// `Image<C, R, Q>` to `Image<C, R * H, Q * W>`; `Sequence<C, L>` to `Sequence<C, L * H>`, where `W` is `H`.
///
/// # Cost
/// A copy of each output; no parameters; no cache.
///
/// # Example
/// ```
/// use constnet::nalgebra::SMatrix;
/// use constnet::{Network, Sequence, Upsample};
///
/// let net = Network::<Sequence<1, 2>, (Upsample<2>,)>::ZERO;
/// assert_eq!(net.predict(&SMatrix::from([[3.0], [5.0]])), SMatrix::from([[3.0], [3.0], [5.0], [5.0]]));
/// ```
///
/// # Reference
/// PyTorch's `nn.Upsample(scale_factor=(H, W), mode="nearest")`. Odena and others (2016), "Deconvolution and checkerboard
/// artifacts".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upsample<const H: usize = 2, const W: usize = H>;

impl<const H: usize, const W: usize> ConstZero for Upsample<H, W> {
    const ZERO: Self = Self;
}
no_parameters!([const H: usize, const W: usize] Upsample<H, W>);

/// An image has rows of `$width` pixels, a signal is one.
macro_rules! upsample {
    ([$($generics:tt)*] $layer:ty: $X:ty => $Y:ty where [$($bound:tt)*], $width:expr, $down:expr, $across:expr) => {
        impl<const C: usize, $($generics)*, T: Scalar> Layer<$X, T> for $layer
        where
            $($bound)*
        {
            type Out = $Y;
            type Peak<X, Y> = Both<X, Y>;
            const MEANING: Meaning = Meaning::AsInput;

            #[inline]
            fn forward(&self, x: &TensorOf<$X, T>, y: &mut TensorOf<$Y, T>) {
                const { <Self as Layer<$X, T>>::CHECK };
                repeat::<T, C>(Tensor::<T>::as_slice(x), y.as_mut_slice(), $width, $down, $across);
            }
        }

        impl<const C: usize, $($generics)*, T: Scalar> Differentiable<$X, T> for $layer
        where
            $($bound)*
        {
            type Cache<const B: usize> = ();

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                _: &[TensorOf<$X, T>; B],
                _: &[TensorOf<$Y, T>; B],
                (): &mut (),
                dy: &[TensorOf<$Y, T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [TensorOf<$X, T>; B]>,
            ) {
                const { <Self as Layer<$X, T>>::CHECK };
                let Some(dx) = dx else { return };
                for (dy, dx) in dy.iter().zip(dx) {
                    repeat_backward::<T, C>(dy.as_slice(), Tensor::<T>::as_mut_slice(dx), $width, $down, $across);
                }
            }
        }
    };
}
upsample!(
    [const R: usize, const Q: usize, const H: usize, const W: usize] Upsample<H, W>:
        Image<C, R, Q> => <<Len<R> as Times<H>>::Output as Extent>::Rows<C, <Len<Q> as Times<W>>::Output>
    where [Len<R>: Times<H>, Len<Q>: Times<W>, Len<H>: NotZero, Len<W>: NotZero], Q, H, W
);
upsample!(
    [const L: usize, const N: usize] Upsample<N, N>:
        Sequence<C, L> => <<Len<L> as Times<N>>::Output as Extent>::Steps<C>
    where [Len<L>: Times<N>, Len<N>: NotZero], L, 1, N
);
