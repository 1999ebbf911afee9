//! The sets of instructions: forced in turn, they compute the same but for the rounding of fused products.

use constnet::isa::{InstructionSet, best, in_use, limit_to};
use constnet::layer::Parameters;
use constnet::loss::{CrossEntropy, Mse};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::network::StateOf;
use constnet::optimizer::Sgd;
use constnet::train::Trainer;
use constnet::{
    Causal, Class, Conv1d, Conv2d, Dense, Dilation, Flatten, Gelu, Gru, Image, Last, LayerNorm, Lstm, MaxPool2d,
    Network, Relu, SelfAttention, Sequence, Sigmoid, Softmax, Stride, Tanh, Vector,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// All of them in one test: what is in use holds for the whole process.
const SETS: [InstructionSet; 3] = [InstructionSet::Target, InstructionSet::Avx2, InstructionSet::Avx512];

/// How far a number may lie from that of the first set, in units of the largest number of its tensor: products of some hundred
/// terms, each rounded once instead of twice.
const BOUND: f32 = 1e-5;

fn rng() -> StdRng {
    StdRng::seed_from_u64(3)
}

/// What was computed on a set of instructions, tensor by tensor.
type Results = Vec<Vec<f32>>;

fn vector<const N: usize>(rng: &mut StdRng) -> SVector<f32, N> {
    SVector::from_fn(|_, _| rng.random::<f32>() * 2.0 - 1.0)
}

fn parameters<N: Parameters<f32>>(net: &N) -> Results {
    let mut all = Vec::new();
    net.visit(&mut |_, values| all.push(values.to_vec()));
    all
}

/// A prediction and the parameters after three steps of training.
macro_rules! vectors {
    ($results:ident, $IN:literal => $OUT:literal, $layers:ty) => {{
        type Net = Network<Vector<$IN>, $layers>;
        let mut rng = rng();
        let mut net = Box::new(Net::ZERO);
        net.init(&mut rng);
        let mut trainer = Box::new(Trainer::<Net, _, _, 5>::new(Sgd::const_new(0.05), Mse));
        for _ in 0..3 {
            let x: [SVector<f32, $IN>; 5] = core::array::from_fn(|_| vector(&mut rng));
            let y: [SVector<f32, $OUT>; 5] = core::array::from_fn(|_| vector(&mut rng));
            $results.push(vec![trainer.step(&mut *net, &x, &y)]);
        }
        $results.push(net.predict(&vector::<$IN>(&mut rng)).as_slice().to_vec());
        $results.extend(parameters(&*net));
    }};
}

fn compute() -> Results {
    let mut results = Vec::new();
    // Every width of tile: one output, a few, a vector and a bit, several vectors and a bit.
    vectors!(results, 2 => 1, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid));
    vectors!(results, 13 => 4, (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>));
    vectors!(results, 64 => 10, (Dense<64, 32>, Relu, Dense<32, 10>, Softmax));
    vectors!(results, 37 => 5, (Dense<37, 83>, Gelu, Dense<83, 19>, Relu, Dense<19, 5>));
    vectors!(results, 200 => 129, (Dense<200, 129>,));
    images(&mut results);
    sequences(&mut results);
    results
}

fn images(results: &mut Results) {
    type Net = Network<
        Image<1, 14, 14>,
        (
            Conv2d<1, 8, 3>,
            Relu,
            MaxPool2d<2>,
            Conv2d<8, 16, 3, 3, Stride<1>, constnet::Same>,
            Relu,
            Flatten,
            Dense<576, 10>,
        ),
    >;
    let mut rng = rng();
    let mut net = Box::new(Net::ZERO);
    net.init(&mut rng);
    let mut trainer = Box::new(Trainer::<Net, _, _, 3>::new(Sgd::const_new(0.05), CrossEntropy));
    let mut image = || core::array::from_fn(|_| SMatrix::<f32, 1, 14>::from_fn(|_, _| rng.random::<f32>()));
    for k in 0..3 {
        let x = [image(), image(), image()];
        let labels = [1, 4, 7].map(|label| Class::new(label + k).unwrap());
        results.push(vec![trainer.step(&mut *net, &x, &labels)]);
    }
    results.push(net.predict(&image()).as_slice().to_vec());
    results.extend(parameters(&*net));
}

