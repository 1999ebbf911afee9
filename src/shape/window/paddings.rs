//! Bounds on paddings: what of them a layer cannot have is a matter of types, so that `cargo check` finds it.

use super::{Causal, OutputPadding, Pad, Same, To, Valid};
use crate::shape::length::{Known, Len, NumberOf};
use core::ops::{Mul, Sub};
use typenum::{Diff, NonZero, Prod, U2};

/// `P: PadsPool<K>`: a padding `P` with which no window of a pooling of `K` lies on padding alone.
#[diagnostic::on_unimplemented(
    message = "a pooling of {K} cannot have the padding `{Self}`: a window would lie on padding alone",
    label = "more than half of the window",
    note = "the padding of a pooling is at most K / 2, as in PyTorch, or `Same`"
)]
pub trait PadsPool<const K: usize> {}

impl<const K: usize> PadsPool<K> for Valid {}
impl<const K: usize> PadsPool<K> for Same {}
impl<const K: usize> PadsPool<K> for Causal {}
impl<const K: usize, const L: usize> PadsPool<K> for To<L, L> {}

#[diagnostic::do_not_recommend]
impl<const K: usize, const P: usize> PadsPool<K> for Pad<P, P>
where
    Len<P>: Known,
    Len<K>: Known,
    NumberOf<P>: Mul<U2>,
    NumberOf<K>: Sub<Prod<NumberOf<P>, U2>>,
{
}

/// `OutputPadding<H, W>: SmallerThan<DOWN, ACROSS>`: an output padding that a transposed convolution of that stride leaves open.
#[diagnostic::on_unimplemented(
    message = "a transposed convolution cannot have `{Self}` with `Stride<{DOWN}, {ACROSS}>`: an output padding is smaller than the stride",
    label = "not smaller than the stride",
    note = "an output padding is one of the lengths that the stride leaves open: 0 to S - 1"
)]
pub trait SmallerThan<const DOWN: usize, const ACROSS: usize> {}

#[diagnostic::do_not_recommend]
impl<const H: usize, const W: usize, const DOWN: usize, const ACROSS: usize> SmallerThan<DOWN, ACROSS>
    for OutputPadding<H, W>
where
    Len<H>: Below<DOWN>,
    Len<W>: Below<ACROSS>,
{
}

/// `Len<A>: Below<B>`: `A` is less than `B`.
pub trait Below<const B: usize> {}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize> Below<B> for Len<A>
where
    Self: Known,
    Len<B>: Known,
    NumberOf<B>: Sub<NumberOf<A>>,
    Diff<NumberOf<B>, NumberOf<A>>: NonZero,
{
}
