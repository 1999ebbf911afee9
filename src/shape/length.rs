//! Arithmetic on lengths: [`Len<N>`](Len) to typenum's numbers and back.
//!
//! Stable Rust does not compute `A * B` in a type, typenum does; this is the bridge. [`Known`] is the way in, [`Number`] the
//! way out.
//!
//! | | by itself | with the feature `long` |
//! |---|---|---|
//! | a length that is computed with | every one up to 2,048 | up to 4,096, and every eighth up to 16,376 |
//! | a length that is computed | up to 5,119 | up to 16,383 |
//!
//! Layers that keep lengths as they are, such as `Dense` over a sequence, an activation or a normalisation, have no limit. Nor
//! have those that are told what comes out: [`To`](crate::shape::window::To) and [`FlattenTo`](crate::FlattenTo).

mod number;

pub use number::{Digits, Join, Known, Number, Place, Upper};

use crate::shape::{Image, Sequence, Shape, Vector};
use core::ops::{Add, Mul, Rem};
use typenum::{Mod, NonZero, Prod, Sum, U0};

/// The length `N`, as a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Len<const N: usize>;

/// The typenum number of the length `N`.
pub type NumberOf<const N: usize> = <Len<N> as Known>::Number;

/// What a [`Len`] can become. A shape that is computed goes through here and not through a const parameter bound by
/// `Output = Len<N>`: the compiler would guess that `N` from the layer that follows, and blame the arithmetic.
pub trait Extent {
    /// `N`
    const LEN: usize;

    /// `Vector<N>`
    type Vector: Shape;

    /// `Sequence<C, N>`
    type Steps<const C: usize>: Shape;

    /// `Sequence<N, L>`
    type Sequence<L: Extent>: Shape;

    /// `Image<C, N, W>`
    type Rows<const C: usize, W: Extent>: Shape;

    /// `Image<C, H, N>`
    type Columns<const C: usize, const H: usize>: Shape;

    /// `Image<N, H, W>`
    type Image<H: Extent, W: Extent>: Shape;
}

impl<const N: usize> Extent for Len<N> {
    const LEN: usize = N;
    type Vector = Vector<N>;
    type Steps<const C: usize> = Sequence<C, N>;
    type Sequence<L: Extent> = L::Steps<N>;
    type Rows<const C: usize, W: Extent> = W::Columns<C, N>;
    type Columns<const C: usize, const H: usize> = Image<C, H, N>;
    type Image<H: Extent, W: Extent> = H::Rows<N, W>;
}

/// `Len<A>: Times<B>`: their product.
pub trait Times<const B: usize> {
    /// `Len<{A * B}>`.
    type Output: Extent;
}

impl<const A: usize, const B: usize> Times<B> for Len<A>
where
    Self: Known,
    Len<B>: Known,
    NumberOf<A>: Mul<NumberOf<B>>,
    Prod<NumberOf<A>, NumberOf<B>>: Number,
{
    type Output = <Prod<NumberOf<A>, NumberOf<B>> as Number>::Len;
}

/// `Len<N>: Groups<G, C>`: `N` channels are `G` groups of `C`.
#[diagnostic::on_unimplemented(
    message = "a layer of {G} groups that take {C} channels each does not take an input of `{Self}` channels",
    label = "not {G} times {C} channels",
    note = "`DepthwiseConv2d<C, ..>` takes C channels, `GroupedConv2d<G, IN, OUT, ..>` takes G * IN and gives G * OUT"
)]
pub trait Groups<const G: usize, const C: usize> {}

#[diagnostic::do_not_recommend]
impl<const N: usize, const G: usize, const C: usize> Groups<G, C> for Len<N>
where
    Len<G>: Times<C>,
    <Len<G> as Times<C>>::Output: Is<N>,
{
}

/// A length that is `N`.
pub trait Is<const N: usize> {}

impl<const N: usize> Is<N> for Len<N> {}

