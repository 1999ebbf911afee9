//! The functions of `f32` that layers and losses are made of: without branches, so that a loop over a slice of numbers runs in vector
//! registers, and without memory or tables.
//!
//! [`Scalar`](crate::scalar::Scalar) for `f32` calls them.
//!
//! | function | largest error, in units in the last place |
//! |---|---|
//! | [`exp`] | 1.29 |
//! | [`exp_m1`] | 1.79 |
//! | [`ln`] | 0.85 |
//! | [`ln_1p`] | 1.40 |
//! | [`tanh`] | 2.57 |
//! | [`sigmoid`] | 2.56 |
//! | [`erf`] | 1.19 |
//!
//! Measured over all 2^32 bit patterns against functions of `f64`. A unit in the last place is the distance between the `f32` numbers
//! around the exact result; for a result below the normal range it is 2^-149, the smallest number there is.
//! To measure again, for some minutes:
//!
//! ```sh
//! CONSTNET_MATH=all cargo test --release --test math -- --nocapture
//! ```
//!
//! - Infinities, NaN, numbers below the normal range and -0.0 give what the functions of `f64` give, rounded.
//! - `tanh` and `erf` stay within -1 and 1, `sigmoid` within 0 and 1. `tanh` and `erf` are odd to the bit.
//! - `exp_m1`, `ln` and `ln_1p` never fall where `x` rises. The others do at some places, from one number to the next, by at most 2
//!   units in the last place (`exp` and `erf`: 1).
//! - The bits are the same on every target, with every set of vector instructions, with and without `std`: each function is a fixed
//!   order of additions, multiplications and divisions, and none is a fused one. (The bits inside of a NaN are the target's.)
//!
//! # How
//!
//! The exponential splits `x = n ln 2 + r` as Cody and Waite (1980) do, with `n` rounded by adding and subtracting a large number;
//! `ln 2` has two parts, and `n` times the first is exact. Then `e^x = 2^n + 2^n (e^r - 1)`, where `e^r - 1` is a polynomial and `2^n` is
//! put together from its bits; `exp_m1` loses nothing near 0. The hyperbolic tangent takes a quotient of polynomials for `tanh r`, and the
//! logistic function the same for `e^r`: its division becomes a part of their own. The logarithm splits `x = 2^k (1 + f)` and sums `ln(1 + f) = 2 atanh(f / (2 + f))` as Sun's
//! fdlibm does. The error function is a polynomial near 0 and `1 - e^(polynomial)` beyond.
//!
//! A layer of a few units waits for each result, so the sums are arranged as trees where that costs little accuracy.
//!
//! The coefficients are minimax fits of the relative error, by the Remez algorithm in 40 digits. They were rounded to `f32` one after
//! the other, the first powers first, and the rest was fitted again each time.
#![allow(clippy::inline_always)] // A call in a loop would keep it from becoming vectors.
#![allow(clippy::many_single_char_names)] // The formulas'.

use core::f32::consts::{LN_2, LOG2_E};

/// Adding this to a small number rounds it to an integer, which then stands in the last bits.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// `ln 2` is the sum of the two. The high part has 16 bits and lies below, so that the low part is positive.
const LN_2_HIGH: f32 = 45_426.0 / 65_536.0;
const LN_2_LOW: f32 = 1.428_606_8e-6;

/// Where the exponent of an `f32` begins.
const EXPONENT: u32 = 23;

/// `x = n ln 2 + r`: gives `n + bias` in the last bits of a number, and `r`, which is between `-ln 2 / 2` and `ln 2 / 2`.
///
/// `n + bias` must not be negative. A NaN gives any `n`, and NaN.
#[inline(always)]
const fn split(x: f32, bias: f32) -> (u32, f32) {
    let rounded = x * LOG2_E + (ROUND + bias);
    let n = rounded - (ROUND + bias);
    // The first difference is exact.
    (rounded.to_bits(), (x - n * LN_2_HIGH) - n * LN_2_LOW)
}

