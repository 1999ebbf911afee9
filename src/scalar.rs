//! Numbers: what a tensor can store ([`Element`]) and what a layer computes with ([`Scalar`]).

use crate::math;
use core::fmt::Debug;
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A type whose zero is a constant.
///
/// Layers, gradients, caches and optimiser state all have one, so each can be a `static` and none is ever built on
/// the stack. For a layer it is the network that `Network::init` starts from: every
/// parameter is 0.
pub trait ConstZero: Sized {
    /// The zero.
    const ZERO: Self;
}

impl<Z: ConstZero, const N: usize> ConstZero for [Z; N] {
    const ZERO: Self = [const { Z::ZERO }; N];
}

impl ConstZero for () {
    const ZERO: Self = ();
}

/// What a tensor can store.
pub trait Element: ConstZero + Copy + PartialOrd + Debug + Send + Sync + 'static {}

macro_rules! elements {
    ($($t:ty = $zero:expr),+) => { $(
        impl ConstZero for $t {
            const ZERO: Self = $zero;
        }
        impl Element for $t {}
    )+ };
}
elements!(f32 = 0.0, f64 = 0.0, i8 = 0, u8 = 0, i32 = 0);

/// Whether `T` is `f32`, as a constant: a branch on it in `const { }` compiles the code behind it for the right types only, which a
/// comparison of `TypeId`s does not. Only the crate can say yes, so `unsafe` code may trust it.
#[doc(hidden)]
#[derive(Debug)]
pub struct IsF32<T> {
    answer: bool,
    marker: PhantomData<fn() -> T>,
}

impl<T> IsF32<T> {
    /// It is not, or nothing is said.
    pub const NO: Self = Self { answer: false, marker: PhantomData };

    /// The answer.
    pub(crate) const fn answer(&self) -> bool {
        self.answer
    }
}

impl IsF32<f32> {
    /// It is.
    const YES: Self = Self { answer: true, marker: PhantomData };
}

/// What a layer computes with: `f32`, `f64`, or a type of your own.
///
/// The functions of `f32` are those of [`math`], those of `f64` the `libm` crate's: the same bits on every target, with and
/// without `std`. The square root is the processor's where `std` gives access to it, and correctly rounded either way.
#[allow(clippy::inline_always)] // A call would keep a loop over a slice from becoming vectors, the widest first.
pub trait Scalar:
    Element
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// One.
    const ONE: Self;

    /// Numbers that decay become 0 below this distance from 0: 2^-56 unless set, 2^-500 for `f64`.
    ///
    /// Without it they would end below the normal range, as subnormal numbers, and stay there: processors take up to a hundred times as
    /// long for each. The bound lies so high that products of these numbers, and squares, stay in the normal range too.
    ///
    /// | number | becomes 0 below |
    /// |---|---|
    /// | parameters under weight decay, weights under a [`Penalty`](crate::loss::Penalty), running averages | `NEGLIGIBLE` |
    /// | means of gradients that optimisers remember, velocities; gradients on their way through time; learning rates | `NEGLIGIBLE / 2^44` |
    /// | squares of gradients that optimisers remember; outputs of `Softmax`, before they are divided by their sum | `NEGLIGIBLE^2 / 2^8` |
    /// | `h` and `c` of recurrent layers; probabilities in the gradients of `CrossEntropy` and `BinaryCrossEntropyWithLogits` | `NEGLIGIBLE * 2^16` |
    ///
    /// Numbers that do not decay are left as they are: inputs, weights, gradients. A type of your own whose range is that of `f32` needs
    /// nothing; where a bound, rounded to the type, is 0, nothing becomes 0.
    const NEGLIGIBLE: f64 = power_of_two(-56);

    /// Whether this is `f32`, whose kernels are compiled with the crate.
    #[doc(hidden)]
    const IS_F32: IsF32<Self> = IsF32::NO;

    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;

    /// The nearest `f64`.
    fn to_f64(self) -> f64;

    /// `e` to the power of `self`.
    #[must_use]
    fn exp(self) -> Self;

    /// `e` to the power of `self`, less 1, exact near 0.
    #[must_use]
    fn exp_m1(self) -> Self;

    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;

    /// The natural logarithm of `1 + self`, exact near 0.
    #[must_use]
    fn ln_1p(self) -> Self;

    /// The hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;

    /// The error function, `2/sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `self`.
    #[must_use]
    fn erf(self) -> Self;

    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;

    /// `self * a + b`. For `f32` and `f64` it is rounded once where `std` gives access to it, which is slow on processors that have no
    /// such instruction: kernels call it only where there is one.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }

    /// Whether `self` is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// The distance from 0.
    #[must_use]
    #[inline(always)]
    fn abs(self) -> Self {
        if self < Self::ZERO { -self } else { self }
    }

    /// The larger of the two; `other` where `self` is NaN.
    #[must_use]
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    /// The smaller of the two; `other` where `self` is NaN.
    #[must_use]
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }

    /// The logistic function, `1 / (1 + exp(-self))`.
    #[must_use]
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }
}

