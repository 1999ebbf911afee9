//! Numbers and plans at their edges: each case was wrong once.
#![allow(clippy::float_cmp)] // Exact where it says so.

use constnet::data::{Dataset, MinMaxScaler, Standardizer};
use constnet::error::DataError;
use constnet::loss::{CrossEntropy, Loss, Mse, Nll};
use constnet::metrics::{accuracy, top_k_accuracy};
use constnet::nalgebra::SVector;
use constnet::optimizer::schedule::Cosine;
use constnet::optimizer::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
use constnet::train::{EpochDone, Fit, FitError, NotFinite, Observer, Stop, Trainer};
use constnet::{Class, ConstZero, Dense, HardSwish, LogSoftmax, Network, Vector};
use std::f32::consts::LN_2;
use std::ops::ControlFlow;

type V = SVector<f32, 1>;
type Line = Network<Vector<1>, (Dense<1, 1>,)>;

/// Would catch: a parameter that moves by a remembered number from before the overflow, to 1e29 and beyond.
#[test]
fn an_overflow_in_the_state_moves_nothing() {
    fn stays<O: Optimizer<f32>>(optimizer: O) {
        let mut net = Line::ZERO;
        net.layers.0.weight[0] = 0.5;
        let before = net.clone();
        let mut trainer = Trainer::<Line, O, Mse, 1>::new(optimizer, Mse);
        let loss = trainer.step(&mut net, &[V::new(1e12)], &[V::new(1e12)]);
        assert!(loss.is_nan(), "reported");
        assert_eq!(net.layers.0.weight, before.layers.0.weight);
    }
    stays(Adam::const_new(0.1));
    stays(AdamW::const_new(0.1));
    stays(RmsProp::const_new(0.1));
    stays(Adagrad::const_new(0.1));
}

/// PyTorch 2.15's values in f32. Would catch: the largest logit added to the logarithm before it is taken away again.
#[test]
fn cross_entropy_of_large_logits() {
    let cases = [([1e8, 1e8], LN_2), ([1e4, 1e4], LN_2), ([100.0, 90.0], 4.5418e-5), ([20.0, 8.0], 6.199e-6)];
    for (logits, expected) in cases {
        let (y, class) = (SVector::<f32, 2>::from(logits), Class::<2>::const_new(0));
        let log = Network::<Vector<2>, (LogSoftmax,)>::ZERO.predict(&y);
        let smoothed = CrossEntropy::const_smoothed(0.0);
        for loss in [CrossEntropy.loss(&y, &class), Nll.loss(&log, &class), smoothed.loss(&y, &class)] {
            approx::assert_relative_eq!(loss, expected, max_relative = 2e-5);
        }
    }
}

/// PyTorch's derivative of hardswish where its pieces meet: 0 at -3, 1 at 3.
#[test]
fn hard_swish_where_its_pieces_meet() {
    type Net = Network<Vector<2>, (HardSwish,)>;
    use constnet::layer::{Differentiable, Gradient};
    let x = [SVector::<f32, 2>::from([-3.0, 3.0])];
    let (mut y, mut dx) = (x, x);
    let ones = [SVector::<f32, 2>::from([1.0, 1.0])];
    let mut cache = ConstZero::ZERO;
    Net::ZERO.forward_train(&x, &mut cache, &mut y);
    Net::ZERO.backward(&x, &y, &mut cache, &ones, Gradient::adding(&mut Net::ZERO.clone()), Some(&mut dx));
    assert_eq!(dx[0], SVector::from([0.0, 1.0]));
}

/// Would catch: sums in f32, which lose samples once the sum is large.
#[test]
fn many_samples() {
    let samples: Vec<_> = (0..200_000_u32).map(|i| V::new(if i % 2 == 0 { 1000.0 } else { 1001.0 })).collect();
    let scaler = Standardizer::<Vector<1>>::fit(&samples).expect("finite");
    assert_eq!((scaler.mean[0], scaler.deviation[0]), (1000.5, 0.5));
    let targets = vec![V::new(1.1); samples.len()];
    let zeros = vec![V::new(0.0); samples.len()];
    let trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let mean = trainer.evaluate(&Line::ZERO, Dataset::new(&zeros, &targets).expect("pairs"));
    approx::assert_relative_eq!(mean, 1.21, max_relative = 1e-6);
}