/// Three parts of `c (e^r - 1)`, the largest first, for `r` between `-ln 2 / 2` and `ln 2 / 2`.
///
/// They may be added from either end: from the last is more exact, from the first is done sooner.
#[inline(always)]
const fn growth(c: f32, r: f32) -> (f32, f32, f32) {
    // e^r - 1 = r + r^2 (1/2 + r/6) + r^4 (1/24 + ..): 0.25 units in the last place.
    let (once, square) = (c * r, r * r);
    let twice = once * r;
    let second = twice * (0.5 + r * 0.166_665_32);
    let third = (twice * square) * ((4.166_616_5e-2 + r * 8.368_035e-3) + square * 1.397_370_1e-3);
    (once, second, third)
}

/// `e` to the power of `x`.
///
/// Infinite above 88.73, 0 below -104.
#[inline(always)]
#[must_use]
pub const fn exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (n, r) = split(x, 254.0);
    // 2^n may be too large or too small for one number, the product of two halves is not.
    let half = n >> 1;
    let (first, second) = (f32::from_bits(half << EXPONENT), f32::from_bits((n - half) << EXPONENT));
    let (a, b, c) = growth(first, r);
    (first + ((a + b) + c)) * second
}

/// `e` to the power of `x`, less 1, exact near 0.
#[inline(always)]
#[must_use]
pub const fn exp_m1(x: f32) -> f32 {
    let held = if x > 89.0 { 89.0 } else { x };
    let held = if held < -18.0 { -18.0 } else { held };
    // Half of it, as 2^128 is not a number.
    let (n, r) = split(held, 126.0);
    let power = f32::from_bits(n << EXPONENT);
    let (a, b, c) = growth(power, r);
    let y = 2.0 * ((power - 0.5) + (a + (b + c)));
    // The sign of 0, and the last bit of a number below the normal range.
    if x.abs() < 1e-8 { x } else { y }
}

/// The hyperbolic tangent.
///
/// 1 above 9.1, -1 below -9.1.
#[inline(always)]
#[must_use]
pub const fn tanh(x: f32) -> f32 {
    const ROUND: f32 = 6_291_456.0 + 126.0; // 1.5 * 2^22: to a half.
    let distance = x.abs();
    let distance = if distance > 9.1 { 9.1 } else { distance };
    // x = n ln 2 / 2 + r, where r is between -ln 2 / 8 and 3/8 ln 2: no less, or what follows would cancel.
    let rounded = (distance * (2.0 * LOG2_E) + ROUND).to_bits() & !1;
    let half_power = f32::from_bits(rounded << (EXPONENT - 1));
    let r = distance - (f32::from_bits(rounded) - ROUND) * (0.5 * LN_2);
    // tanh r = b / a: 0.1 units in the last place.
    let z = r * r;
    let a = 1.0 + z * 0.399_833_86;
    let b = r + (r * 0.066_501_58) * z;
    // e^2r = (a + b) / (a - b), and tanh x = (2^n e^2r - 1) / (2^n e^2r + 1).
    let both = (half_power - 0.5) * (a + b);
    ((both + b) / (both + a)).copysign(x)
}

