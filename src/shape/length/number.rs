//! Lengths as typenum's numbers, and back: two tables.
//!
//! The way in is flat, since an impl can name a constant and not compute with it: every impl is compared with every other,
//! and the cost grows with the square. The way out has two levels, a block of 128 lengths and a place in it.

use super::{Extent, Len};
use core::ops::{Add, BitAnd, Shl, Shr};
use typenum::{And, Shleft, Shright, Sum, U7, U127};

/// A length that the table knows: every one up to 2,048. With the feature `long`, up to 4,096, and every eighth up to 16,376.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a length that the type arithmetic does not know",
    label = "not a known length",
    note = "it knows every length up to 2,048; with the feature `long` of constnet every length up to 4,096 and every eighth up to 16,376",
    note = "past that, state what comes out: `To<L>` as padding of a convolution or pooling, `FlattenTo<N>` instead of `Flatten`"
)]
pub trait Known {
    /// The same as a typenum number.
    type Number;
}

#[diagnostic::do_not_recommend]
impl<const N: usize> Known for Len<N>
where
    Self: Digits,
    <Self as Digits>::Digits: Join,
{
    type Number = <<Self as Digits>::Digits as Join>::Number;
}

/// The entry of the table: a length divided by 128, and the rest.
pub trait Digits {
    /// `(N / 128, N % 128)`
    type Digits;
}

/// Two digits as one number.
pub trait Join {
    /// `128 * high + low`
    type Number;
}

#[diagnostic::do_not_recommend]
impl<High: Shl<U7>, Low> Join for (High, Low)
where
    Shleft<High, U7>: Add<Low>,
{
    type Number = Sum<Shleft<High, U7>, Low>;
}

/// A typenum number that the table knows: up to 5,119, with the feature `long` up to 16,383.
#[diagnostic::on_unimplemented(
    message = "what comes out is longer than the type arithmetic reaches",
    note = "a length that is computed may be up to 5,119; with the feature `long` of constnet up to 16,383",
    note = "past that, state what comes out: `To<L>` as padding of a convolution or pooling, `FlattenTo<N>` instead of `Flatten`"
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

/// Calls a macro with each rest of a division by 128.
macro_rules! every_place {
    ($macro:ident $($args:tt)*) => {
        $macro!($($args)*:
            U0 0, U1 1, U2 2, U3 3, U4 4, U5 5, U6 6, U7 7, U8 8, U9 9, U10 10, U11 11, U12 12, U13 13, U14 14, U15
            15, U16 16, U17 17, U18 18, U19 19, U20 20, U21 21, U22 22, U23 23, U24 24, U25 25, U26 26, U27 27, U28
            28, U29 29, U30 30, U31 31, U32 32, U33 33, U34 34, U35 35, U36 36, U37 37, U38 38, U39 39, U40 40, U41
            41, U42 42, U43 43, U44 44, U45 45, U46 46, U47 47, U48 48, U49 49, U50 50, U51 51, U52 52, U53 53, U54
            54, U55 55, U56 56, U57 57, U58 58, U59 59, U60 60, U61 61, U62 62, U63 63, U64 64, U65 65, U66 66, U67
            67, U68 68, U69 69, U70 70, U71 71, U72 72, U73 73, U74 74, U75 75, U76 76, U77 77, U78 78, U79 79, U80
            80, U81 81, U82 82, U83 83, U84 84, U85 85, U86 86, U87 87, U88 88, U89 89, U90 90, U91 91, U92 92, U93
            93, U94 94, U95 95, U96 96, U97 97, U98 98, U99 99, U100 100, U101 101, U102 102, U103 103, U104 104,
            U105 105, U106 106, U107 107, U108 108, U109 109, U110 110, U111 111, U112 112, U113 113, U114 114, U115
            115, U116 116, U117 117, U118 118, U119 119, U120 120, U121 121, U122 122, U123 123, U124 124, U125 125,
            U126 126, U127 127
        );
    };
}

/// Calls a macro with each eighth of them.
#[cfg(feature = "long")]
macro_rules! every_eighth_place {
    ($macro:ident $($args:tt)*) => {
        $macro!($($args)*:
            U0 0, U8 8, U16 16, U24 24, U32 32, U40 40, U48 48, U56 56, U64 64, U72 72, U80 80, U88 88, U96 96, U104
            104, U112 112, U120 120
        );
    };
}

macro_rules! way_in {
    ($every:ident $($block:ident $number:ident $upper:literal),+) => {
        $($every!(digits $number $upper);)+
    };
}

macro_rules! digits {
    ($number:ident $upper:literal: $($low:ident $n:literal),+) => { $(
        impl Digits for Len<{ $upper * 128 + $n }> {
            type Digits = (typenum::$number, typenum::$low);
        }
    )+ };
}

macro_rules! way_out {
    ($($block:ident $number:ident $upper:literal),+) => { $(
        #[doc = concat!("The lengths from 128 times ", $upper, " on.")]
        #[derive(Debug)]
        pub struct $block;
        impl Upper for typenum::$number {
            type Block = $block;
        }
        every_place!(places $block $upper);
    )+ };
}

macro_rules! places {
    ($block:ident $upper:literal: $($low:ident $n:literal),+) => { $(
        impl Place<typenum::$low> for $block {
            type Len = Len<{ $upper * 128 + $n }>;
        }
    )+ };
}

way_in!(every_place
    B0 U0 0, B1 U1 1, B2 U2 2, B3 U3 3, B4 U4 4, B5 U5 5, B6 U6 6, B7 U7 7, B8 U8 8, B9 U9 9, B10 U10 10, B11 U11
    11, B12 U12 12, B13 U13 13, B14 U14 14, B15 U15 15
);
impl Digits for Len<2048> {
    type Digits = (typenum::U16, typenum::U0);
}
#[cfg(feature = "long")]
mod long {
    use super::{Digits, Len};

