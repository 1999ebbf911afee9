//! When a `fit` ends: by its plan, by an observer, or by a number that is not finite.

use constnet::data::Dataset;
use constnet::layer::{Differentiable, Parameters};
use constnet::loss::{Mse, Penalty};
use constnet::nalgebra::SVector;
use constnet::optimizer::schedule::{Cosine, ReduceOnPlateau, Schedule, StepDecay};
use constnet::optimizer::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd};
use constnet::train::{BatchDone, EpochDone, Fit, FitError, NotFinite, Observer, Stop, Trainer};
use constnet::{
    BatchNorm, ConstZero, Dense, DenseNoBias, Epsilon, Momentum, Network, Parallel, Relu, Sigmoid, Sum, Tanh, Vector,
};
use core::ops::ControlFlow;

type Line = Network<Vector<1>, (Dense<1, 1>,)>;
type V = SVector<f32, 1>;
type Plan<'a> = Fit<'a, V, V>;

const INPUTS: [V; 4] = [V::new(-1.0), V::new(0.0), V::new(1.0), V::new(2.0)];
/// `2 x - 1`
const TARGETS: [V; 4] = [V::new(-3.0), V::new(-1.0), V::new(1.0), V::new(3.0)];

fn data() -> Dataset<'static, V, V> {
    Dataset::new(&INPUTS, &TARGETS).expect("pairs")
}

fn trainer<const B: usize>(rate: f64) -> Trainer<Line, Sgd, Mse, B> {
    Trainer::new(Sgd::new(rate).expect("in range"), Mse)
}

fn zero() -> Line {
    Line::ZERO
}

/// Writes down what it is told, and stops where it is asked to.
#[derive(Default)]
struct Log {
    batches: Vec<BatchDone<f32>>,
    epochs: Vec<EpochDone<f32>>,
    stop_after_batches: Option<usize>,
    stop_after_epochs: Option<usize>,
}

