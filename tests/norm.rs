//! Normalisation, branches and steps, beyond what gradients and PyTorch's files show.
//!
//! Would catch: a variance by difference of squares, running averages that lag or follow the biased variance or an optimiser, a
//! batch normalisation that predicts from its batch, folding that changes what a network predicts, a step that differs from the
//! sequence, branches in the wrong order, a tensor under another key.
#![cfg(feature = "rand")]

use constnet::bound::{HasOutputs, IsBias, OutputsInnermost};
use constnet::init::Init;
use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::loss::Mse;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Adam;
use constnet::safetensors::File;
use constnet::shape::{Shape, Tensor, TensorOf};
use constnet::train::Trainer;
use constnet::{
    BatchNorm, Causal, Concat, ConstZero, Conv1d, Conv2d, Conv2dNoBias, Dense, DenseNoBias, Dropout, Flatten,
    GroupNorm, Identity, Image, LayerNorm, Network, Parallel, Relu, Reshape, RmsNorm, Sequence, Softmax, Stride, Sum,
    Tanh, TimeDistributed, Valid, Vector,
};
use constnet::{ConvTranspose1d, ConvTranspose2d, DepthwiseConv2d, GroupedConv1d, GroupedConv2d};
use rand::{Rng, SeedableRng, rngs::Xoshiro128PlusPlus};

/// Between -1 and 1.
fn random(rng: &mut impl Rng) -> f32 {
    #[allow(clippy::cast_possible_truncation)]
    let number = (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
    number
}

fn fill<X: Tensor<f32>>(rng: &mut impl Rng) -> X {
    let mut x = X::ZERO;
    x.as_mut_slice().fill_with(|| random(rng));
    x
}

/// Random parameters, with variances above 0.
fn randomise<P: Parameters<f32>>(parameters: &mut P) {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(3);
    P::zip([parameters], &mut |parameter, [values]| {
        let is_variance = parameter.name == "running_var";
        values.fill_with(|| random(&mut rng) + if is_variance { 1.5 } else { 0.0 });
    });
}

fn near(a: f32, b: f32, limit: f32) -> bool {
    (a - b).abs() <= limit * b.abs().max(1.0)
}

/// The training pass of a layer.
fn trained<In: Shape, L: Differentiable<In>, const B: usize>(
    layer: &mut L,
    x: &[TensorOf<In, f32>; B],
) -> [TensorOf<L::Out, f32>; B] {
    let (mut cache, mut y) = (L::Cache::<B>::ZERO, ConstZero::ZERO);
    layer.forward_train(x, &mut cache, &mut y);
    layer.track_statistics(&cache);
    y
}

/// The mean and the biased variance of numbers, in f64.
#[allow(clippy::cast_precision_loss)]
fn moments(numbers: &[f32]) -> [f64; 2] {
    let n = numbers.len() as f64;
    let mean = numbers.iter().copied().map(f64::from).sum::<f64>() / n;
    [mean, numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n]
}

/// All numbers of a channel, batch first.
fn channel(x: &[TensorOf<Image<2, 24, 12>, f32>], channel: usize) -> Vec<f32> {
    x.iter().flatten().flat_map(|row| row.row(channel).iter().copied().collect::<Vec<_>>()).collect()
}

/// That `y` is `x` of mean 0 and deviation 1, but for `limit`.
#[allow(clippy::cast_possible_truncation)]
fn assert_normal(x: &[f32], y: &[f32], limit: f32) {
    let [mean, variance] = moments(x);
    for (&x, &y) in x.iter().zip(y) {
        let expected = ((f64::from(x) - mean) / (variance + 1e-5).sqrt()) as f32;
        assert!((y - expected).abs() < limit, "around {mean}: {y}, expected {expected}");
    }
    let (spread, expected) = (moments(y)[1], variance / (variance + 1e-5));
    assert!((spread - expected).abs() < 1e-4, "around {mean}: variance {spread}, expected {expected}");
}

/// Around means from a thousand times the deviation on, where a plain sum has lost the mean's last digits, against the same in
/// f64: over the 1,152 positions of a batch, and the 288 of a sample. What remains is that a mean is itself an f32.
#[test]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn large_means() {
    for large in [1e3_f32, 1e4, 1e5] {
        let limit = (large * f32::EPSILON).max(1e-4);
        let mut rng = Xoshiro128PlusPlus::seed_from_u64(1);
        let mut x = <[TensorOf<Image<2, 24, 12>, f32>; 4]>::ZERO;
        x.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|x| *x = large + random(&mut rng));
        let mut norm = BatchNorm::<2>::ZERO;
        norm.weight.fill(1.0);
        let y = trained::<Image<2, 24, 12>, _, 4>(&mut norm, &x);
        let mut grouped = <[TensorOf<Image<2, 24, 12>, f32>; 1]>::ZERO;
        let group = GroupNorm::<2, 2>::new([1.0; 2].into(), [0.0; 2].into());
        Layer::<Image<2, 24, 12>>::forward(&group, &x[0], &mut grouped[0]);
        for i in 0..2 {
            let numbers = channel(&x, i);
            assert_normal(&numbers, &channel(&y, i), limit);
            assert_normal(&channel(&x[..1], i), &channel(&grouped, i), limit);
            // PyTorch's 0.1 of the unbiased variance, from 0.
            let ([mean, variance], n) = (moments(&numbers), numbers.len() as f64);
            assert!(near(norm.running_mean[i], (0.1 * mean) as f32, 2e-7), "{}", norm.running_mean[i]);
            let expected = (0.1 * variance * n / (n - 1.0)) as f32;
            assert!((norm.running_var[i] / expected - 1.0).abs() < 1e-4, "{} {expected}", norm.running_var[i]);
        }
    }
    let mut layer = LayerNorm::<64>::ZERO;
    layer.weight.fill(1.0);
    let x = SVector::<f32, 64>::from_fn(|i, _| 10_000.0 + (i % 2) as f32);
    let y = Network::<Vector<64>, (LayerNorm<64>,)>::new((layer,)).predict(&x);
    assert!(y.iter().enumerate().all(|(i, &y)| near(y, if i % 2 == 0 { -1.0 } else { 1.0 }, 1e-3)), "{y}");
}

