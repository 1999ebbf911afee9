//! Numbers of a user's own, made of `f32`.
#![allow(clippy::inline_always)] // As the library's own numbers: a call would lose the instructions of a kernel.

use constnet::scalar::{ConstZero, Element, Scalar};
use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A scalar that computes with an `f32` which it holds: how it is taken out and put in, and what `a * b + c` is.
macro_rules! scalar {
    ([$($generics:tt)*] $name:ty, |$x:ident| $get:expr, $put:expr, $mul_add:expr) => {
        impl<$($generics)*> $name {
            #[inline(always)]
            fn get(self) -> f32 {
                let $x = self;
                $get
            }
        }

        impl<$($generics)*> PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.get() == other.get()
            }
        }

        impl<$($generics)*> PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                self.get().partial_cmp(&other.get())
            }
        }

        scalar!(@operators [$($generics)*] $name, $put,
            Add add AddAssign add_assign, Sub sub SubAssign sub_assign, Mul mul MulAssign mul_assign, Div div DivAssign div_assign);

        impl<$($generics)*> Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $put(-self.get())
            }
        }

        impl<$($generics)*> Element for $name {}

        impl<$($generics)*> Scalar for $name {
            const ONE: Self = $put(1.0);
            #[allow(clippy::cast_possible_truncation)] // It rounds.
            fn from_f64(x: f64) -> Self {
                $put(x as f32)
            }
            fn to_f64(self) -> f64 {
                f64::from(self.get())
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                let mul_add: fn(f32, f32, f32) -> f32 = $mul_add;
                $put(mul_add(self.get(), b.get(), c.get()))
            }
            fn is_finite(self) -> bool {
                self.get().is_finite()
            }
            scalar!(@functions $put, exp exp_m1 ln ln_1p tanh erf sqrt sigmoid);
        }
    };
    (@operators $generics:tt $name:ty, $put:expr,
        $($operator:ident $method:ident $assign:ident $assign_method:ident),+) => {
        $(scalar!(@operator $generics $name, $put, $operator $method $assign $assign_method);)+
    };
    (@operator [$($generics:tt)*] $name:ty, $put:expr,
        $operator:ident $method:ident $assign:ident $assign_method:ident) => {
        impl<$($generics)*> $operator for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                $put($operator::$method(self.get(), other.get()))
            }
        }

        impl<$($generics)*> $assign for $name {
            #[inline(always)]
            fn $assign_method(&mut self, other: Self) {
                *self = $operator::$method(*self, other);
            }
        }
    };
    (@functions $put:expr, $($function:ident)+) => {
        $(
            #[inline(always)]
            fn $function(self) -> Self {
                $put(Scalar::$function(self.get()))
            }
        )+
    };
}

/// Rounds a product before it adds, always.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfused(f32);

impl ConstZero for Unfused {
    const ZERO: Self = Self(0.0);
}

scalar!([] Unfused, |x| x.0, Unfused, |a, b, c| a * b + c);

/// As large as `N` numbers, of which the first counts: sizes that divide no vector register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide<const N: usize>([f32; N]);

impl<const N: usize> Wide<N> {
    #[inline(always)]
    const fn new(x: f32) -> Self {
        let mut all = [-77.0; N];
        all[0] = x;
        Self(all)
    }
}

impl<const N: usize> ConstZero for Wide<N> {
    const ZERO: Self = Self::new(0.0);
}

scalar!([const N: usize] Wide<N>, |x| x.0[0], Self::new, f32::mul_add);

/// The upper half of an `f32`, two bytes: rounded to 8 bits after every operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Half(u16);

impl Half {
    /// The nearest, the even one of two that are as near.
    #[inline(always)]
    const fn new(x: f32) -> Self {
        let bits = x.to_bits();
        if x.is_nan() {
            return Self(0x7fc0);
        }
        Self(((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16)
    }
}

impl ConstZero for Half {
    const ZERO: Self = Self(0);
}

scalar!([] Half, |x| f32::from_bits(u32::from(x.0) << 16), Half::new, |a, b, c| Half::new(a * b).get() + c);