    macro_rules! rest_of_block {
        ($number:ident $upper:literal: $_:ident $zero:literal, $($low:ident $n:literal),+) => {
            digits!($number $upper: $($low $n),+);
        };
    }
    // 2,048 is there.
    every_place!(rest_of_block U16 16);
}
#[cfg(feature = "long")]
way_in!(every_place
    B17 U17 17, B18 U18 18, B19 U19 19, B20 U20 20, B21 U21 21, B22 U22 22, B23 U23 23, B24 U24 24, B25 U25 25, B26
    U26 26, B27 U27 27, B28 U28 28, B29 U29 29, B30 U30 30, B31 U31 31
);
#[cfg(feature = "long")]
way_in!(every_eighth_place
    B32 U32 32, B33 U33 33, B34 U34 34, B35 U35 35, B36 U36 36, B37 U37 37, B38 U38 38, B39 U39 39, B40 U40 40, B41
    U41 41, B42 U42 42, B43 U43 43, B44 U44 44, B45 U45 45, B46 U46 46, B47 U47 47, B48 U48 48, B49 U49 49, B50 U50
    50, B51 U51 51, B52 U52 52, B53 U53 53, B54 U54 54, B55 U55 55, B56 U56 56, B57 U57 57, B58 U58 58, B59 U59 59,
    B60 U60 60, B61 U61 61, B62 U62 62, B63 U63 63, B64 U64 64, B65 U65 65, B66 U66 66, B67 U67 67, B68 U68 68, B69
    U69 69, B70 U70 70, B71 U71 71, B72 U72 72, B73 U73 73, B74 U74 74, B75 U75 75, B76 U76 76, B77 U77 77, B78 U78
    78, B79 U79 79, B80 U80 80, B81 U81 81, B82 U82 82, B83 U83 83, B84 U84 84, B85 U85 85, B86 U86 86, B87 U87 87,
    B88 U88 88, B89 U89 89, B90 U90 90, B91 U91 91, B92 U92 92, B93 U93 93, B94 U94 94, B95 U95 95, B96 U96 96, B97
    U97 97, B98 U98 98, B99 U99 99, B100 U100 100, B101 U101 101, B102 U102 102, B103 U103 103, B104 U104 104, B105
    U105 105, B106 U106 106, B107 U107 107, B108 U108 108, B109 U109 109, B110 U110 110, B111 U111 111, B112 U112
    112, B113 U113 113, B114 U114 114, B115 U115 115, B116 U116 116, B117 U117 117, B118 U118 118, B119 U119 119,
    B120 U120 120, B121 U121 121, B122 U122 122, B123 U123 123, B124 U124 124, B125 U125 125, B126 U126 126, B127
    U127 127
);
way_out!(
    B0 U0 0, B1 U1 1, B2 U2 2, B3 U3 3, B4 U4 4, B5 U5 5, B6 U6 6, B7 U7 7, B8 U8 8, B9 U9 9, B10 U10 10, B11 U11
    11, B12 U12 12, B13 U13 13, B14 U14 14, B15 U15 15, B16 U16 16, B17 U17 17, B18 U18 18, B19 U19 19, B20 U20 20,
    B21 U21 21, B22 U22 22, B23 U23 23, B24 U24 24, B25 U25 25, B26 U26 26, B27 U27 27, B28 U28 28, B29 U29 29, B30
    U30 30, B31 U31 31, B32 U32 32, B33 U33 33, B34 U34 34, B35 U35 35, B36 U36 36, B37 U37 37, B38 U38 38, B39 U39
    39
);
#[cfg(feature = "long")]
way_out!(
    B40 U40 40, B41 U41 41, B42 U42 42, B43 U43 43, B44 U44 44, B45 U45 45, B46 U46 46, B47 U47 47, B48 U48 48, B49
    U49 49, B50 U50 50, B51 U51 51, B52 U52 52, B53 U53 53, B54 U54 54, B55 U55 55, B56 U56 56, B57 U57 57, B58 U58
    58, B59 U59 59, B60 U60 60, B61 U61 61, B62 U62 62, B63 U63 63, B64 U64 64, B65 U65 65, B66 U66 66, B67 U67 67,
    B68 U68 68, B69 U69 69, B70 U70 70, B71 U71 71, B72 U72 72, B73 U73 73, B74 U74 74, B75 U75 75, B76 U76 76, B77
    U77 77, B78 U78 78, B79 U79 79, B80 U80 80, B81 U81 81, B82 U82 82, B83 U83 83, B84 U84 84, B85 U85 85, B86 U86
    86, B87 U87 87, B88 U88 88, B89 U89 89, B90 U90 90, B91 U91 91, B92 U92 92, B93 U93 93, B94 U94 94, B95 U95 95,
    B96 U96 96, B97 U97 97, B98 U98 98, B99 U99 99, B100 U100 100, B101 U101 101, B102 U102 102, B103 U103 103, B104
    U104 104, B105 U105 105, B106 U106 106, B107 U107 107, B108 U108 108, B109 U109 109, B110 U110 110, B111 U111
    111, B112 U112 112, B113 U113 113, B114 U114 114, B115 U115 115, B116 U116 116, B117 U117 117, B118 U118 118,
    B119 U119 119, B120 U120 120, B121 U121 121, B122 U122 122, B123 U123 123, B124 U124 124, B125 U125 125, B126
    U126 126, B127 U127 127
);