/// `Len<A>: Volume<B, C>`: the product of three.
pub trait Volume<const B: usize, const C: usize> {
    /// `Len<{A * B * C}>`.
    type Output: Extent;
}

impl<const A: usize, const B: usize, const C: usize> Volume<B, C> for Len<A>
where
    Self: Known,
    Len<B>: Known,
    Len<C>: Known,
    NumberOf<A>: Mul<NumberOf<B>>,
    Prod<NumberOf<A>, NumberOf<B>>: Mul<NumberOf<C>>,
    Prod<Prod<NumberOf<A>, NumberOf<B>>, NumberOf<C>>: Number,
{
    type Output = <Prod<Prod<NumberOf<A>, NumberOf<B>>, NumberOf<C>> as Number>::Len;
}

/// `Len<A>: Plus<B>`: their sum.
pub trait Plus<const B: usize> {
    /// `Len<{A + B}>`.
    type Output: Extent;
}

impl<const A: usize, const B: usize> Plus<B> for Len<A>
where
    Self: Known,
    Len<B>: Known,
    NumberOf<A>: Add<NumberOf<B>>,
    Sum<NumberOf<A>, NumberOf<B>>: Number,
{
    type Output = <Sum<NumberOf<A>, NumberOf<B>> as Number>::Len;
}

/// `Len<A>: SharedBy<B>`: `A` divides among `B` without a rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not divide evenly among {B}",
    label = "not a multiple of {B}",
    note = "channels divide among groups, and the width of an attention layer among its heads, without a rest"
)]
pub trait SharedBy<const B: usize> {}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize> SharedBy<B> for Len<A>
where
    Self: Known,
    Len<B>: Known,
    NumberOf<A>: Rem<NumberOf<B>>,
    Mod<NumberOf<A>, NumberOf<B>>: Zero,
{
}

/// `Len<N>: NotZero`: `N` is 1 or above.
#[diagnostic::on_unimplemented(
    message = "a size of a layer is 0: every size is 1 or above",
    label = "a size of 0",
    note = "a size may be any length that `shape::length` knows"
)]
pub trait NotZero {}

#[diagnostic::do_not_recommend]
impl<const N: usize> NotZero for Len<N>
where
    Self: Known,
    NumberOf<N>: NonZero,
{
}

/// No rest.
pub trait Zero {}

impl Zero for U0 {}

/// A shape whose length typenum knows.
pub trait Length: Shape {
    /// How many numbers a tensor holds.
    type Length;
}

#[diagnostic::do_not_recommend]
impl<const N: usize> Length for Vector<N>
where
    Len<N>: Known,
{
    type Length = NumberOf<N>;
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const L: usize> Length for Sequence<C, L>
where
    Len<C>: Known,
    Len<L>: Known,
    NumberOf<C>: Mul<NumberOf<L>>,
{
    type Length = Prod<NumberOf<C>, NumberOf<L>>;
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const H: usize, const W: usize> Length for Image<C, H, W>
where
    Len<C>: Known,
    Len<H>: Known,
    Len<W>: Known,
    NumberOf<C>: Mul<NumberOf<H>>,
    Prod<NumberOf<C>, NumberOf<H>>: Mul<NumberOf<W>>,
{
    type Length = Prod<Prod<NumberOf<C>, NumberOf<H>>, NumberOf<W>>;
}

/// A shape that holds as many numbers as `Other`.
#[diagnostic::on_unimplemented(
    message = "`Reshape` to `{Self}` does not take an input of shape `{Other}`: they hold different numbers of numbers",
    label = "`{Other}` and `{Self}` hold different numbers of numbers",
    note = "the extents of both shapes must have the same product, each extent a length that `shape::length` knows"
)]
pub trait SameLength<Other: Shape>: Shape {}

#[diagnostic::do_not_recommend]
impl<A: Length, B: Length<Length = A::Length>> SameLength<A> for B {}
