//! Schedules against PyTorch's closed forms, and what hyperparameters are refused.

use constnet::error::HyperparameterError;
use constnet::layer::{Parameter, Parameters, Path};
use constnet::loss::{CrossEntropy, Huber, Mse, Penalty};
use constnet::nalgebra::SVector;
use constnet::optimizer::schedule::{Constant, Cosine, Exponential, ReduceOnPlateau, Schedule, StepDecay, WarmUp};
use constnet::optimizer::{Adagrad, Adam, AdamW, Clip, Optimizer, Part, RmsProp, Sgd, State};
use constnet::scalar::Scalar;
use constnet::train::Trainer;
use constnet::{
    ConstZero, Dense, DenseNoBias, Gru, LayerNorm, Network, Parallel, Relu, Residual, Sequence, Sum, Tanh, Vector,
};

fn assert_near(actual: f64, expected: f64, what: &str) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {actual} for {expected}");
}

/// Would catch: a schedule that is a step early or late, or that goes on falling.
#[test]
fn schedules_follow_their_formulas() {
    let step = StepDecay::new(30, 0.1).expect("in range");
    let exponential = Exponential::new(0.97).expect("in range");
    let cosine = Cosine::new(50, 0.2).expect("in range");
    let warm = WarmUp::new(5, cosine).expect("in range");
    for t in 0..200_u32 {
        let time = u64::from(t);
        assert_near(Constant.factor(time), 1.0, "constant");
        assert_near(step.factor(time), [1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6][t as usize / 30], "step");
        assert_near(exponential.factor(time), (f64::from(t) * 0.97_f64.ln()).exp(), "exponential");
        let angle = core::f64::consts::PI * f64::from(t.min(50)) / 50.0;
        assert_near(cosine.factor(time), 0.2 + 0.8 * f64::midpoint(1.0, angle.cos()), "cosine");
        let expected = if t < 5 { f64::from(t + 1) / 5.0 } else { cosine.factor(time - 5) };
        assert_near(warm.factor(time), expected, "warm-up");
    }
    assert_near(exponential.factor(u64::MAX), 0.0, "far away");
    assert_near(cosine.factor(u64::MAX), 0.2, "far away");
    // Falling all the way, and never below the floor.
    assert!((0..50).all(|t| cosine.factor(t) > cosine.factor(t + 1)));
}

/// PyTorch's `ReduceLROnPlateau(factor=0.5, patience=2)` on these losses, step by step.
///
/// Would catch: patience that is one off, a threshold that is absolute, a wait that goes on after a reduction.
#[test]
fn plateaus() {
    let mut schedule = WarmUp::new(1, ReduceOnPlateau::new(0.5, 2).expect("in range")).expect("in range");
    let losses = [
        (1.0, 1.0),
        (0.9, 1.0),
        (0.9, 1.0),     // 1 epoch without improvement
        (0.89999, 1.0), // 2: less than a ten thousandth better is none
        (0.8, 1.0),     // an improvement
        (0.8, 1.0),
        (0.8, 1.0),
        (0.8, 0.5), // 3: more than 2
        (0.8, 0.5), // counted anew
        (0.8, 0.5),
        (0.8, 0.25),
        (0.7, 0.25),
        (f64::NAN, 0.25),
        (f64::NAN, 0.25),
        (f64::NAN, 0.125), // not a number is no improvement
    ];
    for (epoch, (loss, factor)) in losses.into_iter().enumerate() {
        schedule.epoch_done(loss);
        assert_near(schedule.factor(1), factor, &format!("epoch {epoch}"));
    }
}

