//! Prediction and training steps, beside the same networks written by hand with nalgebra: see `benches/README.md`.

mod by_hand;
#[path = "../examples/support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::layer::{Layer, Parameters};
use constnet::loss::{CategoricalCrossEntropy, CrossEntropy, Mse};
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::Adam;
use constnet::shape::{Image, Shape, Tensor, TensorOf};
use constnet::train::Trainer;
use constnet::{
    Causal, Class, ConstZero, Dense, Embedding, Gelu, LayerNorm, LearnedPositions, Network, Relu, Residual,
    SelfAttention, Sigmoid, Softmax, Tanh, Tokens, Vector,
};
use criterion::{Criterion, Throughput};
use mlperf_tiny::{Autoencoder, DsCnn, MobileNet, ResNet8};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;

type Xor = Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>;
type Policy = Network<Vector<13>, (Dense<13, 64>, Tanh, Dense<64, 64>, Tanh, Dense<64, 4>)>;
type Small = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
type SmallSoftmax = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>, Softmax)>;
type Mnist = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;

type Attend = Residual<(LayerNorm<32>, SelfAttention<32, 4, Causal>)>;
type Think = Residual<(LayerNorm<32>, Dense<32, 128>, Gelu, Dense<128, 32>)>;
type Transformer = Network<
    Tokens<64, 32>,
    (Embedding<64, 32>, LearnedPositions<32, 32>, (Attend, Think), (Attend, Think), LayerNorm<32>, Dense<32, 64>),
>;

type XorByHand = by_hand::Two<by_hand::Sigmoid, by_hand::Sigmoid, 2, 4, 1>;
type PolicyByHand = by_hand::Three<by_hand::Tanh, 13, 64, 4>;
type SmallByHand = by_hand::Two<by_hand::Relu, by_hand::Linear, 64, 32, 10>;
type MnistByHand = by_hand::Three<by_hand::Relu, 784, 64, 10>;

/// Both must agree to this, relative to 1 or to the value if it is larger.
const TOLERANCE: f32 = 1e-4;

/// At the rate 0 an optimiser does all its work and the network stays as it is: every step timed computes with the same
/// numbers, however long the benchmark runs, and none fades into the slow subnormal range.
const NO_LEARNING: f32 = 0.0;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args();
    xor(&mut criterion);
    policy(&mut criterion);
    small(&mut criterion);
    mnist::<1>(&mut criterion);
    mnist::<32>(&mut criterion);
    transformer(&mut criterion);
    tiny(&mut criterion);
    criterion.final_summary();
}

/// Times a prediction or a step of both.
fn compare<A, B>(
    criterion: &mut Criterion,
    name: &str,
    samples: usize,
    mut constnet: impl FnMut() -> A,
    mut by_hand: impl FnMut() -> B,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(samples as u64));
    group.bench_function("constnet", |bencher| bencher.iter(&mut constnet));
    group.bench_function("by hand", |bencher| bencher.iter(&mut by_hand));
    group.finish();
}

fn assert_close(name: &str, ours: &[f32], by_hand: &[f32]) {
    assert_eq!(ours.len(), by_hand.len(), "{name}: as many numbers");
    for (a, b) in ours.iter().zip(by_hand) {
        assert!((a - b).abs() <= TOLERANCE * a.abs().max(1.0), "{name}: constnet gives {a}, by hand it is {b}");
    }
}

/// A batch, as an array of vectors and as one matrix: the same numbers in the same order.
fn batch<const N: usize, const B: usize>(rng: &mut StdRng) -> (Box<[SVector<f32, N>; B]>, Box<SMatrix<f32, N, B>>) {
    let matrix: Box<SMatrix<f32, N, B>> = Box::new(SMatrix::from_fn(|_, _| rng.random_range(-1.0..1.0)));
    (Box::new(std::array::from_fn(|i| matrix.column(i).into_owned())), matrix)
}

fn labels<const N: usize, const B: usize>(rng: &mut StdRng) -> ([Class<N>; B], [usize; B]) {
    let labels = std::array::from_fn(|_| rng.random_range(0..N));
    (labels.map(|label| Class::new(label).expect("drawn below N")), labels)
}

/// Ten steps that learn give the same losses, and steps with the rate 0 are timed.
macro_rules! compare_steps {
    ($criterion:ident, $name:expr, $B:ident, $net:ident, $by_hand:expr, $loss:expr, ($x:ident, $t:ident), $hand_loss:expr, $hand_x:ident) => {{
        let mut trainers = [1e-3, NO_LEARNING].map(|rate| {
            let adam = Adam::new(f64::from(rate)).expect("a valid rate");
            Box::new(Trainer::<_, _, _, $B>::new(adam, $loss))
        });
        let [learning, timed] = &mut trainers;
        let (mut net, mut by_hand) = ($net.clone(), $by_hand(1e-3));
        for step in 0..10 {
            let ours = learning.step(&mut *net, &*$x, &*$t);
            let hand = by_hand.step(&*$hand_x, $hand_loss);
            assert_close(&format!("{}, loss at step {step}", $name), &[ours], &[hand]);
        }
        let (mut net, mut by_hand) = ($net.clone(), $by_hand(NO_LEARNING));
        compare(
            $criterion,
            $name,
            $B,
            || timed.step(black_box(&mut *net), black_box(&*$x), black_box(&*$t)),
            || black_box(&mut *by_hand).step(black_box(&*$hand_x), $hand_loss),
        );
    }};
}