fn go_on(until: Option<usize>, done: usize) -> ControlFlow<()> {
    if until == Some(done) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl Observer<Line> for Log {
    fn batch_done(&mut self, _: &Line, batch: &BatchDone<f32>) -> ControlFlow<()> {
        self.batches.push(*batch);
        go_on(self.stop_after_batches, self.batches.len())
    }
    fn epoch_done(&mut self, _: &Line, epoch: &EpochDone<f32>) -> ControlFlow<()> {
        self.epochs.push(*epoch);
        go_on(self.stop_after_epochs, self.epochs.len())
    }
}

/// Would catch: a fit that goes on after its epochs, an observer that is told wrong counts, losses or rates.
#[test]
fn an_observer_is_told_everything() {
    let mut log = Log::default();
    let mut schedule = StepDecay::new(2, 0.5).expect("in range");
    let plan = Plan::epochs(3).in_order().validation(data()).schedule(&mut schedule);
    let mut net = Line::ZERO;
    let mut trainer = trainer::<3>(0.1);
    let report = trainer.fit(&mut net, data(), plan, &mut log).expect("finite");
    assert_eq!((report.stop, report.epochs, report.steps), (Stop::Epochs, 3, 6));
    assert_eq!((log.batches.len(), log.epochs.len()), (6, 3));
    for (i, batch) in log.batches.iter().enumerate() {
        let samples = if i % 2 == 0 { 3 } else { 1 };
        assert_eq!((batch.epoch, batch.batch, batch.batches, batch.samples), (i / 2, i % 2, 2, samples));
    }
    for (i, epoch) in log.epochs.iter().enumerate() {
        let [first, second] = [log.batches[2 * i].loss, log.batches[2 * i + 1].loss];
        assert!((epoch.loss - (3.0 * first + second) / 4.0).abs() < 1e-6);
        assert_eq!((epoch.epoch, epoch.epochs), (i, 3));
        assert_eq!(epoch.steps, 2 * (u64::try_from(i).expect("small") + 1));
        let rate = [0.1, 0.05, 0.025][i];
        assert!((epoch.learning_rate - rate).abs() < 1e-12, "{} in epoch {i}", epoch.learning_rate);
    }
    assert_eq!(log.epochs[2].validation_loss, Some(trainer.evaluate(&net, data())));
    assert_eq!(report.validation_loss, log.epochs[2].validation_loss);
    assert!((report.loss - log.epochs[2].loss).abs() < 1e-7);
}

/// Would catch: a stop that is overheard, or comes a batch or an epoch late.
#[test]
fn an_observer_stops() {
    let mut log = Log { stop_after_batches: Some(5), ..Log::default() };
    let report = trainer::<1>(0.1).fit(&mut zero(), data(), Plan::epochs(9), &mut log).expect("finite");
    assert_eq!((report.stop, report.epochs, report.steps, log.batches.len()), (Stop::Observer, 2, 5, 5));
    let mut log = Log { stop_after_epochs: Some(2), ..Log::default() };
    let report = trainer::<1>(0.1).fit(&mut zero(), data(), Plan::epochs(9), &mut log).expect("finite");
    assert_eq!((report.stop, report.epochs, report.steps, log.epochs.len()), (Stop::Observer, 2, 8, 2));
}

/// Would catch: a bound on steps that counts the steps of fits before, or batches.
#[test]
fn steps_are_bounded() {
    let mut trainer = trainer::<1>(0.1);
    let mut net = Line::ZERO;
    for total in [6, 12] {
        let report = trainer.fit(&mut net, data(), Plan::epochs(9).max_steps(6), &mut ()).expect("finite");
        assert_eq!((report.stop, report.steps, report.epochs), (Stop::MaxSteps, 6, 2));
        assert_eq!(trainer.steps(), total);
    }
    let plan = Plan::epochs(9).accumulate(2).max_steps(3);
    let mut log = Log::default();
    let report = trainer.fit(&mut net, data(), plan, &mut log).expect("finite");
    assert_eq!((report.steps, log.batches.len()), (3, 6));
    let before = net.clone();
    let report = trainer.fit(&mut net, data(), Plan::epochs(9).max_steps(0), &mut ()).expect("finite");
    assert_eq!((report.stop, report.steps), (Stop::MaxSteps, 0));
    assert_eq!(net, before);
}

/// Would catch: a threshold that is compared with the wrong loss, or only at the end.
#[test]
fn a_low_loss_stops() {
    let mut log = Log::default();
    let plan = Plan::epochs(1000).stop_below(0.01);
    let report = trainer::<4>(0.1).fit(&mut zero(), data(), plan, &mut log).expect("finite");
    assert_eq!(report.stop, Stop::StopBelow);
    let (last, before) = log.epochs.split_last().expect("epochs");
    assert!(last.loss <= 0.01 && before.iter().all(|epoch| epoch.loss > 0.01));
    // Validation data that no training reaches: their loss is the one that counts.
    let far = [V::new(1000.0)];
    let validation = Dataset::new(&INPUTS[..1], &far).expect("pairs");
    let plan = Plan::epochs(100).stop_below(0.01).validation(validation);
    let report = trainer::<4>(0.1).fit(&mut zero(), data(), plan, &mut ()).expect("finite");
    assert_eq!((report.stop, report.epochs), (Stop::Epochs, 100));
}

/// Would catch: patience that is one off, or that is not renewed by an improvement.
#[test]
fn patience_ends() {
    for patience in [1, 3] {
        // At a rate of 0 no epoch is better than the first.
        let plan = Plan::epochs(100).in_order().patience(patience);
        let report = trainer::<4>(0.0).fit(&mut zero(), data(), plan, &mut ()).expect("finite");
        assert_eq!((report.stop, report.epochs), (Stop::Patience, 1 + patience));
    }
    // As long as the loss falls there is patience.
    let plan = Plan::epochs(20).patience(1);
    let report = trainer::<4>(0.01).fit(&mut zero(), data(), plan, &mut ()).expect("finite");
    assert_eq!((report.stop, report.epochs), (Stop::Epochs, 20));
    // The validation loss is watched where there is one: that of a target which training leaves behind rises at once.
    let origin = [V::new(0.0)];
    let plan = Plan::epochs(100).patience(2).validation(Dataset::new(&INPUTS[3..], &origin).expect("pairs"));
    let report = trainer::<4>(0.01).fit(&mut zero(), data(), plan, &mut ()).expect("finite");
    assert_eq!((report.stop, report.epochs), (Stop::Patience, 3));
}

/// Would catch: a schedule that is not told the loss that is watched.
#[test]
fn a_plateau_lowers_the_rate() {
    let mut schedule = ReduceOnPlateau::new(0.1, 2).expect("in range");
    let plan = Plan::epochs(7).in_order().schedule(&mut schedule);
    trainer::<4>(0.0).fit(&mut zero(), data(), plan, &mut ()).expect("finite");
    // Epoch 0 is the best; the third and the sixth after it wait for more than 2.
    assert!((schedule.factor(0) - 0.01).abs() < 1e-12, "{}", schedule.factor(0));
}

/// Four samples of which number `bad` is another.
fn with_bad(bad: usize, x: f32, t: f32) -> ([V; 4], [V; 4]) {
    let (mut inputs, mut targets) = (INPUTS, TARGETS);
    (inputs[bad], targets[bad]) = (V::new(x), V::new(t));
    (inputs, targets)
}

/// Runs one epoch of batches of 1 in order, and returns the error and the network.
fn fails(rate: f64, inputs: &[V], targets: &[V]) -> (FitError, Line) {
    let mut net = Line::ZERO;
    let data = Dataset::new(inputs, targets).expect("pairs");
    let plan = Plan::epochs(3).in_order();
    let error = trainer::<1>(rate).fit(&mut net, data, plan, &mut ()).expect_err("a number that is not finite");
    (error, net)
}

/// The network after so many good steps.
fn after_steps(steps: u64) -> Line {
    let mut net = Line::ZERO;
    let plan = Plan::epochs(3).in_order().max_steps(steps);
    trainer::<1>(0.1).fit(&mut net, data(), plan, &mut ()).expect("finite");
    net
}

/// Would catch: a loss that is not finite and goes unseen, is reported at another step, or changes the network.
#[test]
fn a_loss_that_is_not_finite() {
    for target in [f32::NAN, f32::INFINITY, 1e30] {
        let (inputs, targets) = with_bad(2, 1.0, target);
        let (error, net) = fails(0.1, &inputs, &targets);
        assert_eq!(error, FitError::NotFinite { what: NotFinite::Loss, step: 2, epoch: 0 });
        assert!(error.to_string().starts_with("the loss is not finite at step 2 (epoch 0)"), "{error}");
        assert_eq!(net, after_steps(2));
    }
}

/// Would catch: a gradient that overflows under a finite loss.
#[test]
fn a_gradient_that_is_not_finite() {
    let (inputs, targets) = with_bad(0, 1e20, 1.5e19);
    let (error, net) = fails(0.1, &inputs, &targets);
    assert_eq!(error, FitError::NotFinite { what: NotFinite::Gradient, step: 0, epoch: 0 });
    assert_eq!(net, Line::ZERO);
    assert!(error.to_string().starts_with("the gradient is not finite at step 0"), "{error}");
}

/// Would catch: a wide layer at a batch of one, whose gradient is known from its inputs and their gradients, that overflows and goes unseen, is
/// finite and taken for infinite, or is not looked at once a penalty or a second micro-batch has changed it.
#[test]
fn a_wide_gradient_that_is_not_finite() {
    type Wide = Network<Vector<128>, (Dense<128, 64>,)>;
    /// A step on micro-batches of one, inputs of `x`, and one output that has a target: the gradient of its weights is `-x target / 32`.
    fn step(net: &mut Wide, x: f32, targets: &[f32], penalty: Penalty) -> Result<(), NotFinite> {
        let mut trainer = Trainer::<Wide, _, _, 1>::new(Sgd::const_new(1e-30), Mse).with_penalty(penalty);
        for &target in targets {
            let target = SVector::from_fn(|row, _| if row == 7 { target } else { 0.0 });
            assert!(trainer.accumulate(net, &[SVector::<f32, 128>::repeat(x)], &[target]).is_finite());
        }
        trainer.apply(net)
    }
    let mut net = Wide::ZERO;
    for targets in [&[1.5e19][..], &[1.5e19, 0.0], &[0.0, 1.5e19]] {
        assert_eq!(step(&mut net, 1e22, targets, Penalty::NONE), Err(NotFinite::Gradient), "{targets:?}");
        assert!(net == Wide::ZERO);
    }
    // Products of 3e36: all together they are infinite.
    assert_eq!(step(&mut net, 1e20, &[1e18], Penalty::NONE), Ok(()));
    assert!(net.layers.0.weight.row(7).iter().all(|&w| w > 1e6 && w.is_finite()));

    net = Wide::ZERO;
    net.layers.0.weight[(3, 5)] = 10.0;
    let penalty = Penalty::l2(1e38).expect("in range");
    assert_eq!(step(&mut net, 0.0, &[0.0], penalty), Err(NotFinite::Gradient), "of the penalty");
}

/// Would catch: one layer of several whose gradient is not finite and goes unseen, as another knows its own to be finite.
#[test]
fn a_gradient_that_is_not_finite_in_one_of_several_layers() {
    type Wide = Dense<64, 64>;
    type Both<A, B> = Parallel<A, B, Sum>;
    fn fails<L>(at: fn(&mut L) -> &mut Wide)
    where
        L: Differentiable<Vector<64>, Out = Vector<64>>,
    {
        let mut net = Network::<Vector<64>, L>::ZERO;
        // Its inputs are 1; with a bias of 3e22 it gives that to the layer behind it.
        at(&mut net.layers).bias[0] = 3e22;
        let mut trainer = Trainer::<_, _, _, 1>::new(Sgd::const_new(1e-30), Mse);
        let target = SVector::from_fn(|row, _| if row == 9 { 1e18 } else { 0.0 });
        let loss = trainer.accumulate(&mut net, &[SVector::<f32, 64>::repeat(1.0)], &[target]);
        assert!(loss.is_finite(), "{loss}");
        assert_eq!(trainer.apply(&mut net), Err(NotFinite::Gradient), "{}", core::any::type_name::<L>());
    }
    fails::<(Wide, Wide)>(|layers| &mut layers.0);
    fails::<(DenseNoBias<64, 64>, Wide, Wide)>(|layers| &mut layers.1);
    fails::<Both<(Wide, Wide), Wide>>(|layers| &mut layers.branches.0.0);
    fails::<Both<Wide, (Wide, Wide)>>(|layers| &mut layers.branches.1.0);
}

/// Would catch: an update that leaves an infinite parameter, with any optimiser; a trainer that cannot go on afterwards.
#[test]
fn an_update_that_is_not_finite() {
    fn keeps_finite<O: Optimizer<f32>>(optimizer: O) {
        let mut net = Line::ZERO;
        let mut trainer = Trainer::<Line, O, Mse, 1>::new(optimizer, Mse);
        let plan = Plan::epochs(1).in_order();
        let error = trainer.fit(&mut net, data(), plan, &mut ()).expect_err("an overflow");
        assert_eq!(error, FitError::NotFinite { what: NotFinite::Update, step: 0, epoch: 0 });
        net.visit(&mut |_, values| assert!(values.iter().all(|value| value.is_finite()), "{values:?}"));
        assert!(trainer.step(&mut net, &[V::new(1.0)], &[V::new(1.0)]).is_nan(), "a step says so too");
        net.visit(&mut |_, values| assert!(values.iter().all(|value| value.is_finite()), "{values:?}"));
        trainer.learning_rate_factor = 1e-45;
        assert!(trainer.step(&mut net, &[V::new(1.0)], &[V::new(1.0)]).is_finite(), "and goes on");
    }
    let rate = 1e39; // Above f32's largest number.
    keeps_finite(Sgd::const_new(rate));
    keeps_finite(Sgd::const_new(rate).with_momentum(0.9).expect("in range"));
    keeps_finite(Adam::const_new(rate));
    keeps_finite(AdamW::const_new(rate));
    keeps_finite(RmsProp::const_new(rate));
    keeps_finite(Adagrad::const_new(rate));
}

/// Would catch: validation data whose loss is not finite and stops nothing.
#[test]
fn a_validation_loss_that_is_not_finite() {
    let bad = [V::new(f32::NAN)];
    let plan = Plan::epochs(3).validation(Dataset::new(&INPUTS[..1], &bad).expect("pairs"));
    let mut net = Line::ZERO;
    let error = trainer::<4>(0.1).fit(&mut net, data(), plan, &mut ()).expect_err("a validation loss of NaN");
    assert_eq!(error, FitError::NotFinite { what: NotFinite::ValidationLoss, step: 1, epoch: 0 });
}

/// Would catch: a step whose loss is not finite that changes the network, or that spoils the steps after it.
#[test]
fn a_step_forgets_what_is_not_finite() {
    let (mut spoilt, mut clean) = (Line::ZERO, Line::ZERO);
    let (mut a, mut b) = (trainer::<4>(0.1), trainer::<4>(0.1));
    let (_, bad) = with_bad(1, 0.0, f32::NAN);
    assert!(!a.step(&mut spoilt, &INPUTS, &bad).is_finite());
    assert_eq!(spoilt, Line::ZERO);
    for _ in 0..3 {
        assert_eq!(a.step(&mut spoilt, &INPUTS, &TARGETS).to_bits(), b.step(&mut clean, &INPUTS, &TARGETS).to_bits());
    }
    assert_eq!(spoilt, clean);
    assert_ne!(clean, Line::ZERO);
    // The same with what is accumulated: of the second, finite half nothing is used, nor of the first afterwards.
    for half in [&bad, &TARGETS] {
        a.accumulate(&mut spoilt, &INPUTS, half);
    }
    assert_eq!(a.apply(&mut spoilt), Err(NotFinite::Loss));
    assert_eq!(spoilt, clean);
    for _ in 0..2 {
        for (trainer, net) in [(&mut a, &mut spoilt), (&mut b, &mut clean)] {
            trainer.accumulate(net, &INPUTS, &TARGETS);
            trainer.accumulate(net, &INPUTS, &TARGETS);
            assert_eq!(trainer.apply(net), Ok(()));
        }
        assert_eq!(spoilt, clean);
    }
}

/// The last, smaller batch is filled with other samples, and only running averages see them.
///
/// Would catch: a filler of copies, which pulls the variance down, or one that the loss counts.
#[test]
fn a_smaller_batch_is_filled_with_other_samples() {
    type Normalised = Network<Vector<1>, (BatchNorm<1, Epsilon<1, 100_000>, Momentum<1, 1>>,)>;
    let mut net = Normalised::ZERO;
    let mut trainer = Trainer::<Normalised, _, _, 3>::new(Sgd::const_new(0.0), Mse);
    let report = trainer.fit(&mut net, data(), Fit::epochs(1).in_order(), &mut ()).expect("finite");
    // The second batch is 2, and -1 and 0 to fill it; with a momentum of 1 its statistics are the averages.
    let norm = &net.layers.0;
    let (mean, variance) = (1.0 / 3.0, 7.0 / 3.0);
    assert!((norm.running_mean[0] - mean).abs() < 1e-6, "{}", norm.running_mean[0]);
    assert!((norm.running_var[0] - variance).abs() < 1e-6, "{}", norm.running_var[0]);
    // All outputs are 0: the mean of the squares of the targets, each once.
    assert!((report.loss - 5.0).abs() < 1e-6, "{}", report.loss);
}

/// Would catch: a network that was never initialised and trains for nothing without a word, and one that learns from 0 and is refused.
#[test]
fn weights_that_stay_zero() {
    fn fit<L>(layers: L) -> Result<(), FitError>
    where
        L: Differentiable<Vector<2>, Out = Vector<1>>,
    {
        type X = SVector<f32, 2>;
        let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].map(X::from);
        let targets = [0.0, 1.0, 1.0, 0.5].map(V::new);
        let data = Dataset::new(&inputs, &targets).expect("pairs");
        let mut net = Network::<Vector<2>, L>::new(layers);
        let mut trainer = Trainer::<_, _, _, 2>::new(Adam::const_new(0.1), Mse);
        trainer.fit(&mut net, data, Fit::epochs(2), &mut ()).map(|_| ())
    }
    let error = fit(<(Dense<2, 4>, Relu, Dense<4, 1>)>::ZERO).expect_err("never initialised");
    assert_eq!(error, FitError::WeightsStayZero);
    assert!(error.to_string().ends_with("was `init` forgotten?"), "{error}");
    assert_eq!(fit(<(DenseNoBias<2, 4>, Tanh, DenseNoBias<4, 1>)>::ZERO), Err(FitError::WeightsStayZero));
    assert_eq!(fit(<(Dense<2, 4>, BatchNorm<4>, Relu, Dense<4, 1>)>::ZERO), Err(FitError::WeightsStayZero));
    assert_eq!(fit(<(BatchNorm<2>, Dense<2, 1>)>::ZERO), Err(FitError::WeightsStayZero));
    assert_eq!(fit(<(Dense<2, 1>, BatchNorm<1>)>::ZERO), Err(FitError::WeightsStayZero));
    // One layer learns from 0, and so does what reaches a weight by itself.
    assert_eq!(fit(<(Dense<2, 1>,)>::ZERO), Ok(()));
    assert_eq!(fit(<(Parallel<Dense<2, 1>, Dense<2, 1>, Sum>,)>::ZERO), Ok(()));
    assert_eq!(fit(<(Dense<2, 4>, Sigmoid, Dense<4, 1>)>::ZERO), Ok(()));
    // A fit that ends before its first epoch does.
    let mut net = Network::<Vector<1>, (Dense<1, 4>, Relu, Dense<4, 1>)>::ZERO;
    let mut trainer = Trainer::<_, _, _, 1>::new(Sgd::const_new(0.1), Mse);
    let error = trainer.fit(&mut net, data(), Plan::epochs(3).max_steps(3), &mut ()).expect_err("never initialised");
    assert_eq!(error, FitError::WeightsStayZero);
    // Weights that weight decay has made 0 were not so before.
    net.layers.0.weight.fill(0.5);
    let (input, target) = ([V::new(0.0)], [V::new(1.0)]);
    let nothing_in = Dataset::new(&input, &target).expect("pairs");
    let decay = Sgd::const_new(0.1).with_weight_decay(10.0).expect("in range");
    let mut trainer = Trainer::<_, _, _, 1>::new(decay, Mse);
    trainer.fit(&mut net, nothing_in, Fit::epochs(1), &mut ()).expect("the biases learn");
    assert!(net.layers.0.weight.iter().all(|&weight| weight == 0.0));
    // A single weight that is not 0 is enough to know that somebody has set them.
    let mut layers = <(Dense<2, 4>, Relu, Dense<4, 1>)>::ZERO;
    layers.0.weight[(0, 0)] = 1.0;
    assert_eq!(fit(layers), Ok(()));
}

