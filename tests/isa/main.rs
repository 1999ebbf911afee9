//! The sets of instructions: forced in turn, they compute the same but for the rounding of fused products.

mod networks;
mod quiet;
mod refused;
mod scalars;
mod sizes;

use constnet::isa::{InstructionSet, best, in_use, limit_to};
use networks::{Results, dense, over_sequences};
use scalars::{Half, Unfused, Wide};

const SETS: [InstructionSet; 3] = [InstructionSet::Target, InstructionSet::Avx2, InstructionSet::Avx512];

/// How far a number of `f32` may lie from that of the first set, in units of the largest number of its tensor: products of some
/// hundred terms, each rounded once instead of twice.
const BOUND: f64 = 1e-5;

/// The same of `f64`.
const BOUND_OF_F64: f64 = 1e-13;

/// Of numbers of 8 bits from those of `f32`.
const BOUND_OF_TWO_BYTES: f64 = 0.1;

/// Tells how many numbers differ, and that none does by more than the bound.
fn near(results: &Results, expected: &Results, bound: f64, what: &str) -> usize {
    assert_eq!(results.len(), expected.len(), "{what}");
    let mut differ = 0;
    for (k, (results, expected)) in results.iter().zip(expected).enumerate() {
        let largest = expected.iter().fold(1e-3, |largest: f64, x| largest.max(x.abs()));
        assert_eq!(results.len(), expected.len(), "tensor {k}, {what}");
        for (x, expected) in results.iter().zip(expected) {
            assert!((x - expected).abs() <= bound * largest, "tensor {k}, {what}: {x} instead of {expected}");
            differ += usize::from(x.to_bits() != expected.to_bits());
        }
    }
    differ
}

/// The same bits.
fn same(results: &Results, expected: &Results, what: &str) {
    assert_eq!(near(results, expected, f64::INFINITY, what), 0, "{what}: numbers differ");
}

/// All of it in one test: what is in use holds for the whole process.
#[test]
fn every_set_computes_the_same() {
    limit_to(InstructionSet::Target);
    assert_eq!(in_use(), InstructionSet::Target);
    let (expected, in_f64) = (networks::all(), networks::in_f64());
    let (in_unfused, in_two_bytes) = (dense::<Unfused>(), dense::<Half>());
    let half_over_sequences = over_sequences::<Half>();
    near(&half_over_sequences, &over_sequences::<f64>(), BOUND_OF_TWO_BYTES, "two bytes over a sequence beside f64");
    same(&networks::all(), &expected, "the same set, twice");
    near(&dense::<f32>(), &dense::<f64>(), BOUND, "f32 beside f64");
    near(&in_two_bytes, &dense::<f64>(), BOUND_OF_TWO_BYTES, "two bytes beside f64");

    let mut with_fma = Vec::new();
    for most in SETS {
        if most > best() {
            println!("not on this processor: {most:?}");
            continue;
        }
        assert_eq!(limit_to(most), most);
        assert_eq!(in_use(), most);
        let (results, doubles) = (networks::all(), networks::in_f64());
        let differ = near(&results, &expected, BOUND, &format!("{most:?}"));
        near(&doubles, &in_f64, BOUND_OF_F64, &format!("f64 on {most:?}"));
        println!("{most:?}: {differ} numbers differ from those of the build's target");

        // A scalar that never fuses gives the same bits on every set, and one of an odd size those of `f32`.
        same(&dense::<Unfused>(), &in_unfused, &format!("unfused on {most:?}"));
        same(&dense::<Half>(), &in_two_bytes, &format!("two bytes on {most:?}"));
        same(&over_sequences::<Half>(), &half_over_sequences, &format!("two bytes over a sequence on {most:?}"));
        let in_f32 = dense::<f32>();
        same(&dense::<Wide<3>>(), &in_f32, &format!("twelve bytes on {most:?}"));
        same(&dense::<Wide<5>>(), &in_f32, &format!("twenty bytes on {most:?}"));
        if most > InstructionSet::Target {
            assert!(differ > 0 || cfg!(target_feature = "fma"), "{most:?} gives the target's bits: was it in use?");
            with_fma.push((results, doubles));
        }

        refused::all();
        sizes::all();
        quiet::all();
    }
    if let [narrow, wide] = with_fma.as_slice() {
        same(&wide.0, &narrow.0, "AVX-512 beside AVX2");
        same(&wide.1, &narrow.1, "AVX-512 beside AVX2, f64");
    }
    assert_eq!(limit_to(InstructionSet::Avx512), best());
}