/// `2^exponent`, of an exponent in the normal range.
#[allow(clippy::cast_sign_loss)] // It is at least 1.
const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// A bound below which numbers that decay become 0: see [`Scalar::NEGLIGIBLE`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Negligible<T>(T);

#[allow(clippy::inline_always)] // A call would keep a loop over a slice from becoming vectors.
impl<T: Scalar> Negligible<T> {
    /// Less than the square of [`Scalar::NEGLIGIBLE`]: the root of a mean square is compared with an `epsilon` that may be small.
    const SQUARE: f64 = T::NEGLIGIBLE * T::NEGLIGIBLE * power_of_two(-8);

    /// What weight decay gives of a parameter that is not negligible is more, and times a learning rate it is in the normal range.
    const GRADIENT: f64 = T::NEGLIGIBLE * power_of_two(-44);

    /// Third powers of such numbers, which the polynomials of `math` have, are in the normal range.
    const UNIT: f64 = T::NEGLIGIBLE * power_of_two(16);

    /// For parameters and running averages.
    #[inline(always)]
    pub(crate) fn number() -> Self {
        Self(T::from_f64(T::NEGLIGIBLE))
    }

    /// For gradients, sums and means of them, and what they are multiplied by.
    #[inline(always)]
    pub(crate) fn gradient() -> Self {
        Self(T::from_f64(Self::GRADIENT))
    }

    /// For squares, and sums and means of them.
    #[inline(always)]
    pub(crate) fn square() -> Self {
        Self(T::from_f64(Self::SQUARE))
    }

    /// For numbers whose size is 1: states of recurrent layers, probabilities.
    #[inline(always)]
    pub(crate) fn unit() -> Self {
        Self(T::from_f64(Self::UNIT))
    }

    /// The natural logarithm of the bound for squares.
    #[inline(always)]
    pub(crate) fn ln_of_square() -> T {
        T::from_f64(const { ln_of_power(Self::SQUARE) })
    }

    /// The natural logarithm of the bound for numbers whose size is 1.
    #[inline(always)]
    pub(crate) fn ln_of_unit() -> T {
        T::from_f64(const { ln_of_power(Self::UNIT) })
    }

    /// `x`, or 0 where it is negligible. NaN stays.
    #[inline(always)]
    pub(crate) fn drop_from(self, x: T) -> T {
        if x.abs() < self.0 { T::ZERO } else { x }
    }

    /// The same of a number that is not negative.
    #[inline(always)]
    pub(crate) fn drop_from_positive(self, x: T) -> T {
        if x < self.0 { T::ZERO } else { x }
    }
}

/// The natural logarithm of a power of 2; of another number, that of the power below.
#[allow(clippy::cast_precision_loss)] // An exponent.
const fn ln_of_power(x: f64) -> f64 {
    ((x.to_bits() >> 52) as f64 - 1023.0) * core::f64::consts::LN_2
}

/// The instruction on a Cortex-M that has it, where `core` gives no access to it. It is correctly rounded, as libm's.
#[cfg(not(feature = "std"))]
#[allow(unreachable_code)]
#[inline]
fn sqrt(x: f32) -> f32 {
    crate::kernels::on_cortex_m! { return cortex_m::sqrt(x); }
    libm::sqrtf(x)
}

macro_rules! scalars {
    ($($t:ident: $is_f32:ident, $negligible:literal, $sqrt:path { $($name:ident = $function:expr),+ });+) => { $(
        #[allow(clippy::cast_possible_truncation, clippy::cast_lossless, clippy::inline_always)]
        impl Scalar for $t {
            const ONE: Self = 1.0;
            const NEGLIGIBLE: f64 = power_of_two($negligible);
            const IS_F32: IsF32<Self> = IsF32::$is_f32;
            #[inline(always)]
            fn from_f64(x: f64) -> Self { x as Self }
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[cfg(feature = "std")]
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self { <$t>::mul_add(self, a, b) }
            #[cfg(feature = "std")]
            #[inline(always)]
            fn sqrt(self) -> Self { <$t>::sqrt(self) }
            #[cfg(not(feature = "std"))]
            #[inline(always)]
            fn sqrt(self) -> Self { $sqrt(self) }
            #[inline(always)]
            fn is_finite(self) -> bool { <$t>::is_finite(self) }
            #[inline(always)]
            fn abs(self) -> Self { <$t>::abs(self) }
            $(
                #[inline(always)]
                fn $name(self) -> Self { $function(self) }
            )+
        }
    )+ };
}
scalars!(
    f32: YES, -56, sqrt {
        exp = math::exp, exp_m1 = math::exp_m1, ln = math::ln, ln_1p = math::ln_1p,
        tanh = math::tanh, sigmoid = math::sigmoid, erf = math::erf
    };
    f64: NO, -500, libm::sqrt {
        exp = libm::exp, exp_m1 = libm::expm1, ln = libm::log, ln_1p = libm::log1p, tanh = libm::tanh, erf = libm::erf
    }
);
