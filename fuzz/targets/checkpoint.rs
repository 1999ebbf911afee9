//! A checkpoint that is refused changes nothing; one that is loaded is saved as itself, and training goes on from it.
#![no_main]

use constnet::nalgebra::SVector;
use constnet::train::Checkpoint;
use constnet_fuzz::{session, session_bits, session_file};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static BEFORE: LazyLock<Vec<u64>> = LazyLock::new(|| session_bits(&mut session()));

fuzz_target!(|file: &[u8]| {
    let mut ours = session();
    let (net, trainer, scaler) = &mut ours;
    if let Err(error) = (Checkpoint { net, trainer, scaler }).load(file) {
        assert!(!error.to_string().is_empty());
        assert_eq!(session_bits(&mut ours), *BEFORE, "a refused checkpoint has changed something");
        return;
    }
    let loaded = session_file(&mut ours);
    let mut again = session();
    let (net, trainer, scaler) = &mut again;
    Checkpoint { net, trainer, scaler }.load(&loaded).expect("our own checkpoint");
    assert_eq!(session_file(&mut again), loaded);

    // Whatever the numbers are, a step is a step.
    let (net, trainer, _) = &mut ours;
    let _ = trainer.step(net, &[SVector::from([1.0, -1.0, 0.5])], &[SVector::<f32, 1>::from([1.0])]);
});
