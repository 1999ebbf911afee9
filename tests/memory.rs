//! What training takes: the documented sum, in a `static`, without a large stack.
#![cfg(feature = "rand")]

#[path = "../examples/support/mlperf_tiny.rs"]
mod mlperf_tiny;

use constnet::data::Dataset;
use constnet::loss::{CrossEntropy, Mse};
use constnet::nalgebra::SVector;
use constnet::network::{Model, Workspace};
use constnet::optimizer::{Adagrad, Adam, Optimizer, RmsProp, Sgd};
use constnet::train::{Fit, Memory, Trainer};
use constnet::{
    Bidirectional, Class, ConstZero, Conv2d, Dense, Dropout, Flatten, Gru, Image, Lstm, MaxPool2d, Network, Parallel,
    Relu, Residual, Rnn, Same, Sequence, Sigmoid, Stride, Sum, Tanh, Vector,
};
use mlperf_tiny::{Autoencoder, DsCnn, MobileNet, ResNet8};
use std::borrow::BorrowMut;
use std::sync::Mutex;
use std::thread;

/// The part of a trainer that does not grow with the network or the batch: counts, hyperparameters, padding.
const SCALARS: usize = if cfg!(target_arch = "x86_64") { 512 } else { 256 };

/// A trainer's bytes: the gradient, `moments` times the network, and for each sample its input, its output twice, and what lies
/// between the layers twice.
fn assert_size<N: Model<Scalar = f32>, O: Optimizer<f32>, const B: usize>(
    moments: usize,
    [input, between, output]: [usize; 3],
    cache: usize,
) {
    let parameters = N::COUNT * 4;
    let line = if cfg!(target_arch = "x86_64") { 64 } else { 4 };
    assert_eq!(size_of::<N>(), parameters.next_multiple_of(line), "a network is its parameters");
    assert_eq!(align_of::<N>(), line, "and begins where a line of the cache does");
    let samples = B * (4 * (input + 2 * between + 2 * output) + cache);
    let documented = parameters * (1 + moments) + samples;
    let actual = size_of::<Trainer<N, O, Mse, B>>();
    let parts = Memory::<N, O, B>::GRADIENT_BYTES + Memory::<N, O, B>::STATE_BYTES + Memory::<N, O, B>::BATCH_BYTES;
    let alignment = align_of::<Memory<N, O, B>>();
    assert_eq!(size_of::<Memory<N, O, B>>(), parts.next_multiple_of(alignment), "the parts are the whole");
    let fits = (documented..documented + SCALARS).contains(&actual);
    assert!(fits, "{actual} bytes, documented {documented}: {}", core::any::type_name::<(N, O)>());
}

/// Would catch: a buffer more, or an alignment that doubles something.
#[test]
fn sizes_are_the_documented_ones() {
    type Small = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
    type Dropped = Network<Vector<8>, (Dense<8, 16>, Dropout, Dense<16, 4>)>;
    type Deep = Network<Vector<8>, (Dense<8, 16>, Residual<(Dense<16, 24>, Tanh, Dense<24, 16>)>, Dense<16, 4>)>;
    assert_size::<Small, Sgd, 1>(0, [64, 64, 10], 0);
    assert_size::<Small, RmsProp, 1>(1, [64, 64, 10], 0);
    assert_size::<Small, Adagrad, 16>(1, [64, 64, 10], 0);
    assert_size::<Small, Adam, 1>(2, [64, 64, 10], 0);
    assert_size::<Small, Adam, 32>(2, [64, 64, 10], 0);
    // Dropout keeps a byte for each number, a residual its inner outputs once, and what lies between its layers twice.
    assert_size::<Dropped, Sgd, 32>(0, [8, 32, 4], 16);
    assert_size::<Deep, Adam, 8>(2, [8, 32, 4], 4 * 16 + 2 * 4 * 48);
    assert_eq!(size_of::<Class<10>>(), 4);
}