/// Half the rate after three steps without any.
struct WarmUpFromZero;

impl Schedule for WarmUpFromZero {
    fn factor(&self, step: u64) -> f64 {
        if step < 3 { 0.0 } else { 0.5 }
    }
}

/// Would catch: a second fit whose schedule has long ended and which trains nothing without a word.
#[test]
#[allow(clippy::float_cmp)] // The same computation gives the same bits.
fn a_schedule_that_has_ended() {
    let (mut net, mut trainer) = (Line::ZERO, trainer::<2>(0.1));
    let mut schedule = Cosine::new(4, 0.0).expect("in range");
    let report = trainer.fit(&mut net, data(), Plan::epochs(2).schedule(&mut schedule), &mut ()).expect("finite");
    let last = 0.1 * schedule.factor(3);
    assert!(last > 0.0 && report.learning_rate == last, "{report:?}");
    let before = net.clone();
    let error = trainer.fit(&mut net, data(), Plan::epochs(2).schedule(&mut schedule), &mut ()).expect_err("no rate");
    assert_eq!(error, FitError::ScheduleIsZero { step: 4 });
    assert!(error.to_string().contains("`Fit::restart_schedule` begins it anew"), "{error}");
    assert_eq!(net, before);

    let mut rates = Log::default();
    let plan = Plan::epochs(2).schedule(&mut schedule).restart_schedule();
    let report = trainer.fit(&mut net, data(), plan, &mut rates).expect("a schedule from its start");
    assert_eq!(report.learning_rate, last);
    let expected = [1, 3].map(|step| 0.1 * schedule.factor(step));
    assert_eq!(rates.epochs.iter().map(|epoch| epoch.learning_rate).collect::<Vec<_>>(), expected);
    assert_ne!(net, before);
    // A schedule that begins at 0, or ends there on the way, trains in between; the report has the steps that it did not.
    let mut warm_up = WarmUpFromZero;
    let plan = Plan::epochs(4).accumulate(4).schedule(&mut warm_up).restart_schedule();
    let report = trainer.fit(&mut net, data(), plan, &mut ()).expect("the last epoch trains");
    assert_eq!((report.steps, report.idle_steps), (4, 3));
    let plan = Plan::epochs(5).schedule(&mut schedule).restart_schedule();
    let report = trainer.fit(&mut net, data(), plan, &mut ()).expect("the first epochs train");
    assert_eq!((report.steps, report.idle_steps, report.learning_rate), (10, 6, 0.0));
    let plan = Plan::epochs(5).schedule(&mut schedule).max_steps(1);
    let error = trainer.fit(&mut net, data(), plan, &mut ()).expect_err("no rate in a fit that ends early");
    assert!(matches!(error, FitError::ScheduleIsZero { .. }), "{error}");
    // With a floor it goes on there, and the report says at which rate.
    let mut schedule = Cosine::new(4, 0.25).expect("in range");
    let report = trainer.fit(&mut net, data(), Plan::epochs(1).schedule(&mut schedule), &mut ()).expect("finite");
    assert_eq!(report.learning_rate, 0.1 * 0.25);
}

