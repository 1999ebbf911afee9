//! Functions of one number, applied to every number of a tensor of any shape.
#![allow(clippy::inline_always)] // A call would lose the instructions that a kernel is compiled for.

use crate::kernels::elementwise::{map, map_each, map_over};
use crate::layer::{
    Differentiable, Either, Gradient, Layer, Meaning, Source, Target, check_shapes, no_parameters, over,
};
use crate::scalar::{ConstZero, Scalar};
use crate::shape::{Numeric, Tensor};
use crate::streaming::step_by_step;

/// Writes a layer from its value `f(x)` and its derivative, which may use the output `y` as well.
macro_rules! activation {
    (
        $(#[$doc:meta])*
        $name:ident $([$($generics:tt)*] [$($arguments:tt)*])? $(gives $meaning:ident)?,
        |$x:ident: $T:ident| $value:expr,
        |$dx:ident, $dy:ident| $derivative:expr
    ) => {
        $(#[$doc])*
        ///
        /// # Shapes
        /// Any, to the same.
        ///
        /// # Cost
        /// One evaluation for each number; no parameters; no cache.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name $(<$($generics)*>)?;

        activation!(@impl $name $($meaning)? [$($($generics)*)?] [$($($arguments)*)?]
            |$x: $T| $value, |$dx, $dy| $derivative);
    };
    (
        @impl $name:ident $($meaning:ident)? [$($(const $generic:ident: usize = $default:literal),+)?] [$($arguments:tt)*]
        |$x:ident: $T:ident| $value:expr, |$dx:ident, $dy:ident| $derivative:expr
    ) => {
        impl$(<$(const $generic: usize),+>)? ConstZero for $name<$($arguments)*> {
            const ZERO: Self = Self;
        }
        no_parameters!([$($(const $generic: usize),+)?] $name<$($arguments)*>);
        step_by_step!([$($(const $generic: usize),+)?] $name<$($arguments)*>);

        // Not closures of the methods below: these would be others for each shape, and so would be what is compiled for them.
        impl$(<$(const $generic: usize),+>)? $name<$($arguments)*> {
            #[inline(always)]
            fn value<$T: Scalar>($x: $T) -> $T {
                $value
            }

            /// Times `dy`.
            #[inline(always)]
            fn derivative<$T: Scalar>([$dx, $dy, dy]: [$T; 3]) -> $T {
                dy * $derivative
            }
        }

        impl<$($(const $generic: usize,)+)? S: Numeric, $T: Scalar> Layer<S, $T> for $name<$($arguments)*> {
            type Out = S;
            type Peak<X, Y> = Either<X, Y>;

            const TURNS: bool = false;

            $(const MEANING: Meaning = Meaning::$meaning;)?
            const CHECK: () = {
                check_shapes::<S, S>();
                $(let _ = Ratio::<$($generic),+>::VALUE;)?
            };

            #[inline]
            fn forward(&self, x: &S::Tensor<$T>, y: &mut S::Tensor<$T>) {
                map_each(x.as_slice(), y.as_mut_slice(), Self::value);
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn forward_in(&self, x: Source<'_, S::Tensor<$T>>, arena: &mut [$T], y: Target<'_, S::Tensor<$T>>) {
                over(x, arena, y, |x, y| Layer::<S, $T>::forward(self, x, y), |x| map_over(x, Self::value));
            }
        }

        impl<$($(const $generic: usize,)+)? S: Numeric, $T: Scalar> Differentiable<S, $T> for $name<$($arguments)*> {
            type Cache<const B: usize> = ();

            #[inline]
            fn forward_train<const B: usize>(
                &self,
                x: &[S::Tensor<$T>; B],
                (): &mut (),
                y: &mut [S::Tensor<$T>; B],
            ) {
                map_batch([x], y, |[x], y| map_each(x, y, Self::value));
            }

            #[inline]
            fn backward<const B: usize, const ADDS: bool>(
                &self,
                x: &[S::Tensor<$T>; B],
                y: &[S::Tensor<$T>; B],
                (): &mut (),
                dy: &[S::Tensor<$T>; B],
                _: Gradient<'_, Self, ADDS>,
                dx: Option<&mut [S::Tensor<$T>; B]>,
            ) {
                let Some(dx) = dx else { return };
                map_batch([x, y, dy], dx, |all, dx| map(all, dx, Self::derivative));
            }

        }
    };
}

/// A function of the numbers of the tensors of a batch: as one slice where they lie so, else of each sample.
#[inline]
fn map_batch<T: Scalar, X: Tensor<T>, const B: usize, const N: usize>(
    x: [&[X; B]; N],
    y: &mut [X; B],
    f: impl Fn([&[T]; N], &mut [T]),
) {
    if X::CONTIGUOUS.is_known() {
        return f(x.map(|x| X::CONTIGUOUS.numbers(x)), X::CONTIGUOUS.numbers_mut(y));
    }
    for (sample, y) in y.iter_mut().enumerate() {
        f(x.map(|x| x.get(sample).map_or(&[][..], X::as_slice)), y.as_mut_slice());
    }
}

/// The constant `x` in the scalar's own type.
macro_rules! c {
    ($T:ident, $x:expr) => {
        $T::from_f64($x)
    };
}

/// `NUMERATOR / DENOMINATOR`, checked when the layer is compiled.
struct Ratio<const NUMERATOR: usize, const DENOMINATOR: usize>;
impl<const NUMERATOR: usize, const DENOMINATOR: usize> Ratio<NUMERATOR, DENOMINATOR> {
    #[allow(clippy::cast_precision_loss)]
    const VALUE: f64 = {
        assert!(DENOMINATOR > 0, "a ratio's denominator is 0: write `LeakyRelu<1, 100>` for a slope of 0.01");
        NUMERATOR as f64 / DENOMINATOR as f64
    };
}

activation! {
    /// Gives back what it takes. PyTorch's `nn.Identity`.
    ///
    /// ```text
    /// y = x
    /// ```
    Identity gives AsInput,
    |x: T| x,
    |_x, _y| T::ONE
}

activation! {
    /// The logistic function. PyTorch's `nn.Sigmoid`.
    ///
    /// ```text
    /// y = 1 / (1 + exp(-x))
    /// ```
    Sigmoid gives Probabilities,
    |x: T| x.sigmoid(),
    |_x, y| y * (T::ONE - y)
}

activation! {
    /// The hyperbolic tangent. PyTorch's `nn.Tanh`.
    ///
    /// ```text
    /// y = tanh(x)
    /// ```
    Tanh,
    |x: T| x.tanh(),
    |_x, y| T::ONE - y * y
}

activation! {
    /// The rectified linear unit. PyTorch's `nn.ReLU`.
    ///
    /// ```text
    /// y = max(x, 0)
    /// ```
    ///
    /// NaN stays NaN, and lets the gradient through. The derivative at 0 is 0.
    Relu,
    |x: T| if x < T::ZERO { T::ZERO } else { x },
    |x, _y| if x <= T::ZERO { T::ZERO } else { T::ONE }
}

activation! {
    /// A rectified linear unit that lets some of the negative side through. PyTorch's `nn.LeakyReLU`.
    ///
    /// ```text
    /// y = x                             where x > 0
    /// y = x * NUMERATOR / DENOMINATOR   elsewhere
    /// ```
    ///
    /// The slope, `negative_slope`, is a part of the type: `LeakyRelu` has PyTorch's 0.01, `LeakyRelu<2, 10>` has 0.2.
    LeakyRelu [const NUMERATOR: usize = 1, const DENOMINATOR: usize = 100] [NUMERATOR, DENOMINATOR],
    |x: T| if x > T::ZERO { x } else { x * c!(T, Ratio::<NUMERATOR, DENOMINATOR>::VALUE) },
    |x, _y| if x > T::ZERO { T::ONE } else { c!(T, Ratio::<NUMERATOR, DENOMINATOR>::VALUE) }
}

activation! {
    /// The exponential linear unit, Clevert and others (2016). PyTorch's `nn.ELU`.
    ///
    /// ```text
    /// y = x                        where x > 0
    /// y = alpha * (exp(x) - 1)     elsewhere
    /// ```
    ///
    /// `alpha` is a part of the type, `NUMERATOR / DENOMINATOR`: `Elu` has PyTorch's 1, `Elu<3, 2>` has 1.5.
    Elu [const NUMERATOR: usize = 1, const DENOMINATOR: usize = 1] [NUMERATOR, DENOMINATOR],
    |x: T| if x > T::ZERO { x } else { x.exp_m1() * c!(T, Ratio::<NUMERATOR, DENOMINATOR>::VALUE) },
    |x, y| if x > T::ZERO { T::ONE } else { y + c!(T, Ratio::<NUMERATOR, DENOMINATOR>::VALUE) }
}

activation! {
    /// The Gaussian error linear unit, exact, Hendrycks & Gimpel (2016). PyTorch's `nn.GELU()`.
    ///
    /// ```text
    /// y = x * (1 + erf(x / sqrt(2))) / 2
    /// ```
    Gelu,
    |x: T| x * normal_cdf(x),
    |x, _y| {
        let density = (x * x * c!(T, -0.5)).exp() * c!(T, core::f64::consts::FRAC_2_SQRT_PI / core::f64::consts::SQRT_2 / 2.0);
        normal_cdf(x) + x * density
    }
}

activation! {
    /// The Gaussian error linear unit in its tanh form. PyTorch's `nn.GELU(approximate="tanh")`.
    ///
    /// ```text
    /// y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2
    /// ```
    GeluTanh,
    |x: T| c!(T, 0.5) * x * (T::ONE + gelu_inner(x).tanh()),
    |x, _y| {
        let tanh = gelu_inner(x).tanh();
        // From 10 on `tanh` is 1 to the last digit: a larger square would only overflow.
        let square = (x * x).min(c!(T, 100.0));
        let slope = c!(T, GELU_SCALE) * (T::ONE + c!(T, 3.0 * GELU_CUBE) * square);
        c!(T, 0.5) * (T::ONE + tanh + x * (T::ONE - tanh * tanh) * slope)
    }
}

activation! {
    /// The sigmoid linear unit, also called swish. PyTorch's `nn.SiLU`.
    ///
    /// ```text
    /// y = x / (1 + exp(-x))
    /// ```
    Silu,
    |x: T| x * x.sigmoid(),
    |x, _y| {
        let s = x.sigmoid();
        s * (T::ONE + x * (T::ONE - s))
    }
}

activation! {
    /// A smooth rectifier. PyTorch's `nn.Softplus()`.
    ///
    /// ```text
    /// y = ln(1 + exp(x))
    /// ```
    ///
    /// Computed as `max(x, 0) + ln(1 + exp(-|x|))`, which neither overflows nor needs PyTorch's `threshold`.
    Softplus,
    |x: T| x.max(T::ZERO) + (-x.abs()).exp().ln_1p(),
    |x, _y| x.sigmoid()
}

activation! {
    /// A sigmoid of straight lines. PyTorch's `nn.Hardsigmoid`.
    ///
    /// ```text
    /// y = min(max(x / 6 + 1/2, 0), 1)
    /// ```
    HardSigmoid gives Probabilities,
    |x: T| hard_sigmoid(x),
    |x, _y| if x <= c!(T, -3.0) || x >= c!(T, 3.0) { T::ZERO } else { c!(T, 1.0 / 6.0) }
}

activation! {
    /// A swish of straight lines, Howard and others (2019). PyTorch's `nn.Hardswish`.
    ///
    /// ```text
    /// y = x * min(max(x / 6 + 1/2, 0), 1)
    /// ```
    HardSwish,
    |x: T| x * hard_sigmoid(x),
    |x, _y| {
        if x >= c!(T, 3.0) {
            T::ONE
        } else if x <= c!(T, -3.0) {
            T::ZERO
        } else {
            x / c!(T, 3.0) + c!(T, 0.5)
        }
    }
}

const GELU_SCALE: f64 = 0.797_884_560_802_865_4; // sqrt(2 / pi)
const GELU_CUBE: f64 = 0.044_715;

/// `x / 6 + 1/2` held between 0 and 1; NaN stays NaN.
#[inline(always)]
fn hard_sigmoid<T: Scalar>(x: T) -> T {
    let y = (x + c!(T, 3.0)) / c!(T, 6.0);
    if y < T::ZERO {
        T::ZERO
    } else if y > T::ONE {
        T::ONE
    } else {
        y
    }
}

#[inline(always)]
fn gelu_inner<T: Scalar>(x: T) -> T {
    c!(T, GELU_SCALE) * (x + c!(T, GELU_CUBE) * x * x * x)
}

#[inline(always)]
fn normal_cdf<T: Scalar>(x: T) -> T {
    (T::ONE + (x * c!(T, core::f64::consts::FRAC_1_SQRT_2)).erf()) * c!(T, 0.5)
}