/// Would catch: a trainer that borrows its memory and does something else than one that owns it, or that goes on with what another
/// has left there.
#[test]
fn borrowed_memory_trains_to_the_same_bits() {
    type Net = Network<Vector<2>, (Dense<2, 6>, Tanh, Dropout, Dense<6, 1>)>;
    fn train<S: BorrowMut<Memory<Net, Adam, 4>>>(mut trainer: Trainer<Net, Adam, Mse, 4, S>) -> Net {
        let mut net = Net::ZERO;
        net.init(&mut <rand::rngs::Xoshiro128PlusPlus as rand::SeedableRng>::seed_from_u64(1));
        let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].map(SVector::from);
        let targets = [0.0, 1.0, 1.0, 0.0].map(|y| SVector::<f32, 1>::from([y]));
        // The first pass may not add to what is there.
        trainer.accumulate(&mut net, &inputs, &targets);
        trainer.apply(&mut net).expect("finite");
        for _ in 0..10 {
            trainer.step(&mut net, &inputs, &targets);
        }
        let data = Dataset::new(&inputs, &targets).expect("pairs");
        trainer.fit(&mut net, data, Fit::epochs(10), &mut ()).expect("finite");
        trainer.accumulate(&mut net, &inputs, &targets); // left there
        net
    }
    let owned = train(Trainer::new(Adam::const_new(0.05), Mse));
    let mut memory = Memory::ZERO;
    for time in ["fresh", "used"] {
        let borrowed = train(Trainer::with_memory(Adam::const_new(0.05), Mse, &mut memory));
        assert!(borrowed == owned, "{time} memory");
    }
}

/// Would catch: a tensor between layers forgotten, counted twice or kept too long, or what a layer keeps itself.
#[test]
fn forward_bytes_are_what_is_alive_at_once() {
    type Deep = Network<Vector<8>, (Dense<8, 16>, Residual<(Dense<16, 24>, Tanh, Dense<24, 16>)>, Dense<16, 4>)>;
    type Wide = Network<Vector<8>, (Parallel<(Dense<8, 5>, Tanh, Dense<5, 6>), Dense<8, 6>, Sum>, Dense<6, 2>)>;
    type Steps = Network<Sequence<3, 7>, (Gru<3, 8>, Lstm<8, 6>)>;
    assert_eq!(Network::<Vector<8>, Dense<8, 4>>::FORWARD_BYTES, 4 * 4);
    assert_eq!(Network::<Vector<8>, (Dense<8, 4, f64>,), f64>::FORWARD_BYTES, 8 * 4);
    // The input of the residual, with the two neighbours inside that are largest together.
    assert_eq!(Deep::FORWARD_BYTES, 4 * (16 + (24 + 16) + 4));
    // The sum, and the second branch's output.
    assert_eq!(Wide::FORWARD_BYTES, 4 * (6 + 6 + 2));
    // The states, `h` and with an LSTM `c`, and the vectors that a step saves: 1, 4 and 5.
    assert_eq!(Network::<Sequence<3, 7>, Rnn<3, 8>>::FORWARD_BYTES, 4 * ((8 + 8) + 8 * 7));
    assert_eq!(Network::<Sequence<3, 7>, Gru<3, 8>>::FORWARD_BYTES, 4 * ((8 + 4 * 8) + 8 * 7));
    assert_eq!(Network::<Sequence<3, 7>, Bidirectional<Lstm<3, 8>>>::FORWARD_BYTES, 4 * ((2 * 8 + 5 * 8) + 2 * 8 * 7));
    assert_eq!(Steps::FORWARD_BYTES, 4 * (8 * 7 + (2 * 6 + 5 * 6) + 6 * 7));
}

