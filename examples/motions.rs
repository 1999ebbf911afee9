//! What is a person with a smart watch doing? A signal of accelerometer and gyroscope, recognised by a recurrent network and by a
//! convolutional one, and then again as a watch would do it: sample by sample.
//!
//! ```text
//! sh examples/data/fetch.sh motions               # the data, from a Python package
//! cargo run --release --example motions           # seed 0
//! cargo run --release --example motions -- 7      # other first parameters, another order of the recordings
//! ```
//!
//! The data are `BasicMotions`: 40 recordings to learn from and 40 to be tested on, 10 s each.

use constnet::data::{Dataset, Standardizer};
use constnet::layer::{Differentiable, Layer};
use constnet::loss::CrossEntropy;
use constnet::metrics::accuracy;
use constnet::nalgebra::{SMatrix, SVector};
use constnet::optimizer::schedule::Cosine;
use constnet::optimizer::{Adam, Clip};
use constnet::streaming::Streaming;
use constnet::train::{Fit, Trainer};
use constnet::{Causal, Class, Conv1d, Dense, Dilation, GlobalAvgPool, Gru, Network, Relu, Sequence, Stride, Vector};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

#[path = "support/exit.rs"]
mod exit;
#[path = "support/fetched.rs"]
mod fetched;

const CHANNELS: usize = 6;
const STEPS: usize = 100;
const ACTIVITIES: [&str; 4] = ["Standing", "Running", "Walking", "Badminton"];

type Shape = Sequence<CHANNELS, STEPS>;
type Recording = SMatrix<f32, CHANNELS, STEPS>;
type Activity = Class<4>;

// Two layers, one on the other, and the mean of what the second says at each step. Chosen, as were rate and epochs, by splitting
// the training part four times; the test part had no say.
type Recurrent = (Gru<CHANNELS, 16>, Gru<16, 16>, GlobalAvgPool, Dense<16, 4>);

// Causal: no output looks ahead, so that the network can run while the signal comes in. The dilations reach 29 steps back.
type Convolution<const IN: usize, const D: usize> = Conv1d<IN, 16, 5, Stride, Causal, Dilation<D>>;
type Convolutional = (Convolution<CHANNELS, 1>, Relu, Convolution<16, 6>, Relu, GlobalAvgPool, Dense<16, 4>);

const BATCH: usize = 8;
const EPOCHS: usize = 60;

// Statics take no stack, however large they are.
static RECURRENT: Mutex<Net<Recurrent>> = Mutex::new(Network::ZERO);
static RECURRENT_TRAINER: Mutex<MotionTrainer<Recurrent>> = Mutex::new(trainer());
static CONVOLUTIONAL: Mutex<Net<Convolutional>> = Mutex::new(Network::ZERO);
static CONVOLUTIONAL_TRAINER: Mutex<MotionTrainer<Convolutional>> = Mutex::new(trainer());

type Net<L> = Network<Shape, L>;
type MotionTrainer<L> = Trainer<Net<L>, Adam, CrossEntropy, BATCH>;

