//! What is remembered stays finite, and NaN is passed on.
//!
//! Would catch: a running average that one batch makes infinite, of one layer of several, or that is reported and changed nevertheless; a
//! `fit` that is `Ok` with a network that is not finite; a NaN that a layer swallows, forwards or back; a derivative that overflows where
//! the function does not; a normalisation far from 0 that loses what lies beside its mean.
#![cfg(feature = "rand")]
#![allow(clippy::float_cmp, clippy::cast_precision_loss)] // Small integers and sums of a few of them: exact.

use constnet::data::Dataset;
use constnet::layer::{Both, Differentiable, Gradient, Layer, Parameters};
use constnet::loss::Mse;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::{Adam, Sgd};
use constnet::shape::TensorOf;
use constnet::train::{Fit, FitError, NotFinite, Trainer};
use constnet::{
    BatchNorm, ConstZero, Dense, Elu, Gelu, GeluTanh, GlobalMaxPool, GroupNorm, HardSigmoid, HardSwish, Identity,
    LayerNorm, LeakyRelu, MaxPool1d, Network, Parallel, Relu, Residual, RmsNorm, Sequence, Sigmoid, Silu, Softplus,
    Sum, Tanh, TimeDistributed, Vector,
};
use rand::{SeedableRng, rngs::StdRng};

type V<const N: usize> = SVector<f32, N>;

/// Four samples, of which one number is `x`.
fn batch(x: f32) -> [V<2>; 4] {
    [[1.0, 2.0], [x, -1.0], [0.5, 3.0], [-2.0, 0.25]].map(V::from)
}

const TARGETS: [V<1>; 4] = [V::<1>::new(0.0), V::<1>::new(1.0), V::<1>::new(2.0), V::<1>::new(3.0)];

/// That a batch whose statistics overflow changes nothing of a network, is reported by a step, by `apply` and by `fit`, and that training
/// goes on after it. `x` is large enough for a variance that is infinite under a finite loss.
fn keeps_its_averages<L: Differentiable<Vector<2>, Out = Vector<1>> + Clone + PartialEq + std::fmt::Debug>(x: f32) {
    let name = std::any::type_name::<L>();
    let mut net = Network::<Vector<2>, L>::ZERO;
    net.init(&mut StdRng::seed_from_u64(5));
    let mut trainer = Trainer::<Network<Vector<2>, L>, _, _, 4>::new(Sgd::const_new(1e-3), Mse);
    assert!(trainer.step(&mut net, &batch(0.25), &TARGETS).is_finite());
    let before = net.clone();

    assert!(trainer.step(&mut net, &batch(x), &TARGETS).is_nan(), "{name}: a step says so");
    assert_eq!(net, before, "{name}");
    let loss = trainer.accumulate(&mut net, &batch(x), &TARGETS);
    assert!(loss.is_finite(), "{name}: the loss alone says nothing: {loss}");
    assert_eq!(trainer.apply(&mut net), Err(NotFinite::Statistics), "{name}");
    assert_eq!(net, before, "{name}");

    let (bad, step) = (batch(x), trainer.steps());
    let data = Dataset::new(&bad, &TARGETS).expect("pairs");
    let error = trainer.fit(&mut net, data, Fit::epochs(3), &mut ()).expect_err("an infinite variance");
    assert_eq!(error, FitError::NotFinite { what: NotFinite::Statistics, step, epoch: 0 }, "{name}");
    assert_eq!(net, before, "{name}");

    assert!(trainer.step(&mut net, &batch(0.75), &TARGETS).is_finite(), "{name} goes on");
    assert_ne!(net, before, "{name} learns");
    net.visit(&mut |parameter, values| assert!(values.iter().all(|x| x.is_finite()), "{name}: {parameter}"));
}