/// The goals of the plan: what is alive at once between the layers, without the output.
#[test]
fn known_networks_take_what_is_alive_at_once() {
    type LeNet = Network<
        Image<1, 28, 28>,
        (
            (Conv2d<1, 6, 5, 5, Stride, Same>, Relu, MaxPool2d<2>, Conv2d<6, 16, 5>, Relu, MaxPool2d<2>, Flatten),
            (Dense<400, 120>, Relu, Dense<120, 84>, Relu, Dense<84, 10>),
        ),
    >;
    assert_eq!(Workspace::<DsCnn>::BYTES, 64_000);
    assert_eq!(Workspace::<Autoencoder>::BYTES, 1_024);
    assert_eq!(Workspace::<ResNet8>::BYTES, 196_608);
    assert_eq!(Workspace::<MobileNet>::BYTES, 221_184);
    assert_eq!(Workspace::<LeNet>::BYTES, 23_520);
    assert_eq!(Workspace::<Mnist>::BYTES, 512);
    // Taking turns, as much as the largest.
    assert_eq!(Workspace::<(Mnist, DsCnn, (LeNet, Autoencoder))>::BYTES, 64_000);
}

type Mnist = Network<Vector<784>, (Dense<784, 64>, Relu, Dense<64, 64>, Relu, Dense<64, 10>)>;

static NET: Mutex<Mnist> = Mutex::new(Mnist::ZERO);
static TRAINER: Mutex<Trainer<Mnist, Adam, CrossEntropy, 32>> =
    Mutex::new(Trainer::new(Adam::const_new(1e-3), CrossEntropy));
static INPUTS: Mutex<[SVector<f32, 784>; 32]> = Mutex::new([ConstZero::ZERO; 32]);

/// Training MNIST's network as the docs show it, on a thread with the stack of a test thread, in whatever build this is.
///
/// Would catch: a trainer, a gradient or a batch that passes through the stack on its way.
#[test]
fn mnist_trains_on_a_small_stack() {
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(|| {
        let (mut net, mut trainer) = (NET.lock().expect("first"), TRAINER.lock().expect("first"));
        let mut inputs = INPUTS.lock().expect("first");
        net.init(&mut <rand::rngs::Xoshiro128PlusPlus as rand::SeedableRng>::seed_from_u64(1));
        let labels = core::array::from_fn(|i| Class::<10>::const_new(i % 10));
        for (i, x) in inputs.iter_mut().enumerate() {
            x.rows_mut(78 * (i % 10), 70).fill(1.0);
        }
        let first = trainer.step(&mut *net, &*inputs, &labels);
        let data = Dataset::new(&*inputs, &labels).expect("pairs");
        trainer.fit(&mut net, data, Fit::epochs(20), &mut ()).expect("finite");
        (first, trainer.evaluate(&net, data))
    });
    let (first, last) = thread.expect("a thread").join().expect("no overflow");
    assert!(last < 0.25 * first, "the loss fell from {first} to {last} only");
}

/// The README's table, literally: the network, and its trainers for SGD and Adam at batch 1 and Adam at batch 32.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_table_in_the_readme() {
    type Xor = Network<Vector<2>, (Dense<2, 4>, Sigmoid, Dense<4, 1>, Sigmoid)>;
    type Digits = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
    macro_rules! row {
        ($Net:ty, $Loss:ty) => {
            [
                <$Net>::PARAMETERS,
                size_of::<$Net>(),
                size_of::<Trainer<$Net, Sgd, $Loss, 1>>(),
                size_of::<Trainer<$Net, Adam, $Loss, 1>>(),
                size_of::<Trainer<$Net, Adam, $Loss, 32>>(),
            ]
        };
    }
    let readme = include_str!("../README.md").replace(',', "");
    for (name, row) in [
        ("XOR 2-4-1", row!(Xor, Mse)),
        ("digits 64-32-10", row!(Digits, CrossEntropy)),
        ("MNIST 784-64-64-10", row!(Mnist, CrossEntropy)),
    ] {
        let line = row.iter().fold(format!("| {name} |"), |line, bytes| format!("{line} {bytes} |"));
        assert!(readme.contains(&line), "the README lacks: {line}");
    }
}
