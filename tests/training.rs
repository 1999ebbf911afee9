//! What a `Trainer` does with batches, dropout and seeds, against arithmetic written out by hand.
#![cfg(feature = "rand")]

use constnet::data::Dataset;
use constnet::layer::{Differentiable, Parameters};
use constnet::loss::{CrossEntropy, Loss, Mse, Penalty};
use constnet::nalgebra::SVector;
use constnet::optimizer::{Adam, Clip, Optimizer, Sgd};
use constnet::shape::Tensor;
use constnet::train::{Fit, Trainer};
use constnet::{Class, ConstZero, Dense, Dropout, Network, Relu, Tanh, Vector};
use rand::{SeedableRng, rngs::Xoshiro128PlusPlus};

type Line = Network<Vector<2>, (Dense<2, 1, f64>,), f64>;
type X = SVector<f64, 2>;
type Y = SVector<f64, 1>;

const RATE: f64 = 0.05;

fn samples<const N: usize>() -> ([X; N], [Y; N]) {
    let number = |i: usize| f64::from(u32::try_from(i * i * 37 % 101).expect("small")) / 50.0 - 1.0;
    let inputs = core::array::from_fn(|i| X::new(number(i), number(i + 50)));
    (inputs, inputs.map(|x| Y::new(0.5 - x[0] + 3.0 * x[1] * x[1])))
}

/// One step of gradient descent on `mean of (w x + b - t)^2`, by the formula.
fn descend([w0, w1, b]: [f64; 3], inputs: &[X], targets: &[Y]) -> [f64; 3] {
    let count = f64::from(u32::try_from(inputs.len()).expect("few"));
    let mut slope = [0.0; 3];
    for (x, t) in inputs.iter().zip(targets) {
        let error = w0 * x[0] + w1 * x[1] + b - t[0];
        for (slope, factor) in slope.iter_mut().zip([x[0], x[1], 1.0]) {
            *slope += 2.0 * error * factor / count;
        }
    }
    [w0 - RATE * slope[0], w1 - RATE * slope[1], b - RATE * slope[2]]
}

fn mean_loss([w0, w1, b]: [f64; 3], inputs: &[X], targets: &[Y]) -> f64 {
    let errors = inputs.iter().zip(targets).map(|(x, t)| (w0 * x[0] + w1 * x[1] + b - t[0]).powi(2));
    errors.sum::<f64>() / f64::from(u32::try_from(inputs.len()).expect("few"))
}

fn numbers<P: Parameters<T>, T: Copy>(parameters: &P) -> Vec<T> {
    let mut all = Vec::new();
    parameters.visit(&mut |_, values| all.extend_from_slice(values));
    all
}

fn assert_near(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert!((actual - expected).abs() < 1e-12, "{actual} for {expected}");
    }
}

fn zero() -> Line {
    Line::ZERO
}

fn trainer<const B: usize>() -> Trainer<Line, Sgd, Mse, B> {
    Trainer::new(Sgd::const_new(RATE), Mse)
}

/// Would catch: a last batch that is left out, padded with samples that count, or weighted as a whole one.
#[test]
fn the_last_batch_is_smaller() {
    let (inputs, targets) = samples::<11>();
    let mut net = Line::ZERO;
    let mut trainer = trainer::<4>();
    let data = Dataset::new(&inputs, &targets).expect("pairs");
    let report = trainer.fit(&mut net, data, Fit::epochs(2).in_order(), &mut ()).expect("finite");

    let mut expected = [0.0; 3];
    let mut loss = 0.0;
    for _ in 0..2 {
        loss = 0.0;
        for (x, t) in inputs.chunks(4).zip(targets.chunks(4)) {
            loss += mean_loss(expected, x, t) * f64::from(u32::try_from(x.len()).expect("few")) / 11.0;
            expected = descend(expected, x, t);
        }
    }
    assert_near(&numbers(&net), &expected);
    assert_near(&[report.loss], &[loss]);
    assert_eq!((report.epochs, report.steps, trainer.steps()), (2, 6, 6));
}