/// A channel without variance comes out as its bias; so does a group, and nothing is infinite on the way back.
#[test]
fn no_variance() {
    let x = [SVector::<f32, 2>::from([3.0, 3.0]); 4];
    let mut norm = BatchNorm::<2>::new([2.0; 2].into(), [0.5, -0.5].into(), [0.0; 2].into(), [1.0; 2].into());
    let y = trained::<Vector<2>, _, 4>(&mut norm, &x);
    assert_eq!(y, [SVector::from([0.5, -0.5]); 4]);
    assert!(near(norm.running_mean[0], 0.3, 1e-6) && near(norm.running_var[0], 0.9, 1e-6), "{norm:?}");
    let (mut cache, mut dx, mut gradient) = (ConstZero::ZERO, ConstZero::ZERO, BatchNorm::ZERO);
    let mut outputs = ConstZero::ZERO;
    Differentiable::<Vector<2>>::forward_train(&norm, &x, &mut cache, &mut outputs);
    Differentiable::<Vector<2>>::backward(
        &norm,
        &x,
        &outputs,
        &mut cache,
        &[x[0]; 4],
        Gradient::adding(&mut gradient),
        Some(&mut dx),
    );
    assert!(dx.iter().flatten().all(|dx: &f32| dx.abs() < 1e-3), "{dx:?}");

    let layer = LayerNorm::<2>::new([2.0; 2].into(), [0.5, -0.5].into());
    let group = GroupNorm::<1, 2>::new([2.0; 2].into(), [0.5, -0.5].into());
    let mut y = SVector::zeros();
    Layer::<Vector<2>>::forward(&layer, &x[0], &mut y);
    assert_eq!(y, SVector::from([0.5, -0.5]));
    Layer::<Vector<2>>::forward(&group, &x[0], &mut y);
    assert_eq!(y, SVector::from([0.5, -0.5]));
    Layer::<Vector<2>>::forward(&RmsNorm::<2>::new([2.0; 2].into()), &SVector::zeros(), &mut y);
    assert_eq!(y, SVector::from([0.0; 2]));
}

