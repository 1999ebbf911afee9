//! Threads that compute at the same time, and switch nothing, see the same bits.
//!
//! Would catch: a kernel that keeps something between calls, and a choice of instructions that differs between the thread that asks the
//! processor first and one that asks meanwhile.
#![cfg(feature = "rand")]

use constnet::loss::Mse;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Adam;
use constnet::train::Trainer;
use constnet::{BatchNorm, Conv1d, Dense, Flatten, Gru, Network, Relu, Same, SelfAttention, Sequence, Stride};
use rand::{SeedableRng, rngs::StdRng};
use std::sync::Barrier;

type Net = Network<
    Sequence<6, 12>,
    (
        Conv1d<6, 16, 3, Stride<1>, Same>,
        BatchNorm<16>,
        Relu,
        Gru<16, 16>,
        SelfAttention<16, 4>,
        Flatten,
        Dense<192, 24>,
    ),
>;

/// The bits of a short training and of a prediction.
#[allow(clippy::cast_precision_loss)] // From 0 to 10.
fn bits(start: &Barrier) -> Vec<u32> {
    let mut net = Box::new(Net::ZERO);
    net.init(&mut StdRng::seed_from_u64(1));
    let mut trainer = Box::new(Trainer::<Net, _, _, 4>::new(Adam::const_new(1e-2), Mse));
    let x = [0.1, 0.2, 0.3, 0.4]
        .map(|size| SMatrix::<f32, 6, 12>::from_fn(|c, l| size * ((7 * c + 3 * l) % 11) as f32 - 1.0));
    let targets = [SVector::<f32, 24>::repeat(0.5); 4];
    start.wait();
    let mut bits: Vec<u32> = (0..20).map(|_| trainer.step(&mut *net, &x, &targets).to_bits()).collect();
    bits.extend(net.predict(&x[0]).iter().map(|y| y.to_bits()));
    bits
}

#[test]
fn two_threads_see_the_same_bits() {
    let both = Barrier::new(2);
    let [first, second] = std::thread::scope(|scope| {
        [(); 2].map(|()| scope.spawn(|| bits(&both))).map(|thread| thread.join().expect("no panic"))
    });
    assert_eq!(first, second, "at the same time");
    assert_eq!(bits(&Barrier::new(1)), first, "and alone");
    assert!(first.iter().all(|&bits| f32::from_bits(bits).is_finite()));
    assert_ne!(first[0], first[19], "it learns");
}