/// Would catch: a fit that was stopped and goes on in another order, at another rate, or with what it had remembered lost.
#[test]
fn a_fit_that_is_stopped_and_resumed() {
    let adam = || Trainer::<Line, Adam, Mse, 2>::new(Adam::const_new(0.1), Mse).with_seed(7);
    let mut schedule = StepDecay::new(2, 0.5).expect("in range");
    let (mut whole, mut parts) = (Line::ZERO, Line::ZERO);
    let mut trainer = adam();
    trainer.fit(&mut whole, data(), Plan::epochs(5).schedule(&mut schedule), &mut ()).expect("finite");
    let mut trainer = adam();
    let mut log = Log { stop_after_epochs: Some(2), ..Log::default() };
    let report = trainer.fit(&mut parts, data(), Plan::epochs(5).schedule(&mut schedule), &mut log).expect("finite");
    assert_eq!((report.stop, report.epochs, report.steps), (Stop::Observer, 2, 4));
    assert_ne!(parts, whole);
    trainer.fit(&mut parts, data(), Plan::epochs(3).schedule(&mut schedule), &mut ()).expect("finite");
    assert_eq!(parts, whole, "the same bits");

    // In the midst of an accumulation: what was gathered makes a step, and the next fit begins with an empty gradient.
    let (mut stopped, mut by_hand) = (Line::ZERO, Line::ZERO);
    let mut trainer = trainer_of_one();
    let mut log = Log { stop_after_batches: Some(1), ..Log::default() };
    let plan = || Plan::epochs(1).in_order().accumulate(2);
    let report = trainer.fit(&mut stopped, data(), plan(), &mut log).expect("finite");
    assert_eq!((report.stop, report.steps), (Stop::Observer, 1));
    trainer.fit(&mut stopped, data(), plan(), &mut ()).expect("finite");
    let mut trainer = trainer_of_one();
    for batches in [&[0][..], &[0, 1], &[2, 3]] {
        for &i in batches {
            trainer.accumulate(&mut by_hand, &[INPUTS[i]], &[TARGETS[i]]);
        }
        trainer.apply(&mut by_hand).expect("finite");
    }
    assert_eq!(stopped, by_hand);
}