/// Would catch: a data set smaller than a batch that is padded with itself.
#[test]
fn one_sample_in_a_batch_of_four() {
    let (inputs, targets) = samples::<1>();
    let mut net = Line::ZERO;
    let data = Dataset::new(&inputs, &targets).expect("pairs");
    trainer::<4>().fit(&mut net, data, Fit::epochs(1), &mut ()).expect("finite");
    assert_near(&numbers(&net), &descend([0.0; 3], &inputs, &targets));
}

/// Would catch: a sum instead of a mean, a gradient that is not forgotten after a step.
#[test]
fn micro_batches_make_one_batch() {
    let (inputs, targets) = samples::<6>();
    let (mut whole, mut parts) = (Line::ZERO, Line::ZERO);
    let (mut big, mut small) = (trainer::<6>(), trainer::<2>());
    let mut expected = [0.0; 3];
    for _ in 0..3 {
        let loss = big.step(&mut whole, &inputs, &targets);
        let mut mean = 0.0;
        for (x, t) in inputs.as_chunks::<2>().0.iter().zip(targets.as_chunks::<2>().0) {
            mean += small.accumulate(&mut parts, x, t) / 3.0;
        }
        small.apply(&mut parts).expect("finite");
        assert_near(&[mean, mean], &[loss, mean_loss(expected, &inputs, &targets)]);
        expected = descend(expected, &inputs, &targets);
        assert_near(&numbers(&parts), &numbers(&whole));
        assert_near(&numbers(&parts), &expected);
    }
    assert_eq!((big.steps(), small.steps()), (3, 3));
    small.apply(&mut parts).expect("nothing to apply");
    assert_near(&numbers(&parts), &expected);
    assert_eq!(small.steps(), 3, "an empty gradient is no step");
}

/// Would catch: a `fit` whose accumulated steps weigh the smaller last batch as a whole one, or lose the rest of an epoch.
#[test]
fn fit_accumulates() {
    let (inputs, targets) = samples::<11>();
    let mut net = Line::ZERO;
    let data = Dataset::new(&inputs, &targets).expect("pairs");
    let plan = Fit::epochs(1).in_order().accumulate(2);
    let report = trainer::<2>().fit(&mut net, data, plan, &mut ()).expect("finite");
    let mut expected = [0.0; 3];
    for (x, t) in inputs.chunks(4).zip(targets.chunks(4)) {
        expected = descend(expected, x, t);
    }
    assert_near(&numbers(&net), &expected);
    assert_eq!(report.steps, 3);
}

/// Would catch: a shuffle that leaves a sample out or takes one twice, or an epoch that has the order of the one before.
#[test]
fn every_epoch_sees_every_sample_once_in_another_order() {
    /// Collects the losses of batches of 1, which at a learning rate of 0 name the samples.
    struct Seen(Vec<Vec<u64>>);
    impl constnet::train::Observer<Line> for Seen {
        fn batch_done(&mut self, _: &Line, batch: &constnet::train::BatchDone<f64>) -> core::ops::ControlFlow<()> {
            self.0.resize(batch.epoch + 1, Vec::new());
            self.0[batch.epoch].push(batch.loss.to_bits());
            core::ops::ControlFlow::Continue(())
        }
    }
    let (inputs, targets) = samples::<30>();
    let data = Dataset::new(&inputs, &targets).expect("pairs");
    let orders = |seed| {
        let mut trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.0), Mse).with_seed(seed);
        let mut seen = Seen(Vec::new());
        trainer.fit(&mut zero(), data, Fit::epochs(2), &mut seen).expect("finite");
        trainer.fit(&mut zero(), data, Fit::epochs(1), &mut Seen(Vec::new())).expect("finite");
        seen.0
    };
    let mut expected: Vec<_> = targets.iter().map(|t| (t[0] * t[0]).to_bits()).collect();
    let seen = orders(1);
    assert_ne!(seen[0], expected, "not shuffled");
    assert_ne!(seen[0], seen[1], "two epochs have one order");
    assert_ne!(seen, orders(2), "two seeds have one order");
    assert_eq!(seen, orders(1), "one seed has two orders");
    expected.sort_unstable();
    for mut epoch in seen {
        epoch.sort_unstable();
        assert_eq!(epoch, expected);
    }
}

