//! Losses and activations where arithmetic is hard: far from 0, at bends, at certainty.

use constnet::loss::{
    BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CategoricalCrossEntropy, CrossEntropy, Huber, L1, Loss, Mse, Nll,
};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::{
    Class, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, LogSoftmax, Network, Relu, Sequence, Sigmoid, Silu,
    Softmax, Softplus, Tanh, Vector,
};

/// The loss of one number, and its gradient.
fn of_one<L: Loss<Vector<1>, SVector<f32, 1>>>(loss: &L, y: f32, t: f32) -> (f32, f32) {
    let (y, t) = (SVector::from([y]), SVector::from([t]));
    let mut dy = SVector::from([f32::NAN]);
    let value = loss.gradient(&y, &t, 1.0, &mut dy);
    assert_eq!(value.to_bits(), loss.loss(&y, &t).to_bits());
    (value, dy[0])
}

fn assert_pair((value, slope): (f32, f32), (expected, expected_slope): (f32, f32)) {
    approx::assert_relative_eq!(value, expected, max_relative = 1e-6);
    approx::assert_relative_eq!(slope, expected_slope, max_relative = 1e-6);
}

/// Would catch: a sum that is no mean, a bend in the wrong place, a factor 2.
#[test]
fn numbers() {
    assert_pair(of_one(&Mse, 3.0, 1.0), (4.0, 4.0));
    assert_pair(of_one(&L1, 3.0, 1.0), (2.0, 1.0));
    assert_pair(of_one(&L1, 1.0, 3.0), (2.0, -1.0));
    assert_pair(of_one(&L1, 1.0, 1.0), (0.0, 0.0));
    let huber = Huber::const_new(2.0);
    assert_pair(of_one(&huber, 2.0, 1.0), (0.5, 1.0));
    assert_pair(of_one(&huber, 3.0, 1.0), (2.0, 2.0));
    assert_pair(of_one(&huber, 6.0, 1.0), (8.0, 2.0));
    assert_pair(of_one(&huber, -4.0, 1.0), (8.0, -2.0));
    let (y, t) = (SMatrix::<f32, 2, 2>::new(1.0, 2.0, 3.0, 4.0), SMatrix::zeros());
    let mean = Loss::<Sequence<2, 2>, _>::loss(&Mse, &y, &t);
    approx::assert_relative_eq!(mean, 30.0 / 4.0);
}

/// Would catch: a logarithm of 0 that is infinite, a division by 0. PyTorch holds the logarithm at -100.
#[test]
fn binary_cross_entropy_at_certainty() {
    assert_pair(of_one(&BinaryCrossEntropy, 0.25, 1.0), (4.0_f32.ln(), -4.0));
    assert_pair(of_one(&BinaryCrossEntropy, 0.5, 0.25), (2.0_f32.ln(), 1.0));
    for (y, t) in [(0.0, 1.0), (1.0, 0.0)] {
        let (value, slope) = of_one(&BinaryCrossEntropy, y, t);
        approx::assert_relative_eq!(value, 100.0);
        assert!(slope.is_finite() && (slope > 0.0) == (y > t), "{slope}");
    }
    for y in [0.0, 1.0] {
        assert_pair(of_one(&BinaryCrossEntropy, y, y), (0.0, 0.0));
    }
    let logits = &BinaryCrossEntropyWithLogits;
    assert_pair(of_one(logits, 0.0, 0.25), (2.0_f32.ln(), 0.25));
    assert_pair(of_one(logits, 1000.0, 0.0), (1000.0, 1.0));
    assert_pair(of_one(logits, -1000.0, 1.0), (1000.0, -1.0));
    let (value, slope) = of_one(logits, 1000.0, 1.0);
    assert!(value.abs() < 1e-6 && slope.abs() < 1e-6);
    // Where both are exact they agree.
    let (value, _) = of_one(logits, 1.5, 0.3);
    approx::assert_relative_eq!(
        value,
        of_one(&BinaryCrossEntropy, 1.0 / (1.0 + (-1.5_f32).exp()), 0.3).0,
        max_relative = 1e-6
    );
}

/// Would catch: huge logits that overflow, losses that do not agree with the softmax they contain.
#[test]
fn classes() {
    let logits = SVector::<f32, 4>::from([100.0, 1.0, 2.0, 3.0]);
    let [first, second, third, _] = [0, 1, 2, 3].map(Class::<4>::const_new);
    approx::assert_abs_diff_eq!(CrossEntropy.loss(&logits, &first), 0.0, epsilon = 1e-6);
    approx::assert_relative_eq!(CrossEntropy.loss(&logits, &second), 99.0);
    let huge = SVector::<f32, 4>::from([-1e30, 1e30, 0.0, 1e30]);
    let mut slope = huge;
    approx::assert_relative_eq!(CrossEntropy.gradient(&huge, &third, 1.0, &mut slope), 1e30);
    assert_eq!(slope, SVector::from([0.0, 0.5, -1.0, 0.5]));

    let logits = SVector::<f64, 4>::from([0.1, -0.7, 2.0, 0.4]);
    let soft = Network::<Vector<4>, (Softmax,), f64>::ZERO.predict(&logits);
    let log = Network::<Vector<4>, (LogSoftmax,), f64>::ZERO.predict(&logits);
    for class in Class::all() {
        let expected = CrossEntropy.loss(&logits, &class);
        approx::assert_relative_eq!(CategoricalCrossEntropy.loss(&soft, &class), expected, max_relative = 1e-12);
        approx::assert_relative_eq!(Nll.loss(&log, &class), expected, max_relative = 1e-12);
        // The smoothed target's own cross-entropy.
        let target = |other: Class<4>| 0.05 + if other == class { 0.8 } else { 0.0 };
        let smoothed: f64 = Class::all().map(|other| -target(other) * log[other.index()]).sum();
        let actual = CrossEntropy::const_smoothed(0.2).loss(&logits, &class);
        approx::assert_relative_eq!(actual, smoothed, max_relative = 1e-12);
    }
    // A network that is sure and wrong still learns.
    let sure = SVector::<f32, 4>::from([1.0, 0.0, 0.0, 0.0]);
    let mut slope = sure;
    let value = CategoricalCrossEntropy.gradient(&sure, &second, 1.0, &mut slope);
    approx::assert_relative_eq!(value, 1e7_f32.ln(), max_relative = 1e-6);
    assert!(slope[1] < -1e6 && slope[0].to_bits() == 0, "{slope}");
}