#[test]
fn running_averages_that_would_not_be_finite() {
    type Norm = BatchNorm<4>;
    keeps_its_averages::<(Dense<2, 4>, Norm, Relu, Dense<4, 1>)>(3e19);
    keeps_its_averages::<(Dense<2, 4>, Residual<(Norm, Tanh)>, Norm, Dense<4, 1>)>(3e19);
    keeps_its_averages::<(Dense<2, 4>, Parallel<(Norm, Tanh), (Norm, Sigmoid), Sum>, Dense<4, 1>)>(3e19);
    keeps_its_averages::<((Dense<2, 4>, (Norm, Tanh)), Network<Vector<4>, (Norm, Dense<4, 1>)>)>(3e19);
    // The first layer's statistics are finite, and it must not follow them since the second's are not.
    keeps_its_averages::<(Dense<2, 4>, Parallel<Norm, Wide, Sum>, Norm, Dense<4, 1>)>(1e5);
}

/// Gives numbers whose variance overflows where its inputs are above 100, else 0.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wide;

impl ConstZero for Wide {
    const ZERO: Self = Self;
}

impl Parameters<f32> for Wide {
    const COUNT: usize = 0;
    fn visit_at(&self, _: constnet::layer::Path<'_>, _: &mut impl FnMut(&constnet::layer::Parameter<'_>, &[f32])) {}
    fn zip_at<const N: usize>(
        _: [&mut Self; N],
        _: constnet::layer::Path<'_>,
        _: &mut impl FnMut(&constnet::layer::Parameter<'_>, [&mut [f32]; N]),
    ) {
    }
}

impl Layer<Vector<4>> for Wide {
    type Out = Vector<4>;
    type Peak<X, Y> = Both<X, Y>;
    fn forward(&self, x: &V<4>, y: &mut V<4>) {
        *y = x.map(|x| if x.abs() > 100.0 { 3e19 * x.signum() } else { 0.0 });
    }
}

impl Differentiable<Vector<4>> for Wide {
    type Cache<const B: usize> = ();
    fn backward<const B: usize, const ADDS: bool>(
        &self,
        _: &[V<4>; B],
        _: &[V<4>; B],
        (): &mut (),
        _: &[V<4>; B],
        _: Gradient<'_, Self, ADDS>,
        dx: Option<&mut [V<4>; B]>,
    ) {
        if let Some(dx) = dx {
            *dx = [V::zeros(); B];
        }
    }
}

/// Would catch: an average that ends beside a batch that is always the same, or that decays into the subnormal numbers.
#[test]
fn running_averages_end_where_the_batches_are() {
    fn averages(rows: [f32; 4], steps: usize) -> [f32; 2] {
        type Net = Network<Vector<1>, (BatchNorm<1>,)>;
        let mut net = Net::ZERO;
        net.init(&mut StdRng::seed_from_u64(5));
        net.layers.0.running_mean.fill(0.25);
        let mut trainer = Trainer::<Net, _, _, 4>::new(Sgd::const_new(0.0), Mse);
        let (x, targets) = (rows.map(V::<1>::new), [V::<1>::zeros(); 4]);
        for _ in 0..steps {
            assert!(trainer.step(&mut net, &x, &targets).is_finite());
            let [mean, variance] = [net.layers.0.running_mean[0], net.layers.0.running_var[0]];
            assert!(!mean.is_subnormal() && !variance.is_subnormal(), "{mean} and {variance}");
        }
        [net.layers.0.running_mean[0], net.layers.0.running_var[0]]
    }
    for offset in [0.0, 1.0, -10_000.0] {
        let rows = [0.0_f32, 0.5, 1.0, 1.5].map(|x| x + offset);
        let [mean, variance] = averages(rows, 2000);
        // Of a momentum of 0.1 the last steps are below half a place: 5 units in the last place.
        let ulp = |x: f32| x.abs().next_up() - x.abs();
        assert!((mean - (0.75 + offset)).abs() <= 5.0 * ulp(0.75 + offset), "{mean} at {offset}");
        assert!((variance - 1.25 / 3.0).abs() <= 5.0 * ulp(1.25 / 3.0), "{variance} at {offset}");
    }
    assert_eq!(averages([0.0; 4], 2000), [0.0, 0.0]);
}

/// Would catch: a penalty that changes a network whose batch is refused.
#[test]
fn a_refused_batch_changes_nothing_under_a_penalty() {
    type Net = Network<Vector<2>, (Dense<2, 1>,)>;
    let mut net = Net::ZERO;
    net.layers.0.weight.fill(1e-20);
    let before = net.clone();
    let penalty = constnet::loss::Penalty::new(1e-3, 1e-3).expect("in range");
    let mut trainer = Trainer::<Net, _, _, 4>::new(Sgd::const_new(1e-3), Mse).with_penalty(penalty);
    assert!(trainer.step(&mut net, &batch(f32::NAN), &TARGETS).is_nan());
    assert_eq!(net, before);
}