/// A number that is not finite is not hidden.
#[test]
fn not_finite() {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(8);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x: [SVector<f32, 4>; 3] = core::array::from_fn(|_| fill(&mut rng));
        x[1][2] = bad;
        let mut y = SVector::zeros();
        Layer::<Vector<4>>::forward(&LayerNorm::<4>::new([1.0; 4].into(), [0.0; 4].into()), &x[1], &mut y);
        assert!(y.iter().all(|y| y.is_nan()), "{y}");
        Layer::<Vector<4>>::forward(&RmsNorm::<4>::new([1.0; 4].into()), &x[1], &mut y);
        assert!(y[2].is_nan(), "{y}");
        let mut norm = BatchNorm::<4>::ZERO;
        norm.weight.fill(1.0);
        let y = trained::<Vector<4>, _, 3>(&mut norm, &x);
        assert!(y.iter().all(|y| y[2].is_nan() && y[1].is_finite()), "{y:?}");
    }
}

/// What comes out of `G` groups.
fn in_groups<const G: usize>(x: &TensorOf<Sequence<6, 5>, f32>) -> TensorOf<Sequence<6, 5>, f32>
where
    GroupNorm<G, 6>: Layer<Sequence<6, 5>, Out = Sequence<6, 5>>,
{
    let mut y = ConstZero::ZERO;
    GroupNorm::<G, 6>::new([1.0; 6].into(), [0.0; 6].into()).forward(x, &mut y);
    y
}

/// One group is a layer normalisation over all; as many groups as channels normalise each channel of each sample.
#[test]
fn groups() {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(2);
    let x: TensorOf<Sequence<6, 5>, f32> = fill(&mut rng);
    let normal = |numbers: &[f32]| -> Vec<f32> {
        let n = 1.0 / f32::from(u8::try_from(numbers.len()).expect("few"));
        let mean = numbers.iter().sum::<f32>() * n;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() * n;
        numbers.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect()
    };
    for (width, y) in
        [(6, in_groups::<1>(&x)), (3, in_groups::<2>(&x)), (2, in_groups::<3>(&x)), (1, in_groups::<6>(&x))]
    {
        for start in (0..6).step_by(width) {
            let [x, y] = [x, y].map(|x| x.rows(start, width).iter().copied().collect::<Vec<_>>());
            assert!(normal(&x).iter().zip(&y).all(|(a, b)| near(*b, *a, 1e-5)), "{width} from {start}");
        }
    }
}

/// Running averages of three batches, by hand; the optimiser leaves them alone; `init` gives PyTorch's start.
#[test]
fn running_averages() {
    type Net = Network<Vector<2>, (Dense<2, 3>, BatchNorm<3>, Tanh, Dense<3, 1>)>;
    for init in [Init::XavierUniform, Init::TorchDefault, Init::KaimingNormal] {
        let mut net = Net::ZERO;
        net.init_with(init, &mut Xoshiro128PlusPlus::seed_from_u64(4));
        let norm = &net.layers.1;
        assert_eq!((norm.weight, norm.bias), (SVector::repeat(1.0), SVector::zeros()), "{init:?}");
        assert_eq!((norm.running_mean, norm.running_var), (SVector::zeros(), SVector::repeat(1.0)), "{init:?}");
    }
    let mut net = Net::ZERO;
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(4));
    let mut trainer = Trainer::<Net, _, _, 8>::new(Adam::const_new(0.05), Mse);
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(6);
    let (mut mean, mut variance) = (SVector::<f32, 3>::zeros(), SVector::<f32, 3>::repeat(1.0));
    for _ in 0..3 {
        let x: [SVector<f32, 2>; 8] = core::array::from_fn(|_| fill(&mut rng));
        let hidden = x.map(|x| net.layers.0.weight * x + net.layers.0.bias);
        let batch_mean = hidden.iter().sum::<SVector<f32, 3>>() / 8.0;
        let squares: SVector<f32, 3> = hidden.iter().map(|h| (h - batch_mean).map(|d| d * d)).sum();
        mean = mean * 0.9 + batch_mean * 0.1;
        variance = variance * 0.9 + squares / 7.0 * 0.1;
        trainer.step(&mut net, &x, &x.map(|x| SVector::from([x[0] * x[1]])));
    }
    let norm = &net.layers.1;
    assert!((norm.running_mean - mean).norm() < 1e-5, "{} {mean}", norm.running_mean);
    assert!((norm.running_var - variance).norm() < 1e-5, "{} {variance}", norm.running_var);
    // Predicting uses them, and not the sample.
    let (x, mut y) = (SVector::from([1.0, -2.0, 3.0]), SVector::zeros());
    Layer::<Vector<3>>::forward(norm, &x, &mut y);
    for i in 0..3 {
        let expected = (x[i] - mean[i]) / (variance[i] + 1e-5).sqrt() * norm.weight[i] + norm.bias[i];
        assert!(near(y[i], expected, 1e-5));
    }
}