type Noisy = Network<Vector<2>, (Dense<2, 16>, Relu, Dropout<1, 4>, Dense<16, 3>)>;

/// A short training with shuffling and dropout.
fn noisy<O: Optimizer<f32>>(optimizer: O, init: u64, seed: u64) -> Vec<u32> {
    let (inputs, _) = samples::<40>();
    let inputs = inputs.map(|x| x.map(|x| x.to_string().parse::<f32>().expect("a number")));
    let labels = inputs.map(|x| Class::<3>::const_new(usize::from(x[0] > 0.0) + usize::from(x[1] > 0.0)));
    let mut net = Noisy::ZERO;
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(init));
    let mut trainer = Trainer::<Noisy, _, _, 8>::new(optimizer, CrossEntropy).with_seed(seed);
    let data = Dataset::new(&inputs, &labels).expect("pairs");
    trainer.fit(&mut net, data, Fit::epochs(5), &mut ()).expect("finite");
    numbers(&net).into_iter().map(f32::to_bits).collect()
}

/// Would catch: randomness that does not come from the seeds, or a seed that is not used.
#[test]
fn a_seed_is_a_training() {
    let adam = Adam::const_new(0.01);
    assert_eq!(noisy(adam, 1, 2), noisy(adam, 1, 2));
    assert_ne!(noisy(adam, 1, 2), noisy(adam, 1, 3));
    assert_ne!(noisy(adam, 1, 2), noisy(adam, 4, 2));
}

/// Would catch: dropout that is off in training, on in prediction, unscaled, of another probability, or the same each time.
#[test]
fn dropout() {
    type Layer = Dropout<1, 5>;
    type Wide = Vector<900>;
    type With = Network<Vector<2>, (Dropout, Dense<2, 1, f64>), f64>;
    let x = [SVector::<f64, 900>::from_element(2.0), SVector::from_element(2.0)];
    let mut masks = Vec::new();
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(5);
    let mut cache = <Layer as Differentiable<Wide, f64>>::Cache::<2>::ZERO;
    for _ in 0..2 {
        let mut y = x;
        Differentiable::<Wide, f64>::sample(&Layer::ZERO, &mut cache, &mut rng);
        Differentiable::<Wide, f64>::forward_train(&Layer::ZERO, &x, &mut cache, &mut y);
        for y in y {
            let dropped = y.iter().filter(|y| **y == 0.0).count();
            assert!((130..230).contains(&dropped), "{dropped} of 900 dropped at 0.2");
            assert!(y.iter().all(|y| *y == 0.0 || (y - 2.5).abs() < 1e-12), "kept numbers are divided by 0.8");
            masks.push(y);
        }
    }
    for (i, mask) in masks.iter().enumerate() {
        assert!(!masks[..i].contains(mask), "samples or batches share a mask");
    }
    assert_eq!(Network::<Wide, (Layer,), f64>::ZERO.predict(&x[0]), x[0]);

    let (inputs, targets) = samples::<8>();
    let mut net = With::ZERO;
    net.layers.1.weight.fill(1.0);
    let mut trainer = Trainer::<With, _, _, 8>::new(Sgd::const_new(0.0), Mse);
    let data = Dataset::new(&inputs, &targets).expect("pairs");
    let off = mean_loss([1.0, 1.0, 0.0], &inputs, &targets);
    assert_near(&[trainer.evaluate(&net, data)], &[off]);
    let (first, second) = (trainer.step(&mut net, &inputs, &targets), trainer.step(&mut net, &inputs, &targets));
    assert!((first - off).abs() > 1e-6, "off in training");
    assert!((first - second).abs() > 1e-6, "the same in two steps");
    assert_near(&[trainer.evaluate(&net, data)], &[off]);
}