/// Each step of a sequence moves the averages once.
#[test]
fn running_averages_of_each_step() {
    type Net = Network<Sequence<2, 2>, (TimeDistributed<(BatchNorm<2>, Tanh)>, constnet::Last, Dense<2, 1>)>;
    let mut net = Net::ZERO;
    net.init(&mut StdRng::seed_from_u64(5));
    let before = net.clone();
    let mut trainer = Trainer::<Net, _, _, 4>::new(Sgd::const_new(1e-3), Mse);
    let x = [0.0, 1.0, 2.0, 3.0].map(|x| SMatrix::<f32, 2, 2>::new(x, 1e20 * x, 1.0 - x, 0.5 * x));
    assert!(trainer.accumulate(&mut net, &x, &TARGETS).is_finite());
    assert_eq!(trainer.apply(&mut net), Err(NotFinite::Statistics));
    assert_eq!(net, before);
}

type Words = Network<constnet::Tokens<5, 2>, (constnet::Embedding<5, 3>, constnet::Flatten, Dense<6, 1>)>;

/// Would catch: a number that no batch changes, which every prediction meets.
#[test]
fn a_network_that_was_not_finite_before() {
    type Net = Network<Vector<2>, (Dense<2, 4>, BatchNorm<4>, Relu, Dense<4, 1>)>;
    let mut net = Net::ZERO;
    net.init(&mut StdRng::seed_from_u64(5));
    net.layers.1.running_var[2] = f32::INFINITY;
    let mut trainer = Trainer::<Net, _, _, 4>::new(Adam::const_new(1e-3), Mse);
    let inputs = batch(0.25);
    let data = Dataset::new(&inputs, &TARGETS).expect("pairs");
    let error = trainer.fit(&mut net, data, Fit::epochs(1), &mut ()).expect_err("an infinite variance");
    assert!(matches!(error, FitError::NotFinite { what: NotFinite::Statistics, .. }), "{error}");

    let mut net = Words::ZERO;
    net.init(&mut StdRng::seed_from_u64(5));
    net.layers.0.weight[4][0] = f32::NAN; // a word that the data do not have
    let mut trainer = Trainer::<Words, _, _, 2>::new(Adam::const_new(1e-3), Mse);
    let words = [[0, 1], [2, 3]].map(|text| text.map(constnet::Class::const_new));
    let data = Dataset::new(&words, &TARGETS[..2]).expect("pairs");
    let error = trainer.fit(&mut net, data, Fit::epochs(2), &mut ()).expect_err("a NaN");
    assert_eq!(error, FitError::NotFinite { what: NotFinite::Update, step: 0, epoch: 0 });
    let error = trainer.fit(&mut net, data, Fit::epochs(0), &mut ()).expect_err("a NaN, though nothing is trained");
    assert_eq!(error, FitError::NotFinite { what: NotFinite::Initial, step: 1, epoch: 0 });
    assert!(error.to_string().contains("load it anew"), "{error}");
}

/// What comes out of a layer, and its gradient with respect to its input where that of its output is 1.
fn both_ways<In: constnet::shape::Shape, L: Differentiable<In>>(
    layer: &L,
    x: TensorOf<In, f32>,
) -> (TensorOf<L::Out, f32>, TensorOf<In, f32>) {
    use constnet::shape::Tensor;
    let (mut cache, mut y, mut dy, mut dx) = (L::Cache::<1>::ZERO, ConstZero::ZERO, ConstZero::ZERO, ConstZero::ZERO);
    layer.forward_train(std::array::from_ref(&x), &mut cache, &mut y);
    let [out]: &mut [TensorOf<L::Out, f32>; 1] = &mut dy;
    out.as_mut_slice().fill(1.0);
    let mut gradient = L::ZERO;
    layer.backward(&[x], &y, &mut cache, &dy, Gradient::adding(&mut gradient), Some(&mut dx));
    let ([y], [dx]) = (y, dx);
    (y, dx)
}