/// Folds the second of two layers into the first: the pair predicts as before, and so does the first alone.
fn folds<In: Shape, L, const C: usize>()
where
    L: Layer<In> + Parameters<f32> + OutputsInnermost<f32, Bias: IsBias> + HasOutputs<C>,
    BatchNorm<C>: Layer<L::Out, Out = L::Out>,
{
    let name = core::any::type_name::<L>();
    let mut pair = <(L, BatchNorm<C>)>::ZERO;
    randomise(&mut pair);
    let x: TensorOf<In, f32> = fill(&mut Xoshiro128PlusPlus::seed_from_u64(9));
    let run = |layer: &L, norm: Option<&BatchNorm<C>>| {
        let mut y = TensorOf::<L::Out, f32>::ZERO;
        layer.forward(&x, &mut y);
        let Some(norm) = norm else { return y };
        let mut normal = TensorOf::<L::Out, f32>::ZERO;
        norm.forward(&y, &mut normal);
        normal
    };
    let before = run(&pair.0, Some(&pair.1));
    let mut folded = L::ZERO;
    pair.1.fold(&pair.0, &mut folded);
    let (layer, norm) = &mut pair;
    norm.fold_into(layer);
    for after in [run(layer, Some(norm)), run(layer, None), run(&folded, None)] {
        let pairs = before.as_slice().iter().zip(after.as_slice());
        assert!(pairs.into_iter().all(|(&before, &after)| near(after, before, 1e-5)), "{name}: {before:?} {after:?}");
    }
}

#[test]
fn folding() {
    folds::<Vector<5>, Dense<5, 3>, 3>();
    folds::<Sequence<5, 4>, Dense<5, 3>, 3>();
    folds::<Sequence<2, 8>, Conv1d<2, 3, 3, Stride<2>, Causal>, 3>();
    folds::<Image<2, 5, 6>, Conv2d<2, 4, 3, 2>, 4>();
    folds::<Image<2, 3, 4>, ConvTranspose2d<2, 3, 2, 2, Stride<2>>, 3>();
    folds::<Sequence<2, 3>, ConvTranspose1d<2, 3, 3>, 3>();
    folds::<Image<4, 5, 6>, GroupedConv2d<2, 2, 3, 3, 2>, 6>();
    folds::<Image<3, 5, 6>, DepthwiseConv2d<3, 3>, 3>();
    folds::<Sequence<4, 6>, GroupedConv1d<2, 2, 3, 3>, 6>();
    // Without bias: into a copy that has one.
    let mut pair = <(Conv2dNoBias<2, 3, 2>, BatchNorm<3>)>::ZERO;
    randomise(&mut pair);
    let mut folded = Conv2d::<2, 3, 2>::ZERO;
    pair.1.fold(&pair.0, &mut folded);
    let x: TensorOf<Image<2, 3, 3>, f32> = fill(&mut Xoshiro128PlusPlus::seed_from_u64(9));
    let before = Network::<Image<2, 3, 3>, _>::new(pair).predict(&x);
    let after = Network::<Image<2, 3, 3>, _>::new((folded,)).predict(&x);
    assert!(
        before.iter().flatten().zip(after.iter().flatten()).all(|(a, b)| near(*a, *b, 1e-5)),
        "{before:?} {after:?}"
    );
    let mut pair = <(DenseNoBias<4, 3>, BatchNorm<3>)>::ZERO;
    randomise(&mut pair);
    let mut folded = Dense::<4, 3>::ZERO;
    pair.1.fold(&pair.0, &mut folded);
    let x: SVector<f32, 4> = fill(&mut Xoshiro128PlusPlus::seed_from_u64(9));
    let before = Network::<Vector<4>, _>::new(pair).predict(&x);
    let after = Network::<Vector<4>, _>::new((folded,)).predict(&x);
    assert!((before - after).norm() < 1e-5, "{before} {after}");
}