/// Would catch: a penalty on biases, one that is left out of the gradient or counted once for each sample.
#[test]
fn penalties_leave_biases_out() {
    type Net = Network<Vector<2>, (Dense<2, 3, f64>, Tanh, Dense<3, 1, f64>), f64>;
    let (l1, l2) = (0.03, 0.2);
    let mut net = Net::ZERO;
    // The outer layer's weights are 0, and so is the gradient of the inner layer: there the penalty acts alone.
    net.layers.0.weight.copy_from_slice(&[1.0, -2.0, 0.5, -0.25, 0.0, 4.0]);
    net.layers.0.bias.fill(7.0);
    net.layers.2.bias.fill(0.5);
    let before = net.clone();
    let penalty = Penalty::new(l1, l2).expect("in range");
    let value = l1 * 7.75 + l2 * (1.0 + 4.0 + 0.25 + 0.0625 + 16.0);
    assert_near(&[penalty.value(&net)], &[value]);

    let mut trainer = Trainer::<Net, _, _, 3>::new(Sgd::const_new(0.1), Mse).with_penalty(penalty);
    let inputs = [X::new(1.0, 2.0), X::new(-1.0, 0.0), X::new(0.5, 0.5)];
    let loss = trainer.step(&mut net, &inputs, &[Y::new(0.5); 3]);
    assert_near(&[loss], &[0.0]);
    let sign = |w: f64| if w == 0.0 { 0.0 } else { w.signum() };
    let expected = before.layers.0.weight.map(|w| w - 0.1 * (l1 * sign(w) + 2.0 * l2 * w));
    assert_near(net.layers.0.weight.as_slice(), expected.as_slice());
    assert_eq!(net.layers.0.bias, before.layers.0.bias);
    assert_eq!(net.layers.2, before.layers.2);
    let data = [inputs[0]];
    let evaluated = trainer.evaluate(&net, Dataset::new(&data, &[Y::new(0.5)]).expect("pairs"));
    assert_near(&[evaluated], &[0.0]);
}

/// Would catch: a clip that comes after the update or before the mean.
#[test]
fn the_mean_gradient_is_clipped() {
    let (inputs, targets) = samples::<5>();
    let mut net = Line::ZERO;
    let mut trainer = trainer::<5>().with_clip(Clip::norm(0.01).expect("in range"));
    trainer.step(&mut net, &inputs, &targets);
    let free = descend([0.0; 3], &inputs, &targets);
    let norm = free.iter().map(|p| (p / RATE).powi(2)).sum::<f64>().sqrt();
    assert_near(&numbers(&net), &free.map(|p| p * 0.01 / (norm + 1e-6)));
}

/// Would catch: label smoothing that changes the loss where there is none of it.
#[test]
fn smoothing_by_nothing() {
    let y = SVector::<f32, 4>::from([0.3, -2.0, 5.0, 1.0]);
    let none = CrossEntropy::const_smoothed(0.0);
    for class in Class::<4>::all() {
        let (mut dy, mut expected) = (y, y);
        let loss = none.gradient(&y, &class, 0.5, &mut dy);
        let plain = CrossEntropy.gradient(&y, &class, 0.5, &mut expected);
        assert_eq!(loss.to_bits(), plain.to_bits());
        assert_eq!(Tensor::as_slice(&dy), expected.as_slice());
        assert_eq!(none.loss(&y, &class).to_bits(), CrossEntropy.loss(&y, &class).to_bits());
    }
}
