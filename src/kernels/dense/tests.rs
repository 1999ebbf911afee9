//! The shared kernels against the constant ones.

use super::shared_gradient::{bias_gradient_by, weight_gradient_by, weight_gradient_of_one_by};
use super::shared_input::{input_gradient_by, input_gradient_of_few_by};
use super::{Forward, LEAST_OUTPUTS_OF_ONE_ROW, Sizes, constant, shared, width};
use crate::kernels::dispatch::{Isa, Target, lanes};
use crate::kernels::horizontal::product;
use crate::kernels::tile::exact_tiles;
use crate::scalar::Scalar;
use core::array::{from_fn, from_mut, from_ref};
use core::fmt::Debug;

/// How many rows there are at most.
const ROWS: usize = 7;

/// Numbers of all sizes and both signs, some of them zeros.
#[allow(clippy::cast_precision_loss)] // Less than 2^16.
fn number<T: Scalar>(seed: usize) -> T {
    let x = seed.wrapping_mul(2_654_435_761) >> 7 & 0xffff;
    let x = if x.is_multiple_of(13) { 0.0 } else { (x as f64 - 32_700.0) / [7.0, 900.0, 70_000.0][x % 3] };
    T::from_f64(x)
}

fn check<I: Isa, T: Scalar + Debug, const IN: usize, const OUT: usize>() {
    let weight: [[T; OUT]; IN] = from_fn(|i| from_fn(|o| number(i * OUT + o)));
    let bias: [T; OUT] = from_fn(|o| number(o + 77));
    let all_x: [[T; IN]; ROWS] = from_fn(|row| from_fn(|i| number(row * IN + i + 5)));
    let all_dy: [[T; OUT]; ROWS] = from_fn(|row| from_fn(|o| number(row * OUT + o + 9)));
    for rows in 0..=ROWS {
        let (x, dy) = (&all_x[..rows], &all_dy[..rows]);
        let sizes = Sizes { inputs: IN, outputs: OUT, rows };
        let case = (IN, OUT, rows, I::LANES, size_of::<T>());

        for bias in [None, Some(&bias)] {
            let (mut expected, mut y) = ([[T::ONE; OUT]; ROWS], [[T::ONE; OUT]; ROWS]);
            for (x, y) in x.iter().zip(&mut expected) {
                constant::rows::<I, T, IN, OUT, 1>(&weight, bias, from_ref(x), from_mut(y));
            }
            shared::forward_by::<I, T>(&Forward::new(&weight, bias, x, &mut y[..rows]));
            assert_same(&expected, &y, ("forward", case));
            if OUT >= LEAST_OUTPUTS_OF_ONE_ROW {
                let mut y = [[T::ONE; OUT]; ROWS];
                shared::forward_row_by::<I, T>(&Forward::new(&weight, bias, x, &mut y[..rows]));
                assert_same(&expected, &y, ("forward_row", case));
            }
        }

        // Without vectors the constant kernel has another order, and there are no shared ones.
        if I::LANES > 1 {
            let (mut expected, mut dx) = ([[T::ONE; IN]; ROWS], [[T::ONE; IN]; ROWS]);
            if rows >= 4 {
                let expected = &mut expected[..rows];
                exact_tiles!(IN, width(2 * lanes::<I, T>()), |start, W| {
                    constant::turned::<I, T, IN, OUT, W>(&weight, dy, expected, start);
                });
            } else {
                for (dy, dx) in dy.iter().zip(&mut expected) {
                    *dx = from_fn(|i| product::<I, T>(&weight[i], dy));
                }
            }
            let by = if rows >= 4 { input_gradient_by::<I, T> } else { input_gradient_of_few_by::<I, T> };
            by(weight.as_flattened(), dy.as_flattened(), dx[..rows].as_flattened_mut(), sizes);
            assert_same(&expected, &dx, ("input_gradient", case));
        }

        for adds in [false, true] {
            let (mut expected, mut gradient) = (weight, weight);
            exact_tiles!(OUT, width(I::SUMS / 4 * lanes::<I, T>()), |start, W| {
                if adds {
                    constant::outer::<I, T, IN, OUT, W, true>(&mut expected, x, dy, start);
                } else {
                    constant::outer::<I, T, IN, OUT, W, false>(&mut expected, x, dy, start);
                }
            });
            let flat = gradient.as_flattened_mut();
            weight_gradient_by::<I, T>(flat, x.as_flattened(), dy.as_flattened(), sizes, adds);
            assert_same(&expected, &gradient, ("weight_gradient", case));
            if rows == 1 {
                let mut gradient = weight;
                let flat = gradient.as_flattened_mut();
                weight_gradient_of_one_by::<I, T>(flat, x.as_flattened(), dy.as_flattened(), sizes, adds);
                assert_same(&expected, &gradient, ("weight_gradient_of_one", case));
            }

            let (mut expected, mut gradient) = ([bias], bias);
            let mut of_rows = dy.iter();
            if !adds {
                expected = [of_rows.next().copied().unwrap_or([T::ZERO; OUT])];
            }
            for dy in of_rows {
                expected = [from_fn(|o| expected[0][o] + dy[o])];
            }
            bias_gradient_by::<I, T>(&mut gradient, dy.as_flattened(), rows, adds);
            assert_same(&expected, &[gradient], ("bias_gradient", case));
        }
    }
}

/// Equal, and -0 is not 0.
fn assert_same<T: Scalar + Debug, const N: usize>(expected: &[[T; N]], got: &[[T; N]], case: impl Debug) {
    for (i, (expected, got)) in expected.as_flattened().iter().zip(got.as_flattened()).enumerate() {
        let same = expected == got && T::ONE / *expected == T::ONE / *got;
        assert!(same, "{case:?}: number {i}: {got:?} is not {expected:?}");
    }
}

macro_rules! check_sizes {
    ($I:ty, $T:ty: $($inputs:literal by $($outputs:literal)+;)+) => { $($( check::<$I, $T, $inputs, $outputs>(); )+)+ };
}

fn check_all<I: Isa>() {
    check_sizes! { I, f32:
        16 by 16 17 24 31 32 47 48 64 65 96 127 130;
        19 by 31 32 100;
        31 by 18 40;
        66 by 20 33 67;
    }
    check_sizes! { I, f64:
        17 by 16 33 66;
    }
}

/// Would catch: a sum in other parts or another order, a number that a tile leaves out or one that overlapping tiles add to twice.
#[test]
fn shared_kernels_have_the_bits_of_the_constant_ones() {
    check_all::<Target>();
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        use crate::isa::{InstructionSet, best};
        use crate::kernels::dispatch::{Avx2, Avx512};
        if best() != InstructionSet::Target {
            check_all::<Avx2>();
        }
        if best() == InstructionSet::Avx512 {
            check_all::<Avx512>();
        }
    }
}