const fn trainer<L: Differentiable<Shape>>() -> MotionTrainer<L> {
    Trainer::new(Adam::const_new(1e-2), CrossEntropy)
}

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let seed = match std::env::args().nth(1) {
        Some(text) => text.parse().map_err(|_| format!("a seed is a natural number, not `{text}`"))?,
        None => 0,
    };
    let (mut train_x, train_y) = load("BasicMotions_TRAIN.ts")?;
    let (mut test_x, test_y) = load("BasicMotions_TEST.ts")?;

    // Each channel to mean 0 and deviation 1, all steps alike, by the recordings to learn from alone.
    let steps: Vec<SVector<f32, CHANNELS>> = train_x.iter().flat_map(|x| x.column_iter().map(SVector::from)).collect();
    let scaler = Standardizer::<Vector<CHANNELS>>::fit(&steps)?;
    for mut step in train_x.iter_mut().chain(&mut test_x).flat_map(|x| x.column_iter_mut()) {
        let mut x = step.clone_owned();
        scaler.apply(&mut x);
        step.copy_from(&x);
    }
    let (train, test) = (Dataset::new(&train_x, &train_y)?, Dataset::new(&test_x, &test_y)?);
    println!("{} recordings to learn from, {} to be tested on", train.len(), test.len());
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example motions` is many times faster");
    }

    learn("GRU", &mut *RECURRENT.lock()?, &mut *RECURRENT_TRAINER.lock()?, seed, train, test)?;
    learn("Conv1d", &mut *CONVOLUTIONAL.lock()?, &mut *CONVOLUTIONAL_TRAINER.lock()?, seed, train, test)
}

type Recordings<'a> = Dataset<'a, Recording, Activity>;

/// Trains a network, tests it on whole recordings, and again step by step.
#[allow(clippy::cast_precision_loss)] // Small counts.
fn learn<L>(
    name: &str,
    net: &mut Net<L>,
    trainer: &mut MotionTrainer<L>,
    seed: u64,
    train: Recordings<'_>,
    test: Recordings<'_>,
) -> Result<(), Box<dyn Error>>
where
    L: Differentiable<Shape> + Layer<Shape, Out = Vector<4>> + Streaming<Vector<CHANNELS>, Out = Vector<4>>,
{
    net.init(&mut StdRng::seed_from_u64(seed));
    trainer.seed = seed;
    trainer.clip = Clip::norm(1.0)?; // One steep batch does not throw the recurrent network off.
    println!(
        "\n{name}: {} parameters, {} bytes of state from step to step",
        Net::<L>::PARAMETERS,
        size_of::<L::State>()
    );

    let mut schedule = Cosine::new((train.batches(BATCH) * EPOCHS) as u64, 0.0)?;
    let start = Instant::now();
    let report = trainer.fit(net, train, Fit::epochs(EPOCHS).schedule(&mut schedule), &mut ())?;
    println!("training loss {:.4} after {EPOCHS} epochs, in {:.2} s", report.loss, start.elapsed().as_secs_f64());

    let whole: Vec<_> = test.iter().map(|(x, _)| net.predict(x)).collect();
    println!("test accuracy ({name}): {:.4}", accuracy(whole.iter().zip(test.iter().map(|(_, activity)| activity))));

    // As a watch runs it: a sample comes in, an answer goes out, and the state is all that is kept.
    let mut settled = 0;
    for ((x, _), whole) in test.iter().zip(&whole) {
        let mut state = Net::<L>::start();
        let mut answers = Vec::with_capacity(STEPS);
        let mut last = SVector::zeros();
        for sample in x.column_iter() {
            last = net.step(&mut state, &sample.clone_owned());
            answers.push(Class::argmax(&last));
        }
        if last.map(f32::to_bits) != whole.map(f32::to_bits) {
            return Err(format!("{name}: step by step gives {last:?}, the whole recording gives {whole:?}").into());
        }
        settled += answers.iter().rposition(|&answer| answer != Class::argmax(whole)).map_or(1, |step| step + 2);
    }
    println!(
        "streaming ({name}): the same outputs in all {} recordings, bit for bit; the answer stands after {:.1} of {STEPS} steps",
        test.len(),
        settled as f64 / test.len() as f64
    );
    Ok(())
}

/// Reads recordings. Every error names the file, and the line where it can.
fn load(name: &str) -> Result<(Vec<Recording>, Vec<Activity>), Box<dyn Error>> {
    fetched::read("motions", name, |file| {
        let (mut recordings, mut activities) = (Vec::new(), Vec::new());
        // Comments and settings stand before `@data`, a recording on each line after it.
        let lines = (1..).zip(std::str::from_utf8(file)?.lines());
        for (line, text) in lines.skip_while(|(_, text)| *text != "@data").skip(1) {
            let (x, activity) = parse(text).map_err(|error| format!("line {line}: {error}"))?;
            recordings.push(x);
            activities.push(activity);
        }
        if recordings.is_empty() {
            return Err("there is no recording after a line `@data`".into());
        }
        Ok((recordings, activities))
    })
}

/// A recording: channels parted by `:`, their steps by `,`, and the activity last.
fn parse(text: &str) -> Result<(Recording, Activity), Box<dyn Error>> {
    let mut parts: Vec<&str> = text.split(':').collect();
    let label = parts.pop().unwrap_or_default().trim();
    let activity = ACTIVITIES.iter().position(|activity| *activity == label);
    let activity = activity.ok_or_else(|| format!("the activity is `{label}`, and should be one of {ACTIVITIES:?}"))?;
    if parts.len() != CHANNELS {
        return Err(format!("{} channels, and there should be {CHANNELS}", parts.len()).into());
    }
    let mut x = Recording::zeros();
    for (mut row, numbers) in x.row_iter_mut().zip(parts) {
        let numbers: Vec<&str> = numbers.split(',').collect();
        if numbers.len() != STEPS {
            return Err(format!("{} steps, and there should be {STEPS}", numbers.len()).into());
        }
        for (x, number) in row.iter_mut().zip(numbers) {
            *x = number.trim().parse().map_err(|_| format!("`{number}` is no number"))?;
        }
    }
    Ok((x, Class::new(activity)?))
}
