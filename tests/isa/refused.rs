//! Numbers that are not finite: in an input, in a gradient, in an update.

use constnet::loss::Mse;
use constnet::nalgebra::SVector;
use constnet::optimizer::Adam;
use constnet::train::{NotFinite, Trainer};
use constnet::{Dense, Network, Vector};

type Line = Network<Vector<7>, (Dense<7, 10>,)>;

/// What is not finite is refused where it arises, and leaves a network of zeros as it was.
fn refused<const B: usize>() {
    let with = |at: usize, x: f32| [SVector::from_fn(|i, _| if i == at { x } else { 1.0 }); B];
    let learn = |x: [SVector<f32, 7>; B], y: f32| {
        let mut net = Line::ZERO;
        let mut trainer = Trainer::<Line, Adam, Mse, B>::new(Adam::const_new(0.01), Mse);
        trainer.accumulate(&mut net, &x, &[SVector::repeat(y); B]);
        (trainer.apply(&mut net), net)
    };
    assert_eq!(learn(with(3, f32::NAN), 1.0), (Err(NotFinite::Loss), Line::ZERO));
    assert_eq!(learn(with(3, 1e30), 1e12), (Err(NotFinite::Gradient), Line::ZERO));
    // The squares of one input's gradients are infinite: its weights stay 0, and all others are learned as without it.
    let (result, net) = learn(with(3, 1e25), 1.0);
    assert_eq!(result, Err(NotFinite::Update));
    let (result, mut expected) = learn(with(3, 0.0), 1.0);
    assert_eq!(result, Ok(()));
    expected.layers.0.weight.column_mut(3).fill(0.0);
    assert_eq!(net, expected);
    assert_eq!(net.layers.0.weight.iter().filter(|&&w| w > 0.0).count(), 6 * 10);
}

pub(crate) fn all() {
    refused::<1>();
    refused::<3>();
    refused::<4>();
    refused::<32>();
}
