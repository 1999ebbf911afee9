//! Whole networks with their losses, and the checker itself.

use crate::faulty::{Fault, Faulty};
use crate::{D, LIMIT, inputs, passes, randomise};
use constnet::gradcheck::{self, Report};
use constnet::layer::Differentiable;
use constnet::loss::{CategoricalCrossEntropy, CrossEntropy, Loss, Mse, Nll};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, TensorOf};
use constnet::{
    Class, ConstZero, Dropout, Elu, Flatten, Gelu, Image, LogSoftmax, Network, Relu, Reshape, Residual, Sequence, Silu,
    Softmax, Tanh, Vector,
};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

/// Checks a whole network with its loss.
fn network<In: Shape, L, E, Y>(loss: &E, targets: &[Y; 3])
where
    L: Differentiable<In, f64>,
    E: Loss<L::Out, Y, f64>,
    TensorOf<In, f64>: TensorFor<In, f64>,
{
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(17);
    let mut net = Network::<In, L, f64>::ZERO;
    randomise(&mut net, &mut rng);
    let x: [TensorOf<In, f64>; 3] = inputs(&mut rng);
    let report = gradcheck::network::<In, _, E, Y, 3>(&mut net, loss, &x, targets);
    passes(core::any::type_name::<(L, E)>(), &report, 2 * L::COUNT);
}

#[test]
fn networks() {
    let classes = [2, 0, 1].map(Class::<3>::const_new);
    let numbers = inputs(&mut Xoshiro128PlusPlus::seed_from_u64(19));
    network::<Vector<6>, (D<6, 8>, Relu, D<8, 3>), _, _>(&CrossEntropy, &classes);
    network::<Vector<6>, (D<6, 8>, Tanh, D<8, 3>, Softmax), _, _>(&CategoricalCrossEntropy, &classes);
    network::<Vector<6>, (D<6, 8>, Gelu, Dropout<1, 4>, D<8, 3>, LogSoftmax), _, _>(&Nll, &classes);
    network::<Vector<5>, (D<5, 4>, Residual<(D<4, 6>, Silu, D<6, 4>)>, D<4, 2>), _, TensorOf<Vector<2>, f64>>(
        &Mse, &numbers,
    );
    let steps = [[0, 1], [2, 2], [1, 0]].map(|steps| steps.map(Class::<3>::const_new));
    network::<Image<2, 2, 2>, (Flatten, D<8, 6>, Elu, Reshape<Sequence<3, 2>>, D<3, 3>), _, _>(&CrossEntropy, &steps);
}

/// What the checker finds wrong with a deliberately wrong layer in a network.
fn fault<const FAULT: u8>() -> Report {
    let mut layers = (Faulty::<FAULT>::ZERO, Tanh, Faulty::<FAULT>::ZERO);
    randomise(&mut layers, &mut Xoshiro128PlusPlus::seed_from_u64(23));
    let x: [TensorOf<Vector<3>, f64>; 3] = inputs(&mut Xoshiro128PlusPlus::seed_from_u64(29));
    gradcheck::layer::<Vector<3>, _, 3>(&mut layers, &x)
}

/// The control: the same layer passes when it is right, and each fault is found.
#[test]
fn the_checker_finds_faults() {
    let right = fault::<{ Fault::NONE }>();
    assert!(right.max_relative_error < LIMIT, "{right}");
    for report in [
        fault::<{ Fault::INPUTS }>(),
        fault::<{ Fault::PARAMETERS }>(),
        fault::<{ Fault::PARAMETERS_ALONE }>(),
        fault::<{ Fault::ONE_SAMPLE }>(),
        fault::<{ Fault::SLIGHT }>(),
        fault::<{ Fault::OVERWRITES }>(),
        fault::<{ Fault::ADDS }>(),
    ] {
        assert!(report.max_relative_error > LIMIT, "{report}");
    }
    for nan in [
        fault::<{ Fault::NAN }>(),
        fault::<{ Fault::NEVER_OVERWRITES }>(),
        fault::<{ Fault::ALWAYS_FINITE }>(),
        fault::<{ Fault::NOTHING_WRITTEN }>(),
    ] {
        assert!(nan.max_relative_error.is_nan(), "{nan}");
    }
}
