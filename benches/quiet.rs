//! What decays must not slow anyone down: recurrent networks that run into silence, and optimisers after 100,000 steps. See
//! `benches/README.md`.
//!
//! Each benchmark has two halves. `first` is a step while there is a signal, or one of the first of a training; `last` is a step after
//! 100,000 of silence, or of training. A line beside them has the medians of both from runs that took turns, and how much longer the last
//! takes: 5 % at most, but for the noise of the machine.
#![allow(clippy::cast_precision_loss)] // Small numbers of steps.

#[path = "../examples/support/digits.rs"]
mod digits;

use constnet::layer::{Differentiable, Gradient, Layer, Parameters};
use constnet::loss::CrossEntropy;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::{Adagrad, Adam, AdamW, RmsProp, Sgd};
use constnet::shape::{Tensor, TensorOf};
use constnet::streaming::Streaming;
use constnet::train::Trainer;
use constnet::{
    Bidirectional, Causal, Class, ConstZero, Conv1d, Dense, Embedding, GlobalAvgPool, Gru, Lstm, Network, Relu, Rnn,
    Sequence, Stride, Tanh, Tokens, Vector,
};
use criterion::Criterion;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long a network is silent, or trains, before its last steps are timed.
const STEPS: usize = 100_000;

/// Steps timed in a row.
const CHUNK: usize = 100;

/// How often first and last steps take turns.
const ROUNDS: usize = 201;

/// Runs at most [`CHUNK`] steps, and says how long they took.
type Run = Box<dyn FnMut(usize) -> Duration>;

/// Reports both halves, then compares them in turn. Nothing is prepared that the command line does not ask for.
fn compare(criterion: &mut Criterion, name: &str, prepare: impl Fn() -> [Run; 2]) {
    let mut halves = None;
    let mut group = criterion.benchmark_group(name);
    for (i, half) in ["first", "last"].into_iter().enumerate() {
        group.bench_function(half, |bencher| {
            let run = &mut halves.get_or_insert_with(&prepare)[i];
            bencher.iter_custom(|steps| {
                let steps = usize::try_from(steps).expect("as many as there is time for");
                (0..steps).step_by(CHUNK).map(|done| run(CHUNK.min(steps - done))).sum()
            });
        });
    }
    group.finish();
    let Some(halves) = &mut halves else { return };
    let mut times = [[0.0; ROUNDS]; 2];
    for round in 0..ROUNDS {
        for (run, times) in halves.iter_mut().zip(&mut times) {
            times[round] = run(CHUNK).as_secs_f64() * 1e9 / CHUNK as f64;
        }
    }
    let [first, last] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    println!("{name}: {first:.1} ns first, {last:.1} ns last: {:+.1} %\n", 100.0 * (last / first - 1.0));
}

fn timed(mut step: impl FnMut(), steps: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..steps {
        step();
    }
    start.elapsed()
}

/// A stream whose biases are 0, so that it rests at 0: with a signal, and long after it.
fn stream<L>(criterion: &mut Criterion, name: &str)
where
    L: Layer<Sequence<1, 64>> + Streaming<Vector<1>> + Parameters<f32> + Clone + 'static,
{
    compare(criterion, name, || {
        let mut net = Box::new(Network::<Sequence<1, 64>, L>::ZERO);
        net.init(&mut StdRng::seed_from_u64(1));
        let mut rng = StdRng::seed_from_u64(2);
        let signal: Vec<f32> = (0..CHUNK).map(|_| rng.random_range(-1.0..1.0)).collect();
        let run = |silent: usize, signal: Vec<f32>| -> Run {
            let net = net.clone();
            let mut state = Box::new(Network::<Sequence<1, 64>, L>::start());
            for i in 0..CHUNK + silent {
                net.step(&mut state, &SVector::from([if i < CHUNK { (i as f32).sin() } else { 0.0 }]));
            }
            Box::new(move |steps| {
                let mut x = signal.iter();
                timed(
                    || {
                        let x = x.next().copied().unwrap_or(0.0);
                        black_box(net.step(&mut state, &SVector::from([black_box(x)])));
                    },
                    steps,
                )
            })
        };
        [run(0, signal), run(STEPS, vec![0.0; CHUNK])]
    });
}