fn trainer_of_one() -> Trainer<Line, Sgd, Mse, 1> {
    trainer::<1>(0.1)
}

/// Would catch: a gradient half accumulated that a step, a fit or a fault leaves behind for the next one.
#[test]
fn an_accumulation_that_is_dropped() {
    let (mut dropped, mut plain) = (Line::ZERO, Line::ZERO);
    let mut trainer = trainer_of_one();
    trainer.accumulate(&mut dropped, &[V::new(5.0)], &[V::new(-7.0)]);
    trainer.step(&mut dropped, &[V::new(1.0)], &[V::new(2.0)]);
    let mut other = trainer_of_one();
    other.step(&mut plain, &[V::new(1.0)], &[V::new(2.0)]);
    assert_eq!(dropped, plain, "by a step");

    trainer.accumulate(&mut dropped, &[V::new(5.0)], &[V::new(-7.0)]);
    trainer.fit(&mut dropped, data(), Plan::epochs(1), &mut ()).expect("finite");
    other.fit(&mut plain, data(), Plan::epochs(1), &mut ()).expect("finite");
    assert_eq!(dropped, plain, "by a fit");

    trainer.accumulate(&mut dropped, &[V::new(f32::NAN)], &[V::new(1.0)]);
    assert_eq!(trainer.apply(&mut dropped), Err(NotFinite::Loss));
    assert_eq!(trainer.apply(&mut dropped), Ok(()), "nothing is left to apply");
    trainer.accumulate(&mut dropped, &[V::new(1.0)], &[V::new(2.0)]);
    trainer.apply(&mut dropped).expect("finite");
    other.step(&mut plain, &[V::new(1.0)], &[V::new(2.0)]);
    assert_eq!(dropped, plain, "by a fault");
}
