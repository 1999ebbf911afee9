//! Losses, at random outputs and targets of every kind.

use crate::{inputs, passes};
use constnet::gradcheck;
use constnet::loss::{
    BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CategoricalCrossEntropy, CrossEntropy, Huber, L1, Loss, Mse, Nll,
};
use constnet::shape::argument::TensorFor;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::{Class, ConstZero, Image, Sequence, Vector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

/// Checks a loss at a random output, and that it overwrites the gradient, scaled.
fn loss<Out: Shape, L: Loss<Out, Y, f64>, Y>(loss: &L, output: &TensorOf<Out, f64>, target: &Y)
where
    TensorOf<Out, f64>: TensorFor<Out, f64>,
{
    let name = core::any::type_name::<(L, Out)>();
    passes(name, &gradcheck::loss::<Out, L, Y>(loss, output, target), Out::LEN);
    let (mut whole, mut part) = (TensorOf::<Out, f64>::ZERO, TensorOf::<Out, f64>::ZERO);
    whole.as_mut_slice().fill(f64::NAN);
    let value = loss.gradient(output, target, 1.0, &mut whole);
    let scaled_value = loss.gradient(output, target, 0.25, &mut part);
    assert!((value - scaled_value).abs() < 1e-12, "{name}: the loss is not scaled");
    for (whole, part) in whole.as_slice().iter().zip(part.as_slice()) {
        assert!((whole * 0.25 - part).abs() < 1e-12, "{name}: {part} is not a quarter of {whole}");
    }
}

/// Losses against numbers, on an output of every kind of shape; both from 0.05 to 0.95 if `probabilities`.
fn against_numbers<L, S: Shape>(which: &L, probabilities: bool)
where
    L: Loss<S, TensorOf<S, f64>, f64>,
    TensorOf<S, f64>: TensorFor<S, f64>,
{
    let [mut y, mut target, _] = inputs::<TensorOf<S, f64>>(&mut Xoshiro128PlusPlus::seed_from_u64(11));
    if probabilities {
        let both = y.as_mut_slice().iter_mut().chain(target.as_mut_slice());
        both.for_each(|x| *x = 0.5 + *x * (0.45 / 4.0));
    }
    loss::<S, L, _>(which, &y, &target);
}

#[test]
fn losses_against_numbers() {
    fn all<S: Shape>()
    where
        TensorOf<S, f64>: TensorFor<S, f64>,
    {
        against_numbers::<_, S>(&Mse, false);
        against_numbers::<_, S>(&L1, false);
        against_numbers::<_, S>(&Huber::default(), false);
        against_numbers::<_, S>(&Huber::const_new(3.0), false);
        against_numbers::<_, S>(&BinaryCrossEntropy, true);
        against_numbers::<_, S>(&BinaryCrossEntropyWithLogits, true);
    }
    all::<Vector<8>>();
    all::<Sequence<3, 4>>();
    all::<Image<2, 3, 2>>();
}

#[test]
fn losses_against_classes() {
    fn all<L>(which: &L, probabilities: bool)
    where
        L: Loss<Vector<4>, Class<4>, f64> + Loss<Sequence<4, 3>, [Class<4>; 3], f64>,
    {
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(13);
        let [mut y, ..] = inputs::<TensorOf<Vector<4>, f64>>(&mut rng);
        let [mut steps, ..] = inputs::<TensorOf<Sequence<4, 3>, f64>>(&mut rng);
        if probabilities {
            y.iter_mut().chain(&mut steps).for_each(|x| *x = 0.5 + *x * (0.45 / 4.0));
        }
        for class in Class::all() {
            loss::<Vector<4>, L, _>(which, &y, &class);
        }
        loss::<Sequence<4, 3>, L, _>(which, &steps, &[3, 0, 3].map(Class::const_new));
    }
    all(&CrossEntropy, false);
    all(&CrossEntropy::const_smoothed(0.0), false);
    all(&CrossEntropy::const_smoothed(0.3), false);
    all(&Nll, false);
    all(&CategoricalCrossEntropy, true);
}