/// The logistic function, `1 / (1 + exp(-x))`.
///
/// 1 above 17.4, 0 below -104.
#[inline(always)]
#[must_use]
pub const fn sigmoid(x: f32) -> f32 {
    // Scaled, so that 2^n is a normal number.
    const SCALE: f32 = 1.0 / 16_777_216.0; // 2^-24
    const BIAS: f32 = ROUND + 127.0 - 24.0;
    let x = if x > 18.0 { 18.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    // -x = n ln 2 - r, without turning a sign: one step less to wait for.
    let rounded = BIAS - x * LOG2_E;
    let n = rounded - BIAS;
    let r = (x + n * LN_2_HIGH) + n * LN_2_LOW;
    let power = f32::from_bits(rounded.to_bits() << EXPONENT);
    // tanh(r / 2) = b / a, as in `tanh`, and e^-r = (a - b) / (a + b).
    let z = r * r;
    let a = 2.0 + z * (0.5 * 0.399_833_86);
    let b = r + (r * (0.25 * 0.066_501_58)) * z;
    let scaled = SCALE * (a + b);
    scaled / (scaled + power * (a - b))
}

/// Below this, the numbers whose logarithm is taken are taken as they are, and above it, halved: `sqrt(1/2)`.
const SQRT_HALF: u32 = 0x3f35_04f3;

/// `x = 2^k m`, where `m` is between `sqrt(1/2)` and `sqrt(2)`, for a positive normal number.
#[inline(always)]
const fn split_power(x: f32) -> (i32, f32) {
    let above = x.to_bits().wrapping_sub(SQRT_HALF);
    (above.cast_signed() >> EXPONENT, f32::from_bits((above & 0x007f_ffff) + SQRT_HALF))
}

/// `k ln 2 + ln(1 + f)`, for `1 + f` between `sqrt(1/2)` and `sqrt(2)`.
#[inline(always)]
const fn ln_of_power(k: f32, f: f32) -> f32 {
    let s = f / (2.0 + f);
    let z = s * s;
    // 2 atanh(s) = s (2 + 2/3 z + 2/5 z^2 + ..) with f = s (2 + f): 0.02 units in the last place.
    let series = z * (0.666_667_76 + z * (0.399_775_83 + z * 0.298_707_96));
    let half_square = 0.5 * f * f;
    k * LN_2_HIGH - ((half_square - (s * (half_square + series) + k * LN_2_LOW)) - f)
}

/// `y`, or what the logarithm of 0 (`x` is 0), of a negative number, of infinity or of NaN is.
#[inline(always)]
const fn special_ln(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x == 0.0 { f32::NEG_INFINITY } else { y }
}

/// The natural logarithm.
///
/// Negative infinity at 0, NaN below.
#[inline(always)]
#[must_use]
#[allow(clippy::cast_precision_loss)] // From -149 to 128.
pub const fn ln(x: f32) -> f32 {
    let small = x < f32::MIN_POSITIVE;
    let (k, m) = split_power(if small { x * 16_777_216.0 } else { x });
    let k = k as f32 - if small { 24.0 } else { 0.0 };
    special_ln(x, ln_of_power(k, m - 1.0))
}

/// The natural logarithm of `1 + x`, exact near 0.
///
/// Negative infinity at -1, NaN below.
#[inline(always)]
#[must_use]
#[allow(clippy::cast_precision_loss)] // From -24 to 128.
pub const fn ln_1p(x: f32) -> f32 {
    let (large, small) = if x > 1.0 { (x, 1.0) } else { (1.0, x) };
    let sum = large + small;
    let lost = small - (sum - large); // 1 + x = sum + lost
    let (k, m) = split_power(sum);
    // 2^-k. Above 2^126, where it would not be a normal number, nothing that counts was lost.
    let scale = (127 - k) << EXPONENT;
    let scale = f32::from_bits(if scale > 0 { scale.cast_unsigned() } else { 0 });
    let y = ln_of_power(k as f32, (m - 1.0) + lost * scale);
    // The sign of 0, and the last bit of a number below the normal range.
    let y = if x.abs() < 1e-8 { x } else { y };
    special_ln(1.0 + x, y)
}

/// The error function, `2/sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`.
///
/// 1 above 3.95, -1 below -3.95.
#[inline(always)]
#[must_use]
pub const fn erf(x: f32) -> f32 {
    let distance = x.abs();
    let distance = if distance > 4.0 { 4.0 } else { distance };
    let z = distance * distance;
    let z2 = z * z;
    // erf(x) / x - 1: 0.27 units in the last place.
    let near = (0.128_379_15 + z * -0.376_124_98)
        + z2 * ((0.112_818_435 + z * -2.676_734_9e-2) + z2 * (4.994_038e-3 + z * -5.994_505e-4));
    // ln(1 - erf(x)) / x: 0.02 units in the last place.
    let beyond = (-1.128_649_6 + distance * -0.635_146_86)
        + z * ((-0.106_244_214 + distance * 2.376_833_2e-2)
            + z * ((-3.645_389_6e-3 + distance * 3.235_131_4e-4) + z * -1.130_058_7e-5));
    let (n, r) = split(distance * beyond, 127.0);
    let power = f32::from_bits(n << EXPONENT);
    let (a, b, c) = growth(power, r);
    let y = if distance < ERF_NEAR { distance + distance * near } else { (1.0 - power) - ((a + b) + c) };
    y.copysign(x)
}

/// Where the two polynomials of [`erf`] meet.
const ERF_NEAR: f32 = 0.921_875;