fn xor(criterion: &mut Criterion) {
    const B: usize = 4;
    let rng = &mut StdRng::seed_from_u64(1);
    let mut net = Box::new(Xor::ZERO);
    net.init(rng);
    let by_hand = |rate| {
        let (first, last) = (by_hand::Dense::new(&net.layers.0), by_hand::Dense::new(&net.layers.2));
        Box::new(XorByHand { first, last, adam: by_hand::Adam::new(rate) })
    };
    let ((x, x_matrix), (t, t_matrix)) = (batch::<2, B>(rng), batch::<1, B>(rng));
    let hand = by_hand(NO_LEARNING);
    assert_close("xor", net.predict(&x[0]).as_slice(), hand.predict(&x[0]).as_slice());
    compare(
        criterion,
        "xor predict",
        1,
        || black_box(&*net).predict(black_box(&x[0])),
        || black_box(&*hand).predict(black_box(&x[0])),
    );
    let loss = |y: &_| by_hand::mse(y, black_box(&*t_matrix));
    compare_steps!(criterion, "xor step, batch 4", B, net, by_hand, Mse, (x, t), loss, x_matrix);
}

fn policy(criterion: &mut Criterion) {
    const B: usize = 32;
    let rng = &mut StdRng::seed_from_u64(2);
    let mut net = Box::new(Policy::ZERO);
    net.init(rng);
    let by_hand = |rate| {
        let (first, second) = (by_hand::Dense::new(&net.layers.0), by_hand::Dense::new(&net.layers.2));
        let last = by_hand::Dense::new(&net.layers.4);
        Box::new(PolicyByHand { first, second, last, adam: by_hand::Adam::new(rate) })
    };
    let ((x, x_matrix), (t, t_matrix)) = (batch::<13, B>(rng), batch::<4, B>(rng));
    let hand = by_hand(NO_LEARNING);
    assert_close("policy", net.predict(&x[0]).as_slice(), hand.predict(&x[0]).as_slice());
    compare(
        criterion,
        "policy predict",
        1,
        || black_box(&*net).predict(black_box(&x[0])),
        || black_box(&*hand).predict(black_box(&x[0])),
    );
    let loss = |y: &_| by_hand::mse(y, black_box(&*t_matrix));
    compare_steps!(criterion, "policy step, batch 32", B, net, by_hand, Mse, (x, t), loss, x_matrix);
}

fn small(criterion: &mut Criterion) {
    const B: usize = 32;
    let rng = &mut StdRng::seed_from_u64(3);
    let mut net = Box::new(Small::ZERO);
    net.init(rng);
    let (first, relu, last) = net.layers.clone();
    let with_softmax = Box::new(SmallSoftmax::new((first, relu, last, Softmax)));
    let by_hand = |rate| {
        let (first, last) = (by_hand::Dense::new(&net.layers.0), by_hand::Dense::new(&net.layers.2));
        Box::new(SmallByHand { first, last, adam: by_hand::Adam::new(rate) })
    };
    let ((x, x_matrix), (t, t_numbers)) = (batch::<64, B>(rng), labels::<10, B>(rng));
    let t = Box::new(t);
    let hand = by_hand(NO_LEARNING);
    let hand_softmax = |x: &SVector<f32, 64>| by_hand::softmax(&black_box(&*hand).predict(x));
    assert_close("small", with_softmax.predict(&x[0]).as_slice(), hand_softmax(&x[0]).as_slice());
    compare(
        criterion,
        "small predict",
        1,
        || black_box(&*with_softmax).predict(black_box(&x[0])),
        || hand_softmax(black_box(&x[0])),
    );
    let loss = |y: &_| by_hand::cross_entropy(y, black_box(&t_numbers));
    compare_steps!(criterion, "small step, batch 32", B, net, by_hand, CrossEntropy, (x, t), loss, x_matrix);
}

