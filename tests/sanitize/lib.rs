//! The networks of `tests/isa` on each set of instructions in turn.
#![cfg(test)]

#[path = "../isa/networks.rs"]
mod networks;
#[path = "../isa/refused.rs"]
mod refused;

use constnet::isa::{InstructionSet, best, limit_to};

#[test]
fn on_every_set() {
    for most in [InstructionSet::Target, InstructionSet::Avx2, InstructionSet::Avx512] {
        if limit_to(most) != most {
            println!("not on this processor, which has {:?}: {most:?}", best());
            continue;
        }
        for results in [networks::all(), networks::in_f64()] {
            assert!(results.iter().flatten().all(|x| x.is_finite()), "{most:?}");
        }
        refused::all();
        println!("{most:?}: done");
    }
}