/// Would catch: a value that is let through, or an error that does not name it.
#[test]
fn hyperparameters_are_checked() {
    type Build = fn(f64) -> Result<(), HyperparameterError>;
    /// What builds from a value, the value's name, and examples of what is allowed and what is not.
    type Row = (Build, &'static str, &'static [f64], &'static [f64]);
    const NOT_NEGATIVE: (&[f64], &[f64]) = (&[0.0, 1e-9, 5.0], &[-1e-9]);
    const POSITIVE: (&[f64], &[f64]) = (&[1e-9, 5.0], &[0.0, -1.0]);
    const FRACTION: (&[f64], &[f64]) = (&[0.0, 0.5, 0.999], &[-0.1, 1.0, 1.5]);
    const DECAY: (&[f64], &[f64]) = (&[1e-3, 1.0], &[0.0, -0.5, 1.1]);
    let row = |build, name, (good, bad)| -> Row { (build, name, good, bad) };
    let rows = [
        row(|v| Sgd::new(v).map(|_| ()), "learning_rate", NOT_NEGATIVE),
        row(|v| Adam::new(v).map(|_| ()), "learning_rate", NOT_NEGATIVE),
        row(|v| AdamW::new(v).map(|_| ()), "learning_rate", NOT_NEGATIVE),
        row(|v| RmsProp::new(v).map(|_| ()), "learning_rate", NOT_NEGATIVE),
        row(|v| Adagrad::new(v).map(|_| ()), "learning_rate", NOT_NEGATIVE),
        row(|v| Sgd::const_new(0.1).with_weight_decay(v).map(|_| ()), "weight_decay", NOT_NEGATIVE),
        row(|v| Sgd::const_new(0.1).with_momentum(v).map(|_| ()), "momentum", FRACTION),
        row(|v| Adam::const_new(0.1).with_betas(v, 0.9).map(|_| ()), "beta1", FRACTION),
        row(|v| Adam::const_new(0.1).with_betas(0.9, v).map(|_| ()), "beta2", FRACTION),
        row(|v| Adam::const_new(0.1).with_epsilon(v).map(|_| ()), "epsilon", POSITIVE),
        row(|v| Adam::const_new(0.1).with_weight_decay(v).map(|_| ()), "weight_decay", NOT_NEGATIVE),
        row(|v| AdamW::const_new(0.1).with_weight_decay(v).map(|_| ()), "weight_decay", NOT_NEGATIVE),
        row(|v| RmsProp::const_new(0.1).with_alpha(v).map(|_| ()), "alpha", FRACTION),
        row(|v| Adagrad::const_new(0.1).with_rate_decay(v).map(|_| ()), "rate_decay", NOT_NEGATIVE),
        row(|v| Clip::norm(v).map(|_| ()), "clip norm", POSITIVE),
        row(|v| Clip::value(v).map(|_| ()), "clip value", POSITIVE),
        row(|v| Penalty::l1(v).map(|_| ()), "l1", NOT_NEGATIVE),
        row(|v| Penalty::l2(v).map(|_| ()), "l2", NOT_NEGATIVE),
        row(|v| Huber::new(v).map(|_| ()), "delta", POSITIVE),
        row(|v| CrossEntropy::smoothed(v).map(|_| ()), "smoothing", FRACTION),
        row(|v| StepDecay::new(1, v).map(|_| ()), "gamma", DECAY),
        row(|v| Exponential::new(v).map(|_| ()), "gamma", DECAY),
        row(|v| ReduceOnPlateau::new(v, 1).map(|_| ()), "gamma", DECAY),
        row(|v| Cosine::new(1, v).map(|_| ()), "floor", FRACTION),
    ];
    for (build, name, good, bad) in rows {
        for &value in good {
            assert_eq!(build(value), Ok(()), "{name} of {value}");
        }
        for &value in bad.iter().chain(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]) {
            let error = build(value).expect_err(name);
            assert_eq!((error.name, error.value.to_bits()), (name, value.to_bits()));
            assert!(error.to_string().starts_with(&format!("`{name}` is {value}, and must be ")), "{error}");
        }
    }
    let counts =
        [StepDecay::new(0, 0.5).map(|_| ()), Cosine::new(0, 0.0).map(|_| ()), WarmUp::new(0, Constant).map(|_| ())];
    for (count, name) in counts.into_iter().zip(["size", "steps", "steps"]) {
        assert_eq!(count.expect_err(name).to_string(), format!("`{name}` is 0, and must be 1 or above"));
    }
}

type Line = Network<Vector<1>, (Dense<1, 1, f64>,), f64>;

/// The weight after each of three steps of one optimiser on a loss whose gradient is the weight itself, from 1.
fn path<O: Optimizer<f64>>(optimizer: O, factor: f64) -> [f64; 3] {
    let mut net = Line::ZERO;
    net.layers.0.weight.fill(1.0);
    let mut trainer = Trainer::<Line, O, Mse, 1>::new(optimizer, Mse);
    trainer.learning_rate_factor = factor;
    // The mean of (w x)^2 has the gradient 2 w x^2.
    let x = [SVector::from([0.5_f64.sqrt()])];
    core::array::from_fn(|_| {
        net.layers.0.bias.fill(0.0);
        trainer.step(&mut net, &x, &[SVector::from([0.0])]);
        net.layers.0.weight[0]
    })
}