/// Each activation at NaN, far from 0, and at its ends.
#[test]
fn activations_pass_nan_on_and_do_not_overflow() {
    fn check<L: Differentiable<Vector<1>, Out = Vector<1>>>(below: f32, above: f32) {
        let name = std::any::type_name::<L>();
        let (y, dx) = both_ways::<Vector<1>, L>(&L::ZERO, V::<1>::new(f32::NAN));
        assert!(y[0].is_nan(), "{name} of NaN is {}", y[0]);
        // PyTorch's kinked functions let the gradient through, its smooth ones give NaN.
        assert!(dx[0] != 0.0, "{name}'s derivative at NaN is {}", dx[0]);
        for size in [1e2, 1e10, 1e13, 1e19, 3e19, 1e30, f32::MAX] {
            for (x, slope) in [(-size, below), (size, above)] {
                let (y, dx) = both_ways::<Vector<1>, L>(&L::ZERO, V::<1>::new(x));
                assert!(
                    y[0].is_finite() && (dx[0] - slope).abs() < 1e-6,
                    "{name} at {x}: {}, derivative {}",
                    y[0],
                    dx[0]
                );
            }
        }
    }
    check::<Identity>(1.0, 1.0);
    check::<Sigmoid>(0.0, 0.0);
    check::<Tanh>(0.0, 0.0);
    check::<Relu>(0.0, 1.0);
    check::<LeakyRelu>(0.01, 1.0);
    check::<Elu>(0.0, 1.0);
    check::<Gelu>(0.0, 1.0);
    check::<GeluTanh>(0.0, 1.0);
    check::<Silu>(0.0, 1.0);
    check::<Softplus>(0.0, 1.0);
    check::<HardSigmoid>(0.0, 0.0);
    check::<HardSwish>(0.0, 1.0);
}

/// Would catch: a `max(0)` that swallows a NaN, in a normalisation as in a pooling.
#[test]
fn layers_pass_nan_on() {
    fn check<L: Differentiable<Vector<4>, Out = Vector<4>>>(layer: &L, x: V<4>) {
        let name = std::any::type_name::<L>();
        let (y, dx) = both_ways(layer, x);
        assert!(y.iter().all(|y| y.is_nan()), "{name}: {y}");
        assert!(dx.iter().all(|dx| dx.is_nan()), "{name}, gradient: {dx}");
    }
    let (x, ones) = (V::from([f32::NAN, 1.0, 2.0, 3.0]), V::<4>::repeat(1.0));
    check(&RmsNorm::<4>::new(ones), x);
    check(&LayerNorm::<4>::new(ones, ones), x);
    check(&GroupNorm::<1, 4>::new(ones, ones), x);
    check(&constnet::Softmax, x);
    check(&constnet::LogSoftmax, x);

    let x = SMatrix::<f32, 1, 4>::from([[1.0], [f32::NAN], [2.0], [5.0]]);
    let (y, dx) = both_ways::<Sequence<1, 4>, MaxPool1d<2>>(&MaxPool1d::ZERO, x);
    assert!(y[0].is_nan() && y[1] == 5.0, "{y}");
    assert_eq!((dx[0] + dx[1], dx[2], dx[3]), (1.0, 0.0, 1.0), "the gradient of each window goes on");
    let (y, dx) = both_ways::<Sequence<1, 4>, GlobalMaxPool>(&GlobalMaxPool, x);
    assert!(y[0].is_nan(), "{y}");
    assert_eq!(dx.sum(), 1.0, "{dx}");
}