/// Step by step, the same bits as the whole sequence.
#[test]
fn steps_are_the_sequence() {
    type Each = (Dense<6, 6>, Reshape<Sequence<3, 2>>, Softmax, Flatten);
    type Net = Network<
        Sequence<3, 7>,
        (
            Parallel<Identity, (Conv1d<3, 3, 2, Stride, Causal>, BatchNorm<3>), Concat>,
            LayerNorm<6>,
            TimeDistributed<Each>,
            Parallel<Dropout, (RmsNorm<6>, Conv1d<6, 6, 3, Stride, Causal>), Sum>,
        ),
    >;
    let mut net = Net::ZERO;
    randomise(&mut net);
    let x: TensorOf<Sequence<3, 7>, f32> = fill(&mut Xoshiro128PlusPlus::seed_from_u64(5));
    let whole: SMatrix<f32, 6, 7> = net.predict(&x);
    let mut state = Net::start();
    for (x, y) in x.column_iter().zip(whole.column_iter()) {
        let step: SVector<f32, 6> = net.step(&mut state, &x.clone_owned());
        assert_eq!(step, y.clone_owned());
    }
}

/// The first branch's channels come first, position by position; a sum is a sum.
#[test]
fn branches() {
    type Twice = (Dense<1, 1>,);
    let twice = || (Dense::from_columns([[2.0]], [0.0]),);
    let x = SMatrix::<f32, 1, 3>::from([[1.0], [2.0], [3.0]]);
    let joined = Network::<Sequence<1, 3>, _>::new(Parallel::<Identity, Twice, Concat>::new(Identity, twice()));
    assert_eq!(joined.predict(&x), SMatrix::from([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]));
    let sum = Network::<Sequence<1, 3>, _>::new(Parallel::<Identity, Twice, Sum>::new(Identity, twice()));
    assert_eq!(sum.predict(&x), SMatrix::from([[3.0], [6.0], [9.0]]));
    let other = Network::<Image<1, 1, 2>, _>::new(Parallel::<Conv2d<1, 1, 1>, Identity, Concat>::ZERO);
    let image: TensorOf<Image<1, 1, 2>, f32> = [SMatrix::from([[5.0], [7.0]])];
    assert_eq!(other.predict(&image), [SMatrix::from([[0.0, 5.0], [0.0, 7.0]])]);
}

/// A dense layer takes sequences by itself.
#[test]
fn each_step_alike() {
    let (mut each, mut plain) = (TimeDistributed(Dense::<3, 4>::ZERO), Dense::<3, 4>::ZERO);
    randomise(&mut each);
    randomise(&mut plain);
    let x: TensorOf<Sequence<3, 5>, f32> = fill(&mut Xoshiro128PlusPlus::seed_from_u64(5));
    let [mut a, mut b] = [SMatrix::<f32, 4, 5>::zeros(); 2];
    Layer::<Sequence<3, 5>>::forward(&each, &x, &mut a);
    Layer::<Sequence<3, 5>>::forward(&plain, &x, &mut b);
    assert_eq!(a, b);
}

