//! The functions of `constnet::math` against those of `f64`.
//!
//! `CONSTNET_MATH=all cargo test --release --test math -- --nocapture` tries every `f32` there is and prints the largest errors.

use constnet::isa::{InstructionSet, best, in_use, limit_to};
use constnet::layer::Layer;
use constnet::nalgebra::SVector;
use constnet::scalar::Scalar;
use constnet::{Gelu, Sigmoid, Softplus, Tanh, Vector, math};
use std::thread;

struct Function {
    name: &'static str,
    f: fn(f32) -> f32,
    exact: fn(f64) -> f64,
    /// No result is larger.
    limit: f32,
    /// The error that the documentation states, in units in the last place.
    bound: f64,
    /// And by how much it may fall from one number to the next.
    fall: f64,
}

const FUNCTIONS: [Function; 7] = [
    Function { name: "exp", f: math::exp, exact: Scalar::exp, limit: f32::INFINITY, bound: 1.29, fall: 1.0 },
    Function { name: "exp_m1", f: math::exp_m1, exact: Scalar::exp_m1, limit: f32::INFINITY, bound: 1.79, fall: 0.0 },
    Function { name: "ln", f: math::ln, exact: Scalar::ln, limit: f32::INFINITY, bound: 0.85, fall: 0.0 },
    Function { name: "ln_1p", f: math::ln_1p, exact: Scalar::ln_1p, limit: f32::INFINITY, bound: 1.4, fall: 0.0 },
    Function { name: "tanh", f: math::tanh, exact: Scalar::tanh, limit: 1.0, bound: 2.57, fall: 2.0 },
    Function { name: "sigmoid", f: math::sigmoid, exact: Scalar::sigmoid, limit: 1.0, bound: 2.56, fall: 2.0 },
    Function { name: "erf", f: math::erf, exact: Scalar::erf, limit: 1.0, bound: 1.19, fall: 1.0 },
];

/// The distance between the numbers of `f32` around `x`.
fn unit(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52 & 0x7ff).clamp(1023 - 126, 1023 + 127);
    f64::from_bits((exponent - 23) << 52)
}

/// Infinity as the number behind the largest, so that it has a distance from it.
fn held(x: f64) -> f64 {
    const BEHIND: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0; // 2^128
    x.clamp(-BEHIND, BEHIND)
}