fn mnist<const B: usize>(criterion: &mut Criterion) {
    let rng = &mut StdRng::seed_from_u64(4);
    let mut net = Box::new(Mnist::ZERO);
    net.init(rng);
    let by_hand = |rate| {
        let (first, second) = (by_hand::Dense::new(&net.layers.0), by_hand::Dense::new(&net.layers.2));
        let last = by_hand::Dense::new(&net.layers.4);
        Box::new(MnistByHand { first, second, last, adam: by_hand::Adam::new(rate) })
    };
    let ((x, x_matrix), (t, t_numbers)) = (batch::<784, B>(rng), labels::<10, B>(rng));
    let t = Box::new(t);
    let hand = by_hand(NO_LEARNING);
    let mut y = [SVector::zeros(); B];
    net.predict_batch(&x, &mut y);
    let ours: Vec<f32> = y.iter().flatten().copied().collect();
    assert_close("mnist", &ours, hand.predict(&x_matrix).as_slice());
    compare(
        criterion,
        &format!("mnist predict, batch {B}"),
        B,
        || black_box(&*net).predict_batch(black_box(&*x), black_box(&mut y)),
        || black_box(&*hand).predict(black_box(&*x_matrix)),
    );
    let loss = |y: &_| by_hand::cross_entropy(y, black_box(&t_numbers));
    let name = &format!("mnist step, batch {B}");
    compare_steps!(criterion, name, B, net, by_hand, CrossEntropy, (x, t), loss, x_matrix);
}

/// Two causal blocks over 32 tokens; nothing by hand to compare with.
fn transformer(criterion: &mut Criterion) {
    const B: usize = 8;
    let rng = &mut StdRng::seed_from_u64(5);
    let mut net = Box::new(Transformer::ZERO);
    net.init(rng);
    let mut tokens = || -> [[Class<64>; 32]; B] {
        std::array::from_fn(|_| std::array::from_fn(|_| Class::const_new(rng.random_range(0..64))))
    };
    let (x, t) = (tokens(), tokens());
    let mut trainer =
        Box::new(Trainer::<Transformer, _, _, B>::new(Adam::const_new(f64::from(NO_LEARNING)), CrossEntropy));
    let mut group = criterion.benchmark_group("transformer");
    group.bench_function("predict", |bencher| bencher.iter(|| black_box(&*net).predict(black_box(&x[0]))));
    group.throughput(Throughput::Elements(B as u64));
    group.bench_function("step, batch 8", |bencher| {
        bencher.iter(|| trainer.step(black_box(&mut *net), black_box(&x), black_box(&t)));
    });
    group.finish();
}

static DS_CNN: Mutex<DsCnn> = Mutex::new(DsCnn::ZERO);
static AUTOENCODER: Mutex<Autoencoder> = Mutex::new(Autoencoder::ZERO);
static RES_NET: Mutex<ResNet8> = Mutex::new(ResNet8::ZERO);
static MOBILE_NET: Mutex<MobileNet> = Mutex::new(MobileNet::ZERO);
static RES_NET_TRAINER: Mutex<Trainer<ResNet8, Adam, CategoricalCrossEntropy, 4>> =
    Mutex::new(Trainer::new(Adam::const_new(0.0), CategoricalCrossEntropy));

/// MLPerf Tiny's networks: predictions of all, and steps of the one with convolutions, normalisation and branches.
fn tiny(criterion: &mut Criterion) {
    tiny_predict(criterion, "DS-CNN", &DS_CNN);
    tiny_predict(criterion, "autoencoder", &AUTOENCODER);
    tiny_predict(criterion, "ResNet-8", &RES_NET);
    tiny_predict(criterion, "MobileNet", &MOBILE_NET);
    let rng = &mut StdRng::seed_from_u64(7);
    let mut x = Box::new(<[TensorOf<Image<3, 32, 32>, f32>; 4]>::ZERO);
    x.iter_mut().flat_map(Tensor::as_mut_slice).for_each(|x| *x = rng.random_range(-1.0..1.0));
    let t = [0, 3, 7, 7].map(Class::<10>::const_new);
    let (mut net, mut trainer) = (RES_NET.lock().expect("alone"), RES_NET_TRAINER.lock().expect("alone"));
    let mut group = criterion.benchmark_group("MLPerf Tiny");
    group.throughput(Throughput::Elements(4));
    group.bench_function("ResNet-8 step, batch 4", |bencher| {
        bencher.iter(|| trainer.step(black_box(&mut *net), black_box(&*x), black_box(&t)));
    });
    group.finish();
}

fn tiny_predict<In: Shape, L: Layer<In> + Parameters<f32>>(
    criterion: &mut Criterion,
    name: &str,
    net: &Mutex<Network<In, L>>,
) {
    let rng = &mut StdRng::seed_from_u64(6);
    let mut net = net.lock().expect("alone");
    net.init(rng);
    let (mut x, mut y) = (Box::new(TensorOf::<In, f32>::ZERO), Box::new(TensorOf::<L::Out, f32>::ZERO));
    x.as_mut_slice().iter_mut().for_each(|x| *x = rng.random_range(-1.0..1.0));
    let mut group = criterion.benchmark_group("MLPerf Tiny");
    group.bench_function(format!("{name} predict"), |bencher| {
        bencher.iter(|| black_box(&net.layers).forward(black_box(&*x), black_box(&mut *y)));
    });
    group.finish();
}