/// The numbers of a row of mean 10,000, each 0.001 above the last as far as `f32` has it, against sums in `f64`.
#[test]
fn normalisation_far_from_0() {
    const N: usize = 8;
    let row: [f32; N] = std::array::from_fn(|i| 10_000.0 + 0.001 * i as f32);
    let wide = row.map(f64::from);
    let mean = wide.iter().sum::<f64>() / N as f64;
    let variance = wide.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64;
    let expected = wide.map(|x| (x - mean) / (variance + 1e-5).sqrt());
    let check = |name: &str, y: &[f32]| {
        for (y, expected) in y.iter().zip(expected) {
            assert!((f64::from(*y) - expected).abs() < 1e-5, "{name}: {y}, not {expected}");
        }
    };
    let (ones, zeros) = (V::<N>::repeat(1.0), V::<N>::zeros());
    let x = V::from(row);
    check("LayerNorm", both_ways::<Vector<N>, _>(&LayerNorm::<N>::new(ones, zeros), x).0.as_slice());
    check("GroupNorm", both_ways::<Vector<N>, _>(&GroupNorm::<1, N>::new(ones, zeros), x).0.as_slice());
    let norm = BatchNorm::<1>::new(V::<1>::new(1.0), V::<1>::new(0.0), V::<1>::new(0.0), V::<1>::new(1.0));
    let (x, mut y, mut cache) = (row.map(V::<1>::new), [V::<1>::zeros(); N], ConstZero::ZERO);
    Differentiable::<Vector<1>>::forward_train(&norm, &x, &mut cache, &mut y);
    check("BatchNorm", &y.map(|y| y[0]));

    // Its gradient far from 0 is that of the same numbers near 0.
    let near: [f32; N] = row.map(|x| x - 10_000.0);
    let weights = V::<N>::from_fn(|i, _| 1.0 + i as f32);
    let [far, near] = [row, near].map(|x| {
        let layer = LayerNorm::<N>::new(weights, zeros);
        both_ways::<Vector<N>, _>(&layer, V::from(x)).1
    });
    assert!((far - near).abs().max() < 2e-3 * near.abs().max(), "{far} and {near}");
}

/// Would catch: a stream that one bad sample ends for ever, that hides the bad sample, or that forgets what it knew before.
#[test]
fn streams_survive_a_bad_sample() {
    use constnet::streaming::Streaming;
    use constnet::{Causal, Conv1d, GlobalAvgPool, Gru, Last, Lstm, Rnn};
    fn check<L, const OUT: usize>(forgets_after: usize)
    where
        L: Layer<Sequence<2, 9>> + Streaming<Vector<2>, Out = Vector<OUT>> + Parameters<f32>,
        L::State: Clone + PartialEq + std::fmt::Debug,
    {
        let name = std::any::type_name::<L>();
        let mut net = Network::<Sequence<2, 9>, L>::ZERO;
        net.init(&mut StdRng::seed_from_u64(5));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut state, mut undisturbed) = (<L::State as ConstZero>::ZERO, <L::State as ConstZero>::ZERO);
            for i in 0..6 {
                let x = V::from([0.5, 0.25 * i as f32 - 0.5]);
                assert_eq!(net.step(&mut state, &x), net.step(&mut undisturbed, &x), "{name}");
            }
            let y = net.step(&mut state, &V::from([0.5, bad]));
            // An infinite input may have a finite answer, which is a step like any other; NaN has none.
            let leaves_no_trace = bad.is_nan() && forgets_after == 0;
            if leaves_no_trace {
                assert!(y.iter().any(|y| y.is_nan()), "{name} hides a NaN: {y}");
                assert_eq!(state, undisturbed, "{name} remembers {bad}");
            }
            for i in 0..forgets_after + 3 {
                let x = V::from([0.1 * i as f32, 0.75]);
                let (y, expected) = (net.step(&mut state, &x), net.step(&mut undisturbed, &x));
                assert!(i < forgets_after || y.iter().all(|y| y.is_finite()), "{name} does not go on after {bad}: {y}");
                assert!(!leaves_no_trace || y == expected, "{name} goes on elsewhere after {bad}: {y}");
            }
        }
    }
    check::<(Rnn<2, 5>,), 5>(0);
    check::<(Rnn<2, 5, Relu>,), 5>(0);
    check::<(Gru<2, 5>,), 5>(0);
    check::<(Gru<2, 19>, Dense<19, 3>), 3>(0);
    check::<(GlobalAvgPool,), 2>(0);
    check::<(GlobalMaxPool,), 2>(0);
    check::<(Lstm<2, 5>,), 5>(0);
    check::<(Conv1d<2, 4, 3, constnet::Stride, Causal, constnet::Dilation<2>>, Gru<4, 5>, Last), 5>(4);
}