/// The error in units in the last place: infinite if one is NaN, or if a 0 or an infinity has the wrong sign.
fn error(got: f32, exact: f64) -> f64 {
    if got.is_nan() || exact.is_nan() {
        return if got.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == 0.0 && exact == 0.0 && got.is_sign_negative() != exact.is_sign_negative() {
        return f64::INFINITY;
    }
    (held(f64::from(got)) - held(exact)).abs() / unit(exact)
}

/// What a range of bit patterns gave.
#[derive(Clone, Copy, Default)]
struct Found {
    error: f64,
    at: f32,
    /// How often a larger number gave a smaller result, and the most, in units in the last place.
    descents: u64,
    descent: f64,
}

/// Bit patterns of one sign, from the number 0 on.
fn search(function: &Function, bits: impl Iterator<Item = u32>) -> Found {
    let mut found = Found::default();
    let mut before: Option<f32> = None;
    for bits in bits {
        let x = f32::from_bits(bits);
        let (y, exact) = ((function.f)(x), (function.exact)(f64::from(x)));
        let error = if y.abs() > function.limit { f64::INFINITY } else { error(y, exact) };
        if error > found.error {
            (found.error, found.at) = (error, x);
        }
        let fell = before.is_some_and(|before| if x.is_sign_negative() { y > before } else { y < before });
        if let (true, Some(before)) = (fell, before) {
            found.descents += 1;
            found.descent = found.descent.max(f64::from((y - before).abs()) / unit(f64::from(y)));
        }
        before = Some(y);
    }
    found
}

/// Every `step`th bit pattern and `more` next to it, on all processors.
fn largest_errors(step: usize, more: u32) -> Vec<Found> {
    let parts = u32::try_from(thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    FUNCTIONS
        .iter()
        .map(|function| {
            thread::scope(|scope| {
                let size = (1_u32 << 31).div_ceil(parts);
                let ranges = (0..parts).map(|part| (part * size, ((part + 1) * size).min(1 << 31)));
                let searches: Vec<_> = ranges
                    .flat_map(|(start, end)| {
                        [0, 1_u32 << 31].map(|sign| {
                            let near = (start..end).step_by(step).flat_map(move |i| i..=i + more);
                            near.map(move |i| i | sign)
                        })
                    })
                    .map(|bits| scope.spawn(move || search(function, bits)))
                    .collect();
                let all = searches.into_iter().map(|search| search.join().expect("no panic"));
                all.fold(Found::default(), |a, b| {
                    let worse = if b.error > a.error { b } else { a };
                    Found { descents: a.descents + b.descents, descent: a.descent.max(b.descent), ..worse }
                })
            })
        })
        .collect()
}

#[test]
fn errors_are_within_the_bounds() {
    let is_all = std::env::var("CONSTNET_MATH").as_deref() == Ok("all");
    let found = if is_all { largest_errors(1, 0) } else { largest_errors(1999, 1) };
    println!("| function | largest error (ulp) | at | descents | largest (ulp) |\n|---|---|---|---|---|");
    for (function, Found { error, at, descents, descent }) in FUNCTIONS.iter().zip(&found) {
        println!("| {} | {error:.3} | {at:e} | {descents} | {descent} |", function.name);
    }
    for (function, found) in FUNCTIONS.iter().zip(found) {
        let Function { name, f, exact, bound, fall, .. } = function;
        assert!(found.descent <= *fall, "{name} falls by {} ulp", found.descent);
        let (x, error) = (found.at, found.error);
        assert!(error <= *bound, "{name}({x:e}) is {:e}, not {:e}: {error} ulp", f(x), exact(f64::from(x)));
    }
}

/// A function, and its results for some numbers.
type Cases = (fn(f32) -> f32, &'static [(f32, f32)]);

/// What a formula would get wrong first: nothing, the smallest and the largest numbers, and what is no number.
#[test]
fn special_values() {
    const INFINITY: f32 = f32::INFINITY;
    const SMALLEST: f32 = f32::from_bits(1);
    #[rustfmt::skip]
    const CASES: [Cases; 7] = [
        (math::exp, &[
            (0.0, 1.0), (-0.0, 1.0), (INFINITY, INFINITY), (-INFINITY, 0.0), (f32::MAX, INFINITY), (f32::MIN, 0.0),
            (SMALLEST, 1.0), (88.73, INFINITY), (-104.0, 0.0), (-103.28, SMALLEST),
        ]),
        (math::exp_m1, &[
            (0.0, 0.0), (-0.0, -0.0), (INFINITY, INFINITY), (-INFINITY, -1.0), (f32::MAX, INFINITY), (f32::MIN, -1.0),
            (SMALLEST, SMALLEST), (-SMALLEST, -SMALLEST),
        ]),
        (math::ln, &[
            (1.0, 0.0), (0.0, -INFINITY), (-0.0, -INFINITY), (INFINITY, INFINITY), (-INFINITY, f32::NAN),
            (-SMALLEST, f32::NAN), (-1.0, f32::NAN), (SMALLEST, -103.278_93), (f32::MAX, 88.722_84),
        ]),
        (math::ln_1p, &[
            (0.0, 0.0), (-0.0, -0.0), (INFINITY, INFINITY), (-INFINITY, f32::NAN), (-1.0, -INFINITY), (-1.000_000_1, f32::NAN),
            (SMALLEST, SMALLEST), (-SMALLEST, -SMALLEST), (f32::MAX, 88.722_84),
        ]),
        (math::tanh, &[
            (0.0, 0.0), (-0.0, -0.0), (INFINITY, 1.0), (-INFINITY, -1.0), (f32::MAX, 1.0), (9.1, 1.0), (-9.1, -1.0),
            (SMALLEST, SMALLEST), (-SMALLEST, -SMALLEST),
        ]),
        (math::sigmoid, &[
            (0.0, 0.5), (-0.0, 0.5), (INFINITY, 1.0), (-INFINITY, 0.0), (f32::MAX, 1.0), (f32::MIN, 0.0), (SMALLEST, 0.5),
            (-103.28, SMALLEST), (17.4, 1.0), (-104.0, 0.0),
        ]),
        (math::erf, &[
            (0.0, 0.0), (-0.0, -0.0), (INFINITY, 1.0), (-INFINITY, -1.0), (f32::MAX, 1.0), (3.95, 1.0), (-3.95, -1.0),
            (SMALLEST, SMALLEST), (-SMALLEST, -SMALLEST),
        ]),
    ];
    for ((f, cases), Function { name, .. }) in CASES.iter().zip(&FUNCTIONS) {
        assert!(f(f32::NAN).is_nan() && f(-f32::NAN).is_nan(), "{name}(NaN)");
        for &(x, y) in *cases {
            let got = f(x);
            assert!(
                got.to_bits() == y.to_bits() || (got.is_nan() && y.is_nan()),
                "{name}({x:e}) is {got:e}, not {y:e}"
            );
        }
    }
}

/// `-f(x)` for `-x`, to the bit: a network of odd functions stays one.
#[test]
fn odd() {
    for bits in (0..0x7f80_0001).step_by(1009) {
        let x = f32::from_bits(bits);
        assert_eq!(math::tanh(-x).to_bits(), (-math::tanh(x)).to_bits(), "tanh({x:e})");
        assert_eq!(math::erf(-x).to_bits(), (-math::erf(x)).to_bits(), "erf({x:e})");
    }
}

/// In a loop over a slice, where the compiler makes vectors, in a constant, and by the trait: the same bits.
#[test]
fn the_same_bits_in_vectors_and_in_constants() {
    const CONSTANTS: [f32; 7] = [
        math::exp(0.3),
        math::exp_m1(0.3),
        math::ln(0.3),
        math::ln_1p(0.3),
        math::tanh(0.3),
        math::sigmoid(0.3),
        math::erf(0.3),
    ];
    const BY_TRAIT: [fn(f32) -> f32; 7] =
        [Scalar::exp, Scalar::exp_m1, Scalar::ln, Scalar::ln_1p, Scalar::tanh, Scalar::sigmoid, Scalar::erf];
    for ((function, constant), by_trait) in FUNCTIONS.iter().zip(CONSTANTS).zip(BY_TRAIT) {
        assert_eq!((function.f)(std::hint::black_box(0.3)).to_bits(), constant.to_bits(), "{}", function.name);
        assert_eq!(by_trait(std::hint::black_box(0.3)).to_bits(), constant.to_bits(), "{}", function.name);
    }
    let x: Vec<f32> = (0..=u16::MAX).map(|high| f32::from_bits(u32::from(high) << 16 | 0x5a5a)).collect();
    let vectors: [Vec<f32>; 7] = [
        x.iter().map(|&x| math::exp(x)).collect(),
        x.iter().map(|&x| math::exp_m1(x)).collect(),
        x.iter().map(|&x| math::ln(x)).collect(),
        x.iter().map(|&x| math::ln_1p(x)).collect(),
        x.iter().map(|&x| math::tanh(x)).collect(),
        x.iter().map(|&x| math::sigmoid(x)).collect(),
        x.iter().map(|&x| math::erf(x)).collect(),
    ];
    for (Function { name, f, .. }, y) in FUNCTIONS.iter().zip(vectors) {
        for (&x, y) in x.iter().zip(y) {
            let alone = f(x);
            assert!(
                y.to_bits() == alone.to_bits() || (y.is_nan() && alone.is_nan()),
                "{name}({x:e}): {y:e}, {alone:e}"
            );
        }
    }
}

/// What a layer gives for a vector, bit by bit.
fn bits<L: Layer<Vector<1000>, Out = Vector<1000>>>(layer: &L) -> Vec<u32> {
    let x =
        SVector::<f32, 1000>::from_fn(|i, _| f32::from_bits(0x3a00_0000 + 0x1_8765 * u32::try_from(i).expect("small")));
    let mut y = SVector::zeros();
    layer.forward(&x, &mut y);
    y.iter().map(|y| y.to_bits()).collect()
}

/// Catches a multiplication and an addition that a compiler made one, which rounds once.
#[test]
fn the_same_bits_on_every_set_of_instructions() {
    let all = || [bits(&Tanh), bits(&Sigmoid), bits(&Gelu), bits(&Softplus)];
    assert_eq!((limit_to(InstructionSet::Target), in_use()), (InstructionSet::Target, InstructionSet::Target));
    let expected = all();
    for set in [InstructionSet::Avx2, InstructionSet::Avx512] {
        let used = limit_to(set);
        assert_eq!((used, in_use()), (set.min(best()), used));
        assert!(all() == expected, "{used:?}");
    }
}