/// A sequence of this many steps, of which all or only the first [`CHUNK`] have a signal.
const WHOLE: usize = 3200;

/// A layer on whole sequences, and back through time from the last step.
fn whole<L>(criterion: &mut Criterion, name: &str)
where
    L: Differentiable<Sequence<1, WHOLE>> + Clone + 'static,
{
    let draw = |signal: usize| {
        let mut rng = StdRng::seed_from_u64(2);
        Box::new(SMatrix::<f32, 1, WHOLE>::from_fn(|_, i| if i < signal { rng.random_range(-1.0..1.0) } else { 0.0 }))
    };
    let mut net = Box::new(Network::<Sequence<1, WHOLE>, L>::ZERO);
    net.init(&mut StdRng::seed_from_u64(1));
    let net = net.layers;
    compare(criterion, &format!("{name}, a whole sequence"), || {
        [WHOLE, CHUNK].map(|signal| -> Run {
            let (net, x, mut y) = (net.clone(), draw(signal), Box::new(ConstZero::ZERO));
            Box::new(move |steps| timed(|| net.forward(black_box(&x), &mut y), steps.div_ceil(50)) * 50)
        })
    });
    compare(criterion, &format!("{name}, back through time"), || {
        [WHOLE, 1].map(|given| -> Run {
            let (net, x) = (net.clone(), [*draw(WHOLE)]);
            let mut y = Box::new([<TensorOf<L::Out, f32>>::ZERO]);
            let (mut cache, mut gradient) = (Box::new(L::Cache::<1>::ZERO), Box::new(L::ZERO));
            net.forward_train(&x, &mut cache, &mut y);
            let mut dy = y.clone();
            let numbers = dy[0].as_mut_slice();
            let silent = numbers.len() / WHOLE * (WHOLE - given);
            numbers[..silent].fill(0.0);
            Box::new(move |steps| {
                let mut spent = Duration::ZERO;
                for _ in 0..steps.div_ceil(50) {
                    net.forward_train(&x, &mut cache, &mut y);
                    spent += timed(
                        || net.backward(black_box(&x), &y, &mut cache, &dy, Gradient::adding(&mut gradient), None),
                        1,
                    );
                }
                spent * 50
            })
        })
    });
}

/// A training over given batches, in turn.
type Batches<X, Y, const B: usize> = Vec<([X; B], [Y; B])>;

/// The first steps of a training, again and again, and the steps after [`STEPS`]. A macro: what a trainer takes is in its types.
macro_rules! training {
    ($criterion:ident, $name:expr, $Net:ty, $B:literal, $optimizer:expr, $batches:expr) => {
        compare($criterion, $name, || {
            let batches = $batches;
            let run = |trained: usize| -> Run {
                let batches = batches.clone();
                let mut start = Box::new(<$Net>::ZERO);
                start.init(&mut StdRng::seed_from_u64(1));
                let mut net = start.clone();
                let mut trainer = Box::new(Trainer::<$Net, _, _, $B>::new($optimizer, CrossEntropy));
                let mut next = 0;
                let mut step = move |begin: bool| {
                    if begin {
                        (*net, *trainer, next) = ((*start).clone(), Trainer::new($optimizer, CrossEntropy), 0);
                    }
                    let (x, y) = &batches[next % batches.len()];
                    next += 1;
                    // The batches that touch everything come but once.
                    if next == batches.len() {
                        next = batches.len() / 2;
                    }
                    black_box(trainer.step(&mut *net, x, y));
                };
                for _ in 0..trained {
                    step(false);
                }
                Box::new(move |steps| {
                    if trained == 0 {
                        step(true);
                    }
                    timed(|| step(false), steps)
                })
            };
            [run(0), run(STEPS)]
        });
    };
}