fn sequences(results: &mut Results) {
    type Net = Network<
        Sequence<3, 9>,
        (
            Conv1d<3, 12, 4, Stride<1>, Causal, Dilation<2>>,
            LayerNorm<12>,
            SelfAttention<12, 3>,
            Gru<12, 20>,
            Lstm<20, 7>,
            Last,
            Dense<7, 2>,
        ),
    >;
    let mut rng = rng();
    let mut net = Box::new(Net::ZERO);
    net.init(&mut rng);
    let mut trainer = Box::new(Trainer::<Net, _, _, 2>::new(Sgd::const_new(0.05), Mse));
    for _ in 0..3 {
        let x: [SMatrix<f32, 3, 9>; 2] = core::array::from_fn(|_| SMatrix::from_fn(|_, _| rng.random::<f32>() - 0.5));
        let y: [SVector<f32, 2>; 2] = core::array::from_fn(|_| vector(&mut rng));
        results.push(vec![trainer.step(&mut *net, &x, &y)]);
    }
    results.extend(parameters(&*net));
    stream(results);
}

/// A whole sequence and the same one streamed: the same bits, on every set.
fn stream(results: &mut Results) {
    type Net = Network<Sequence<8, 16>, (Conv1d<8, 8, 7, Stride<1>, Causal, Dilation<2>>, Lstm<8, 20>, Dense<20, 3>)>;
    let mut rng = rng();
    let mut net = Box::new(Net::ZERO);
    net.init(&mut rng);
    let x = SMatrix::<f32, 8, 16>::from_fn(|_, _| rng.random::<f32>() - 0.5);
    let whole = net.predict(&x);
    let mut state: StateOf<Net> = Net::start();
    for (step, whole) in x.column_iter().zip(whole.column_iter()) {
        let y = net.step(&mut state, &step.into_owned());
        assert_eq!(y, whole, "streamed on {:?}", in_use());
        results.push(y.as_slice().to_vec());
    }
}

#[test]
#[allow(clippy::float_cmp)] // Bits.
fn every_set_computes_the_same() {
    limit_to(InstructionSet::Target);
    assert_eq!(in_use(), InstructionSet::Target);
    let expected = compute();
    assert!(compute() == expected, "the same set, twice");
    for most in SETS {
        if most > best() {
            println!("not on this processor: {most:?}");
            continue;
        }
        assert_eq!(limit_to(most), most);
        assert_eq!(in_use(), most);
        let results = compute();
        assert_eq!(results.len(), expected.len());
        let mut differ = 0;
        for (k, (results, expected)) in results.iter().zip(&expected).enumerate() {
            let largest = expected.iter().fold(1e-3, |largest: f32, x| largest.max(x.abs()));
            for (x, expected) in results.iter().zip(expected) {
                assert!((x - expected).abs() <= BOUND * largest, "tensor {k} on {most:?}: {x} instead of {expected}");
                differ += usize::from(x != expected);
            }
        }
        let is_fused = most > InstructionSet::Target && !cfg!(target_feature = "fma");
        assert!(!is_fused || differ > 0, "{most:?} gives the bits of the build's target: was it in use?");
        println!("{most:?}: {differ} numbers differ from those of the build's target");
    }
    // With FMA on both, AVX2 and AVX-512 give the same bits.
    if best() == InstructionSet::Avx512 {
        limit_to(InstructionSet::Avx2);
        let narrow = compute();
        limit_to(InstructionSet::Avx512);
        for (k, (wide, narrow)) in compute().iter().zip(&narrow).enumerate() {
            assert!(wide == narrow, "tensor {k} differs between AVX2 and AVX-512");
        }
    }
    assert_eq!(limit_to(InstructionSet::Avx512), best());
}
