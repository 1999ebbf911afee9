use crate::layer::Side;
use crate::layers::residual::add;
use crate::scalar::{ConstZero, Scalar};
use crate::shape::length::{Extent, Len, NotZero, Plus};
use crate::shape::{Image, Sequence, Shape, Tensor, TensorOf, Vector};

/// Adds what two branches give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum;

/// Puts the channels that two branches give side by side, position by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Concat;

/// How outputs of shapes `A` and `B` become one: [`Sum`] or [`Concat`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not join branches that give `{A}` and `{B}`",
    label = "one branch gives `{A}`, the other `{B}`",
    note = "`Sum` adds branches that give the same shape; `Concat` joins shapes that are alike but for their channels, whose sum must be a length that `shape::length` knows"
)]
pub trait Join<A: Shape, B: Shape> {
    /// What comes out.
    type Out: Shape;

    /// Whether the numbers that come out are those of the branches, one beside the other.
    const IS_BESIDE: bool = false;

    /// Where the gradients of the branches' outputs lie, if not in that of their join.
    type Gradients<T: Scalar, const N: usize>: ConstZero;

    /// The memory that the first branch's output takes, `X`, if it does not lie where the join will.
    type First<X>;

    /// The join of what two functions write, one after the other, with the memory of their outputs and of their own. Each gets what is left.
    fn fill<T: Scalar>(
        arena: &mut [T],
        a: impl FnOnce(&mut [T], &mut A::Tensor<T>),
        b: impl FnOnce(&mut [T], &mut B::Tensor<T>),
        y: &mut TensorOf<Self::Out, T>,
    );

    /// The join of two tensors.
    fn join<T: Scalar>(a: &A::Tensor<T>, b: &B::Tensor<T>, y: &mut TensorOf<Self::Out, T>);

    /// The gradients of the branches' outputs.
    #[allow(clippy::type_complexity)]
    fn split<'a, T: Scalar, const N: usize>(
        dy: &'a [TensorOf<Self::Out, T>; N],
        gradients: &'a mut Self::Gradients<T, N>,
    ) -> (&'a [A::Tensor<T>; N], &'a [B::Tensor<T>; N]);
}

impl<S: Shape> Join<S, S> for Sum {
    type Out = S;
    type Gradients<T: Scalar, const N: usize> = ();
    type First<X> = ();

    #[inline]
    fn fill<T: Scalar>(
        arena: &mut [T],
        a: impl FnOnce(&mut [T], &mut S::Tensor<T>),
        b: impl FnOnce(&mut [T], &mut S::Tensor<T>),
        y: &mut TensorOf<S, T>,
    ) {
        a(arena, y);
        if let Some((other, rest)) = Side::Low.tensor::<T, S::Tensor<T>>(arena) {
            b(rest, other);
            add(y.as_mut_slice(), other.as_slice());
        }
    }

    #[inline]
    fn join<T: Scalar>(a: &S::Tensor<T>, b: &S::Tensor<T>, y: &mut S::Tensor<T>) {
        y.copy_from(a);
        add(y.as_mut_slice(), b.as_slice());
    }

    #[inline]
    fn split<'a, T: Scalar, const N: usize>(
        dy: &'a [S::Tensor<T>; N],
        (): &'a mut (),
    ) -> (&'a [S::Tensor<T>; N], &'a [S::Tensor<T>; N]) {
        (dy, dy)
    }
}

/// Writes [`Concat`] for one kind of shape.
macro_rules! concat {
    ($([$(const $L:ident: usize),*] $A:ty, $B:ty => $out:ty;)+) => { $(
        #[diagnostic::do_not_recommend]
        impl<const M: usize, const N: usize $(, const $L: usize)*> Join<$A, $B> for Concat
        where
            Len<M>: Plus<N> + NotZero,
            Len<N>: NotZero,
        {
            type Out = $out;
            const IS_BESIDE: bool = true;
            type Gradients<T: Scalar, const BATCH: usize> = ([TensorOf<$A, T>; BATCH], [TensorOf<$B, T>; BATCH]);

            type First<X> = X;

            #[inline]
            fn fill<T: Scalar>(
                arena: &mut [T],
                a: impl FnOnce(&mut [T], &mut TensorOf<$A, T>),
                b: impl FnOnce(&mut [T], &mut TensorOf<$B, T>),
                y: &mut TensorOf<Self::Out, T>,
            ) {
                if let Some((x, rest)) = Side::Low.tensor::<T, TensorOf<$A, T>>(arena) {
                    a(rest, x);
                    put::<T, M>(Tensor::as_slice(x), y.as_mut_slice(), 0, M + N);
                }
                if let Some((x, rest)) = Side::Low.tensor::<T, TensorOf<$B, T>>(arena) {
                    b(rest, x);
                    put::<T, N>(Tensor::as_slice(x), y.as_mut_slice(), M, M + N);
                }
            }

            #[inline]
            fn join<T: Scalar>(a: &TensorOf<$A, T>, b: &TensorOf<$B, T>, y: &mut TensorOf<Self::Out, T>) {
                put::<T, M>(Tensor::as_slice(a), y.as_mut_slice(), 0, M + N);
                put::<T, N>(Tensor::as_slice(b), y.as_mut_slice(), M, M + N);
            }

            #[inline]
            fn split<'a, T: Scalar, const BATCH: usize>(
                dy: &'a [TensorOf<Self::Out, T>; BATCH],
                (a, b): &'a mut Self::Gradients<T, BATCH>,
            ) -> (&'a [TensorOf<$A, T>; BATCH], &'a [TensorOf<$B, T>; BATCH]) {
                for ((dy, a), b) in dy.iter().zip(&mut *a).zip(&mut *b) {
                    take::<T, M>(dy.as_slice(), Tensor::as_mut_slice(a), 0, M + N);
                    take::<T, N>(dy.as_slice(), Tensor::as_mut_slice(b), M, M + N);
                }
                (a, b)
            }
        }
    )+ };
}
concat! {
    [] Vector<M>, Vector<N> => <<Len<M> as Plus<N>>::Output as Extent>::Vector;
    [const L: usize] Sequence<M, L>, Sequence<N, L> =>
        <<Len<M> as Plus<N>>::Output as Extent>::Sequence<Len<L>>;
    [const H: usize, const W: usize] Image<M, H, W>, Image<N, H, W> =>
        <<Len<M> as Plus<N>>::Output as Extent>::Image<Len<H>, Len<W>>;
}

/// Writes the `C` channels of a branch to those of `y` from `start` on, of `all`.
#[inline]
fn put<T: Scalar, const C: usize>(x: &[T], y: &mut [T], start: usize, all: usize) {
    let mut rest = y.get_mut(start..).unwrap_or_default();
    for x in x.as_chunks::<C>().0 {
        if let Some(y) = rest.first_chunk_mut() {
            *y = *x;
        }
        rest = rest.get_mut(all..).unwrap_or_default();
    }
}

/// Reads the `C` channels from `start` on, of `all`.
#[inline]
fn take<T: Scalar, const C: usize>(dy: &[T], dx: &mut [T], start: usize, all: usize) {
    let mut rest = dy.get(start..).unwrap_or_default();
    for dx in dx.as_chunks_mut::<C>().0 {
        if let Some(dy) = rest.first_chunk() {
            *dx = *dy;
        }
        rest = rest.get(all..).unwrap_or_default();
    }
}