/// Every optimiser, on the digits and on an embedding of which most rows rest after the first steps.
macro_rules! optimizers {
    ($criterion:ident, $($name:literal: $optimizer:expr;)+) => { $(
        training!($criterion, concat!($name, ", digits"), Small, 32, $optimizer, digits());
        training!($criterion, concat!($name, ", an embedding that rests"), Rows, 8, $optimizer, tokens());
    )+ };
}

type Small = Network<Vector<64>, (Dense<64, 32>, Relu, Dense<32, 10>)>;
type Rows = Network<Tokens<512, 8>, (Embedding<512, 16>, GlobalAvgPool, Dense<16, 4>)>;

/// The digits in batches, twice.
fn digits() -> Batches<digits::Pixels, Class<10>, 32> {
    let (pixels, classes) = digits::load().expect("the digits of the repository");
    let pixels: Vec<_> = pixels.into_iter().map(|x| x / 16.0).collect();
    let batches: Vec<_> = pixels.as_chunks().0.iter().copied().zip(classes.as_chunks().0.iter().copied()).collect();
    [batches.clone(), batches].concat()
}

/// 64 batches of all rows, then 64 of the first 20.
fn tokens() -> Batches<[Class<512>; 8], Class<4>, 8> {
    let mut rng = StdRng::seed_from_u64(3);
    let mut batch = |rows: usize| {
        let x = [(); 8].map(|()| [(); 8].map(|()| Class::new(rng.random_range(0..rows)).expect("below")));
        (x, x.map(|[first, ..]| Class::new(first.index() % 4).expect("below")))
    };
    (0..128).map(|i| batch(if i < 64 { 512 } else { 20 })).collect()
}

/// Of the optimisers' settings.
const VALID: &str = "in range";

fn all(criterion: &mut Criterion) {
    stream::<Rnn<1, 16>>(criterion, "Rnn<1, 16>, a stream");
    stream::<Rnn<1, 16, Relu>>(criterion, "Rnn<1, 16, Relu>, a stream");
    stream::<Gru<1, 16>>(criterion, "Gru<1, 16>, a stream");
    stream::<Lstm<1, 16>>(criterion, "Lstm<1, 16>, a stream");
    stream::<(Causal7, Gru<8, 16>, Lstm<16, 8>, Dense<8, 8>, Tanh, Rnn<8, 8>, Dense<8, 1>)>(
        criterion,
        "seven layers, a stream",
    );
    whole::<Rnn<1, 16>>(criterion, "Rnn<1, 16>");
    whole::<Gru<1, 16>>(criterion, "Gru<1, 16>");
    whole::<Lstm<1, 16>>(criterion, "Lstm<1, 16>");
    whole::<Bidirectional<Gru<1, 16>>>(criterion, "Bidirectional<Gru<1, 16>>");
    optimizers!(criterion,
        "Sgd 1e-1 that decays": Sgd::const_new(0.1).with_weight_decay(0.1).expect(VALID);
        "Momentum 1e-2": Sgd::const_new(0.01).with_momentum(0.9).expect(VALID);
        "Nesterov 1e-2 that decays": Sgd::const_new(0.01).with_weight_decay(0.1).and_then(|sgd| sgd.with_momentum(0.9)).expect(VALID).nesterov();
        "Adam 1e-2": Adam::const_new(0.01);
        "AdamW 1e-2": AdamW::const_new(0.01).with_weight_decay(0.1).expect(VALID);
        "RmsProp 1e-3": RmsProp::const_new(1e-3);
        "Adagrad 1e-2": Adagrad::const_new(0.01);
    );
}

/// A causal convolution.
type Causal7 = Conv1d<1, 8, 7, Stride, Causal>;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(100))
        .configure_from_args();
    all(&mut criterion);
    criterion.final_summary();
}