/// Three updates `(p, t) -> p`, from 1.
fn updates(mut update: impl FnMut(f64, f64) -> f64) -> [f64; 3] {
    let mut p = 1.0;
    [1.0, 2.0, 3.0].map(|t| {
        p = update(p, t);
        p
    })
}

/// The optimisers' formulas with settings that PyTorch's files do not cover, on one number.
///
/// Would catch: an option that has no effect, or another; a factor that does not reach the learning rate.
#[test]
fn options_have_their_effect() {
    let check = |name: &str, actual: [f64; 3], expected: [f64; 3]| {
        for (actual, expected) in actual.into_iter().zip(expected) {
            assert_near(actual, expected, name);
        }
    };
    let sgd = Sgd::const_new(0.1);
    check("sgd", path(sgd, 1.0), updates(|p, _| p - 0.1 * p));
    check("factor", path(sgd, 0.5), updates(|p, _| p - 0.05 * p));
    let decayed = sgd.with_weight_decay(0.3).expect("in range");
    let mut v = 0.0;
    let expected = updates(|p, _| {
        v = 0.8 * v + 1.3 * p;
        p - 0.1 * v
    });
    check("momentum with decay", path(decayed.with_momentum(0.8).expect("in range"), 1.0), expected);

    let adam = Adam::const_new(0.1).with_betas(0.5, 0.8).and_then(|a| a.with_epsilon(1e-2)).expect("in range");
    let (mut m, mut v) = (0.0, 0.0);
    let expected = updates(|p, t| {
        let g = 1.2 * p;
        m = 0.5 * m + 0.5 * g;
        v = 0.8 * v + 0.2 * g * g;
        p - 0.1 * (m / (1.0 - 0.5_f64.powf(t))) / ((v / (1.0 - 0.8_f64.powf(t))).sqrt() + 1e-2)
    });
    check("adam with decay", path(adam.with_weight_decay(0.2).expect("in range"), 1.0), expected);

    let adamw = AdamW::const_new(0.1);
    let (mut m, mut v) = (0.0, 0.0);
    let expected = updates(|p, t| {
        let (rate, g) = (0.05, p);
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        let step = rate * (m / (1.0 - 0.9_f64.powf(t))) / ((v / (1.0 - 0.999_f64.powf(t))).sqrt() + 1e-8);
        p - rate * 0.01 * p - step
    });
    check("adamw at half its rate", path(adamw, 0.5), expected);

    let rms = RmsProp::const_new(0.1).with_alpha(0.7).and_then(|r| r.with_weight_decay(0.2)).expect("in range");
    let mut v = 0.0;
    let expected = updates(|p, _| {
        let g = 1.2 * p;
        v = 0.7 * v + 0.3 * g * g;
        p - 0.1 * g / (v.sqrt() + 1e-3)
    });
    check("rmsprop", path(rms.with_epsilon(1e-3).expect("in range"), 1.0), expected);

    let adagrad = Adagrad::const_new(0.1).with_rate_decay(0.5).and_then(|a| a.with_weight_decay(0.2));
    let mut v = 0.0;
    let expected = updates(|p, t| {
        let g = 1.2 * p;
        v += g * g;
        p - 0.1 / (1.0 + (t - 1.0) * 0.5) * g / (v.sqrt() + 1e-10)
    });
    check("adagrad", path(adagrad.expect("in range"), 1.0), expected);
}

/// An optimiser of a user's: it goes a step of the same size whatever the gradient is, and leaves it a large one.
struct Signs;

impl<T: Scalar> Optimizer<T> for Signs {
    type State<P: Parameters<T>> = ();

    fn learning_rate(&self) -> f64 {
        0.25
    }

    fn update<P: Parameters<T>>(&self, (): &mut (), parameters: &mut P, gradient: &mut P, factor: f64) -> bool {
        let rate = T::from_f64(0.25 * factor);
        P::zip([parameters, gradient], &mut |_, [parameters, gradient]| {
            for (p, g) in parameters.iter_mut().zip(gradient) {
                *p -= if *g > T::ZERO { rate } else { -rate };
                *g = -*g * T::from_f64(1e6);
            }
        });
        true
    }
}

/// Would catch: a trainer that adds the next gradient to what an optimiser leaves, which would turn the second step.
#[test]
fn an_optimiser_of_a_users_own() {
    let steps = path(Signs, 3.0);
    assert_eq!(steps.map(f64::to_bits), [0.25_f64, -0.5, 0.25].map(f64::to_bits));
}

