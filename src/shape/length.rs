//! Arithmetic on lengths: [`Len<N>`](Len) to typenum's numbers and back.
//!
//! Stable Rust does not compute `A * B` in a type, typenum does; this is the bridge. The way in is typenum's own: every
//! length up to 1,024, then powers of two. The way out is a table of two levels, a block of 128 lengths and a place in
//! it, since the compiler compares all impls on one type with each other: 5,120 lengths.

use crate::shape::{Image, Sequence, Shape, Vector};
use core::ops::{BitAnd, Mul, Shr};
use typenum::{And, Const, Prod, Shright, ToUInt, U, U7, U127};

/// The length `N`, as a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Len<const N: usize>;

/// What a [`Len`] can become. A shape that is computed goes through here and not through a const parameter bound by
/// `Output = Len<N>`: the compiler would guess that `N` from the layer that follows, and blame the arithmetic.
pub trait Extent {
    /// `Vector<N>`
    type Vector: Shape;
}

impl<const N: usize> Extent for Len<N> {
    type Vector = Vector<N>;
}

/// `Len<A>: Times<B>`: their product.
#[diagnostic::on_unimplemented(
    message = "`Flatten` does not reach so far: `{Self}` times {B} is beyond the type arithmetic",
    note = "each factor may be up to 1,024, and the product up to 5,119"
)]
pub trait Times<const B: usize> {
    /// `Len<{A * B}>`.
    type Output: Extent;
}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize> Times<B> for Len<A>
where
    Const<A>: ToUInt,
    Const<B>: ToUInt,
    U<A>: Mul<U<B>>,
    Prod<U<A>, U<B>>: Number,
{
    type Output = <Prod<U<A>, U<B>> as Number>::Len;
}

/// `Len<A>: Volume<B, C>`: the product of three.
#[diagnostic::on_unimplemented(
    message = "`Flatten` does not reach so far: `{Self}` times {B} times {C} is beyond the type arithmetic",
    note = "each factor and the product of the first two may be up to 1,024, and the whole up to 5,119"
)]
pub trait Volume<const B: usize, const C: usize> {
    /// `Len<{A * B * C}>`.
    type Output: Extent;
}

#[diagnostic::do_not_recommend]
impl<const A: usize, const B: usize, const C: usize> Volume<B, C> for Len<A>
where
    Const<A>: ToUInt,
    Const<B>: ToUInt,
    Const<C>: ToUInt,
    U<A>: Mul<U<B>>,
    Prod<U<A>, U<B>>: Mul<U<C>>,
    Prod<Prod<U<A>, U<B>>, U<C>>: Number,
{
    type Output = <Prod<Prod<U<A>, U<B>>, U<C>> as Number>::Len;
}

/// A typenum number that the table knows.
#[diagnostic::on_unimplemented(
    message = "`Flatten` does not reach so far: the product of the extents is above 5,119",
    note = "a length that is computed may be up to 5,119"
)]
pub trait Number {
    /// The same number as a [`Len`].
    type Len: Extent;
}

#[diagnostic::do_not_recommend]
impl<N> Number for N
where
    N: Shr<U7> + BitAnd<U127>,
    Shright<N, U7>: Upper,
    <Shright<N, U7> as Upper>::Block: Place<And<N, U127>>,
{
    type Len = <<Shright<N, U7> as Upper>::Block as Place<And<N, U127>>>::Len;
}

/// A number divided by 128.
pub trait Upper {
    /// The lengths that share it.
    type Block;
}

/// A block of lengths: `Low` is the rest after division by 128.
pub trait Place<Low> {
    /// The length in this place.
    type Len: Extent;
}