/// Would catch: a loss over a sequence that is a sum, or takes rows for steps.
#[test]
fn a_sequence_is_the_mean_of_its_steps() {
    let steps = [[1.0, -1.0, 0.5], [0.0, 3.0, 2.0]].map(SVector::<f64, 3>::from);
    let labels = [2, 1].map(Class::<3>::const_new);
    let expected = f64::midpoint(CrossEntropy.loss(&steps[0], &labels[0]), CrossEntropy.loss(&steps[1], &labels[1]));
    let sequence = SMatrix::<f64, 3, 2>::from_columns(&steps);
    approx::assert_relative_eq!(CrossEntropy.loss(&sequence, &labels), expected, max_relative = 1e-12);
}

/// `f(x)` of an activation for a few numbers.
macro_rules! values {
    ($($activation:ty: $($x:expr => $y:expr),+;)+) => { $( $(
        let [y] = Network::<Vector<1>, ($activation,)>::ZERO.predict(&SVector::<f32, 1>::from([$x])).into();
        let (y, expected): (f32, f32) = (y, $y);
        let near = (y - expected).abs() <= 1e-6 * expected.abs() || y.to_bits() == expected.to_bits();
        assert!(near, "{} of {} is {y}, not {expected}", stringify!($activation), $x);
    )+ )+ };
}

/// Would catch: an overflow far from 0, a bend on the wrong side.
#[test]
fn activations_far_from_zero() {
    values! {
        Sigmoid: 1000.0 => 1.0, -1000.0 => 0.0, 0.0 => 0.5;
        Tanh: 1000.0 => 1.0, -1000.0 => -1.0;
        Relu: 3.0 => 3.0, -3.0 => 0.0;
        LeakyRelu<2, 10>: 3.0 => 3.0, -3.0 => -0.6;
        Elu<3, 2>: 3.0 => 3.0, -1000.0 => -1.5;
        Gelu: 1000.0 => 1000.0, -1000.0 => -0.0;
        GeluTanh: 1000.0 => 1000.0, -1000.0 => -0.0;
        Silu: 1000.0 => 1000.0;
        Softplus: 1000.0 => 1000.0, -1000.0 => 0.0, 0.0 => 2.0_f32.ln();
        HardSigmoid: 4.0 => 1.0, -4.0 => 0.0, 0.0 => 0.5, 1.5 => 0.75;
        HardSwish: 4.0 => 4.0, -4.0 => -0.0, 1.5 => 1.125;
    }
    let silu = Network::<Vector<1>, (Silu,)>::ZERO.predict(&SVector::from([-1000.0]));
    assert!(silu[0].abs() < 1e-6);
}

/// Would catch: an activation that hides a NaN, so that a broken training would look sound.
#[test]
fn nan_stays_nan() {
    macro_rules! all {
        ($($activation:ty),+) => { $(
            let y = Network::<Vector<2>, ($activation,)>::ZERO.predict(&SVector::from([f32::NAN, 1.0]));
            assert!(y[0].is_nan(), "{} hides a NaN", stringify!($activation));
        )+ };
    }
    all!(
        Sigmoid,
        Tanh,
        Relu,
        LeakyRelu,
        Elu,
        Gelu,
        GeluTanh,
        Silu,
        Softplus,
        HardSigmoid,
        HardSwish,
        Softmax,
        LogSoftmax
    );
}

/// Would catch: probabilities that reach a loss for logits through a pooling or a branch, and a sum of them that is taken for such.
#[test]
fn what_an_output_is() {
    use constnet::layer::{Layer, Meaning};
    use constnet::{
        Concat, GlobalAvgPool, GlobalMaxPool, Identity, LogSoftmax, MaxPool1d, Parallel, Sequence, Softmax, Sum,
    };
    fn of<L: Layer<Sequence<3, 8>>>() -> Meaning {
        L::MEANING
    }
    assert_eq!(of::<(Softmax, GlobalAvgPool)>(), Meaning::Probabilities);
    assert_eq!(of::<(Softmax, MaxPool1d<2>, GlobalMaxPool)>(), Meaning::Probabilities);
    assert_eq!(of::<Parallel<Softmax, Softmax, Concat>>(), Meaning::Probabilities);
    assert_eq!(of::<(LogSoftmax, Parallel<Identity, Identity, Concat>)>(), Meaning::LogProbabilities);
    assert_eq!(of::<Parallel<Softmax, LogSoftmax, Concat>>(), Meaning::Numbers);
    assert_eq!(of::<Parallel<Softmax, Softmax, Sum>>(), Meaning::Numbers);
}
