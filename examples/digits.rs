//! The whole way on real data: 1,797 handwritten digits of 8x8 pixels, from a file to a test accuracy.
//!
//! Reads the data, splits it, scales it, trains a network while a progress bar runs, counts what the network gets right on digits
//! that it has never seen, and draws the loss curve and the confusion matrix.
//!
//! ```text
//! cargo run --release --example digits              # the split and the first parameters of seed 0
//! cargo run --release --example digits -- 3 1       # another split, other first parameters
//! ```

#[path = "support/digits.rs"]
mod data;
#[path = "support/exit.rs"]
mod exit;
#[path = "support/plot.rs"]
mod plot;

use constnet::data::{Dataset, Standardizer, shuffle, stratified_split};
use constnet::init::Init;
use constnet::loss::CrossEntropy;
use constnet::metrics::ConfusionMatrix;
use constnet::optimizer::Adam;
use constnet::optimizer::schedule::Cosine;
use constnet::train::{BatchDone, EpochDone, Fit, Observer, Trainer};
use constnet::{Dense, Dropout, Network, Relu, Vector};
use indicatif::{ProgressBar, ProgressStyle};
use plot::Losses;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

// Dropout on the pixels and on the hidden layer: with so few samples, a network learns them by heart without it. Sizes, rates
// and epochs were chosen by splitting the training part once more; the test part had no say.
type Digits = Network<Vector<64>, (Dropout<1, 10>, Dense<64, 128>, Relu, Dropout<1, 2>, Dense<128, 10>)>;

const BATCH: usize = 32;
const EPOCHS: usize = 80;

// Statics take no stack, however large they are.
static NET: Mutex<Digits> = Mutex::new(Digits::ZERO);
static TRAINER: Mutex<Trainer<Digits, Adam, CrossEntropy, BATCH>> =
    Mutex::new(Trainer::new(Adam::const_new(3e-3), CrossEntropy));

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let [split_seed, init_seed] = seeds()?;
    // The same seed gives the same split. Stratified: a fifth of every class is for the test.
    let (mut pixels, mut digits) = data::load()?;
    shuffle(&mut pixels, &mut digits, &mut StdRng::seed_from_u64(split_seed));
    let ((train_x, train_y), (test_x, test_y)) = stratified_split(&mut pixels, &mut digits, 0.8)?;

    // The scaler learns from the training part alone, as the network does: the test part stands for digits yet unwritten.
    let scaler = Standardizer::<Vector<64>>::fit(train_x)?;
    for x in train_x.iter_mut().chain(&mut *test_x) {
        scaler.apply(x);
    }
    let (train, test) = (Dataset::new(train_x, train_y)?, Dataset::new(test_x, test_y)?);
    println!("{} digits to learn from, {} to be tested on", train.len(), test.len());

    let (mut net, mut trainer) = (NET.lock()?, TRAINER.lock()?);
    net.init_with(Init::KaimingUniform, &mut StdRng::seed_from_u64(init_seed));
    trainer.seed = init_seed;
    println!("{} parameters, trained in {} bytes", Digits::PARAMETERS, size_of_val(&*trainer) + size_of_val(&*net));
    if cfg!(debug_assertions) {
        println!("this is a debug build: `cargo run --release --example digits` is many times faster");
    }

    // The learning rate falls to 0 over all steps. The loss on the test part is only drawn: nothing stops or changes by it.
    let steps = train.batches(BATCH) * EPOCHS;
    let mut schedule = Cosine::new(steps as u64, 0.0)?;
    let plan = Fit::epochs(EPOCHS).schedule(&mut schedule).validation(test);
    let mut watch = Watch::new(steps as u64)?;
    let start = Instant::now();
    trainer.fit(&mut net, train, plan, &mut watch)?;
    let seconds = start.elapsed().as_secs_f64();
    watch.bar.finish_and_clear();
    println!("training time: {seconds:.2} s for {EPOCHS} epochs");

    let mut matrix = ConfusionMatrix::NEW;
    for (x, &digit) in test.iter() {
        matrix.add_scores(&net.predict(x), digit);
    }
    let picture = std::env::temp_dir().join("constnet-digits.svg");
    fs::write(&picture, plot::draw(&watch.losses, &matrix)?)
        .map_err(|error| format!("{}: {error}", picture.display()))?;
    println!("loss curve and confusion matrix: {}", picture.display());
    println!("test accuracy: {:.4}", matrix.accuracy());
    Ok(())
}

/// The seeds on the command line: of the split, and of the first parameters.
fn seeds() -> Result<[u64; 2], Box<dyn Error>> {
    let mut seeds = [0; 2];
    for (seed, text) in seeds.iter_mut().zip(std::env::args().skip(1)) {
        *seed = text.parse().map_err(|_| format!("a seed is a natural number, not `{text}`"))?;
    }
    Ok(seeds)
}

/// Moves the progress bar, and keeps the losses.
struct Watch {
    bar: ProgressBar,
    losses: Losses,
}

impl Watch {
    fn new(steps: u64) -> Result<Self, Box<dyn Error>> {
        let style = ProgressStyle::with_template("{bar:40} {percent:>3}%  {msg}")?;
        let losses = Losses { training: Vec::with_capacity(EPOCHS), test: Vec::with_capacity(EPOCHS) };
        Ok(Self { bar: ProgressBar::new(steps).with_style(style), losses })
    }
}

impl Observer<Digits> for Watch {
    fn batch_done(&mut self, _: &Digits, _: &BatchDone<f32>) -> ControlFlow<()> {
        self.bar.inc(1);
        ControlFlow::Continue(())
    }

    fn epoch_done(&mut self, _: &Digits, done: &EpochDone<f32>) -> ControlFlow<()> {
        self.bar.set_message(format!("epoch {}: training loss {:.4}", done.epoch + 1, done.loss));
        self.losses.training.push(done.loss);
        self.losses.test.extend(done.validation_loss);
        ControlFlow::Continue(())
    }
}