macro_rules! blocks {
    ($($block:ident $number:ident $upper:literal),+ $(,)?) => { $(
        #[doc = concat!("The lengths from 128 times ", $upper, " on.")]
        #[derive(Debug)]
        pub struct $block;
        impl Upper for typenum::$number {
            type Block = $block;
        }
        places!($block $upper:
            U0 0, U1 1, U2 2, U3 3, U4 4, U5 5, U6 6, U7 7, U8 8, U9 9, U10 10, U11 11, U12 12, U13 13, U14
            14, U15 15, U16 16, U17 17, U18 18, U19 19, U20 20, U21 21, U22 22, U23 23, U24 24, U25 25, U26
            26, U27 27, U28 28, U29 29, U30 30, U31 31, U32 32, U33 33, U34 34, U35 35, U36 36, U37 37, U38
            38, U39 39, U40 40, U41 41, U42 42, U43 43, U44 44, U45 45, U46 46, U47 47, U48 48, U49 49, U50
            50, U51 51, U52 52, U53 53, U54 54, U55 55, U56 56, U57 57, U58 58, U59 59, U60 60, U61 61, U62
            62, U63 63, U64 64, U65 65, U66 66, U67 67, U68 68, U69 69, U70 70, U71 71, U72 72, U73 73, U74
            74, U75 75, U76 76, U77 77, U78 78, U79 79, U80 80, U81 81, U82 82, U83 83, U84 84, U85 85, U86
            86, U87 87, U88 88, U89 89, U90 90, U91 91, U92 92, U93 93, U94 94, U95 95, U96 96, U97 97, U98
            98, U99 99, U100 100, U101 101, U102 102, U103 103, U104 104, U105 105, U106 106, U107 107, U108
            108, U109 109, U110 110, U111 111, U112 112, U113 113, U114 114, U115 115, U116 116, U117 117,
            U118 118, U119 119, U120 120, U121 121, U122 122, U123 123, U124 124, U125 125, U126 126, U127 127
        );
    )+ };
}

macro_rules! places {
    ($block:ident $upper:literal: $($low:ident $n:literal),+) => { $(
        impl Place<typenum::$low> for $block {
            type Len = Len<{ $upper * 128 + $n }>;
        }
    )+ };
}

blocks!(
    B0 U0 0, B1 U1 1, B2 U2 2, B3 U3 3, B4 U4 4, B5 U5 5, B6 U6 6, B7 U7 7, B8 U8 8, B9 U9 9, B10 U10 10, B11
    U11 11, B12 U12 12, B13 U13 13, B14 U14 14, B15 U15 15, B16 U16 16, B17 U17 17, B18 U18 18, B19 U19 19,
    B20 U20 20, B21 U21 21, B22 U22 22, B23 U23 23, B24 U24 24, B25 U25 25, B26 U26 26, B27 U27 27, B28 U28
    28, B29 U29 29, B30 U30 30, B31 U31 31, B32 U32 32, B33 U33 33, B34 U34 34, B35 U35 35, B36 U36 36, B37
    U37 37, B38 U38 38, B39 U39 39
);

/// A shape whose length typenum knows: up to 1,024 numbers, or a product of such lengths.
#[diagnostic::on_unimplemented(
    message = "the length of `{Self}` is more than the type arithmetic reaches",
    note = "each extent may be up to 1,024"
)]
pub trait Length: Shape {
    /// How many numbers a tensor holds.
    type Length;
}

#[diagnostic::do_not_recommend]
impl<const N: usize> Length for Vector<N>
where
    Const<N>: ToUInt,
{
    type Length = U<N>;
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const L: usize> Length for Sequence<C, L>
where
    Const<C>: ToUInt,
    Const<L>: ToUInt,
    U<C>: Mul<U<L>>,
{
    type Length = Prod<U<C>, U<L>>;
}

#[diagnostic::do_not_recommend]
impl<const C: usize, const H: usize, const W: usize> Length for Image<C, H, W>
where
    Const<C>: ToUInt,
    Const<H>: ToUInt,
    Const<W>: ToUInt,
    U<C>: Mul<U<H>>,
    Prod<U<C>, U<H>>: Mul<U<W>>,
{
    type Length = Prod<Prod<U<C>, U<H>>, U<W>>;
}

/// A shape that holds as many numbers as `Other`.
#[diagnostic::on_unimplemented(
    message = "`Reshape` to `{Self}` does not take an input of shape `{Other}`: they hold different numbers of numbers",
    label = "`{Other}` and `{Self}` hold different numbers of numbers",
    note = "the extents of both shapes must have the same product, each extent up to 1,024"
)]
pub trait SameLength<Other: Shape>: Shape {}

#[diagnostic::do_not_recommend]
impl<A: Length, B: Length<Length = A::Length>> SameLength<A> for B {}