/// Parameters behind a user's type, of which nothing is known but their tensors.
struct TensorByTensor<P>(P);

impl<P: ConstZero> ConstZero for TensorByTensor<P> {
    const ZERO: Self = Self(P::ZERO);
}

impl<T, P: Parameters<T>> Parameters<T> for TensorByTensor<P> {
    const COUNT: usize = P::COUNT;

    fn visit_at(&self, path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, &[T])) {
        self.0.visit_at(path, f);
    }

    fn zip_at<const N: usize>(all: [&mut Self; N], path: Path<'_>, f: &mut impl FnMut(&Parameter<'_>, [&mut [T]; N])) {
        P::zip_at(all.map(|all| &mut all.0), path, f);
    }
}

/// Whether each of some updates was finite, and the bits that it left of the parameters and of what the optimiser remembers. Every
/// other gradient has numbers in it that are not finite.
fn updates_of<P: Parameters<f32>, O: Optimizer<f32>>(optimizer: &O) -> Vec<(bool, Vec<u32>)> {
    let (mut parameters, mut gradient) = (Box::new(P::ZERO), Box::new(P::ZERO));
    let mut state = O::State::<P>::ZERO;
    let mut phase = 0.0_f32;
    let mut fill = |parameters: &mut P, bad: &[(usize, f32)]| {
        let mut place = 0;
        P::zip([parameters], &mut |_, [values]| {
            for value in values {
                phase += 0.7;
                *value = phase.sin();
                *value = bad.iter().find(|bad| bad.0 == place).map_or(*value, |bad| bad.1);
                place += 1;
            }
        });
    };
    fill(&mut parameters, &[]);
    let bad = [(0, f32::NAN), (P::COUNT / 2, f32::INFINITY), (P::COUNT / 2 + 5, f32::MAX), (P::COUNT - 1, -f32::NAN)];
    let mut all = Vec::new();
    for step in 0..6 {
        fill(&mut gradient, &bad[..step % 2 * bad.len()]);
        let is_finite = optimizer.update(&mut state, &mut parameters, &mut gradient, 1.0);
        let mut bits = Vec::new();
        let mut note = |values: &[f32]| bits.extend(values.iter().map(|x| x.to_bits()));
        parameters.visit(&mut |_, values| note(values));
        state.visit(&mut |_, _, part| {
            if let Part::Tensor(_, values) = part {
                note(values);
            }
        });
        all.push((is_finite, bits));
    }
    all
}

/// One pass over all the numbers of a network, and one over each tensor: the same bits.
///
/// Would catch: a strip that crosses from one tensor into the next and loses numbers, or takes all for finite behind one that is not.
#[test]
fn in_one_pass_as_tensor_by_tensor() {
    type Layers = (
        Gru<3, 7>,
        LayerNorm<7>,
        Tanh,
        Residual<(DenseNoBias<7, 7>, Relu)>,
        Parallel<Dense<7, 33>, (Dense<7, 1>, Dense<1, 33>), Sum>,
        Dense<33, 2>,
    );
    type Net = Network<Sequence<3, 5>, Layers>;
    fn compare<O: Optimizer<f32>>(optimizer: &O) {
        let (whole, tensors) = (updates_of::<Net, O>(optimizer), updates_of::<TensorByTensor<Net>, O>(optimizer));
        let name = core::any::type_name::<O>();
        for (step, (whole, tensors)) in whole.iter().zip(&tensors).enumerate() {
            assert!(whole == tensors, "{name}, step {step}");
            assert_eq!(whole.0, step % 2 == 0, "{name}, step {step}");
        }
    }
    assert_eq!(format!("{:?}", <Net as Parameters<f32>>::CONTIGUOUS), "Contiguous(true)");
    assert_eq!(format!("{:?}", <TensorByTensor<Net> as Parameters<f32>>::CONTIGUOUS), "Contiguous(false)");
    let sgd = Sgd::const_new(0.1).with_weight_decay(0.3).expect("in range");
    compare(&sgd);
    compare(&sgd.with_momentum(0.8).expect("in range"));
    compare(&sgd.with_momentum(0.8).expect("in range").nesterov());
    compare(&Adam::const_new(0.1));
    compare(&AdamW::const_new(0.1));
    compare(&RmsProp::const_new(0.1));
    compare(&Adagrad::const_new(0.1));
}