type Named = Network<
    Sequence<2, 4>,
    (
        Parallel<(Dense<2, 3>, BatchNorm<3>), DenseNoBias<2, 3>, Sum>,
        LayerNorm<3>,
        RmsNorm<3>,
        GroupNorm<3, 3>,
        TimeDistributed<(Dense<3, 2>,)>,
    ),
>;

struct NamedFile;
impl File for NamedFile {
    const BYTES: &'static [u8] = include_bytes!("data/norm/named.safetensors");
}
static NAMED: Named = Named::from_file::<NamedFile>();

/// The keys are PyTorch's, its `num_batches_tracked` is passed over, and constants are what `load` reads.
#[test]
fn keys_of_files() {
    let mut keys = Vec::new();
    NAMED.visit(&mut |parameter, _| keys.push(parameter.to_string()));
    let norm = ["0.0.1.weight", "0.0.1.bias", "0.0.1.running_mean", "0.0.1.running_var"];
    let before = ["0.0.0.weight", "0.0.0.bias"];
    let behind = ["0.1.weight", "1.weight", "1.bias", "2.weight", "3.weight", "3.bias", "4.0.weight", "4.0.bias"];
    assert_eq!(keys, [&before[..], &norm, &behind].concat());
    let mut loaded = Named::ZERO;
    loaded.load(NamedFile::BYTES).expect("a file that fits");
    assert_eq!(loaded, NAMED);
    assert_eq!(loaded.layers.0.branches.0.1.running_var, SVector::from([1.0, 1.125, 1.25]));
    let mut file = vec![0; loaded.saved_len()];
    assert_eq!(loaded.save(&mut file), Ok(file.len()));
    let mut again = Named::ZERO;
    again.load(&file).expect("our own file");
    assert_eq!(again, NAMED);
}

#[cfg(feature = "serde")]
#[test]
fn serde_gives_back_what_it_took() {
    let text = serde_json::to_string(&NAMED).expect("finite numbers");
    assert_eq!(serde_json::from_str::<Named>(&text).expect("our own text"), NAMED);
    let mut place = Named::ZERO;
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    serde::Deserialize::deserialize_in_place(&mut deserializer, &mut place).expect("our own text");
    assert_eq!(place, NAMED);
}

/// A network with all of it learns: the loss of what it predicts, by running averages, falls as well.
#[test]
fn a_network_with_norms_learns() {
    type Net = Network<
        Sequence<2, 6>,
        (
            Dense<2, 8>,
            BatchNorm<8>,
            Relu,
            Parallel<Identity, (LayerNorm<8>, Dense<8, 4>), Concat>,
            GroupNorm<3, 12>,
            Flatten,
            DenseNoBias<72, 8>,
            BatchNorm<8>,
            Relu,
            Dense<8, 1>,
        ),
    >;
    let mut net = Net::ZERO;
    net.init(&mut Xoshiro128PlusPlus::seed_from_u64(1));
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(2);
    let inputs: Vec<SMatrix<f32, 2, 6>> = (0..128).map(|_| fill(&mut rng)).collect();
    let targets: Vec<_> = inputs.iter().map(|x| SVector::from([x.row(0).dot(&x.row(1))])).collect();
    let data = constnet::data::Dataset::new(&inputs, &targets).expect("pairs");
    let mut trainer = Trainer::<Net, _, _, 16>::new(Adam::const_new(0.01), Mse);
    let before = trainer.evaluate(&net, data);
    trainer.fit(&mut net, data, constnet::train::Fit::epochs(60), &mut ()).expect("finite");
    let after = trainer.evaluate(&net, data);
    assert!(after < 0.1 * before, "{before} to {after}");
}

/// `Valid` is the default of a convolution, whose outputs a norm takes whatever its padding.
#[test]
fn after_a_convolution() {
    type Net =
        Network<Image<1, 6, 6>, (Conv2d<1, 4, 3, 3, Stride<1>, Valid>, BatchNorm<4>, Relu, Flatten, Dense<64, 2>)>;
    assert_eq!(Net::PARAMETERS, 40 + 16 + 130);
}
