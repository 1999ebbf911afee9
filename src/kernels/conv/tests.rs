//! The shared kernel against the constant ones, to the bit.
#![allow(clippy::cast_precision_loss)]

use super::constant;
use super::shared::{self, Operands};
use super::walk::Sizes;
use crate::isa::{InstructionSet, best};
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use crate::kernels::dispatch::{Avx2, Avx512};
use crate::kernels::dispatch::{Isa, Target};
use crate::kernels::window::tests::Line;
use crate::kernels::window::{Axis, Flat};
use std::{vec, vec::Vec};

/// What targets without vectors have.
struct NoVectors;

impl Isa for NoVectors {
    const FUSED: bool = false;
    const LANES: usize = 1;
    const SUMS: usize = 16;
}

fn numbers(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| if i % 11 == 5 { -0.0 } else { (i as f32 * seed).sin() }).collect()
}

/// Every set of instructions, with a bias and without. What lies behind the outputs stays as it is.
fn check<V: Axis, H: Axis, const G: usize, const IN: usize, const OUT: usize, const EACH: bool>() {
    fn by<I: Isa, V: Axis, H: Axis, const G: usize, const IN: usize, const OUT: usize, const EACH: bool>(least: usize) {
        if OUT < least || (EACH && I::LANES > 1) {
            return;
        }
        let sizes = Sizes::of::<V, H>([G, IN, OUT], EACH);
        let inputs = if EACH { 1 } else { IN };
        let weight = numbers(V::KERNEL * H::KERNEL * inputs * G * OUT, 0.7);
        let (x, bias) = (numbers(V::IN * H::IN * G * IN, 0.3), numbers(G * OUT, 1.9));
        for bias in [&bias[..], &[]] {
            let (mut y, mut expected) =
                (vec![f32::NAN; V::OUT * H::OUT * G * OUT], numbers(V::OUT * H::OUT * G * OUT, 0.1));
            constant::gather_by::<I, V, H, f32, G, IN, OUT, EACH>(weight.as_chunks().0, bias, &x, &mut expected);
            let mut operands = Operands::new(&sizes, &weight, bias, &x, &mut y).expect("lengths that agree");
            if V::IS_FLAT && G == 1 && !EACH {
                shared::gather_by::<I, true>(&mut operands);
            } else {
                shared::gather_by::<I, false>(&mut operands);
            }
            for (n, (y, expected)) in y.iter().zip(&expected).enumerate() {
                assert_eq!(
                    y.to_bits(),
                    expected.to_bits(),
                    "number {n}: {y} is not {expected}; {sizes:?}, {} lanes",
                    I::LANES
                );
            }
        }
        assert!(Operands::new(&sizes, &weight[1..], &bias, &x, &mut []).is_none(), "lengths that do not agree");
    }
    by::<NoVectors, V, H, G, IN, OUT, EACH>(shared::NARROW);
    by::<Target, V, H, G, IN, OUT, EACH>(if Target::LANES == 1 { shared::NARROW } else { shared::WIDE });
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        if best() >= InstructionSet::Avx2 {
            by::<Avx2, V, H, G, IN, OUT, EACH>(shared::WIDE);
        }
        if best() >= InstructionSet::Avx512 {
            by::<Avx512, V, H, G, IN, OUT, EACH>(shared::WIDE);
        }
    }
}

/// Would catch: an output left out, one whose window is taken to lie elsewhere, a tile that reaches beyond the lanes, another order of the
/// sums.
#[test]
fn shared_is_constant() {
    // Tails of lanes, and lines of fewer outputs than a block has.
    macro_rules! lanes {
        ($($out:literal)+) => { $(
            check::<Line<5, 3, 3, 1, 1, 0>, Line<13, 11, 3, 1, 1, 0>, 1, 3, $out, false>();
            check::<Line<5, 5, 3, 1, 1, 1>, Line<4, 4, 3, 1, 1, 1>, 1, $out, $out, true>();
        )+ };
    }
    lanes!(4 5 6 7 8 9 12 15 16 17 23 24 25 31 32 40);
    // Padding all around, windows larger than the picture, strides, dilation.
    check::<Line<9, 9, 5, 1, 1, 2>, Line<10, 10, 5, 1, 1, 2>, 1, 6, 16, false>();
    check::<Line<2, 2, 7, 1, 1, 3>, Line<3, 3, 5, 1, 1, 2>, 1, 2, 8, false>();
    check::<Line<3, 3, 5, 1, 2, 4>, Line<21, 21, 3, 1, 2, 2>, 1, 3, 9, false>();
    check::<Line<9, 5, 3, 2, 1, 1>, Line<8, 4, 3, 2, 1, 0>, 1, 4, 20, false>();
    check::<Line<49, 25, 10, 2, 1, 4>, Line<10, 5, 4, 2, 1, 1>, 1, 1, 12, false>();
    check::<Line<23, 23, 3, 1, 1, 1>, Line<5, 5, 3, 1, 1, 1>, 1, 16, 16, true>();
    check::<Line<12, 6, 3, 2, 1, 0>, Line<20, 10, 3, 2, 1, 0>, 1, 18, 18, true>();
    check::<Line<7, 7, 3, 1, 2, 2>, Line<19, 19, 3, 1, 3, 3>, 1, 10, 10, true>();
    // Outputs whose windows lie on the padding alone.
    check::<Line<2, 6, 1, 1, 1, 2>, Line<2, 8, 1, 1, 1, 3>, 1, 3, 8, false>();
    // A window of one place, whose rows are one, and one that has a stride.
    check::<Line<3, 3, 1, 1, 1, 0>, Line<7, 7, 1, 1, 1, 0>, 1, 5, 24, false>();
    check::<Line<5, 3, 1, 2, 1, 0>, Line<7, 4, 1, 2, 1, 0>, 1, 5, 24, false>();
    // Groups.
    check::<Line<6, 4, 3, 1, 1, 0>, Line<15, 15, 3, 1, 1, 1>, 3, 2, 8, false>();
    check::<Line<6, 6, 3, 1, 2, 2>, Line<15, 8, 3, 2, 1, 1>, 2, 5, 17, false>();
    // Signals, whose sums have parts.
    check::<Flat, Line<30, 28, 3, 1, 1, 0>, 1, 3, 16, false>();
    check::<Flat, Line<30, 30, 11, 1, 1, 5>, 1, 1, 8, false>();
    check::<Flat, Line<30, 30, 5, 1, 2, 8>, 1, 2, 21, false>();
    check::<Flat, Line<31, 11, 4, 3, 1, 2>, 1, 9, 12, false>();
    check::<Flat, Line<31, 31, 4, 1, 2, 6>, 4, 2, 8, false>();
    check::<Flat, Line<31, 31, 4, 1, 2, 6>, 1, 9, 9, true>();
}