/// Would catch: a range that overflows and scales everything to 0.
#[test]
fn a_spread_beyond_the_scalar() {
    let wide = [V::new(-3e38), V::new(3e38)];
    assert_eq!(MinMaxScaler::<Vector<1>>::fit(&wide), Err(DataError::Spread { feature: 0 }));
    let narrow = [V::new(-1e-25), V::new(1e-25)];
    approx::assert_relative_eq!(Standardizer::<Vector<1>>::fit(&narrow).expect("finite").deviation[0], 1e-25);
}

/// Would catch: finite losses whose sum is not, and an error that names validation data that are not there.
#[test]
fn a_sum_of_losses_beyond_the_scalar() {
    let (x, y) = ([V::new(0.0); 4], [V::new(1.2e19); 4]);
    let data = Dataset::new(&x, &y).expect("pairs");
    let mut trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(1e-9), Mse);
    let report = trainer.fit(&mut Line::ZERO.clone(), data, Fit::epochs(1), &mut ()).expect("finite steps");
    approx::assert_relative_eq!(report.loss, 1.44e38, max_relative = 1e-3);
    let bad = [V::new(f32::NAN); 4];
    let error = trainer.fit(&mut Line::ZERO.clone(), Dataset::new(&bad, &y).expect("pairs"), Fit::epochs(1), &mut ());
    let error = error.expect_err("NaN");
    assert!(matches!(error, FitError::NotFinite { what: NotFinite::Loss, .. }), "{error}");
}

/// Would catch: a fit without a schedule that goes on with the last factor of the one before.
#[test]
fn a_schedule_ends_with_its_fit() {
    let (x, y) = ([V::new(1.0); 2], [V::new(1.0); 2]);
    let data = Dataset::new(&x, &y).expect("pairs");
    let mut net = Line::ZERO;
    let mut trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let mut schedule = Cosine::new(2, 0.0).expect("in range");
    trainer.fit(&mut net, data, Fit::epochs(2).schedule(&mut schedule), &mut ()).expect("finite");
    assert_eq!(trainer.learning_rate_factor, 1.0);
    let before = net.clone();
    trainer.fit(&mut net, data, Fit::epochs(1), &mut ()).expect("finite");
    assert_ne!(net, before);
}

/// Counts the epochs that it is told of.
struct Count(usize);

impl Observer<Line> for Count {
    fn epoch_done(&mut self, _: &Line, done: &EpochDone<f32>) -> ControlFlow<()> {
        self.0 += usize::from(done.validation_loss.is_some());
        ControlFlow::Continue(())
    }
}

/// Would catch: an epoch that is complete, but neither validated nor reported, since the steps are done as well.
#[test]
fn the_last_step_of_an_epoch_completes_it() {
    let (x, y) = ([V::new(1.0); 2], [V::new(1.0); 2]);
    let data = Dataset::new(&x, &y).expect("pairs");
    let mut trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let mut count = Count(0);
    let plan = Fit::epochs(3).max_steps(2).validation(data);
    let report = trainer.fit(&mut Line::ZERO.clone(), data, plan, &mut count).expect("finite");
    assert_eq!((report.steps, report.epochs, report.stop, count.0), (2, 1, Stop::MaxSteps, 1));
}

/// Would catch: a gradient of other samples in a step.
#[test]
fn a_step_drops_what_was_accumulated() {
    let mut trainer = Trainer::<Line, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let mut net = Line::ZERO;
    trainer.accumulate(&mut net, &[V::new(1.0)], &[V::new(100.0)]);
    trainer.step(&mut net, &[V::new(1.0)], &[V::new(0.0)]);
    assert_eq!(net, Line::ZERO);
}

/// Would catch: a tie that the two metrics break in different ways.
#[test]
fn the_first_of_equal_scores_wins() {
    let scores = SVector::<f32, 3>::from([0.5, 0.5, 0.1]);
    for class in Class::<3>::all() {
        assert_eq!(accuracy([(&scores, &class)]), top_k_accuracy(1, [(&scores, &class)]));
    }
}
